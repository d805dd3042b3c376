//! `forge sign` and `forge verify-signatures`, and what rpm says of it.

use std::path::PathBuf;

use crate::site::{check_with_rpm, new_key, packages, public_key, run};
use crate::support::Project;

/// A project that has built the package `a`, unsigned; and that package.
pub fn built() -> (Project, PathBuf) {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    let package = packages(&project).into_iter().find(|path| path.to_string_lossy().ends_with("noarch.rpm"));
    let copy = project.path().join("a.rpm");
    std::fs::copy(package.unwrap(), &copy).unwrap();
    (project, copy)
}

#[test]
fn rpm_and_forge_accept_what_each_kind_of_key_signs() {
    let (project, package) = built();
    let database = project.beside("rpmdb");
    let unsigned = project.run(&["verify-signatures", "a.rpm"]);
    assert_eq!(
        (unsigned.code, unsigned.stdout.contains("WRONG  a.rpm: not signed")),
        (Some(1), true),
        "{}",
        unsigned.stdout
    );
    let mut keys = Vec::new();
    for (name, kind) in [("rsa", "rsa4096"), ("ed", "ed25519")] {
        let fingerprint = new_key(&project, name, kind);
        project.succeed(&["sign", "--name", name, "a.rpm"]);
        keys.push(public_key(&project, name));
        let verified = project.succeed(&["verify-signatures", "a.rpm"]);
        assert!(
            verified.stdout.contains(&format!("signed by {fingerprint} ({name} <")),
            "{}",
            verified.stdout
        );
        let (good, said) = check_with_rpm(&database, &keys, &package);
        assert!(good && said.contains("OK") && !said.contains("NOKEY"), "{said}");
        assert_eq!(said.matches("Signature").count(), keys.len(), "one for each kind of key: {said}");
    }
}

#[test]
fn a_signature_by_the_same_key_takes_the_place_of_the_earlier_one() {
    let (project, _) = built();
    new_key(&project, "one", "ed25519");
    new_key(&project, "two", "ed25519");
    for name in ["one", "two", "one"] {
        project.succeed(&["sign", "--name", name, "a.rpm"]);
    }
    let verified = project.succeed(&["verify-signatures", "a.rpm"]);
    assert_eq!(verified.stdout.matches("signed by").count(), 2, "{}", verified.stdout);
}

#[test]
fn a_signature_of_version_six_stands_where_old_rpm_does_not_look() {
    let (project, package) = built();
    let old = new_key(&project, "old", "ed25519");
    let new = new_key(&project, "new", "ed25519-v6");
    assert_eq!((old.len(), new.len()), (40, 64));
    project.succeed(&["sign", "--name", "old", "a.rpm"]);
    project.succeed(&["sign", "--name", "new", "a.rpm"]);
    let verified = project.succeed(&["verify-signatures", "a.rpm"]);
    assert!(verified.stdout.contains(&old) && verified.stdout.contains(&new), "{}", verified.stdout);
    let (good, said) = check_with_rpm(&project.beside("rpmdb"), &[public_key(&project, "old")], &package);
    assert!(good, "{said}");
}

#[test]
fn a_key_that_is_not_known_proves_nothing() {
    let (project, _) = built();
    let mine = new_key(&project, "mine", "ed25519");
    new_key(&project, "other", "ed25519");
    project.succeed(&["sign", "--name", "mine", "a.rpm"]);
    let other = public_key(&project, "other");
    let verified = project.run(&["verify-signatures", "--key", other.to_str().unwrap(), "--json", "a.rpm"]);
    assert_eq!(verified.code, Some(1));
    let document: serde_json::Value = serde_json::from_str(&verified.stdout).unwrap();
    assert_eq!(document["files"][0]["signatures"][0]["verdict"], "unknown");
    assert_eq!(document["files"][0]["signatures"][0]["key"], mine.as_str());
}

#[test]
fn any_other_file_gets_a_signature_beside_it_that_gnupg_accepts() {
    let project = Project::new();
    new_key(&project, "acme", "rsa4096");
    project.write("file", "content\n");
    project.succeed(&["sign", "--name", "acme", "file"]);
    project.succeed(&["verify-signatures", "file"]);
    let home = project.beside("gnupg");
    std::fs::create_dir(&home).unwrap();
    let gpg = |arguments: &[&str]| {
        let mut command = std::process::Command::new("gpg");
        run(command.current_dir(project.path()).arg("--homedir").arg(&home).arg("--batch").args(arguments))
    };
    assert!(gpg(&["--import", public_key(&project, "acme").to_str().unwrap()]).0);
    let (good, said) = gpg(&["--verify", "file.asc", "file"]);
    assert!(good, "{said}");
    project.write("file", "contend\n");
    let verified = project.run(&["verify-signatures", "file"]);
    assert_eq!(verified.code, Some(1));
    assert!(
        verified.stdout.contains("is wrong: its signature is not one of what it was given"),
        "{}",
        verified.stdout
    );
}
