//! What is told of builds that stay, wait, leave or have left, and of what pins are.

use std::fs;

use crate::support::{Project, Run};

const LIBRARY: &str = "package lib { source path \"lib.spec\" }\n";

/// A project with the library, and these words in `publish`.
fn library(publish: &str) -> Project {
    let project = Project::with(&format!("publish \"public/{{chroot}}\" {{ {publish} }}\n{LIBRARY}"));
    project.spec("lib", "", "true");
    project
}

fn build_version(project: &Project, from: &str, to: &str) -> Run {
    project.edit("lib.spec", &format!("Version: {from}"), &format!("Version: {to}"));
    project.succeed(&["apply"])
}

#[test]
fn prune_empties_repositories_of_chroots_that_are_gone_and_says_so() {
    let project = library("");
    let manifest = project.read("Rpmforge.kdl");
    project.edit("Rpmforge.kdl", "chroot host", "chroot other { root \"/\" }\nchroot host");
    project.succeed(&["apply"]);
    project.write("Rpmforge.kdl", &manifest);
    let planned = project.succeed(&["prune", "--dry-run"]).stdout;
    assert!(planned.contains("the manifest no longer declares it"), "{planned}");
    assert!(planned.contains("1 build would leave the repositories, 1 stay\n"), "{planned}");
    let run = project.succeed(&["prune"]);
    assert!(run.stderr.contains("published  other: public/other"), "{}", run.stderr);
    let repository = crate::support::Repository::new(project.path().join("public/other"));
    assert!(repository.follow().unwrap().is_empty());
}

#[test]
fn prune_says_what_it_has_mended_and_where_a_record_is_lost() {
    let project = library("keep builds=2");
    project.succeed(&["apply"]);
    fs::write(project.path().join("public/host/host.repo"), "spoilt").unwrap();
    let planned = project.succeed(&["prune", "--dry-run"]).stdout;
    assert!(planned.contains("public/host/host.repo is changed"), "{planned}");
    let run = project.succeed(&["prune"]);
    assert!(run.stderr.contains("put right  public/host/host.repo"), "{}", run.stderr);
    fs::remove_file(project.path().join("public/host/.forge-repository")).unwrap();
    fs::remove_dir_all(project.path().join(".forge/published")).unwrap();
    for arguments in [&["prune"][..], &["prune", "--dry-run"]] {
        let run = project.run(arguments);
        assert!(
            run.code == Some(1) && run.stderr.contains("forge::publish::unrecorded"),
            "{}{}",
            run.stdout,
            run.stderr
        );
    }
}

#[test]
fn status_names_what_waits_for_another_package() {
    let project = library("");
    project.edit("Rpmforge.kdl", LIBRARY, "packages \"*.spec\"\n");
    project.spec("lib", "Provides: thing = 1", "true");
    project.spec("tool", "Requires: thing = 1", "true");
    project.succeed(&["apply"]);
    project.edit("lib.spec", "thing = 1", "thing = 2");
    project.run(&["apply"]);
    let status = project.succeed(&["status"]).stdout;
    assert!(status.contains("held") && status.contains("1 held, 1 up to date"), "{status}");
    assert!(!status.contains("an apply publishes it"), "{status}");
}

#[test]
fn what_leaves_for_its_age_is_told_before_and_after() {
    let project = library("keep newest=\"1ms\"");
    project.succeed(&["apply"]);
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert!(
        plan.code == Some(2) && plan.stdout.contains("lib leaves the repository of host: not built since 20"),
        "{}",
        plan.stdout
    );
    let status = project.succeed(&["status", "--json"]).stdout;
    assert!(
        status.contains("\"aged\"") && status.contains("it leaves its repository: not built since"),
        "{status}"
    );
    project.succeed(&["prune"]);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
    let status = project.succeed(&["status", "--json"]).stdout;
    assert!(status.contains("it has left its repository: not built since"), "{status}");
}

#[test]
fn what_stays_for_another_package_is_told_with_the_reason_that_it_would_go_for() {
    let project = library("keep newest=\"1h\"");
    project.edit("Rpmforge.kdl", LIBRARY, "packages \"*.spec\"\n");
    project.spec("lib", "Provides: thing = 1", "true");
    project.succeed(&["apply"]);
    project.edit("Rpmforge.kdl", "newest=\"1h\"", "newest=\"5s\"");
    std::thread::sleep(std::time::Duration::from_secs(6));
    project.spec("tool", "Requires: thing = 1", "true");
    let run = project.succeed(&["apply", "tool"]);
    let told = "lib 1.0-1 stays in the repository of host, though it was not built for as long as `keep newest=` says";
    assert!(run.stderr.contains(told), "{}", run.stderr);
}

#[test]
fn a_pinned_build_of_a_package_that_leaves_is_named_and_so_is_one_that_has_left() {
    let project = library("keep builds=1");
    project.succeed(&["apply"]);
    build_version(&project, "1.0", "2.0");
    let late = project.succeed(&["pin", "#1"]);
    assert!(late.stderr.contains("its repository doesn't have it any more"), "{}", late.stderr);
    let now = project.succeed(&["pin", "#2"]);
    assert!(!now.stderr.contains("its repository"), "{}", now.stderr);
    build_version(&project, "2.0", "3.0");
    project.edit("Rpmforge.kdl", LIBRARY, "");
    let plan = project.succeed(&["plan"]).stdout;
    assert!(plan.contains("the manifest no longer declares it; 2.0-1 stays, which is pinned"), "{plan}");
}

#[test]
fn a_pin_is_of_what_a_build_has_made_whatever_its_number_is() {
    let project = library("keep builds=1");
    project.succeed(&["apply"]);
    project.succeed(&["pin", "#1"]);
    build_version(&project, "1.0", "2.0");
    let kept = || {
        let mut binaries = project.repository().binaries();
        binaries.sort();
        binaries
    };
    assert_eq!(kept(), ["lib-1.0-1.noarch.rpm", "lib-2.0-1.noarch.rpm"]);
    // Numbers begin anew.
    for gone in ["history.db", "history.db-wal", "history.db-shm"] {
        let _ = fs::remove_file(project.path().join(".forge").join(gone));
    }
    fs::remove_dir_all(project.path().join(".forge/results")).unwrap();
    build_version(&project, "2.0", "3.0");
    assert_eq!(kept(), ["lib-1.0-1.noarch.rpm", "lib-3.0-1.noarch.rpm"]);
    let pins = project.succeed(&["pin"]).stdout;
    assert!(!pins.contains("#1"), "#1 is another build now: {pins}");
    let wrong = project.run(&["unpin", "#1"]);
    assert!(wrong.stderr.contains("forge::cli::not_pinned"), "{}", wrong.stderr);
    assert_eq!(project.succeed(&["pin", "#1"]).stdout, "lib in host, build #1, is pinned\n");
    let key = pins.lines().nth(1).unwrap().split_whitespace().next().unwrap();
    project.succeed(&["unpin", key]);
    project.succeed(&["prune"]);
    assert_eq!(kept(), ["lib-3.0-1.noarch.rpm"]);
}

#[test]
fn chroots_whose_names_differ_in_signs_have_repo_files_of_their_own() {
    let project = library("");
    project.edit(
        "Rpmforge.kdl",
        "chroot host",
        "chroot a+x { root \"/\" }\nchroot a-x { root \"/\" }\nchroot host",
    );
    project.succeed(&["apply"]);
    let repo_file = |chroot: &str| {
        let names = fs::read_dir(project.path().join("public").join(chroot)).unwrap();
        let mut names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.find(|name| name.ends_with(".repo")).unwrap()
    };
    assert_eq!((repo_file("a-x"), repo_file("host")), ("a-x.repo".to_owned(), "host.repo".to_owned()));
    let other = repo_file("a+x");
    assert!(other.starts_with("a-x-") && other != "a-x.repo", "{other}");
    assert!(
        project.read(&format!("public/a+x/{other}")).starts_with(&format!("[{}]", &other[..other.len() - 5]))
    );
}
