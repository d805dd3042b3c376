//! dnf and zypper of this machine, with all their checks on.

use std::path::Path;
use std::process::Command;

use crate::site::{public_key, run, signed_project};
use crate::support::Project;

/// Installs `a` with dnf into a root of its own, as the repository's own file says.
fn install_with_dnf(project: &Project, repo: &str) -> (bool, String) {
    let folders = project.beside("dnf");
    let _ = std::fs::remove_dir_all(&folders);
    std::fs::create_dir_all(folders.join("repos")).unwrap();
    std::fs::write(folders.join("repos/host.repo"), repo).unwrap();
    let option = |name: &str, folder: &str| format!("--setopt={name}={}", folders.join(folder).display());
    let mut dnf = Command::new("dnf");
    dnf.args(["--assumeyes", "--releasever=1", &option("reposdir", "repos"), &option("cachedir", "cache")]);
    dnf.arg(format!("--installroot={}", folders.join("root").display())).args(["install", "a"]);
    let (ended_well, said) = run(&mut dnf);
    (ended_well && folders.join("root/usr/share/a").exists(), said)
}

/// Serves a folder; it ends with this.
struct Server(std::process::Child, u16);

impl Server {
    fn new(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut python = Command::new("python3");
        python.args(["-m", "http.server", "--bind", "127.0.0.1", &port.to_string()]).current_dir(folder);
        python.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null());
        let server = Self(python.spawn().unwrap(), port);
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn dnf_installs_by_folder_and_by_http_and_refuses_what_was_changed() {
    let project = signed_project("rsa4096");
    project.succeed(&["apply"]);
    let by_folder = project.read("public/host/host.repo");
    assert!(by_folder.contains("gpgcheck=1\nrepo_gpgcheck=1\n"), "{by_folder}");
    let (installed, said) = install_with_dnf(&project, &by_folder);
    assert!(installed, "{said}");
    let server = Server::new(&project.path().join("public"));
    let url = format!("http://127.0.0.1:{}/{{chroot}}", server.1);
    project.edit("Rpmforge.kdl", "sign name=acme", &format!("sign name=acme; url \"{url}\""));
    project.succeed(&["apply"]);
    let by_http = project.read("public/host/host.repo");
    assert!(by_http.contains(&format!("baseurl=http://127.0.0.1:{}/host\n", server.1)), "{by_http}");
    let (installed, said) = install_with_dnf(&project, &by_http);
    assert!(installed, "{said}");
    let repomd = project.read("public/host/repodata/repomd.xml");
    project.write("public/host/repodata/repomd.xml", &repomd.replace("<revision>", "<revision>1"));
    let (installed, said) = install_with_dnf(&project, &by_http);
    assert!(!installed, "{said}");
}

#[test]
fn dnf_takes_metadata_of_two_keys_where_it_knows_one() {
    let project = signed_project("ed25519");
    project.succeed(&["apply"]);
    let old = project.read("public/host/repodata/repomd.xml.key");
    project.succeed(&["keys", "rotate", "acme", "--kind", "ed25519", "--no-passphrase"]);
    project.succeed(&["apply"]);
    let new = public_key(&project, "acme");
    // The new key is for packages; metadata are believed by either.
    project.write("old.asc", &old);
    let repo = project.read("public/host/host.repo");
    let keys =
        format!("gpgkey=file://{} file://{}\n", project.path().join("old.asc").display(), new.display());
    let repo = repo
        .lines()
        .filter(|line| !line.starts_with("gpgkey="))
        .map(|line| format!("{line}\n"))
        .collect::<String>()
        + &keys;
    let (installed, said) = install_with_dnf(&project, &repo);
    assert!(installed, "{said}");
}

#[test]
fn zypper_installs_with_all_checks_on() {
    let project = signed_project("rsa4096");
    project.succeed(&["apply"]);
    let root = project.beside("zypp");
    let rpm = |arguments: &[&str]| {
        let mut rpm = Command::new("rpm");
        run(rpm.arg("--root").arg(&root).args(arguments))
    };
    std::fs::create_dir(&root).unwrap();
    assert!(rpm(&["--initdb"]).0);
    assert!(rpm(&["--import", public_key(&project, "acme").to_str().unwrap()]).0);
    let zypper = |arguments: &[&str]| {
        let mut zypper = Command::new("zypper");
        run(zypper.arg("--root").arg(&root).args(["--non-interactive"]).args(arguments))
    };
    let (added, said) = zypper(&[
        "addrepo",
        "--gpgcheck-strict",
        project.path().join("public/host/host.repo").to_str().unwrap(),
    ]);
    assert!(added, "{said}");
    let (refreshed, said) = zypper(&["refresh"]);
    assert!(refreshed, "{said}");
    let (installed, said) = zypper(&["install", "a"]);
    assert!(installed && root.join("usr/share/a").exists(), "{said}");
    let repomd = project.read("public/host/repodata/repomd.xml");
    project.write("public/host/repodata/repomd.xml", &repomd.replace("<revision>", "<revision>1"));
    assert!(!zypper(&["refresh", "--force"]).0);
}
