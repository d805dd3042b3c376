//! What repositories hold, and what leaves them.

use std::path::Path;

use crate::support::{Project, Repository};

/// A project of the packages `a` and `b`, published to `public/host`.
pub fn two() -> Project {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    project
}

/// The same, published to a folder beside it.
pub fn two_published_beside() -> (Project, Repository) {
    let project = two();
    let folder = project.beside("repository");
    let manifest = project.read("Rpmforge.kdl");
    project.write("Rpmforge.kdl", &format!("{manifest}publish \"{}\"\n", folder.display()));
    (project, Repository::new(folder))
}

/// Makes the next `forge apply` build `package` to another result.
pub fn change(project: &Project, package: &str, round: usize) {
    project.spec(package, &format!("Provides: round({round})"), "true");
}

const BOTH: [&str; 2] = ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm"];

#[test]
fn a_plan_says_what_comes_into_a_repository_without_being_built() {
    let project = two();
    project.succeed(&["apply"]);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
    std::fs::remove_dir_all(project.path().join("public")).unwrap();
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(2));
    assert!(
        plan.stdout.contains("a (1.0-1), b (1.0-1) come into the repository of host without being built\n"),
        "{}",
        plan.stdout
    );
    assert!(plan.stdout.contains("2 builds: 2 to publish"), "{}", plan.stdout);
    let document: serde_json::Value =
        serde_json::from_str(&project.succeed(&["plan", "--json"]).stdout).unwrap();
    assert_eq!(document["entering"][0]["package"], "a");
    project.succeed(&["apply"]);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
}

/// The revision that the metadata of `public/host` say.
fn revision(project: &Project) -> u64 {
    let repomd = project.read("public/host/repodata/repomd.xml");
    let (_, rest) = repomd.split_once("<revision>").unwrap();
    rest.split_once('<').unwrap().0.parse().unwrap()
}

#[test]
fn the_revision_of_metadata_grows_with_each_that_say_something_new() {
    let project = two();
    let at = |package: &str, day: &str| {
        project.spec(package, "", &format!("true\n%changelog\n* {day} A <a@b> - 1.0-1\n- {day}"));
    };
    at("a", "Wed Nov 25 2026");
    project.succeed(&["apply"]);
    let first = revision(&project);
    // An older one, and one of the same day.
    for day in ["Tue Nov 24 2026", "Mon Nov 23 2026"] {
        let before = revision(&project);
        at("a", day);
        project.succeed(&["apply"]);
        assert!(revision(&project) > before, "{day}");
    }
    // What only puts right what was damaged says nothing new.
    let before = revision(&project);
    project.write("public/host/repodata/repomd.xml", "<revision>1</revision>");
    project.succeed(&["apply"]);
    assert_eq!(revision(&project), before);
    at("a", "Thu Nov 26 2026");
    project.succeed(&["apply"]);
    assert_eq!(revision(&project), first + 24 * 3600);
}

#[test]
fn what_is_no_longer_declared_leaves_after_the_plan_has_said_so() {
    let project = two();
    project.succeed(&["apply"]);
    project.edit("Rpmforge.kdl", "package b { source path \"b.spec\" }\n", "");
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(2));
    assert!(plan.stdout.contains("b leaves the repository of host"), "{}", plan.stdout);
    assert_eq!(project.repository().binaries(), BOTH);
    let apply = project.succeed(&["apply"]);
    assert!(apply.stderr.contains("b leaves the repository of host"), "{}", apply.stderr);
    assert_eq!(project.repository().binaries(), ["a-1.0-1.noarch.rpm"]);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn a_failed_build_leaves_the_last_good_package_in_place() {
    let project = two();
    project.succeed(&["apply"]);
    let before = project.published();
    project.spec("b", "", "exit 1");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    assert_eq!(project.published(), before);
}

#[test]
fn the_last_good_package_stays_even_when_the_store_is_gone() {
    let project = two();
    project.succeed(&["apply"]);
    std::fs::remove_dir_all(project.cache()).unwrap();
    project.spec("b", "", "exit 1");
    project.run(&["apply"]);
    assert_eq!(project.repository().binaries(), BOTH);
}

#[test]
fn a_chroot_that_is_no_longer_declared_empties_its_repository() {
    let project = two();
    project.edit(
        "Rpmforge.kdl",
        "chroot host { root \"/\" }",
        "chroot host { root \"/\" }\nchroot other { root \"/\" }",
    );
    project.succeed(&["apply"]);
    assert_eq!(project.repository().binaries(), BOTH);
    assert!(project.path().join("public/other/repodata/repomd.xml").exists());
    project.edit("Rpmforge.kdl", "chroot other { root \"/\" }", "");
    assert!(project.succeed(&["plan"]).stdout.contains("leaves the repository of other"));
    project.succeed(&["apply"]);
    let other = Repository::new(project.path().join("public/other"));
    assert!(other.binaries().is_empty());
    assert_eq!(project.repository().binaries(), BOTH);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn what_somebody_else_put_into_the_repository_stays() {
    let project = two();
    project.succeed(&["apply"]);
    project.write("public/host/README", "by hand");
    project.spec("b", "", "true # changed");
    project.succeed(&["apply"]);
    assert_eq!(project.read("public/host/README"), "by hand");
}

/// Whatever a project can lose of what it remembers.
fn forgetful() -> [fn(&Project); 3] {
    [
        |project| std::fs::remove_dir_all(project.path().join(".forge")).unwrap(),
        |project| {
            for file in ["history.db", "history.db-wal", "history.db-shm"] {
                let _ = std::fs::remove_file(project.path().join(".forge").join(file));
            }
        },
        |project| {
            std::fs::remove_dir_all(project.path().join(".forge")).unwrap();
            std::fs::remove_dir_all(project.cache()).unwrap();
        },
    ]
}

#[test]
fn without_history_an_apply_of_one_package_leaves_the_others_published() {
    for forget in forgetful() {
        let project = two();
        project.succeed(&["apply"]);
        forget(&project);
        project.succeed(&["apply", "a"]);
        assert_eq!(project.repository().binaries(), BOTH);
    }
}

#[test]
fn without_history_a_failed_build_leaves_the_last_good_package_published() {
    for forget in forgetful() {
        let project = two();
        project.succeed(&["apply"]);
        forget(&project);
        project.spec("b", "", "exit 1");
        assert_eq!(project.run(&["apply"]).code, Some(1));
        assert_eq!(project.repository().binaries(), BOTH);
    }
}

#[test]
fn a_fresh_checkout_leaves_what_was_published_before_it() {
    let (project, repository) = two_published_beside();
    project.edit("Rpmforge.kdl", "rpmforge version=1", "rpmforge version=1\nproject acme");
    project.succeed(&["apply"]);
    let checkout = project.beside("checkout");
    std::fs::create_dir(&checkout).unwrap();
    for file in ["Rpmforge.kdl", "a.spec", "b.spec"] {
        std::fs::copy(project.path().join(file), checkout.join(file)).unwrap();
    }
    project.succeed(&["-C", checkout.to_str().unwrap(), "apply", "a"]);
    assert_eq!(repository.binaries(), BOTH);
}

#[test]
fn a_project_that_was_moved_keeps_its_repository() {
    let project = two();
    project.succeed(&["apply"]);
    let moved = project.beside("moved");
    std::fs::rename(project.path(), &moved).unwrap();
    let repository = Repository::new(moved.join("public/host"));
    std::fs::create_dir(project.path()).unwrap();
    project.succeed(&["-C", moved.to_str().unwrap(), "apply", "a"]);
    assert_eq!(repository.binaries(), BOTH);
}

#[test]
fn a_project_can_be_published_to_its_own_folder() {
    let project = two();
    let manifest = project.read("Rpmforge.kdl");
    project.write("Rpmforge.kdl", &format!("{manifest}publish \".\"\n"));
    project.succeed(&["apply"]);
    let repository = Repository::new(project.path());
    assert_eq!(repository.binaries(), BOTH);
    change(&project, "b", 1);
    project.succeed(&["apply"]);
    assert_eq!(repository.binaries(), BOTH);
    assert!(Path::new(&project.path()).join("a.spec").exists());
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn a_cached_apply_writes_nothing_to_the_repository() {
    let project = two();
    project.succeed(&["apply"]);
    let record = || std::fs::metadata(project.path().join("public/host/.forge-repository")).unwrap();
    let before = record().modified().unwrap();
    let apply = project.succeed(&["apply", "--json"]);
    assert!(apply.events("published").is_empty() && apply.events("repository-damaged").is_empty());
    assert_eq!(record().modified().unwrap(), before);
}
