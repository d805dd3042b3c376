//! Which checkouts are one project, and which repository is which chroot's.

use std::fs;
use std::path::PathBuf;

use crate::publication::{two, two_published_beside};
use crate::publication_folders::{in_mount_namespace, shell};
use crate::publication_ownership::{adopt, everything};
use crate::support::{Project, Repository, host};

/// What stands before the packages where a project has this name.
fn head(name: &str) -> String {
    match name {
        "" => host(),
        name => host().replacen('\n', &format!("\nproject {name}\n"), 1),
    }
}

/// Writes a project of these packages that publishes to the folder beside it.
fn write(project: &Project, name: &str, packages: &[&str]) {
    let folder = project.beside("repository");
    let sources: String =
        packages.iter().map(|name| format!("package {name} {{ source path \"{name}.spec\" }}\n")).collect();
    let manifest = format!("{}{sources}publish \"{}\"\n", head(name), folder.display());
    project.write("Rpmforge.kdl", &manifest);
    packages.iter().for_each(|name| project.spec(name, "", "true"));
}

/// Puts a project in the place of the one that was there, as in containers that follow each other; gives the earlier one's folder.
fn check_out(project: &Project, name: &str, packages: &[&str]) -> PathBuf {
    let earlier = project.beside(&format!("earlier-{}", packages.len()));
    fs::rename(project.path(), &earlier).unwrap();
    fs::create_dir(project.path()).unwrap();
    write(project, name, packages);
    earlier
}

#[test]
fn another_project_at_the_same_place_is_refused_and_nothing_is_touched() {
    let unidentified = "forge::publish::unidentified";
    for (first, second, code) in [
        ("one", "two", "forge::publish::foreign"),
        ("one", "", unidentified),
        ("", "two", unidentified),
        ("", "", unidentified),
    ] {
        for packages in [["c"].as_slice(), &["a", "c"]] {
            let project = Project::new();
            write(&project, first, &["a", "b"]);
            project.succeed(&["apply"]);
            let before = everything(&project.beside("repository"));
            check_out(&project, second, packages);
            for command in ["plan", "apply"] {
                let run = project.run(&[command]);
                assert_eq!(run.code, Some(1), "{first:?}, {second:?}, {packages:?}");
                assert!(run.stderr.contains(code), "{first:?}, {second:?}: {}", run.stderr);
            }
            assert_eq!(everything(&project.beside("repository")), before);
        }
    }
}

#[test]
fn a_package_that_may_be_anothers_is_named() {
    let (project, _) = two_published_beside();
    project.succeed(&["apply"]);
    check_out(&project, "", &["a", "c"]);
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("it holds `b`, which this manifest does not declare"), "{}", run.stderr);
}

#[test]
fn a_fresh_checkout_at_the_same_place_goes_on_with_the_repository() {
    let (project, repository) = two_published_beside();
    project.succeed(&["apply"]);
    check_out(&project, "", &["a", "b", "c"]);
    project.succeed(&["apply", "a"]);
    assert_eq!(repository.binaries(), ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm"]);
    project.edit("Rpmforge.kdl", "package b { source path \"b.spec\" }\n", "");
    let plan = project.succeed(&["plan"]);
    assert!(plan.stdout.contains("b leaves the repository of host"), "{}", plan.stdout);
    project.succeed(&["apply"]);
    assert_eq!(repository.binaries(), ["a-1.0-1.noarch.rpm", "c-1.0-1.noarch.rpm"]);
}

#[test]
fn a_fresh_checkout_with_a_name_may_declare_less() {
    let project = Project::new();
    write(&project, "acme", &["a", "b"]);
    project.succeed(&["apply"]);
    check_out(&project, "acme", &["a"]);
    let plan = project.succeed(&["plan"]);
    assert!(plan.stdout.contains("b leaves the repository of host"), "{}", plan.stdout);
    project.succeed(&["apply"]);
    let repository = Repository::new(project.beside("repository"));
    assert_eq!(repository.binaries(), ["a-1.0-1.noarch.rpm"]);
}

#[test]
fn a_project_that_is_given_a_name_stays_the_owner() {
    let (project, repository) = two_published_beside();
    project.succeed(&["apply"]);
    write(&project, "acme", &["a"]);
    project.succeed(&["apply"]);
    assert_eq!(repository.binaries(), ["a-1.0-1.noarch.rpm"]);
}

#[test]
fn a_project_that_was_taken_over_from_is_no_longer_the_owner_at_the_same_place() {
    let (project, repository) = two_published_beside();
    project.succeed(&["apply"]);
    let earlier = check_out(&project, "", &["a"]);
    adopt(&project, &project.beside("repository"));
    project.succeed(&["apply"]);
    assert_eq!(repository.binaries(), ["a-1.0-1.noarch.rpm"]);
    fs::rename(project.path(), project.beside("later")).unwrap();
    fs::rename(earlier, project.path()).unwrap();
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("forge::publish::foreign"), "{}", run.stderr);
    assert_eq!(repository.binaries(), ["a-1.0-1.noarch.rpm"]);
}

#[test]
fn a_repository_of_another_project_that_was_put_into_this_one_is_refused() {
    let project = two();
    project.succeed(&["apply"]);
    let other = Project::with("package c { source path \"c.spec\" }\n");
    other.spec("c", "", "true");
    fs::rename(project.path().join("public"), other.path().join("public")).unwrap();
    let run = other.run(&["apply"]);
    assert!(run.stderr.contains("forge::publish::unidentified"), "{}", run.stderr);
    assert_eq!(other.repository().binaries().len(), 2);
}

#[test]
fn a_folder_that_is_mounted_into_two_projects_is_of_one_of_them() {
    let first = two();
    let second = Project::with("package c { source path \"c.spec\" }\n");
    second.spec("c", "", "true");
    let shared = first.beside("shared");
    fs::create_dir(&shared).unwrap();
    let apply = |project: &Project| {
        project.write("public/under", "");
        let script = format!("mount --bind {} public && exec $FORGE apply", shared.display());
        shell(project, &in_mount_namespace(), &script)
    };
    assert_eq!(apply(&first).code, Some(0));
    let run = apply(&second);
    assert!(run.stderr.contains("forge::publish::foreign"), "{}", run.stderr);
    assert_eq!(apply(&first).code, Some(0));
    assert_eq!(Repository::new(shared.join("host")).binaries().len(), 2);
}

#[test]
fn two_chroots_whose_folders_are_one_are_refused_by_name() {
    let project = two();
    let both = "chroot host { root \"/\" }\nchroot other { root \"/\" }";
    project.edit("Rpmforge.kdl", "chroot host { root \"/\" }", both);
    project.write("public/host/note", "");
    std::os::unix::fs::symlink("host", project.path().join("public/other")).unwrap();
    assert_eq!(project.run(&["apply"]).code, Some(1));
    let before = project.repository().binaries();
    assert_eq!(before, ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm"]);
    for command in ["plan", "apply"] {
        let run = project.run(&[command]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("forge::publish::two_chroots"), "{}", run.stderr);
    }
    assert_eq!(project.repository().binaries(), before);
}

#[test]
fn a_chroot_may_be_renamed_and_a_folder_of_another_is_not_emptied() {
    let project = two();
    let manifest = project.read("Rpmforge.kdl");
    project.write("Rpmforge.kdl", &format!("{manifest}publish \"public\"\n"));
    project.succeed(&["apply"]);
    project.edit("Rpmforge.kdl", "chroot host", "chroot other");
    project.succeed(&["apply"]);
    assert_eq!(Repository::new(project.path().join("public")).binaries().len(), 2);
    fs::rename(project.path().join("public"), project.path().join("kept")).unwrap();
    fs::create_dir(project.path().join("public")).unwrap();
    fs::rename(project.path().join("kept"), project.path().join("public/gone")).unwrap();
    project.edit("Rpmforge.kdl", "publish \"public\"", "publish \"public/{chroot}\"");
    project.succeed(&["apply"]);
    assert_eq!(Repository::new(project.path().join("public/gone")).binaries().len(), 2);
}
