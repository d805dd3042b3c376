//! What repositories hold, and what leaves them.

use std::collections::BTreeSet;

use crate::support::Project;

fn packages(project: &Project) -> BTreeSet<String> {
    let files =
        project.published().into_keys().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    files.filter(|name| name.ends_with(".rpm") && !name.ends_with(".src.rpm")).collect()
}

fn two() -> Project {
    let project =
        Project::with("package a { source path \"a.spec\" }\npackage b { source path \"b.spec\" }\n");
    project.spec("a", "", "true");
    project.spec("b", "", "true");
    project
}

#[test]
fn what_is_no_longer_declared_leaves_after_the_plan_has_said_so() {
    let project = two();
    project.succeed(&["apply"]);
    project.edit("Rpmforge.kdl", "package b { source path \"b.spec\" }\n", "");
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(2));
    assert!(plan.stdout.contains("b leaves the repository of host"), "{}", plan.stdout);
    assert_eq!(packages(&project).len(), 2);
    project.succeed(&["apply"]);
    assert_eq!(packages(&project), BTreeSet::from(["a-1.0-1.noarch.rpm".to_owned()]));
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
    assert_eq!(packages(&project).len(), 2);
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
    assert_eq!(packages(&project).len(), 2);
    assert!(project.path().join("public/other/repodata/repomd.xml").exists());
    project.edit("Rpmforge.kdl", "chroot other { root \"/\" }", "");
    assert!(project.succeed(&["plan"]).stdout.contains("leaves the repository of other"));
    project.succeed(&["apply"]);
    let left = project
        .published()
        .into_keys()
        .filter(|path| path.starts_with("public/other"))
        .filter(|path| path.ends_with(".rpm"));
    assert_eq!(left.count(), 0);
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

/// The files that a repository's `repomd.xml` names and that are not there.
fn missing(project: &Project, repomd: &str) -> Vec<String> {
    let hrefs = repomd.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap().to_owned());
    hrefs.filter(|href| !project.path().join("public/host").join(href).exists()).collect()
}

#[test]
fn metadata_never_name_a_file_that_is_not_there() {
    let project = two();
    project.succeed(&["apply"]);
    let repomd = || project.read("public/host/repodata/repomd.xml");
    let before = repomd();
    for round in 0..10 {
        project.spec("a", "", &format!("true # changed {round}"));
        project.edit("a.spec", "Summary: A test", &format!("Summary: A test {round}"));
        let mut child = project.forge(&["apply", "-q"]).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            let seen = repomd();
            let missing = missing(&project, &seen);
            // Files of metadata that have been replaced meanwhile may be gone; those of the present ones may not.
            assert!(missing.is_empty() || seen != repomd(), "{missing:?}");
        }
    }
    assert_ne!(repomd(), before);
    assert!(missing(&project, &repomd()).is_empty());
}
