//! What a build begins with other than a spec: source packages, archives, a folder; and what ends a build from outside.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test sets up its files, and fails by panicking"
)]

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::rc::Rc;

use miette::Diagnostic;
use rpmforge::engine::{BuildListener, BuildProblem, RootFiles, extract_spec, install_source_package};
use rpmforge::files::HostPath;
use rpmforge::macros::{Level, Limits, Macros, Origin, SystemHost, Table};

const SPEC: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\nSource0: a-1.tar.gz\n\
    %description\n%prep\n%setup -q\n%install\nmkdir -p %{buildroot}/x; cp file %{buildroot}/x\n%files\n/x\n";

/// Runs `forge rpmbuild` in a folder of its own.
fn forge(folder: &Path, arguments: &[&str]) -> Output {
    let top = format!("_topdir {}", folder.join("top").display());
    let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
    command.arg("rpmbuild").args(["-D", &top, "-D", "debug_package %{nil}"]).args(arguments);
    command.current_dir(folder).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/nonexistent");
    command.output().unwrap()
}

fn sh(folder: &Path, script: &str) {
    let status = Command::new("/bin/sh").args(["-ec", script]).current_dir(folder).status().unwrap();
    assert!(status.success());
}

/// A folder with the sources of a package, packed with its spec in `a-1.tar.gz`.
fn with_archive() -> tempfile::TempDir {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir(temp.path().join("a-1")).unwrap();
    fs::write(temp.path().join("a-1/file"), "hi\n").unwrap();
    fs::write(temp.path().join("a-1/a.spec"), SPEC).unwrap();
    sh(temp.path(), "tar czf a-1.tar.gz a-1; rm -r a-1");
    temp
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn an_archive_with_a_spec_is_built() {
    let temp = with_archive();
    let output = forge(temp.path(), &["-tb", "a-1.tar.gz"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(temp.path().join("top/RPMS/noarch/a-1-1.noarch.rpm").is_file());
    assert!(!temp.path().join("top/SPECS/a.spec").exists());
}

#[test]
fn a_source_package_is_built_and_leaves_nothing_behind() {
    let temp = with_archive();
    assert!(forge(temp.path(), &["-ts", "a-1.tar.gz"]).status.success());
    let output = forge(temp.path(), &["--rebuild", "top/SRPMS/a-1-1.src.rpm"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(said(&output).starts_with("Installing top/SRPMS/a-1-1.src.rpm\n"), "{}", said(&output));
    assert!(temp.path().join("top/RPMS/noarch/a-1-1.noarch.rpm").is_file());
    for folder in ["SPECS", "SOURCES", "BUILD"] {
        let left: Vec<_> = fs::read_dir(temp.path().join("top").join(folder)).unwrap().collect();
        let left = left.into_iter().flatten().filter(|entry| folder != "BUILD" || !entry.path().is_dir());
        assert_eq!(left.count(), 0, "{folder}");
    }
}

#[test]
fn sources_and_folders_that_absolute_links_lead_to_are_built_from() {
    let temp = with_archive();
    let (path, link) = (|name: &str| temp.path().join(name), std::os::unix::fs::symlink);
    fs::create_dir_all(path("real/SOURCES")).unwrap();
    fs::create_dir(path("temporary")).unwrap();
    link(path("real"), path("top")).unwrap();
    link(path("temporary"), path("tmp")).unwrap();
    link(path("a-1.tar.gz"), path("real/SOURCES/a-1.tar.gz")).unwrap();
    fs::write(path("a.spec"), SPEC).unwrap();
    let tmp = format!("_tmppath {}", path("tmp").display());
    let output = forge(temp.path(), &["-D", &tmp, "-ba", "a.spec"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(path("real/RPMS/noarch/a-1-1.noarch.rpm").is_file());
    let output = forge(temp.path(), &["--rebuild", "top/SRPMS/a-1-1.src.rpm"]);
    assert!(output.status.success(), "the sources are in it: {}", said(&output));
}

#[test]
fn what_lies_in_the_folder_is_built_in_place() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("file"), "in place\n").unwrap();
    fs::write(temp.path().join("a.spec"), SPEC).unwrap();
    let output = forge(temp.path(), &["-bb", "--build-in-place", "a.spec"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(!said(&output).contains("Executing(%prep)"));
    assert!(temp.path().join("file").is_file());
}

#[test]
fn what_lies_in_the_folder_is_built_in_place_by_a_spec_that_lies_elsewhere() {
    let temp = tempfile::tempdir().unwrap();
    let sources = temp.path().join("sources");
    fs::create_dir(&sources).unwrap();
    fs::write(sources.join("file"), "in place\n").unwrap();
    fs::write(
        temp.path().join("a.spec"),
        SPEC.replace("Source0: a-1.tar.gz\n", "").replace("%setup -q\n", ""),
    )
    .unwrap();
    let output = forge(&sources, &["-bb", "--build-in-place", "../a.spec"]);
    assert!(output.status.success(), "{}", said(&output));
    assert!(sources.join("top/RPMS/noarch/a-1-1.noarch.rpm").is_file());
}

/// A spec of no files whose %build does something.
fn with_build(folder: &Path, script: &str) {
    let (head, _) = SPEC.split_once("Source0").unwrap();
    fs::write(folder.join("b.spec"), format!("{head}%description\n%build\n{script}\n%files\n")).unwrap();
}

#[test]
fn scripts_see_when_their_packages_are_built() {
    let temp = tempfile::tempdir().unwrap();
    with_build(temp.path(), "echo built at $RPM_BUILD_TIME; test $RPM_BUILD_TIME -ge 1700000000");
    assert!(forge(temp.path(), &["-bc", "b.spec"]).status.success());
    for (setting, time) in [("_buildtime 1500000000", "1500000000"), ("_buildtime 12x", "0")] {
        let output = forge(temp.path(), &["-bc", "b.spec", "-D", setting]);
        assert!(said(&output).contains(&format!("built at {time}\n")), "{}", said(&output));
    }
}

#[test]
fn errors_are_repeated_only_where_they_ended_the_build() {
    let temp = tempfile::tempdir().unwrap();
    let repeats = |setting: &str, script: &str| {
        with_build(temp.path(), script);
        let output = forge(temp.path(), &["-bc", "b.spec", "-D", setting]);
        (output.status.code(), said(&output).contains("RPM build errors:"))
    };
    assert_eq!(repeats("_buildtime 12x", "true"), (Some(0), false));
    assert_eq!(repeats("_buildtime 12", "false"), (Some(1), true));
}

#[test]
fn an_epoch_from_no_change_is_told() {
    let temp = tempfile::tempdir().unwrap();
    with_build(temp.path(), "true");
    let output = forge(temp.path(), &["-bc", "b.spec", "-D", "source_date_epoch_from_changelog 1"]);
    assert!(output.status.success());
    assert!(said(&output).contains(&format!("warning: {}\n", BuildProblem::NoChange)), "{}", said(&output));
    assert_eq!(BuildProblem::NoChange.code().unwrap().to_string(), "forge::engine::no_change");
}

#[test]
fn a_declared_package_gets_the_debug_information_of_its_sub_package() {
    let temp = tempfile::tempdir().unwrap();
    let package = |name: &str| format!("%package {name}\nSummary: s\n%description {name}\n");
    let spec = format!(
        "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\n%description\n{}{}{}\
         %install\nmkdir -p %{{buildroot}}/x %{{buildroot}}/usr/lib/debug/x; touch %{{buildroot}}/x/f \
         %{{buildroot}}/usr/lib/debug/x/f.debug\n%files\n%files two\n/x\n%files debuginfo\n/usr/lib/debug\n",
        package("two"),
        package("two-debuginfo"),
        package("debuginfo")
    );
    fs::write(temp.path().join("b.spec"), spec).unwrap();
    let settings =
        ["__debug_package 1", "_debuginfo_subpackages 1", "_unique_debug_names 0", "__debug_install_post :"];
    let defined = settings.iter().flat_map(|setting| ["-D", setting]);
    let arguments: Vec<&str> = ["-bb", "--nodeps", "b.spec"].into_iter().chain(defined).collect();
    let output = forge(temp.path(), &arguments);
    let problem = BuildProblem::PackageExists { name: "a-two-debuginfo".into() };
    assert!(said(&output).contains(&format!("warning: {problem}\n")), "{}", said(&output));
    assert_eq!(problem.code().unwrap().to_string(), "forge::engine::package_exists");
}

#[test]
fn what_rules_a_spec_out_is_told_once() {
    let temp = tempfile::tempdir().unwrap();
    let (head, _) = SPEC.split_once("Source0").unwrap();
    fs::write(temp.path().join("b.spec"), format!("{head}ExclusiveArch: nosuch\n%description\n%files\n"))
        .unwrap();
    let output = forge(temp.path(), &["-bb", "b.spec"]);
    let said = said(&output);
    assert_eq!(said.matches("Architecture is not included: ").count(), 1, "{said}");
    assert!(!said.contains("RPM build errors:"), "{said}");
    assert!(forge(temp.path(), &["-bs", "b.spec"]).status.success());
}

#[test]
fn a_package_without_a_description_is_told_when_its_files_are_looked_at() {
    let temp = tempfile::tempdir().unwrap();
    let (head, _) = SPEC.split_once("Source0").unwrap();
    fs::write(temp.path().join("b.spec"), format!("{head}%prep\n%files\n")).unwrap();
    assert!(forge(temp.path(), &["-bp", "b.spec"]).status.success());
    let output = forge(temp.path(), &["-bb", "b.spec"]);
    assert!(said(&output).contains("error: Package has no %description: a\n"), "{}", said(&output));
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn two_builds_in_different_folders_at_different_times_give_the_same_bytes() {
    let settings = [
        "_buildhost b",
        "use_source_date_epoch_as_buildtime 1",
        "build_mtime_policy clamp_to_source_date_epoch",
    ];
    let build = |options: &[&str]| {
        let temp = with_archive();
        let mut arguments = vec!["-tb", "a-1.tar.gz"];
        settings.iter().chain(options).for_each(|setting| arguments.extend(["-D", setting]));
        let mut command = Command::new(env!("CARGO_BIN_EXE_forge"));
        let top = format!("_topdir {}", temp.path().join("top").display());
        command.arg("rpmbuild").args(["-D", &top]).args(&arguments).current_dir(temp.path());
        let output = command.env("SOURCE_DATE_EPOCH", "1700000000").output().unwrap();
        assert!(output.status.success(), "{}", said(&output));
        fs::read(temp.path().join("top/RPMS/noarch/a-1-1.noarch.rpm")).unwrap()
    };
    let first = build(&["_binary_payload w3.zstdio"]);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert!(first == build(&["_binary_payload w3.zstdio"]), "not the same bytes");
    assert!(
        first == build(&["_binary_payload w3.zstdio", "_smp_build_nthreads 7"]),
        "threads change the bytes"
    );
}

#[test]
fn a_full_disk_is_told_and_leaves_no_half_package() {
    let temp = with_archive();
    let results = temp.path().join("full");
    fs::create_dir(&results).unwrap();
    // A limit of the process stands for the disk's: 40 KiB are enough for all but the package.
    fs::write(
        temp.path().join("big.spec"),
        "Name: big\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nBuildArch: noarch\n\
        %description\n%install\nmkdir -p %{buildroot}/x\n\
        for i in 1 2 3 4 5 6 7 8; do head -c 30000 /dev/urandom > %{buildroot}/x/$i; done\n%files\n/x\n",
    )
    .unwrap();
    let script = format!(
        "trap '' XFSZ; ulimit -f 80; {} rpmbuild -bb -D '_topdir {}' -D '_rpmdir {}' big.spec",
        env!("CARGO_BIN_EXE_forge"),
        temp.path().join("top").display(),
        results.display()
    );
    let output = Command::new("/bin/bash").args(["-c", &script]).current_dir(temp.path()).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("error: failed to create package"), "{}", said(&output));
    assert!(said(&output).contains("File too large"), "{}", said(&output));
    let left: Vec<_> = fs::read_dir(results.join("noarch")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn an_archive_can_not_write_outside_of_the_build() {
    let temp = tempfile::tempdir().unwrap();
    sh(
        temp.path(),
        "mkdir -p in/a-1; echo hi > in/a-1/file; echo evil > in/evil; \
         tar czPf a-1.tar.gz -C in a-1 --transform 's,^evil,../../../evil,' evil",
    );
    fs::create_dir_all(temp.path().join("top/SOURCES")).unwrap();
    fs::rename(temp.path().join("a-1.tar.gz"), temp.path().join("top/SOURCES/a-1.tar.gz")).unwrap();
    fs::write(temp.path().join("a.spec"), SPEC).unwrap();
    let output = forge(temp.path(), &["-bp", "a.spec"]);
    assert!(!temp.path().join("evil").exists(), "{}", said(&output));
    assert!(!temp.path().join("top/evil").exists());
}

#[test]
fn a_patch_that_does_not_apply_is_shown_with_its_stage() {
    let temp = tempfile::tempdir().unwrap();
    fs::create_dir_all(temp.path().join("top/SOURCES")).unwrap();
    fs::write(temp.path().join("top/SOURCES/p.patch"), "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n")
        .unwrap();
    let spec = "Name: a\nVersion: 1\nRelease: 1\nSummary: s\nLicense: l\nPatch0: p.patch\n%description\n\
        %prep\n%setup -q -c -T\necho other > x\n%patch -P 0 -p1\n";
    fs::write(temp.path().join("a.spec"), spec).unwrap();
    let output = forge(temp.path(), &["-bp", "a.spec"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("Hunk #1 FAILED"), "{}", said(&output));
    assert!(said(&output).contains("(%prep)"), "{}", said(&output));
}

/// Keeps the codes of what is wrong.
#[derive(Default)]
struct Codes(RefCell<Vec<String>>);

impl BuildListener for Codes {
    fn notice(&self, _text: &[u8]) {}

    fn stage(&self, _name: &str) {}

    fn wrote(&self, _path: &HostPath) {}

    fn problem(&self, problem: &BuildProblem) {
        self.0.borrow_mut().push(format!("{}: {problem}", problem.code().unwrap()));
    }

    fn detail(&self, _text: &[u8]) {}

    fn is_quiet(&self) -> bool {
        true
    }
}

fn macros(folder: &Path) -> Macros {
    let host = SystemHost::new([], |_| {}).unwrap();
    let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
    for name in ["_sourcedir", "_specdir"] {
        let definition = format!("{name} {}/{name}", folder.display());
        macros.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("test")).unwrap();
    }
    macros
}

#[test]
fn inputs_that_are_none_are_told_by_what_is_wrong_with_them() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("text"), "no package and no archive\n").unwrap();
    let path = |name: &str| HostPath::new(temp.path().join(name)).unwrap();
    let (macros, files) = (macros(temp.path()), RootFiles::open().unwrap());
    let codes = Codes::default();
    let install = |name: &str| install_source_package(&macros, &files, &codes, &path(name), name);
    let extract = |name: &str| extract_spec(&macros, &files, &codes, &path(name), name);
    assert!(install("nosuch.src.rpm").is_err() && install("text").is_err());
    assert!(extract("nosuch.tar").is_err() && extract("text").is_err());
    assert_eq!(
        codes.0.take(),
        [
            "forge::engine::cannot_open: cannot open nosuch.src.rpm: No such file or directory",
            "forge::engine::source_package: text cannot be installed",
            "forge::engine::archive: File nosuch.tar: No such file or directory",
            "forge::engine::no_spec: Failed to read spec file from nosuch.tar",
            "forge::engine::no_spec: Failed to read spec file from text",
        ]
    );
}
