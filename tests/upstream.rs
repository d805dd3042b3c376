//! Real upstream projects, and what the real rpm, dnf and createrepo_c make of them.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use rpmforge::package::{Compared, difference};
use rpmforge::ui::diff_screen;
use support::Project;

/// Runs a program that must succeed; gives its output.
fn tool(program: &str, arguments: &[&str]) -> String {
    let output =
        Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{program} {arguments:?}\n{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    text
}

fn upstream() -> Project {
    let tarballs = support::repository().join("examples/upstream/tarballs");
    assert!(
        tarballs.join("hello-2.10.tar.gz").exists(),
        "run .ci/upstream-tarballs examples/upstream/tarballs"
    );
    Project::example("upstream")
}

#[test]
fn real_projects_are_built_installed_and_run() {
    let project = upstream();
    let states = project.succeed(&["apply", "--json"]).states();
    assert_eq!(states.len(), 8);
    assert!(states.values().all(|state| state == "succeeded"), "{states:?}");
    readers_accept(&project);
    programs_run(&project);
    packages_do_not_depend_on_the_surroundings(&project);
    both_engines_build_the_same(&project);
    a_touched_file_rebuilds_what_it_must(&project);
}

/// The packages of the repository, as far as they are compared.
fn packages(project: &Project) -> BTreeMap<String, Compared> {
    let published = project.published();
    let packages = published.iter().filter(|(path, _)| path.extension().is_some_and(|end| end == "rpm"));
    let compared = packages.map(|(path, bytes)| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name.clone(), Compared::read(&name, bytes.as_slice()).unwrap())
    });
    compared.collect()
}

fn both_engines_build_the_same(project: &Project) {
    let ours = packages(project);
    // rpmbuild 4.18 writes who owns the sources on disk into a source package; 6.1 writes root, as we do.
    let with_rpmbuild = "\n    engine rpmbuild\n    macros { _srcdefattr \"(-,root,root)\" }";
    project.edit("Rpmforge.kdl", "defaults {", &format!("defaults {{{with_rpmbuild}"));
    project.succeed(&["apply"]);
    let theirs = packages(project);
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    assert!(ours.len() >= 20, "{} packages", ours.len());
    let mut wrong = String::new();
    for (name, theirs) in &theirs {
        let mut found = difference(theirs, &ours[name]);
        // The spec as it was read: how %setup is written in it changes with every rpm.
        found.tags.retain(|change| change.tag != "spec");
        if !found.is_volatile() || found.payload.is_some() {
            wrong.push_str(&diff_screen(&found, name, name, false));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    project.edit("Rpmforge.kdl", with_rpmbuild, "");
    project.succeed(&["apply"]);
}

/// Those of each kind of build that take least long: with all of them this would double the time of the test.
fn packages_do_not_depend_on_the_surroundings(project: &Project) {
    let run = project.succeed(&["verify", "hello", "jq", "oniguruma", "tree", "zlib"]);
    assert!(run.stdout.ends_with("5 of 5 builds the same\n"), "{}", run.stdout);
}

fn readers_accept(project: &Project) {
    let repository = project.path().join("public/host").display().to_string();
    let from = format!("--repofrompath=forge,file://{repository}");
    let home = format!("--setopt=cachedir={}", project.beside("dnf").display());
    let format = "%{name}|%{evr}|%{arch}|%{sourcerpm}";
    let query = |more: &[&str]| {
        let mut arguments = vec!["repoquery", "-q", &from, "--repo=forge", &home, "--forcearch=x86_64"];
        arguments.extend(more);
        tool("dnf", &arguments)
    };
    let listed = query(&["--qf", format]);
    for line in [
        "hello|2.10-1.acme1|x86_64|hello-2.10-1.acme1.src.rpm",
        "zlib-devel|1.2.13-1.acme1|x86_64|zlib-1.2.13-1.acme1.src.rpm",
    ] {
        assert!(listed.lines().any(|listed| listed == line), "{listed}");
    }
    assert!(query(&["--whatprovides", "libonig.so.5()(64bit)"]).contains("oniguruma-0:6.9.8-1.acme1.x86_64"));
    assert!(query(&["--whatrequires", "libz.so.1()(64bit)"]).contains("libpng"));
    assert!(query(&["--list", "tree"]).contains("/usr/bin/tree"));
    let merged = project.beside("merged").display().to_string();
    tool("mergerepo_c", &["--all", "--omit-baseurl", "-r", &repository, "-o", &merged]);
    let merged = fs::read_dir(Path::new(&merged).join("repodata")).unwrap().count();
    assert!(merged >= 4);
}

/// Installs all packages with the real rpm into an empty root, gives it the C library that they were built against, and runs
/// the programs there.
fn programs_run(project: &Project) {
    let root = project.beside("root");
    fs::create_dir(&root).unwrap();
    let root = root.display().to_string();
    let packages: Vec<String> = project
        .published()
        .into_keys()
        .map(|path| path.display().to_string())
        .filter(|path| path.ends_with(".rpm") && !path.ends_with(".src.rpm"))
        .map(|path| project.path().join(path).display().to_string())
        .collect();
    let database = "--dbpath=/var/lib/rpm";
    tool("rpm", &["--root", &root, database, "--initdb"]);
    let mut arguments = vec!["--root", &root, database, "-i", "--nodeps", "--noscripts", "--nosignature"];
    arguments.extend(packages.iter().map(String::as_str));
    tool("rpm", &arguments);
    assert!(tool("rpm", &["--root", &root, database, "-qa"]).contains("jq-1.6-1.acme1.x86_64"));
    tool("rpm", &["--root", &root, database, "-V", "--nodeps", "zlib", "jq", "hello"]);
    let copy = "for lib in libc.so.6 libm.so.6 ld-linux-x86-64.so.2; do \
                  found=$(ldconfig -p | grep -m1 \"$lib .*x86-64\" | sed 's/.*=> //'); \
                  mkdir -p \"$0/lib64\" \"$0/usr/lib64\"; cp -L \"$found\" \"$0/lib64/$lib\"; done";
    tool("bash", &["-c", copy, &root]);
    let run = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let mut arguments = vec![root.as_str(), words[0]];
        arguments.extend(&words[1..]);
        let output = Command::new("chroot")
            .args(&arguments)
            .env("LD_LIBRARY_PATH", "/usr/lib64:/lib64")
            .output()
            .unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    assert_eq!(run("/usr/bin/hello"), "Hello, world!\n");
    assert!(run("/usr/bin/sed --version").starts_with("/usr/bin/sed (GNU sed) 4.9"));
    assert!(run("/usr/bin/tree /usr/include").contains("zlib.h"));
    assert!(run("/usr/bin/lz4 --version").contains("1.9.4"));
    assert_eq!(run("/usr/bin/jq -n -c [1,2]"), "[1,2]\n");
}

fn a_touched_file_rebuilds_what_it_must(project: &Project) {
    project.edit("zlib/zlib.spec", "%check", "# touched\n%check");
    let states = project.succeed(&["apply", "--json"]).states();
    assert_eq!((states["zlib"].as_str(), states["libpng"].as_str()), ("succeeded", "cached"));
    project.edit("zlib/zlib.spec", "Summary:        What is needed", "Summary:        All that is needed");
    let states = project.succeed(&["apply", "--json"]).states();
    assert_eq!((states["zlib"].as_str(), states["libpng"].as_str()), ("succeeded", "succeeded"));
    assert_eq!(states["jq"], "cached");
}
