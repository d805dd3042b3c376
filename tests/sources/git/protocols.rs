//! The same repository by each protocol, and servers that have trouble.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rpmforge::source::git::{CommitLock, GitError};
use tempfile::TempDir;

use super::http_server::{HttpServer, Manner, publish};
use super::made_git::{MadeGit, git_command};
use super::reader::Reader;
use crate::daemon::{Daemon, free_port};

fn repository() -> MadeGit {
    let made = MadeGit::new();
    made.commit("first", &[("a.spec", "Name: a")]);
    made.git(&["tag", "--annotate", "-m", "release", "v1"]);
    made.commit("second", &[("b", &"many words ".repeat(20_000))]);
    made
}

fn check(reader: &Reader, url: &str) {
    assert_eq!(reader.checkout(url, None).unwrap().keys().collect::<Vec<_>>(), ["a.spec", "b"]);
    assert_eq!(reader.checkout(url, Some("v1")).unwrap().keys().collect::<Vec<_>>(), ["a.spec"]);
}

#[test]
fn a_repository_comes_over_http_from_servers_new_and_old() {
    let (root, made) = (TempDir::new().unwrap(), repository());
    publish(root.path(), "a.git", &made);
    for is_old in [false, true] {
        let server = HttpServer::start(root.path(), Manner { is_old, ..Manner::default() });
        check(&Reader::new(), &server.url("a.git"));
    }
}

#[test]
fn a_repository_comes_over_gits_own_protocol() {
    let (root, made, port) = (TempDir::new().unwrap(), repository(), free_port());
    publish(root.path(), "a.git", &made);
    // `git daemon` would start it as a child, which would outlive its end.
    let programs = git_command(root.path(), 0).arg("--exec-path").output().unwrap().stdout;
    let mut command = Command::new(Path::new(String::from_utf8(programs).unwrap().trim()).join("git-daemon"));
    command.args(["--export-all", "--listen=127.0.0.1"]).env("GIT_CONFIG_COUNT", "1");
    command.env("GIT_CONFIG_KEY_0", "safe.directory").env("GIT_CONFIG_VALUE_0", "*");
    command.arg(format!("--port={port}")).arg(format!("--base-path={}", root.path().display()));
    let _daemon = Daemon::start(&mut command, port);
    check(&Reader::new(), &format!("git://127.0.0.1:{port}/a.git"));
}

/// OpenSSH's server as an ordinary process, and a command that reaches it as this user.
fn start_sshd(folder: &Path, accepts: &str) -> (Daemon, String, u16) {
    let port = free_port();
    for key in ["host", "user"] {
        let path = folder.join(key);
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(path)
            .status()
            .unwrap();
        assert!(made.success());
    }
    // Only root's server asks for it.
    let _ = fs::create_dir_all("/run/sshd");
    let at = folder.display();
    let config = format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {at}/host\nPidFile none\nAuthorizedKeysFile {at}/user.pub\n\
         StrictModes no\nUsePAM no\nPasswordAuthentication no\nPermitRootLogin yes\n{accepts}"
    );
    fs::write(folder.join("sshd_config"), config).unwrap();
    let mut command = Command::new("/usr/sbin/sshd");
    command.args(["-D", "-e", "-f"]).arg(folder.join("sshd_config")).stderr(Stdio::null());
    let daemon = Daemon::start(&mut command, port);
    let host = fs::read_to_string(folder.join("host.pub")).unwrap();
    fs::write(folder.join("known"), format!("[127.0.0.1]:{port} {host}")).unwrap();
    let ssh = format!("ssh -F none -i {at}/user -o UserKnownHostsFile={at}/known -o IdentitiesOnly=yes");
    (daemon, ssh, port)
}

#[test]
fn a_repository_comes_over_ssh_whether_or_not_the_server_hears_of_version_2() {
    for accepts in ["AcceptEnv GIT_PROTOCOL\n", ""] {
        let (folder, made) = (TempDir::new().unwrap(), repository());
        let (_daemon, ssh, port) = start_sshd(folder.path(), accepts);
        let mut reader = Reader::new();
        reader.environment.insert("GIT_SSH_COMMAND".into(), ssh.into());
        let user = rustix::process::getuid();
        assert!(user.is_root(), "the test logs in as root");
        // A path that would run something, if the other side's shell got it as it is.
        let odd = folder.path().join("o'dd;touch$IFS");
        std::os::unix::fs::symlink(made.path(), &odd).unwrap();
        check(&reader, &format!("ssh://root@127.0.0.1:{port}{}/.git", odd.display()));
        let url = format!("ssh://root@127.0.0.1:{port}/nowhere");
        let error = reader.choose(&url, None, CommitLock::Open).unwrap_err().to_string();
        assert!(error.contains("`ssh` says: ") && error.contains("/nowhere"), "{error}");
    }
}

#[test]
fn a_server_that_has_trouble_is_asked_again() {
    let (root, made) = (TempDir::new().unwrap(), repository());
    publish(root.path(), "a.git", &made);
    let server = HttpServer::start(root.path(), Manner { unavailable: 2, ..Manner::default() });
    check(&Reader::new(), &server.url("a.git"));
}

#[test]
fn a_pack_that_is_cut_leaves_nothing_that_counts() {
    let (root, made) = (TempDir::new().unwrap(), repository());
    publish(root.path(), "a.git", &made);
    let reader = Reader::new();
    let cut = HttpServer::start(root.path(), Manner { cut_after: Some(700), ..Manner::default() });
    let error = reader.checkout(&cut.url("a.git"), None).unwrap_err();
    assert!(matches!(error, GitError::Server { .. }), "{error}");
    let repository = reader.repository(&cut.url("a.git"));
    assert!(!repository.has(made.git(&["rev-parse", "HEAD"]).parse().unwrap()));
}

#[test]
fn what_is_no_repository_is_said_so() {
    let root = TempDir::new().unwrap();
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\n<html";
    let answers =
        ["/page/info/refs", "/page/git-upload-pack"].map(|path| (path.to_owned(), page.to_owned())).into();
    let server = HttpServer::start(root.path(), Manner { answers, ..Manner::default() });
    let said = |path: &str| Reader::new().checkout(&server.url(path), None).unwrap_err().to_string();
    assert!(
        said("none.git").contains("the server answers 404: there is no such repository"),
        "{}",
        said("none.git")
    );
    assert!(said("page").contains("not as a git server"), "{}", said("page"));
}
