//! Sending with rsync: to a daemon, and by ssh.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::bucket_server::project_sent_to;
use crate::daemon::{Daemon, free_port};
use crate::support::{Project, Repository, Run};

/// A daemon of rsync with a module `os`, and its folder.
struct RsyncServer {
    temp: TempDir,
    port: u16,
    _daemon: Daemon,
}

impl RsyncServer {
    fn start() -> Self {
        let temp = TempDir::new().unwrap();
        let (folder, port) = (temp.path().join("os"), free_port());
        fs::create_dir(&folder).unwrap();
        let id = |option: &str| {
            let run = Command::new("id").arg(option).output().unwrap();
            String::from_utf8(run.stdout).unwrap().trim().to_owned()
        };
        let (user, group, path) = (id("-u"), id("-g"), folder.display());
        let settings = temp.path().join("rsyncd.conf");
        let text = format!(
            "use chroot = no\nuid = {user}\ngid = {group}\n[os]\npath = {path}\nread only = no\nauth users =\n"
        );
        fs::write(&settings, text).unwrap();
        let mut command = Command::new("rsync");
        command.args(["--daemon", "--no-detach", "--address=127.0.0.1", &format!("--port={port}")]);
        let daemon = Daemon::start(command.arg(format!("--config={}", settings.display())), port);
        Self { temp, port, _daemon: daemon }
    }

    fn project(&self) -> Project {
        project_sent_to(&format!("to \"rsync://127.0.0.1:{}/os/here/{{chroot}}\"", self.port))
    }

    fn folder(&self) -> PathBuf {
        self.temp.path().join("os/here/host")
    }

    fn repository(&self) -> Repository {
        Repository::new(self.folder())
    }
}

fn sent(run: &Run) -> Vec<(u64, u64)> {
    let events = run.events("sent");
    let number = |event: &serde_json::Value, name: &str| event[name].as_u64().unwrap();
    events.iter().map(|event| (number(event, "files"), number(event, "removed"))).collect()
}

#[test]
fn a_daemon_gets_what_is_new_and_loses_what_has_been_superseded_for_long_enough() {
    let server = RsyncServer::start();
    let project = server.project();
    let first = project.succeed(&["apply", "--json"]);
    // Two packages and their sources, three metadata files, repomd.xml, the `.repo` file.
    assert_eq!(sent(&first), [(9, 0)], "{}", first.stdout);
    let before = server.repository().follow().unwrap();
    assert_eq!(sent(&project.succeed(&["apply", "--json"])), []);
    project.spec("a", "Provides: more", "true");
    assert_eq!(sent(&project.succeed(&["apply", "--json"])), [(6, 0)]);
    let now = server.repository().follow().unwrap();
    assert_ne!(now, before);
    let there = |path: &str| server.folder().join(path).exists();
    assert!(before.iter().all(|file| there(&file.href)), "clients may still read what was there");
    let record = server.folder().join(".forge-place");
    let mut json: serde_json::Value = serde_json::from_slice(&fs::read(&record).unwrap()).unwrap();
    json["superseded"].as_object_mut().unwrap().values_mut().for_each(|since| *since = 5.into());
    fs::write(&record, serde_json::to_vec(&json).unwrap()).unwrap();
    assert_eq!(sent(&project.succeed(&["publish", "--json"])), [(0, 5)]);
    assert_eq!(server.repository().follow().unwrap(), now);
    let gone = before.iter().filter(|file| !now.contains(file));
    gone.for_each(|file| assert!(!there(&file.href), "{}", file.href));
    let folders = fs::read_dir(server.folder()).unwrap().count();
    assert_eq!(folders, 5, "two packages, repodata, the record, the `.repo` file");
}

#[test]
fn what_was_changed_or_removed_at_a_daemon_is_sent_again() {
    let server = RsyncServer::start();
    let project = server.project();
    project.succeed(&["apply"]);
    let packages = server.repository().follow().unwrap();
    let package = packages.iter().find(|file| file.href.ends_with(".rpm")).unwrap();
    fs::remove_file(server.folder().join(&package.href)).unwrap();
    fs::write(server.folder().join("repodata/repomd.xml"), "<repomd/>").unwrap();
    fs::write(server.folder().join("index.html"), "theirs").unwrap();
    assert_eq!(sent(&project.succeed(&["publish", "--json"])), [(2, 0)]);
    assert!(server.repository().follow().is_ok());
    assert_eq!(fs::read_to_string(server.folder().join("index.html")).unwrap(), "theirs");
    // A place of another project is not touched.
    let other = server.project();
    let refused = other.run(&["apply", "--json"]);
    assert_eq!(refused.code, Some(1));
    assert_eq!(refused.events("not-sent")[0]["code"], "forge::publish::place_foreign");
}

#[test]
fn a_daemon_that_is_not_there_is_no_reason_to_publish_nothing() {
    let project = project_sent_to(&format!("to \"rsync://127.0.0.1:{}/os/{{chroot}}\"", free_port()));
    let apply = project.run(&["apply"]);
    assert_eq!(apply.code, Some(1));
    assert!(apply.stderr.contains("not sent:  host to rsync://127.0.0.1"), "{}", apply.stderr);
    assert!(apply.stderr.contains("rsync ended with code 10"), "{}", apply.stderr);
    assert!(project.repository().follow().is_ok());
    let events = project.run(&["publish", "--json"]).events("not-sent");
    assert_eq!(events[0]["code"], "forge::publish::place_rsync");
}

#[test]
fn a_machine_is_reached_by_ssh_as_its_user_has_set_it_up() {
    let temp = TempDir::new().unwrap();
    let (folder, port) = (temp.path().to_owned(), free_port());
    for key in ["host", "user"] {
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(folder.join(key));
        assert!(command.status().unwrap().success());
    }
    let _daemon = start_sshd(&folder, port);
    let target = folder.join("repository");
    let user = String::from_utf8(Command::new("id").arg("-un").output().unwrap().stdout).unwrap();
    let project = project_sent_to(&format!("to \"{}@127.0.0.1:{}\"", user.trim(), target.display()));
    let shell = format!(
        "ssh -F none -p {port} -i {} -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
        folder.join("user").display()
    );
    let run = project.forge(&["apply", "--json"]).env("RSYNC_RSH", &shell).output().unwrap();
    let run = Run::from(run);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    assert_eq!(sent(&run), [(9, 0)]);
    assert!(Repository::new(target).follow().is_ok());
}

fn start_sshd(folder: &Path, port: u16) -> Daemon {
    let _ = fs::create_dir_all("/run/sshd");
    fs::copy(folder.join("user.pub"), folder.join("authorized")).unwrap();
    let shown = folder.display();
    let settings = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {shown}/host\nAuthorizedKeysFile {shown}/authorized\n\
         PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\nPasswordAuthentication no\n"
    );
    fs::write(folder.join("sshd_config"), settings).unwrap();
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f"]).arg(folder.join("sshd_config")).stderr(Stdio::null());
    Daemon::start(&mut command, port)
}
