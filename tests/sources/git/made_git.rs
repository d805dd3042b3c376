//! Repositories that the real git makes.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A repository with a work tree. Each commit is a day after the one before.
pub struct MadeGit {
    pub folder: TempDir,
    day: std::cell::Cell<u32>,
}

/// git without the machine's own configuration, and with a clock that stands still.
pub fn git_command(folder: &Path, seconds: u32) -> Command {
    let mut command = Command::new("git");
    command.current_dir(folder);
    for (name, value) in [
        ("GIT_CONFIG_GLOBAL", "/dev/null"),
        ("GIT_CONFIG_NOSYSTEM", "1"),
        ("GIT_AUTHOR_NAME", "Ada"),
        ("GIT_AUTHOR_EMAIL", "ada@example.org"),
        ("GIT_COMMITTER_NAME", "Ada"),
        ("GIT_COMMITTER_EMAIL", "ada@example.org"),
    ] {
        command.env(name, value);
    }
    let date = format!("{seconds} +0000");
    command.env("GIT_AUTHOR_DATE", &date).env("GIT_COMMITTER_DATE", date);
    command
}

impl MadeGit {
    pub fn new() -> Self {
        let made = Self { folder: TempDir::new().unwrap(), day: 0.into() };
        made.git(&["init", "--quiet", "--initial-branch=main"]);
        made
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Runs git; gives what it writes, trimmed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_with_input(arguments, b"")
    }

    pub fn git_with_input(&self, arguments: &[&str], input: &[u8]) -> String {
        let mut command = git_command(self.path(), 1_700_000_000 + self.day.get() * 86_400);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn write(&self, path: &str, content: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Commits files; gives the commit's id.
    pub fn commit(&self, message: &str, files: &[(&str, &str)]) -> String {
        for (path, content) in files {
            self.write(path, content);
        }
        self.day.set(self.day.get() + 1);
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A commit of a tree that git itself would not make: modes, names and what they hold.
    pub fn commit_raw(&self, entries: &[(&str, &[u8], &[u8])]) -> String {
        let tree = self.raw_tree(entries);
        let commit = self.git(&["commit-tree", &tree, "-m", "raw"]);
        self.git(&["update-ref", "refs/heads/main", &commit]);
        commit
    }

    /// A tree of modes, names and contents; where the mode is of a tree or a commit, the content is its id.
    pub fn raw_tree(&self, entries: &[(&str, &[u8], &[u8])]) -> String {
        let mut tree = Vec::new();
        for (mode, name, content) in entries {
            let id = match *mode {
                "40000" | "160000" => String::from_utf8(content.to_vec()).unwrap(),
                _ => self.git_with_input(&["hash-object", "-w", "--stdin"], content),
            };
            tree.extend_from_slice(mode.as_bytes());
            tree.push(b' ');
            tree.extend_from_slice(name);
            tree.push(0);
            tree.extend((0..40).step_by(2).map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap()));
        }
        self.git_with_input(&["hash-object", "-t", "tree", "-w", "--literally", "--stdin"], &tree)
    }

    /// Its own address on this machine.
    pub fn url(&self) -> String {
        format!("file://{}", self.path().display())
    }
}
