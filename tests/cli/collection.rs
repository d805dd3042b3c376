//! `forge gc`: what it frees is what a disk gets back, and what it says of what stays.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::support::Project;

/// The bytes of all files below a folder and its store, each once.
fn used(project: &Project) -> u64 {
    let mut files = std::collections::BTreeMap::new();
    add(&project.path().join(".forge/results"), &mut files);
    add(&project.cache().join("rpmforge/blobs"), &mut files);
    add(&project.cache().join("rpmforge/steps"), &mut files);
    files.into_values().sum()
}

fn add(folder: &Path, files: &mut std::collections::BTreeMap<u64, u64>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let metadata = std::fs::symlink_metadata(&path).unwrap();
        if metadata.is_dir() {
            add(&path, files);
        } else {
            files.insert(metadata.ino(), metadata.len());
        }
    }
}

/// Three versions of a package of 100 KB that can't be compressed.
fn versions() -> Project {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    let install = "%install\nhead -c 100000 /dev/urandom > big";
    project.edit("a.spec", "%install", install);
    project.edit("a.spec", "echo a >", "cat big >");
    project.succeed(&["apply"]);
    for version in [("1.0", "1.1"), ("1.1", "1.2")] {
        project.edit("a.spec", &format!("Version: {}", version.0), &format!("Version: {}", version.1));
        project.succeed(&["apply"]);
    }
    project
}

fn freed(text: &str) -> String {
    text.split_once("frees ").unwrap().1.lines().next().unwrap().to_owned()
}

#[test]
fn what_gc_frees_is_what_the_disk_gets_back() {
    let project = versions();
    let before = used(&project);
    let planned = project.succeed(&["gc", "--size", "1K", "--dry-run"]).stdout;
    assert_eq!(used(&project), before);
    let run = project.succeed(&["gc", "--size", "1K"]).stdout;
    assert!(run.contains(", and 2 result folders of this project: that frees "), "{run}");
    assert_eq!(freed(&run), planned.split_once("would free ").unwrap().1.lines().next().unwrap());
    let got_back = (before - used(&project)) as f64 / 1024.0;
    assert_eq!(freed(&run), format!("{got_back:.1} KiB"));
    assert!(got_back > 190.0, "{run}");
    assert!(run.contains("that is more than 1.0 KiB: what is published or was built last stays"), "{run}");
}

#[test]
fn gc_tells_what_takes_how_much_and_why_it_stays() {
    let project = versions();
    let table = project.succeed(&["gc", "--size", "1K", "--dry-run", "-v"]).stdout;
    let row = |begin: &str| table.lines().find(|line| line.contains(begin)).unwrap().to_owned();
    assert!(table.starts_with("PACKAGE "), "{table}");
    assert!(row("a-1.2-1.noarch").contains("stays  published or built last"), "{table}");
    assert!(row("a-1.0-1.noarch").contains("goes   beyond the size"), "{table}");
    assert!(row("a-1.0-1.noarch").contains("host") && row("a-1.0-1.noarch").contains("#1"), "{table}");
}

#[test]
fn gc_leaves_what_other_projects_publish() {
    let project = versions();
    let other = project.beside("other");
    std::fs::create_dir(&other).unwrap();
    for file in ["Rpmforge.kdl", "a.spec"] {
        std::fs::copy(project.path().join(file), other.join(file)).unwrap();
    }
    let spec = std::fs::read_to_string(other.join("a.spec")).unwrap();
    std::fs::write(other.join("a.spec"), spec.replace("Version: 1.2", "Version: 7.0")).unwrap();
    let there = other.to_str().unwrap();
    project.succeed(&["-C", there, "apply"]);
    let run = project.succeed(&["gc", "--size", "0"]).stdout;
    assert!(run.contains("2 that other projects publish or built last"), "{run}");
    let plan = project.succeed(&["-C", there, "plan"]).stdout;
    assert_eq!(plan, "1 build: 1 up to date\n");
    // A project that is not there any more needs nothing.
    std::fs::remove_dir_all(&other).unwrap();
    let run = project.succeed(&["gc", "--size", "0"]).stdout;
    assert!(run.starts_with("removed 2 results") && !run.contains("other projects"), "{run}");
}

#[test]
fn what_gc_took_is_said_to_be_gone() {
    let project = versions();
    project.succeed(&["gc", "--size", "0"]);
    for command in ["log", "results"] {
        let run = project.run(&[command, "#1"]);
        assert_eq!(run.code, Some(1), "{}", run.stdout);
        assert!(run.stderr.contains("forge::cli::results_removed"), "{}", run.stderr);
        assert!(
            run.stderr.contains("the results of a in host, build #1, are not there any more"),
            "{}",
            run.stderr
        );
    }
    assert!(project.succeed(&["log", "#3"]).stdout.contains("build #3"));
}
