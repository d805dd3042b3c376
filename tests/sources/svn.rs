//! `source svn`, with the real svnserve and the real `svn`.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::daemon::{Daemon, free_port};
use crate::support::Project;

/// A repository, and a working copy of it.
pub struct MadeSvn {
    root: TempDir,
}

impl MadeSvn {
    fn new() -> Self {
        let made = Self { root: TempDir::new().unwrap() };
        made.run("svnadmin", &["create", "repository"]);
        made.run("svn", &["checkout", "--quiet", &made.local_url(""), "copy"]);
        made
    }

    fn run(&self, program: &str, arguments: &[&str]) -> String {
        self.run_in(self.root.path(), program, arguments)
    }

    fn run_in(&self, folder: &Path, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(program)
            .args(arguments)
            .current_dir(folder)
            .env("HOME", self.root.path())
            .env("LC_ALL", "C.UTF-8")
            .output()
            .expect("installed by .ci/test");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs `svn` in the working copy.
    fn svn(&self, arguments: &[&str]) -> String {
        self.run_in(&self.copy(), "svn", arguments)
    }

    fn copy(&self) -> std::path::PathBuf {
        self.root.path().join("copy")
    }

    fn commit(&self, message: &str, files: &[(&str, &str)]) {
        for (path, content) in files {
            let path = self.copy().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        self.svn(&["update", "--quiet", "--ignore-externals"]);
        self.svn(&["add", "--quiet", "--force", "."]);
        self.svn(&["commit", "--quiet", "--username", "ada", "--message", message]);
    }

    fn local_url(&self, folder: &str) -> String {
        format!("file://{}/repository{folder}", self.root.path().display())
    }

    /// A server of it, and its address.
    pub fn serve(&self) -> (Daemon, String) {
        let port = free_port();
        let mut command = Command::new("svnserve");
        command.args(["--daemon", "--foreground", "--listen-host", "127.0.0.1", "--listen-port"]);
        command.arg(port.to_string()).arg("--root").arg(self.root.path());
        (Daemon::start(&mut command, port), format!("svn://127.0.0.1:{port}/repository"))
    }
}

const SPEC: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: a\nLicense: MIT\nBuildArch: noarch\nSource0: data\nSource1: run.sh\n\
    %description\na\n%build\ngrep one %{SOURCE0}\ntest -x %{SOURCE1}\n%files\n";

pub fn repository() -> MadeSvn {
    let made = MadeSvn::new();
    made.commit(
        "Begin",
        &[("trunk/rpm/a.spec", SPEC), ("trunk/rpm/data", "one\n"), ("trunk/rpm/run.sh", "")],
    );
    made.svn(&["propset", "--quiet", "svn:executable", "yes", "trunk/rpm/run.sh"]);
    made.commit("Let it run", &[]);
    made.commit("Go on elsewhere", &[("trunk/README", "more\n")]);
    made
}

pub fn project(url: &str, properties: &str) -> Project {
    Project::with(&format!("package a {{ source svn \"{url}\" {properties} }}\n"))
}

#[test]
fn a_package_is_built_from_a_server_locked_and_built_again_without_it() {
    let made = repository();
    let (daemon, url) = made.serve();
    let project = project(&format!("{url}/trunk"), "subdir=rpm");
    let run = project.succeed(&["apply"]);
    // What changed elsewhere is another's revision.
    assert!(run.stderr.contains("trunk/rpm is locked at revision 2"), "{}", run.stderr);
    let lock = project.read("Rpmforge.lock");
    assert!(
        lock.contains("kind=\"svn\"") && lock.contains("revision=\"2\"") && lock.contains("tree="),
        "{lock}"
    );
    made.commit("Break", &[("trunk/rpm/data", "two\n")]);
    for folder in [project.cache(), project.path().join(".forge")] {
        fs::remove_dir_all(folder).unwrap();
    }
    project.succeed(&["apply", "--locked"]);
    drop(daemon);
    fs::remove_dir_all(project.path().join(".forge/results")).unwrap();
    project.succeed(&["apply", "--offline", "--locked"]);
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn an_update_takes_the_newest_revision_and_tells_what_has_changed() {
    let made = repository();
    let (_daemon, url) = made.serve();
    let project = project(&url, "subdir=\"trunk/rpm\"");
    project.succeed(&["apply"]);
    made.commit("Say <one> & more\n\nAnd so on.", &[("trunk/rpm/data", "one more\n")]);
    made.commit("Elsewhere", &[("trunk/README", "")]);
    let run = project.succeed(&["update", "a"]);
    assert!(run.stdout.contains("revision  2 → 4"), "{}", run.stdout);
    assert!(run.stderr.contains("r4 ada: Say <one> & more"), "{}", run.stderr);
    project.succeed(&["apply"]);
}

#[test]
fn an_old_revision_is_taken_where_it_is_asked_for_and_a_repository_of_this_machine_too() {
    let made = repository();
    made.commit("Break", &[("trunk/rpm/data", "two\n")]);
    let project = project(&made.local_url("/trunk"), "rev=3 spec=\"rpm/a.spec\"");
    project.succeed(&["apply"]);
    assert!(project.read("Rpmforge.lock").contains("revision=\"2\""));
    project.edit("Rpmforge.kdl", "rev=3", "rev=4");
    assert_eq!(project.run(&["apply"]).code, Some(1));
}

#[test]
fn a_repository_that_was_replaced_by_another_is_told() {
    let made = repository();
    let project = project(&made.local_url("/trunk"), "subdir=rpm");
    project.succeed(&["apply"]);
    let other = repository();
    other.commit("Change", &[("trunk/rpm/data", "one, but not the same\n")]);
    fs::remove_dir_all(made.root.path().join("repository")).unwrap();
    // The same address, the same revision, and something else in it.
    let dump = other.root.path().join("dump");
    let line = "svnadmin dump --quiet repository > dump && sed -i 's/^one$/two/' dump";
    other.run("sh", &["-ec", line]);
    made.run("svnadmin", &["create", "repository"]);
    let load = format!(
        "grep -av '^Text-content-\\(md5\\|sha1\\)' '{}' | svnadmin load --quiet repository",
        dump.display()
    );
    made.run("sh", &["-ec", &load]);
    fs::remove_dir_all(project.path().join(".forge")).unwrap();
    fs::remove_dir_all(project.cache()).unwrap();
    let run = project.run(&["apply", "--locked"]);
    assert!(run.stderr.contains("forge::source::svn_changed"), "{}", run.stderr);
}

#[test]
fn links_that_lead_elsewhere_and_other_repositories_are_not_taken() {
    let made = repository();
    std::os::unix::fs::symlink("/etc/passwd", made.copy().join("trunk/rpm/secret")).unwrap();
    std::os::unix::fs::symlink("data", made.copy().join("trunk/rpm/link")).unwrap();
    made.commit("Link", &[]);
    made.svn(&["propset", "--quiet", "svn:externals", "file:///etc/hosts hosts", "trunk/rpm"]);
    made.commit("Point elsewhere", &[]);
    let project = project(&made.local_url("/trunk"), "subdir=rpm");
    project.succeed(&["apply"]);
    let ejected = project.succeed(&["eject", "a"]).stdout;
    assert!(!ejected.contains("secret") && !ejected.contains("hosts"), "{ejected}");
    assert_eq!(project.read("specs/a/link"), "one\n");
    assert!(!project.path().join("specs/a/secret").exists());
}

#[test]
fn what_is_wrong_is_told_in_words() {
    let made = repository();
    let told = |url: &str, properties: &str, code: &str, words: &str| {
        let run = project(url, properties).run(&["apply"]);
        let said = run.stderr.split_whitespace().collect::<Vec<_>>().join(" ").replace("│ ", "");
        assert!(said.contains(code) && said.contains(words), "{code}: {said}");
    };
    let url = made.local_url("/trunk");
    told("svn+ssh://example.org/x", "", "forge::source::svn_address", "doesn't speak `svn+ssh:`");
    told("file:///nowhere", "", "forge::source::svn_address", "there is no repository on this machine");
    told(&url, "rev=newest", "forge::source::svn_revision", "`newest` is no revision");
    told(&url, "subdir=nowhere", "forge::source::svn_failed", "`svn` says: E");
    told(&url, "", "forge::source::no_spec", "holds no spec");
    told(&url, "spec=\"rpm/b.spec\"", "forge::source::no_spec", "b.spec");
    let closed = format!("svn://127.0.0.1:{}/x", free_port());
    told(&closed, "", "forge::source::svn_failed", "127.0.0.1");
    let run = project(&url, "subdir=rpm").run(&["apply", "--locked"]);
    assert!(run.stderr.contains("forge::source::svn_not_locked"), "{}", run.stderr);
    let (daemon, url) = made.serve();
    drop(daemon);
    let run = project(&url, "").run(&["apply", "--offline"]);
    assert!(run.stderr.contains("forge::source::svn_offline"), "{}", run.stderr);
}

#[test]
fn a_machine_without_svn_is_told_what_to_install() {
    let made = repository();
    let project = project(&made.local_url("/trunk"), "subdir=rpm");
    let empty = project.beside("empty");
    fs::create_dir(&empty).unwrap();
    let output = project.forge(&["apply"]).env("PATH", &empty).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("forge::source::svn_program") && said.contains("package subversion"), "{said}");
}

/// What `forge outdated` says of the package: its exit code, the state, the newest, and what takes it.
fn outdated(project: &Project) -> (Option<i32>, [String; 3]) {
    let run = project.run(&["outdated", "--json"]);
    let document: serde_json::Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    let text = |name: &str| document["sources"][0][name].as_str().unwrap_or("-").to_owned();
    (run.code, ["state", "newest", "by"].map(text))
}

fn said(state: &str, newest: &str, by: &str) -> [String; 3] {
    [state, newest, by].map(str::to_owned)
}

#[test]
fn a_newer_revision_of_the_folder_is_outdated_and_one_elsewhere_is_not() {
    let made = repository();
    let (_daemon, url) = made.serve();
    let project = project(&url, "subdir=\"trunk/rpm\"");
    assert_eq!(outdated(&project), (Some(0), said("not-locked", "2", "-")));
    project.succeed(&["fetch"]);
    made.commit("Elsewhere", &[("trunk/README", "")]);
    assert_eq!(outdated(&project), (Some(0), said("current", "2", "-")));
    made.commit("Go on", &[("trunk/rpm/data", "one more\n")]);
    assert_eq!(outdated(&project), (Some(2), said("outdated", "5", "update")));
    project.succeed(&["update", "a"]);
    assert_eq!(outdated(&project), (Some(0), said("current", "5", "-")));
    project.edit("Rpmforge.kdl", "subdir=\"trunk/rpm\"", "subdir=\"trunk/rpm\" rev=4");
    assert_eq!(outdated(&project).1, said("not-looked", "-", "-"));
}

#[test]
fn a_newer_tag_that_is_named_alike_is_outdated() {
    let made = repository();
    for tag in ["v1.9", "v1.10", "v2.0-rc1", "other-3"] {
        let to = made.local_url(&format!("/tags/{tag}"));
        made.svn(&["copy", "--quiet", "--parents", "--message", tag, &made.local_url("/trunk/rpm"), &to]);
    }
    let project = project(&made.local_url("/tags/v1.9"), "");
    project.succeed(&["fetch"]);
    assert_eq!(outdated(&project), (Some(2), said("outdated", "v1.10", "edit")));
    project.edit("Rpmforge.kdl", "v1.9", "v1.10");
    assert_eq!(outdated(&project), (Some(0), said("current", "v1.10", "-")));
}

#[test]
fn a_watch_builds_what_has_moved() {
    let made = repository();
    let project = project(&made.local_url("/trunk/rpm"), "");
    project.succeed(&["apply"]);
    made.commit("Go on", &[("trunk/rpm/data", "one more\n")]);
    let run = project.succeed(&["watch", "--once"]);
    assert!(run.stderr.contains("moved      a (svn): 2 → 4"), "{}", run.stderr);
    assert!(project.read("Rpmforge.lock").contains("revision=\"4\""));
    assert!(!project.succeed(&["watch", "--once"]).stderr.contains("moved      a"));
}
