//! Tokens that servers are shown: to whom they go, and that they stay secret.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::git::http_server::{HttpServer, Manner, publish};
use crate::git::made_git::MadeGit;
use crate::server::{Answer, Request, Server};
use crate::support::{Project, Run, host, spec};

const TOKEN: &str = "s3cr3t-token";

/// Runs forge with the token in `FORGE_TEST_TOKEN`.
fn run(project: &Project, arguments: &[&str]) -> Run {
    let mut command: Command = project.forge(arguments);
    Run::from(command.env("FORGE_TEST_TOKEN", TOKEN).output().unwrap())
}

#[track_caller]
fn succeeds(project: &Project, arguments: &[&str]) -> Run {
    let run = run(project, arguments);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    assert!(!format!("{}{}", run.stdout, run.stderr).contains(TOKEN));
    run
}

/// Expects that nothing that forge has written anywhere has the token in it.
#[track_caller]
fn is_nowhere(project: &Project) {
    let (mut open, mut files) = (vec![project.path(), project.cache()], 0);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                files += 1;
                let bytes = std::fs::read(entry.path()).unwrap();
                let has_it = bytes.windows(TOKEN.len()).any(|part| part == TOKEN.as_bytes());
                assert!(!has_it, "{}", entry.path().display());
            }
        }
    }
    assert!(files > 5);
}

/// What a request has been shown.
fn shown(request: &Request) -> Option<&str> {
    request.headers.get("authorization").map(String::as_str)
}

fn is_shown(request: &Request) -> bool {
    shown(request) == Some(&format!("Bearer {TOKEN}"))
}

#[test]
fn a_token_goes_to_the_addresses_of_its_source_and_not_along_to_others() {
    let text = spec("a", "Source0: data", "grep one %{SOURCE0}");
    let other = Server::start(|request: &Request| match shown(request) {
        Some(_) => Answer::status(500),
        None => Answer::ok("one\n"),
    });
    let elsewhere = other.url("data");
    let server = Server::start(move |request: &Request| match request.path.as_str() {
        _ if !is_shown(request) => Answer::status(401),
        "/a.spec" => Answer::ok(text.as_str()),
        _ => Answer::redirect(&elsewhere),
    });
    let manifest = |bearer: &str| {
        let (spec, data) = (server.url("a.spec"), server.url("data"));
        format!("{}package a {{ source url \"{spec}\" \"{data}\" {bearer} }}\n", host())
    };
    let project = Project::new();
    project.write("Rpmforge.kdl", &manifest(""));
    let refused = project.run(&["apply"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("401"), "{}", refused.stderr);
    project.write("Rpmforge.kdl", &manifest("bearer=(env)\"FORGE_TEST_TOKEN\""));
    let unset = project.run(&["apply"]);
    // `forge::fetch::unset_token`, as the reason why there is no spec.
    let words = "the environment variable `FORGE_TEST_TOKEN`, which has the token for it, is not set";
    let said = unset.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(unset.code == Some(1) && said.contains(words), "{}", unset.stderr);
    succeeds(&project, &["apply", "-v"]);
    // What is there already is asked of nobody.
    project.succeed(&["plan", "--offline"]);
    project.succeed(&["apply", "--offline"]);
    assert!(!other.requests().is_empty() && other.requests().iter().all(|request| shown(request).is_none()));
    is_nowhere(&project);
    // An address that only the spec names is shown nothing.
    let named = Server::start(|request: &Request| match shown(request) {
        Some(_) => Answer::status(500),
        None => Answer::ok("one\n"),
    });
    let text = spec("b", &format!("Source0: {}", named.url("data")), "grep one %{SOURCE0}");
    let specs = Server::start(move |request: &Request| match is_shown(request) {
        true => Answer::ok(text.as_str()),
        false => Answer::status(401),
    });
    let project = Project::with(&format!(
        "source b {{ url \"{}\" bearer=(env)\"FORGE_TEST_TOKEN\" }}\npackage b {{ source b }}\n",
        specs.url("b.spec")
    ));
    succeeds(&project, &["apply"]);
}

#[test]
fn a_repository_of_git_is_asked_with_its_token() {
    let made = MadeGit::new();
    made.commit("Begin", &[("a.spec", &spec("a", "", "true"))]);
    let manner = Manner { authorization: Some(format!("Bearer {TOKEN}")), ..Manner::default() };
    let root = TempDir::new().unwrap();
    publish(root.path(), "a.git", &made);
    let server = HttpServer::start(root.path(), manner);
    let source = format!("source git \"{}\"", server.url("a.git"));
    let project = Project::with(&format!("package a {{ {source} }}\n"));
    let refused = project.run(&["apply"]);
    assert!(refused.stderr.contains("the server answers 401"), "{}", refused.stderr);
    project.edit("Rpmforge.kdl", &source, &format!("{source} bearer=(env)\"FORGE_TEST_TOKEN\""));
    succeeds(&project, &["apply"]);
    succeeds(&project, &["outdated"]);
    is_nowhere(&project);
}

#[test]
fn a_repository_of_packages_is_asked_with_its_token() {
    let distribution = Project::with("packages \"*.spec\"\n");
    distribution.spec("tool", "", "true");
    distribution.succeed(&["apply", "--quiet"]);
    let root: PathBuf = distribution.path().join("public/host");
    let server = Server::start(move |request: &Request| match is_shown(request) {
        true => std::fs::read(root.join(request.path.trim_start_matches("/os/")))
            .map_or_else(|_| Answer::status(404), Answer::ok),
        false => Answer::status(401),
    });
    let project = Project::new();
    let manifest = |bearer: &str| {
        format!(
            "rpmforge version=1\nchroot f {{ repo made baseurl=\"{}\" gpgcheck=#false {bearer} }}\nchroot host {{ root \"/\" }}\n\
             defaults {{ isolation none; chroots host }}\npackage tool {{ source repo made }}\n",
            server.url("os/")
        )
    };
    project.write("Rpmforge.kdl", &manifest(""));
    let refused = project.run(&["apply"]);
    assert!(refused.code == Some(1) && refused.stderr.contains("401"), "{}", refused.stderr);
    project.write("Rpmforge.kdl", &manifest("bearer=(env)\"FORGE_TEST_TOKEN\""));
    succeeds(&project, &["apply"]);
    is_nowhere(&project);
}

#[test]
fn a_token_that_others_could_read_is_refused() {
    let cases = [
        (
            "package a { source url \"https://example.org/a.spec\" bearer=\"written\" }",
            "taken from a variable",
        ),
        (
            "package a { source git \"http://example.org/a.git\" bearer=(env)\"FORGE_TEST_TOKEN\" }",
            "over plain http anybody on the way could read the token",
        ),
        (
            "chroot f { repo a metalink=\"https://example.org/\" gpgcheck=#false bearer=(env)\"FORGE_TEST_TOKEN\" }",
            "a `baseurl` over https that the token is for",
        ),
        (
            "package a { source svn \"https://example.org/a\" bearer=(env)\"FORGE_TEST_TOKEN\" }",
            "belongs to another kind of source",
        ),
    ];
    for (manifest, words) in cases {
        let project = Project::with(&format!("{manifest}\n"));
        let run = run(&project, &["check"]);
        let shown = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
        assert!(run.code != Some(0) && shown.contains(words), "{manifest}: {}", run.stderr);
        assert!(!run.stderr.contains(TOKEN), "{}", run.stderr);
    }
}
