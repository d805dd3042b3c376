//! `forge fmt` changes the text of a manifest and nothing else of its file.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use crate::support::Project;

const UGLY: &str = "macros{dist   .x}\n";
const USUAL: &str = "macros { dist .x }\n";

#[test]
fn a_link_stays_a_link_and_its_file_keeps_its_mode() {
    let project = Project::new();
    project.write("shared/acme.kdl", UGLY);
    let target = project.path().join("shared/acme.kdl");
    fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
    symlink("shared/acme.kdl", project.path().join("Rpmforge.kdl")).unwrap();
    project.succeed(&["fmt"]);
    let link = fs::read_link(project.path().join("Rpmforge.kdl")).unwrap();
    assert_eq!(link.to_str(), Some("shared/acme.kdl"));
    assert_eq!(fs::metadata(&target).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(project.read("shared/acme.kdl"), USUAL);
    assert_eq!(fs::read_dir(project.path().join("shared")).unwrap().count(), 1);
}

#[test]
fn a_link_out_of_the_project_is_refused_and_nothing_changed() {
    let project = Project::new();
    fs::write(project.beside("acme.kdl"), UGLY).unwrap();
    symlink("../acme.kdl", project.path().join("Rpmforge.kdl")).unwrap();
    let run = project.run(&["fmt"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::manifest::unreadable"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(project.beside("acme.kdl")).unwrap(), UGLY);
}

#[test]
fn a_file_of_its_own_keeps_its_mode() {
    let project = Project::new();
    project.write("Rpmforge.kdl", UGLY);
    let path = project.path().join("Rpmforge.kdl");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o664)).unwrap();
    project.succeed(&["fmt"]);
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o664);
    assert_eq!(project.read("Rpmforge.kdl"), USUAL);
}
