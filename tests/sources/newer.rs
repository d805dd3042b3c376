//! `forge outdated` and `forge watch`: what is newer at git servers, registries and pages of releases.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::git::made_git::MadeGit;
use crate::server::{Answer, Server};
use crate::support::{Project, Run};

const SPEC: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: a\nLicense: MIT\nBuildArch: noarch\nSource0: data\n\
    %description\na\n%build\ngrep . %{SOURCE0}\n%files\n";

fn repository() -> MadeGit {
    let made = MadeGit::new();
    made.commit("Begin", &[("a.spec", SPEC), ("data", "one\n")]);
    made.git(&["tag", "v1.9"]);
    made
}

/// `forge outdated --json`: the exit code, and what it says of each package.
#[track_caller]
fn outdated(project: &Project) -> (Option<i32>, Value) {
    let run = project.run(&["outdated", "--json"]);
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    (run.code, document)
}

fn states(document: &Value) -> Vec<(String, String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let sources = document["sources"].as_array().unwrap().iter();
    sources
        .map(|source| {
            let [package, state, newest, by] =
                ["package", "state", "newest", "by"].map(|name| text(&source[name]));
            (package, state, newest, by)
        })
        .collect()
}

fn row(package: &str, state: &str, newest: &str, by: &str) -> (String, String, String, String) {
    (package.to_owned(), state.to_owned(), newest.to_owned(), by.to_owned())
}

#[test]
fn newer_tags_and_branches_that_have_moved_are_outdated() {
    let made = repository();
    let first = made.git(&["rev-parse", "HEAD"]);
    let project = Project::with(&format!(
        "package branch {{ source git \"{0}\" rev=main }}\npackage tag {{ source git \"{0}\" rev=v1.9 }}\n\
         package commit {{ source git \"{0}\" rev=\"{first}\" }}\n",
        made.url()
    ));
    // They can't all be built in one chroot, and are locked all the same.
    project.run(&["fetch"]);
    let lock = project.read("Rpmforge.lock");
    let (code, document) = outdated(&project);
    assert_eq!(code, Some(0));
    assert_eq!(
        states(&document),
        [
            row("branch", "current", &first, "-"),
            row("tag", "current", "v1.9", "-"),
            row("commit", "not-looked", "-", "-")
        ]
    );
    let second = made.commit("Go on", &[("data", "two\n")]);
    for tag in ["v1.10", "v2.0-rc1", "other-3"] {
        made.git(&["tag", tag]);
    }
    let (code, document) = outdated(&project);
    assert_eq!(code, Some(2));
    assert_eq!(
        states(&document)[..2],
        [row("branch", "outdated", &second, "update"), row("tag", "outdated", "v1.10", "edit")]
    );
    let shown = project.run(&["outdated"]).stdout;
    assert!(shown.contains("forge update branch") && shown.contains("v1.10"), "{shown}");
    assert!(shown.contains("3 sources: 2 outdated, 1 not looked at"), "{shown}");
    assert_eq!(project.run(&["outdated", "commit"]).code, Some(0));
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn a_tag_that_has_moved_and_a_repository_that_is_gone_are_errors() {
    let made = repository();
    let gone = made.path().join("gone");
    let project = Project::with(&format!(
        "package tag {{ source git \"{}\" rev=v1.9 }}\npackage gone {{ source git \"file://{}\" }}\n",
        made.url(),
        gone.display()
    ));
    project.run(&["fetch"]);
    made.commit("Go on", &[("data", "two\n")]);
    made.git(&["tag", "--force", "v1.9"]);
    let run = project.run(&["outdated"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::source::git_moved_tag"), "{}", run.stderr);
    assert!(run.stdout.contains("2 failed"), "{}", run.stdout);
}

#[test]
fn registries_are_asked_for_the_newest_that_is_no_prerelease() {
    let server = Server::start(|request| match request.path.as_str() {
        "/thing/" => Answer::ok(
            "<a href='thing-1.0.tar.gz'>thing-1.0.tar.gz</a><a href='x'>thing-1.1.tar.gz</a><a href='x'>thing-2.0rc1.tar.gz</a>",
        ),
        "/info/gem" => Answer::ok("---\n1.9 |checksum:aa\n1.10 |checksum:aa\n2.0.pre |checksum:aa\n"),
        "/th/in/thing" => Answer::ok(format!(
            "{{\"name\":\"thing\",\"vers\":\"0.2.0\",\"cksum\":\"{}\",\"yanked\":false}}\n",
            "ab".repeat(32)
        )),
        "/js" => Answer::ok("{\"dist-tags\":{\"latest\":\"3.0.1\"},\"versions\":{\"3.0.1\":{}}}"),
        _ => Answer::status(404),
    });
    let index = server.url("");
    let index = index.trim_end_matches('/');
    let project = Project::with(&format!(
        "package pypi {{ source pypi thing version=\"1.0\" registry=\"{index}\" }}\n\
         package gem {{ source rubygems gem version=\"1.10\" registry=\"{index}\" }}\n\
         package crate {{ source crates thing version=\"0.1.9\" registry=\"{index}\" }}\n\
         package npm {{ source npm js registry=\"{index}\" }}\n"
    ));
    let (code, document) = outdated(&project);
    assert_eq!(code, Some(2), "{document}");
    assert_eq!(
        states(&document),
        [
            row("pypi", "outdated", "1.1", "edit"),
            row("gem", "current", "1.10", "-"),
            row("crate", "outdated", "0.2.0", "edit"),
            row("npm", "not-locked", "3.0.1", "-"),
        ]
    );
}

#[test]
fn a_page_of_releases_says_what_is_newer_of_any_source() {
    let server = Server::with_files(
        [
            (
                "hello/",
                "<a href=\"hello-1.0.tar.gz\">hello-1.0.tar.gz</a> <a href=\"hello-1.2.tar.gz\">x</a>",
            ),
            ("empty/", "nothing"),
        ]
        .map(|(path, text)| (path.to_owned(), text.as_bytes().to_vec()))
        .into(),
    );
    let project = Project::with(&format!(
        "package hello {{ source path \"hello.spec\"; upstream \"{}\" pattern=\"hello-(.*).tar.gz\" }}\n",
        server.url("hello/")
    ));
    project.spec("hello", "", "true");
    let (code, document) = outdated(&project);
    assert_eq!(code, Some(2));
    assert_eq!(states(&document), [row("hello", "outdated", "1.2", "edit")]);
    assert_eq!(document["sources"][0]["current"], "1.0");
    project.edit("hello.spec", "Version: 1.0", "Version: 1.2");
    assert_eq!(outdated(&project).0, Some(0));
    for (from, to, code) in [
        ("hello/\"", "empty/\"", "forge::source::upstream_pattern"),
        ("empty/\"", "gone/\"", "forge::source::no_upstream_page"),
        (&server.url("gone/"), "https://[", "forge::source::upstream_page"),
        ("hello-(.*)", "hello-(.*", "forge::manifest::wrong_value"),
    ] {
        project.edit("Rpmforge.kdl", from, to);
        let run = project.run(&["outdated"]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(code), "{}", run.stderr);
    }
}

/// What `forge watch --once` says.
fn watch(project: &Project) -> Run {
    project.run(&["watch", "--once", "--json"])
}

fn packages(run: &Run, event: &str) -> Vec<String> {
    run.events(event).iter().map(|event| event["package"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_has_moved_is_built_and_nothing_else() {
    let (one, other) = (repository(), MadeGit::new());
    other.commit("Begin", &[("b.spec", &SPEC.replace("Name: a", "Name: b")), ("data", "one\n")]);
    let gone = one.path().join("gone");
    let manifest = format!(
        "package one {{ source git \"{}\" }}\npackage other {{ source git \"{}\" }}\n",
        one.url(),
        other.url()
    );
    let project = Project::with(&manifest);
    let run = watch(&project);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(packages(&run, "source-moved").len(), 2);
    assert_eq!(run.states()["one"], "succeeded");
    // Nothing has moved.
    let run = watch(&project);
    assert_eq!(run.code, Some(0));
    assert_eq!(run.events("sources-looked-at")[0]["moved"], 0);
    assert!(run.events("apply-started").is_empty(), "{}", run.stdout);
    // One has, and a source that fails does not stop it.
    let lock = project.read("Rpmforge.lock");
    let commit = one.commit("Go on", &[("data", "two\n")]);
    project.write(
        "Rpmforge.kdl",
        &format!(
            "{}{manifest}package gone {{ source git \"file://{}\" }}\n",
            crate::support::host(),
            gone.display()
        ),
    );
    let run = watch(&project);
    assert_eq!(run.code, Some(1));
    assert_eq!(packages(&run, "source-moved"), ["one"]);
    assert_eq!(packages(&run, "source-failed"), ["gone"]);
    assert_eq!(run.states()["one"], "succeeded");
    let now = project.read("Rpmforge.lock");
    assert!(now != lock && now.contains(&commit), "{now}");
}

#[test]
fn an_update_that_fails_leaves_what_was_locked() {
    let made = repository();
    let project = Project::with(&format!("package a {{ source git \"{}\" }}\n", made.url()));
    project.succeed(&["fetch"]);
    let lock = project.read("Rpmforge.lock");
    made.git(&["mv", "a.spec", "a.text"]);
    made.commit("Break", &[]);
    assert_eq!(project.run(&["update", "a"]).code, Some(1));
    assert_eq!(project.read("Rpmforge.lock"), lock);
    assert_eq!(watch(&project).code, Some(1));
    assert_eq!(project.read("Rpmforge.lock"), lock);
    project.succeed(&["apply", "--locked"]);
}

#[test]
fn an_index_that_has_not_changed_is_not_sent_again() {
    let server = Server::start(|request| match request.headers.get("if-none-match") {
        Some(tag) if tag == "\"1\"" => Answer::status(304).header("ETag", "\"1\""),
        _ => Answer::ok("---\n1.0 |checksum:aa\n").header("ETag", "\"1\""),
    });
    let index = server.url("");
    let project = Project::with(&format!(
        "package gem {{ source rubygems gem registry=\"{}\" }}\n",
        index.trim_end_matches('/')
    ));
    project.run(&["watch", "--once"]);
    let is_index = |request: &crate::server::Request| request.path == "/info/gem";
    let before = server.requests().into_iter().filter(is_index).count();
    project.run(&["watch", "--once"]);
    let requests: Vec<_> = server.requests().into_iter().filter(is_index).collect();
    assert_eq!(requests[before].headers["if-none-match"], "\"1\"");
}

#[test]
fn a_watch_goes_on_until_it_is_interrupted() {
    use rustix::process::{Pid, Signal, kill_process};

    let made = repository();
    let project = Project::with(&format!("package a {{ source git \"{}\" }}\n", made.url()));
    let mut child = project
        .forge(&["watch", "--every", "200ms"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let wait_for = |words: &str| {
        while !std::fs::read_to_string(project.path().join("Rpmforge.lock"))
            .is_ok_and(|lock| lock.contains(words))
        {
            assert!(begun.elapsed() < Duration::from_secs(120), "no {words} in the lock");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    wait_for("commit=");
    let commit = made.commit("Go on", &[("data", "two\n")]);
    wait_for(&commit);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
}
