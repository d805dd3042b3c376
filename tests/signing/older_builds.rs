//! What a repository lists is signed by the keys that are declared now, also what was built or published before they were.

use std::path::PathBuf;

use crate::site::{new_key, packages, public_key, signed_project};
use crate::support::Project;

/// A project whose package `a` is published in versions 1.0 and 2.0, with the key `acme` at hand and not declared.
fn unsigned_project() -> Project {
    let project = signed_project("ed25519");
    project.edit("Rpmforge.kdl", "{ sign name=acme }", "{ keep builds=5 }");
    project.succeed(&["apply"]);
    project.edit("a.spec", "Version: 1", "Version: 2");
    project.succeed(&["apply"]);
    assert_eq!(packages(&project).len(), 4);
    project
}

fn declare(project: &Project) {
    project.edit("Rpmforge.kdl", "{ keep builds=5 }", "{ keep builds=5; sign name=acme }");
}

/// Sees to it that all packages that metadata name are signed by a key, and nothing is wrong with the repository.
#[track_caller]
fn assert_signed_by(project: &Project, key: &str, number: usize) {
    let file = public_key(project, key);
    let listed = packages(project);
    assert_eq!(listed.len(), number, "{listed:?}");
    let mut arguments = vec!["verify-signatures", "--key", file.to_str().unwrap(), "public/host"];
    project.succeed(&arguments);
    arguments.pop();
    arguments.extend(listed.iter().map(|path| path.to_str().unwrap()));
    project.succeed(&arguments);
}

#[test]
fn prune_signs_what_was_published_before_a_key_was_declared() {
    let project = unsigned_project();
    declare(&project);
    let run = project.succeed(&["prune"]);
    assert_signed_by(&project, "acme", 4);
    assert!(run.stderr.contains("signed by "), "{}{}", run.stdout, run.stderr);
    // What an apply finds is as it would have made it.
    let before = project.published();
    project.succeed(&["apply"]);
    assert_eq!(project.published(), before);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
}

#[test]
fn an_apply_signs_older_builds_and_packages_that_were_not_chosen() {
    let project = unsigned_project();
    project.write("b.spec", &crate::support::spec("b", "", "true"));
    project.edit("Rpmforge.kdl", "package a", "package b { source path \"b.spec\" }\npackage a");
    declare(&project);
    project.succeed(&["apply", "b"]);
    assert_signed_by(&project, "acme", 6);
}

#[test]
fn older_builds_are_signed_by_another_key_that_takes_the_place_of_the_first() {
    let project = unsigned_project();
    declare(&project);
    project.succeed(&["apply"]);
    new_key(&project, "other", "ed25519");
    project.edit("Rpmforge.kdl", "name=acme", "name=other");
    project.succeed(&["apply"]);
    assert_signed_by(&project, "other", 4);
}

#[test]
fn what_the_store_has_lost_is_signed_as_it_is_published() {
    for declared_before in [false, true] {
        let project = unsigned_project();
        if declared_before {
            declare(&project);
            project.succeed(&["apply"]);
            new_key(&project, "other", "ed25519");
            project.edit("Rpmforge.kdl", "name=acme", "name=other");
        } else {
            declare(&project);
        }
        std::fs::remove_dir_all(project.cache()).unwrap();
        std::fs::remove_dir_all(project.path().join(".forge/results")).unwrap();
        project.succeed(&["prune"]);
        assert_signed_by(&project, if declared_before { "other" } else { "acme" }, 4);
    }
}

/// The listed packages of version 1.0.
fn older(project: &Project) -> Vec<PathBuf> {
    packages(project).into_iter().filter(|path| path.to_string_lossy().contains("a-1.0-1")).collect()
}

#[test]
fn an_older_build_that_is_lost_comes_from_its_results_and_is_signed() {
    let project = unsigned_project();
    project.succeed(&["pin", "#1"]);
    for declared in [false, true] {
        if declared {
            declare(&project);
            project.succeed(&["apply"]);
        }
        older(&project).iter().for_each(|path| std::fs::remove_file(path).unwrap());
        std::fs::remove_dir_all(project.cache()).unwrap();
        let run = project.run(&["prune"]);
        assert_eq!(run.code, Some(0), "{}{}", run.stdout, run.stderr);
        assert!(run.stderr.contains("put right  public/host/a-"), "{}{}", run.stdout, run.stderr);
        assert_eq!(older(&project).len(), 2, "{}", run.stderr);
    }
    assert_signed_by(&project, "acme", 4);
}

#[test]
fn an_older_build_that_is_lost_for_good_is_named_and_nothing_else_is_promised() {
    let project = unsigned_project();
    project.succeed(&["pin", "#1"]);
    older(&project).iter().for_each(|path| std::fs::remove_file(path).unwrap());
    std::fs::remove_dir_all(project.cache()).unwrap();
    std::fs::remove_dir_all(project.path().join(".forge/results")).unwrap();
    let run = project.run(&["prune"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    let said = "missing, and neither the store nor the results have it: this older build is listed no more";
    assert!(run.stderr.contains(said), "{}{}", run.stdout, run.stderr);
    assert!(!run.stderr.contains("builds it again"), "{}", run.stderr);
    assert_eq!((older(&project).len(), packages(&project).len()), (0, 2));
}
