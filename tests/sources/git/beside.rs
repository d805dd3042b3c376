//! What `source git` takes beside the files of its own commit: submodules and large files; and two names that differ by case.

use std::collections::BTreeMap;

use tempfile::TempDir;

use super::http_server::{HttpServer, Manner, publish};
use super::made_git::MadeGit;
use crate::support::Project;

const SPEC: &str = "Name: a\nVersion: 1\nRelease: %autorelease\nSummary: a\nLicense: MIT\nBuildArch: noarch\nSource0: data\n\
    %description\na\n%build\ngrep one %{SOURCE0}\n%files\n%changelog\n%autochangelog\n";

/// A spec that asks its sources for words.
fn asking(name: &str, sources: &[&str], build: &str) -> String {
    let sources: String =
        sources.iter().enumerate().map(|(at, source)| format!("Source{at}: {source}\n")).collect();
    format!(
        "Name: {name}\nVersion: 1\nRelease: 7\nSummary: a\nLicense: MIT\nBuildArch: noarch\n{sources}\
         %description\na\n%build\n{build}\n%files\n"
    )
}

/// Commits that another repository's commit lies at a path.
fn add_submodule(made: &MadeGit, path: &str, url: &str, id: &str) {
    made.write(".gitmodules", format!("[submodule \"x\"]\n\tpath = {path}\n\turl = {url}\n"));
    made.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},{path}")]);
    made.git(&["add", ".gitmodules"]);
    made.git(&["commit", "--quiet", "--message", "Take it in"]);
}

#[test]
fn a_spec_in_a_submodule_and_links_into_one_are_found_where_submodules_are_asked_for() {
    let root = TempDir::new().unwrap();
    let inner = MadeGit::new();
    inner.commit("Begin", &[("pkg/a.spec", SPEC), ("pkg/data", "one\n")]);
    inner.commit("Go on", &[("README", "more")]);
    let id = inner.git(&["rev-parse", "HEAD"]);
    publish(root.path(), "inner.git", &inner);
    let outer = MadeGit::new();
    outer.commit("Begin", &[("b/b.spec", asking("b", &["data"], "grep one %{SOURCE0}").as_str())]);
    std::os::unix::fs::symlink("../lib/pkg/data", outer.path().join("b/data")).unwrap();
    outer.commit("Link", &[]);
    add_submodule(&outer, "lib", "../inner.git", &id);
    publish(root.path(), "outer.git", &outer);
    let server = HttpServer::start(root.path(), Manner::default());
    let url = server.url("outer.git");

    let project = Project::with(&format!(
        "package a {{ source git \"{url}\" subdir=\"lib/pkg\" submodules=#true }}\n\
         package b {{ source git \"{url}\" subdir=b submodules=#true }}\n"
    ));
    project.succeed(&["apply"]);
    // Release and changes come from the submodule's own history.
    assert!(project.succeed(&["results", "a"]).stdout.contains("a-1-2"));
    assert!(project.succeed(&["results", "b"]).stdout.contains("b-1-7"));
    std::fs::remove_dir_all(project.path().join(".forge")).unwrap();
    project.succeed(&["apply", "--offline", "--locked"]);

    let without = Project::with(&format!("package a {{ source git \"{url}\" subdir=\"lib/pkg\" }}\n"));
    let run = without.run(&["apply"]);
    assert!(run.stderr.contains("forge::source::git_no_path"), "{}", run.stderr);
}

fn answer(content: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{content}", content.len())
}

#[test]
fn large_files_are_built_from_where_they_are_asked_for_and_kept_for_offline() {
    let (root, made) = (TempDir::new().unwrap(), MadeGit::new());
    let id = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; // of `hello`
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize 5\n");
    let spec = asking("a", &["big"], "grep -q hello %{SOURCE0}");
    made.commit("Begin", &[("a.spec", spec.as_str()), ("big", pointer.as_str())]);
    publish(root.path(), "a.git", &made);
    let answers = BTreeMap::from([("/large".to_owned(), answer("hello"))]);
    let storage = HttpServer::start(root.path(), Manner { answers, ..Manner::default() });
    let offer = format!(
        "{{\"objects\":[{{\"oid\":\"{id}\",\"size\":5,\"actions\":{{\"download\":{{\"href\":\"{}\"}}}}}}]}}",
        storage.url("large")
    );
    let answers = BTreeMap::from([("/a.git/info/lfs/objects/batch".to_owned(), answer(&offer))]);
    let server = HttpServer::start(root.path(), Manner { answers, ..Manner::default() });
    let url = server.url("a.git");

    let project = Project::with(&format!("package a {{ source git \"{url}\" lfs=#true }}\n"));
    project.succeed(&["apply"]);
    std::fs::remove_dir_all(project.path().join(".forge")).unwrap();
    project.succeed(&["apply", "--offline", "--locked"]);

    // Without it, the pointer is the file.
    project.edit("Rpmforge.kdl", " lfs=#true", "");
    assert_eq!(project.run(&["apply"]).code, Some(1));
}

#[test]
fn a_repository_that_never_had_the_large_file_says_so_with_its_path() {
    let (root, made) = (TempDir::new().unwrap(), MadeGit::new());
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n", "ab".repeat(32));
    made.commit("Begin", &[("a.spec", asking("a", &["big"], "true").as_str()), ("big", pointer.as_str())]);
    publish(root.path(), "a.git", &made);
    let server = HttpServer::start(root.path(), Manner::default());
    let source = format!("package a {{ source git \"{}\" lfs=#true }}\n", server.url("a.git"));
    let run = Project::with(&source).run(&["apply"]);
    assert!(run.stderr.contains("forge::source::git_lfs"), "{}", run.stderr);
    assert!(run.stderr.contains("the large file `big` can't be had"), "{}", run.stderr);
}

#[test]
fn names_that_differ_only_by_case_are_two_sources() {
    let made = MadeGit::new();
    let spec = asking("a", &["DATA", "data"], "grep upper %{SOURCE0}\ngrep lower %{SOURCE1}");
    made.commit_raw(&[
        ("100644", b"DATA", b"upper\n"),
        ("100644", b"a.spec", spec.as_bytes()),
        ("100644", b"data", b"lower\n"),
    ]);
    let project = Project::with(&format!("package a {{ source git \"{}\" }}\n", made.url()));
    project.succeed(&["apply"]);
}
