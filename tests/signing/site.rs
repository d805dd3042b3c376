//! What these tests share: a project with a key, and the machine's programs.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::{Project, Run};

/// A project whose package `a` is published, signed with the key `acme`.
pub fn signed_project(kind: &str) -> Project {
    let project = Project::with(
        "package a { source path \"a.spec\" }\npublish \"public/{chroot}\" { sign name=acme }\n",
    );
    project.spec("a", "", "true");
    new_key(&project, "acme", kind);
    project
}

/// Makes a key without a passphrase; gives its fingerprint.
pub fn new_key(project: &Project, name: &str, kind: &str) -> String {
    let user = format!("{name} <{name}@example.org>");
    let made = project.succeed(&["keys", "new", name, "--user", &user, "--kind", kind, "--no-passphrase"]);
    field(&made, "fingerprint")
}

/// The word behind `name` in what `forge keys` shows.
pub fn field(run: &Run, name: &str) -> String {
    let line = run.stdout.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

/// The public key called `name`, in a file beside the project.
pub fn public_key(project: &Project, name: &str) -> PathBuf {
    let file = project.beside(&format!("{name}.public.asc"));
    let _ = std::fs::remove_file(&file);
    project.succeed(&["keys", "export", name, "--output", file.to_str().unwrap()]);
    file
}

/// The packages in the repository of the chroot `host`.
pub fn packages(project: &Project) -> Vec<PathBuf> {
    let folder = project.path().join("public/host");
    let listed = project.repository().follow().unwrap();
    listed.iter().map(|package| folder.join(&package.href)).collect()
}

/// Runs a program of the machine, and says whether it ended well and what it said.
pub fn run(command: &mut Command) -> (bool, String) {
    let run = command.stdin(Stdio::null()).env("LC_ALL", "C.UTF-8").output().unwrap();
    let said = [run.stdout, run.stderr].concat();
    (run.status.success(), String::from_utf8_lossy(&said).into_owned())
}

/// What `rpmkeys --checksig` says of a package, with a database that has these keys.
pub fn check_with_rpm(database: &Path, keys: &[PathBuf], package: &Path) -> (bool, String) {
    let rpmkeys = |arguments: &[&str]| {
        let mut command = Command::new("rpmkeys");
        run(command.arg("--dbpath").arg(database).args(arguments))
    };
    for key in keys {
        let (imported, said) = rpmkeys(&["--import", key.to_str().unwrap()]);
        assert!(imported, "{said}");
    }
    rpmkeys(&["--checksig", "--verbose", package.to_str().unwrap()])
}
