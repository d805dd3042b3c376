//! What a build could harm on the machine, put there to be looked at afterwards.

use std::fs;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

use crate::site::{ORDINARY, Who};

/// Folders of the machine where people and services keep what is theirs.
const FOLDERS: &[&str] =
    &["/home", "/root", "/mnt", "/srv", "/media", "/var/tmp", "/tmp", "/run", "/var/lib", "/dev/shm"];

/// A process of the user that builds, files where the user may write, listeners: all with a word in their names.
pub struct Machine {
    /// The word.
    pub canary: String,
    files: Vec<PathBuf>,
    process: Child,
    /// A socket in `/run` or `/tmp`, and what it is in.
    pub socket: (UnixListener, PathBuf),
    _abstract: UnixListener,
    tcp: std::net::TcpListener,
    _folder: TempDir,
    mounts: String,
}

impl Machine {
    /// Puts all that in place; `word` is of one test.
    pub fn new(who: Who, word: &str) -> Self {
        // Each of its own: what another test starts at the moment may hold the socket of the one before for a while.
        let canary = format!("CANARY-{word}-{who:?}-{}", std::process::id());
        let mut files = Vec::new();
        for folder in FOLDERS {
            let path = PathBuf::from(folder).join(&canary);
            if fs::write(&path, content(&canary)).is_ok() {
                let _ = std::os::unix::fs::chown(&path, Some(ORDINARY), Some(ORDINARY));
                files.push(path);
            }
        }
        assert!(files.len() >= 2, "there is nowhere to write: {files:?}");
        let mut process = who.command("sleep");
        process.arg("1000").env(&canary, &canary).arg0("sleep").stdin(Stdio::null());
        let folder = tempfile::Builder::new().prefix(&canary).tempdir().unwrap();
        let socket = folder.path().join("socket");
        let abstract_name = SocketAddr::from_abstract_name(&canary).unwrap();
        Self {
            socket: (UnixListener::bind(&socket).unwrap(), socket),
            _abstract: UnixListener::bind_addr(&abstract_name).unwrap(),
            tcp: std::net::TcpListener::bind("127.0.0.1:0").unwrap(),
            _folder: folder,
            mounts: mounts(),
            process: process.spawn().unwrap(),
            files,
            canary,
        }
    }

    /// The port that is listened at.
    pub fn port(&self) -> u16 {
        self.tcp.local_addr().unwrap().port()
    }

    /// What is in the files.
    pub fn content(&self) -> String {
        content(&self.canary)
    }

    /// Fails where something was harmed.
    #[track_caller]
    pub fn assert_unharmed(&self) {
        for file in &self.files {
            assert_eq!(
                fs::read_to_string(file).unwrap_or_default(),
                content(&self.canary),
                "{}",
                file.display()
            );
        }
        let process = Pid::from_child(&self.process);
        assert!(test_kill_process(process).is_ok() && !self.has_ended(), "the process was ended");
        assert!(mounts() == self.mounts, "the machine's mounts are not what they were");
        assert!(fs::exists("/usr/bin/env").unwrap() && fs::exists("/etc/passwd").unwrap());
        for root in ["/", "/etc", "/usr", "/usr/bin", "/opt", "/dev"] {
            let names = fs::read_dir(root).unwrap().flatten().map(|entry| entry.file_name());
            let left: Vec<_> = names.filter(|name| name.to_string_lossy().contains("forge-attack")).collect();
            assert!(left.is_empty(), "{root} has {left:?}");
        }
    }

    fn has_ended(&self) -> bool {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap_or_default();
        stat.rsplit_once(')').is_none_or(|(_, rest)| rest.trim_start().starts_with('Z'))
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
    }
}

fn content(canary: &str) -> String {
    format!("content of {canary}")
}

/// The machine's mounts, but those that other tests come and go with.
fn mounts() -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    mounts.lines().filter(|line| !line.contains("/.tmp")).collect::<Vec<_>>().join("\n")
}
