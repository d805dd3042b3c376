//! `source distgit`: a package repository of git, and a lookaside cache of a web server.

use md5::{Digest as _, Md5};
use sha2::Sha512;

use crate::git::made_git::MadeGit;
use crate::server::Server;
use crate::support::Project;

const SPEC: &str = "Name: a\nVersion: 1\nRelease: 1\nSummary: a\nLicense: MIT\nBuildArch: noarch\nSource0: data.txt\nSource1: old.txt\n\
    %description\na\n%build\ngrep one %{SOURCE0}\ngrep old %{SOURCE1}\n%files\n";

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A project of a package whose `sources` names two files, as the cache has them.
fn project(sources: &str, cached: &[(&str, &str)]) -> (Project, MadeGit, Server) {
    let made = MadeGit::new();
    made.commit("Begin", &[("a.spec", SPEC), ("sources", sources)]);
    let files = cached.iter().map(|(path, text)| ((*path).to_owned(), text.as_bytes().to_vec())).collect();
    let server = Server::with_files(files);
    // The pattern needs the package's name in it, and the folder of the repository has none.
    let link = made.path().join("a");
    std::os::unix::fs::symlink(made.path(), link).unwrap();
    let manifest = format!(
        "package a {{ source distgit a from=\"file://{}/{{package}}\" lookaside=\"{}\" }}\n",
        made.path().display(),
        server.url("{package}/{file}/{algorithm}/{checksum}")
    );
    (Project::with(&manifest), made, server)
}

#[test]
fn spec_and_archives_come_by_the_checksums_of_sources() {
    let (new, old) = (hex(&Sha512::digest("one\n")), hex(&Md5::digest("old\n")));
    let sources = format!("SHA512 (data.txt) = {new}\n{old}  old.txt\n");
    let paths = [format!("a/data.txt/sha512/{new}"), format!("a/old.txt/md5/{old}")];
    let (project, _made, server) = project(&sources, &[(&paths[0], "one\n"), (&paths[1], "old\n")]);
    project.succeed(&["apply"]);
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains(&format!("file \"data.txt\" checksum=\"sha512:{new}\"")), "{lock}");
    assert!(lock.contains("file \"old.txt\" checksum=\"sha256:"), "{lock}");
    let asked = server.requests().len();
    project.succeed(&["apply", "--locked", "--offline"]);
    assert_eq!(server.requests().len(), asked);
}

#[test]
fn an_archive_that_is_not_the_one_of_sources_is_refused() {
    let (new, old) = (hex(&Sha512::digest("one\n")), hex(&Md5::digest("old\n")));
    let sources = format!("SHA512 (data.txt) = {new}\n{old}  old.txt\n");
    let paths = [format!("a/data.txt/sha512/{new}"), format!("a/old.txt/md5/{old}")];
    for (texts, code) in [
        (["two\n", "old\n"], "`data.txt` can't be fetched"),
        (["one\n", "new\n"], "forge::source::wrong_md5"),
    ] {
        let (project, _made, _server) = project(&sources, &[(&paths[0], texts[0]), (&paths[1], texts[1])]);
        let run = project.run(&["apply"]);
        assert!(run.stderr.contains(code), "{}", run.stderr);
    }
}

#[test]
fn what_makes_no_sense_is_told() {
    let (project, _made, _server) = project("SHA512 (../a) = 12\n", &[]);
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("forge::source::distgit_sources"), "{}", run.stderr);
    for (source, code) in [
        ("distgit a from=\"fedroa\"", "forge::source::distgit_from"),
        ("distgit \"../a\"", "forge::source::distgit_package"),
    ] {
        let project = Project::with(&format!("package a {{ source {source} }}\n"));
        let run = project.run(&["apply"]);
        assert!(run.stderr.contains(code), "{}", run.stderr);
    }
    let made = MadeGit::new();
    made.commit("Begin", &[("a.spec", SPEC), ("sources", &format!("{}  old.txt\n", "1".repeat(32)))]);
    std::os::unix::fs::symlink(made.path(), made.path().join("a")).unwrap();
    let from = format!("file://{}/{{package}}", made.path().display());
    let project = Project::with(&format!("package a {{ source distgit a from=\"{from}\" }}\n"));
    let run = project.run(&["apply"]);
    assert!(run.stderr.contains("forge::source::distgit_no_lookaside"), "{}", run.stderr);
}

#[test]
fn a_branch_that_has_moved_and_a_newer_tag_are_outdated() {
    let (new, old) = (hex(&Sha512::digest("one\n")), hex(&Md5::digest("old\n")));
    let sources = format!("SHA512 (data.txt) = {new}\n{old}  old.txt\n");
    let paths = [format!("a/data.txt/sha512/{new}"), format!("a/old.txt/md5/{old}")];
    let (project, made, _server) = project(&sources, &[(&paths[0], "one\n"), (&paths[1], "old\n")]);
    made.git(&["tag", "v1.9"]);
    let outdated = |project: &Project| {
        let run = project.run(&["outdated", "--json"]);
        let document: serde_json::Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
        let text = |name: &str| document["sources"][0][name].as_str().unwrap_or("-").to_owned();
        (run.code, ["kind", "state", "newest", "by"].map(text).join(" "))
    };
    project.succeed(&["fetch"]);
    assert_eq!(outdated(&project).0, Some(0));
    let second = made.commit("Go on", &[("more", "")]);
    assert_eq!(outdated(&project), (Some(2), format!("distgit outdated {second} update")));
    project.edit("Rpmforge.kdl", "distgit a", "distgit a rev=v1.9");
    project.succeed(&["fetch"]);
    made.git(&["tag", "v1.10"]);
    assert_eq!(outdated(&project), (Some(2), "distgit outdated v1.10 edit".to_owned()));
}
