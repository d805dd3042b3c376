//! Where forge publishes to, and how others can read it.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::publication::{change, two, two_published_beside};
use crate::support::{Project, Run};

/// Runs a line of the shell with the project's environment; `$FORGE` is the binary.
pub fn shell(project: &Project, program: &[&str], script: &str) -> Run {
    let forge = project.forge(&[]);
    let mut command = Command::new(program[0]);
    command.args(&program[1..]).arg(script).current_dir(project.path()).env_clear();
    command.envs(forge.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("FORGE", env!("CARGO_BIN_EXE_forge"));
    Run::from(command.output().unwrap())
}

/// What stands before a script that mounts something where nobody else sees it.
pub fn in_mount_namespace() -> Vec<&'static str> {
    let is_root = rustix::process::geteuid().is_root();
    let own: &[&str] = if is_root { &[] } else { &["--user", "--map-root-user"] };
    [&["unshare"], own, &["--mount", "/bin/sh", "-c"]].concat()
}

/// A folder and all in it but the lock.
fn all_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![folder.to_owned()];
    let mut next = 0;
    while let Some(path) = found.get(next).cloned() {
        next += 1;
        if path.is_dir() {
            found.extend(fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    found.retain(|path| !path.ends_with(".forge-repository.lock"));
    found
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn what_is_published_can_be_read_by_everybody_and_written_by_nobody_else_whatever_the_umask() {
    for umask in ["077", "022", "000"] {
        let project = two();
        let run = shell(&project, &["/bin/sh", "-c"], &format!("umask {umask}; exec $FORGE apply"));
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        let found = all_in(&project.path().join("public"));
        assert!(found.len() > 10);
        for path in found {
            let (mode, is_folder) = (mode(&path), path.is_dir());
            let wanted = if is_folder { 0o755 } else { 0o644 };
            assert_eq!(mode & 0o757, wanted, "umask {umask}: {path:?} has {mode:o}");
        }
    }
}

#[test]
fn folders_of_a_group_stay_the_groups() {
    let project = two();
    project.write("public/note", "");
    fs::set_permissions(project.path().join("public"), fs::Permissions::from_mode(0o2775)).unwrap();
    let run = shell(&project, &["/bin/sh", "-c"], "umask 002; exec $FORGE apply");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let folders: Vec<PathBuf> = all_in(&project.path().join("public"));
    for path in folders.iter().filter(|path| path.is_dir()) {
        assert_eq!(mode(path), 0o2775, "{path:?}");
    }
}

#[test]
fn what_cannot_be_written_is_only_read_where_nothing_has_changed() {
    let (project, repository) = two_published_beside();
    project.succeed(&["apply"]);
    let program = in_mount_namespace();
    let read_only = "mount --bind ../repository ../repository && \
        mount -o remount,bind,ro ../repository && exec $FORGE apply";
    let run = shell(&project, &program, read_only);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let before = repository.follow().unwrap();
    change(&project, "a", 1);
    let run = shell(&project, &program, read_only);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("Read-only file system"), "{}", run.stderr);
    assert_eq!(repository.follow().unwrap(), before);
}

#[test]
fn folders_that_are_for_something_else_are_refused() {
    let (project, _) = two_published_beside();
    let written = project.beside("repository").display().to_string();
    fs::create_dir(project.path().join(".git")).unwrap();
    let link = |to: &Path, name: &str| {
        std::os::unix::fs::symlink(to, project.path().join(name)).unwrap();
        name.to_owned()
    };
    let cache = project.cache().join("rpmforge");
    let folders = [
        cache.display().to_string(),
        cache.join("blobs/repository").display().to_string(),
        link(&cache, "to-store"),
        link(&project.path().join(".git"), "to-git"),
        link(&project.path().join(".forge"), "to-state"),
        project.path().join(".forge/results").display().to_string(),
    ];
    for folder in folders {
        project.edit("Rpmforge.kdl", &format!("publish \"{written}\""), &format!("publish \"{folder}\""));
        for command in ["check", "plan", "apply"] {
            let run = project.run(&[command]);
            assert_eq!(run.code, Some(1), "{command} {folder}: {}", run.stderr);
            let codes = ["forge::publish::taken_folder", "forge::manifest::wrong_value"];
            assert!(codes.iter().any(|code| run.stderr.contains(code)), "{command} {folder}: {}", run.stderr);
        }
        project.edit("Rpmforge.kdl", &format!("publish \"{folder}\""), &format!("publish \"{written}\""));
    }
    project.succeed(&["apply"]);
}
