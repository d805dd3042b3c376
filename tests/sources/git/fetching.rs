//! What is fetched, and what becomes of it.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;

use rpmforge::source::git::{
    CommitLock, CommitReach, GitAddress, GitError, Revision, Subfolders, look_for_news,
};
use tempfile::TempDir;

use super::http_server::{HttpServer, Manner, publish};
use super::made_git::MadeGit;
use super::reader::Reader;

fn spec_repository() -> MadeGit {
    let made = MadeGit::new();
    made.commit("first", &[("a.spec", "Name: a"), ("more/b.txt", "one")]);
    made.commit("second", &[("more/b.txt", "two")]);
    made
}

#[test]
fn the_head_comes_alone_without_its_history() {
    let (made, reader) = (spec_repository(), Reader::new());
    let root = TempDir::new().unwrap();
    publish(root.path(), "a.git", &made);
    let server = HttpServer::start(root.path(), Manner::default());

    let files = reader.checkout(&server.url("a.git"), None).unwrap();

    assert_eq!(
        files.iter().map(|(path, text)| format!("{path}={text}")).collect::<Vec<_>>(),
        ["a.spec=Name: a", "more/b.txt=two"]
    );
    let repository = reader.repository(&server.url("a.git"));
    let first = made.git(&["rev-parse", "HEAD~1"]).parse().unwrap();
    assert!(!repository.has(first));
}

#[test]
fn a_branch_a_tag_an_annotated_tag_and_a_commit_are_found() {
    let made = spec_repository();
    let first = made.git(&["rev-parse", "HEAD~1"]);
    made.git(&["tag", "plain", "HEAD~1"]);
    made.git(&["tag", "--annotate", "-m", "release", "v1", "HEAD~1"]);
    made.git(&["branch", "old", "HEAD~1"]);
    for (revision, reference) in [
        ("plain", Some("refs/tags/plain")),
        ("v1", Some("refs/tags/v1")),
        ("old", Some("refs/heads/old")),
        ("refs/heads/old", Some("refs/heads/old")),
        (first.as_str(), None),
    ] {
        let chosen = Reader::new().choose(&made.url(), Some(revision), CommitLock::Open).unwrap();
        assert_eq!(chosen.commit.to_string(), first, "{revision}");
        assert_eq!(chosen.reference.as_deref(), reference);
    }
    let head = Reader::new().choose(&made.url(), None, CommitLock::Open).unwrap();
    assert_eq!(head.reference.as_deref(), Some("refs/heads/main"));
}

#[test]
fn what_is_not_there_is_said_with_its_name() {
    let made = spec_repository();
    let error = Reader::new().choose(&made.url(), Some("v9"), CommitLock::Open).unwrap_err();
    assert_eq!(error.to_string(), format!("{} has no branch, tag or commit `v9`", made.url()));
    let error = Reader::new().checkout_below(&made.url(), None, ("less", Subfolders::Written)).unwrap_err();
    assert!(error.to_string().contains("has no folder `less` at "), "{error}");
}

#[test]
fn modes_and_links_are_those_of_the_commit() {
    let made = MadeGit::new();
    made.write("run", "#!/bin/sh");
    std::fs::set_permissions(made.path().join("run"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir(made.path().join("d")).unwrap();
    std::os::unix::fs::symlink("../run", made.path().join("d/link")).unwrap();
    std::os::unix::fs::symlink("nowhere", made.path().join("dangling")).unwrap();
    made.commit("links", &[]);
    let reader = Reader::new();
    let chosen = reader.choose(&made.url(), None, CommitLock::Open).unwrap();
    let files = reader.checkout(&made.url(), None).unwrap();
    assert_eq!(files["d/link"], "→ ../run");
    assert_eq!(files["dangling"], "→ nowhere");
    let tree = reader.repository(&made.url()).commit(chosen.commit).unwrap().tree;
    let entries = reader.repository(&made.url()).tree(tree).unwrap();
    assert!(entries.iter().any(|entry| entry.name == "run" && format!("{:?}", entry.kind) == "Executable"));
}

#[test]
fn the_files_of_one_folder_are_written_alone_and_its_links_as_files() {
    let made = MadeGit::new();
    std::fs::create_dir(made.path().join("pkg")).unwrap();
    std::os::unix::fs::symlink("../shared.patch", made.path().join("pkg/x.patch")).unwrap();
    made.commit("one", &[("shared.patch", "diff"), ("pkg/a.spec", "Name: a"), ("pkg/sub/y", "no")]);
    let files = Reader::new().checkout_below(&made.url(), None, ("pkg", Subfolders::LeftOut)).unwrap();
    let shown: Vec<String> = files.iter().map(|(path, text)| format!("{path}={text}")).collect();
    assert_eq!(shown, ["a.spec=Name: a", "x.patch=diff"]);
}

#[test]
fn attributes_filters_and_hooks_of_a_repository_have_no_effect() {
    let made = MadeGit::new();
    let attributes = "* text eol=crlf\nsecret export-ignore\n*.c filter=evil ident\n";
    made.git(&["config", "filter.evil.smudge", "touch /tmp/forge-was-here"]);
    made.commit("one", &[(".gitattributes", attributes), ("secret", "kept\n"), ("a.c", "$Id$\n")]);
    let files = Reader::new().checkout(&made.url(), None).unwrap();
    assert_eq!((files["secret"].as_str(), files["a.c"].as_str()), ("kept\n", "$Id$\n"));
}

#[test]
fn history_comes_where_it_is_needed_and_later() {
    let (made, reader) = (spec_repository(), Reader::new());
    made.git(&["tag", "v1", "HEAD~1"]);
    let chosen = reader.choose(&made.url(), None, CommitLock::Open).unwrap();
    assert!(!reader.repository(&made.url()).has_history(chosen.commit).unwrap());
    let whole = reader.choose_reaching(&made.url(), None, CommitLock::Open, CommitReach::History).unwrap();
    let repository = reader.repository(&made.url());
    assert!(repository.has_history(whole.commit).unwrap());
    let commit = repository.commit(whole.commit).unwrap();
    assert_eq!(commit.message, "second\n");
    assert_eq!((commit.author.name.as_str(), commit.author.seconds), ("Ada", 1_700_172_800));
    assert_eq!(repository.commit(commit.parents[0]).unwrap().message, "first\n");
    assert_eq!(repository.tags().unwrap()["v1"].commit(), commit.parents[0]);
    // What the real git makes of the folder.
    let folder = std::fs::read_dir(reader.cache.path())
        .unwrap()
        .flatten()
        .find(|entry| entry.path().join("objects").exists());
    let checked =
        super::made_git::git_command(&folder.unwrap().path(), 0).args(["fsck", "--strict"]).output().unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn what_was_fetched_is_there_without_the_network() {
    let (made, mut reader) = (spec_repository(), Reader::new());
    let online = reader.checkout(&made.url(), Some("main")).unwrap();
    reader.is_offline = true;
    assert_eq!(reader.checkout(&made.url(), Some("main")).unwrap(), online);
    let error = reader.checkout(&made.url(), Some("other")).unwrap_err();
    assert!(matches!(&error, GitError::Offline { revision, .. } if revision == "other"), "{error}");
}

#[test]
fn submodules_come_where_they_are_asked_for_those_in_them_too() {
    let root = TempDir::new().unwrap();
    let (inner, middle, outer) = (MadeGit::new(), MadeGit::new(), MadeGit::new());
    let innermost = inner.commit("inner", &[("i", "inner")]);
    publish(root.path(), "inner.git", &inner);
    let add = |made: &MadeGit, name: &str, url: &str, id: &str| {
        made.write(
            ".gitmodules",
            format!(
                "[submodule \"x\"]\n\tpath = {name}\n\turl = {url}\n\tupdate = !touch /tmp/forge-was-here\n"
            ),
        );
        made.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{id},{name}")]);
        made.git(&["add", ".gitmodules"]);
        made.git(&["commit", "--quiet", "-m", "with a submodule"]);
        made.git(&["rev-parse", "HEAD"])
    };
    let middle_id = add(&middle, "in", "../inner.git", &innermost);
    publish(root.path(), "middle.git", &middle);
    add(&outer, "lib/mid", "./../middle.git", &middle_id);
    publish(root.path(), "outer.git", &outer);
    let server = HttpServer::start(root.path(), Manner::default());

    let mut reader = Reader::new();
    let without = reader.checkout(&server.url("outer.git"), None).unwrap();
    assert_eq!(without.keys().collect::<Vec<_>>(), [".gitmodules"]);
    reader.options.submodules = true;
    let with = reader.checkout(&server.url("outer.git"), None).unwrap();
    assert_eq!(with["lib/mid/in/i"], "inner");
}

#[test]
fn large_files_are_checked_before_they_take_the_place_of_their_pointers() {
    let root = TempDir::new().unwrap();
    let id = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"; // of `hello`
    let pointer = format!("version https://git-lfs.github.com/spec/v1\noid sha256:{id}\nsize 5\n");
    let made = MadeGit::new();
    made.commit("one", &[("big.bin", &pointer)]);
    publish(root.path(), "a.git", &made);
    let answer = |body: &str| format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let storage = |body: &str| {
        let manner = Manner { answers: [("/large".to_owned(), answer(body))].into(), ..Manner::default() };
        HttpServer::start(root.path(), manner)
    };
    let serve = |storage: &HttpServer| {
        let link = storage.url("large");
        let batch = format!(
            r#"{{"objects":[{{"oid":"{id}","size":5,"actions":{{"download":{{"href":"{link}"}}}}}}]}}"#
        );
        let answers = [("/a.git/info/lfs/objects/batch".to_owned(), answer(&batch))].into();
        HttpServer::start(root.path(), Manner { answers, ..Manner::default() })
    };
    let mut reader = Reader::new();
    let (good, bad) = (storage("hello"), storage("hullo"));
    let server = serve(&bad);
    assert_eq!(reader.checkout(&server.url("a.git"), None).unwrap()["big.bin"], pointer);
    reader.options.large_files = true;
    let error = reader.checkout(&server.url("a.git"), None).unwrap_err().to_string();
    assert!(error.contains("the large file `big.bin` can't be had: its SHA-256 is "), "{error}");
    let server = serve(&good);
    assert_eq!(reader.checkout(&server.url("a.git"), None).unwrap()["big.bin"], "hello");
    // What the disk has spoilt since is not taken for it, however long it is.
    let kept = reader.cache.path().join("large-files").join(id);
    std::fs::remove_file(&kept).unwrap();
    std::fs::write(&kept, "hullo").unwrap();
    assert_eq!(reader.checkout(&server.url("a.git"), None).unwrap()["big.bin"], "hello");
    reader.is_offline = true;
    assert_eq!(reader.checkout(&server.url("a.git"), None).unwrap()["big.bin"], "hello");
}

#[test]
fn news_of_many_repositories_take_one_request_each_over_few_connections() {
    let root = TempDir::new().unwrap();
    let made = spec_repository();
    made.git(&["tag", "v1"]);
    publish(root.path(), "a.git", &made);
    let count = std::env::var("FORGE_TEST_NEWS").map_or(100, |count| count.parse().unwrap());
    for index in 0..count {
        std::os::unix::fs::symlink("a.git", root.path().join(format!("{index}.git"))).unwrap();
    }
    let server = HttpServer::start(root.path(), Manner::default());
    let reader = Reader::new();
    let wanted: Vec<_> = (0..count)
        .map(|index| {
            let address = GitAddress::parse(&server.url(&format!("{index}.git"))).unwrap();
            (address, Revision::parse(Some(if index == 7 { "v9" } else { "v1" })).unwrap())
        })
        .collect();

    let news = look_for_news(&wanted, reader.tools());

    let head = made.git(&["rev-parse", "HEAD"]);
    for (index, news) in news.iter().enumerate() {
        let news = news.as_ref().unwrap().as_ref();
        assert_eq!(news.map(|news| news.commit().to_string()), (index != 7).then(|| head.clone()));
    }
    assert_eq!(server.requests().len(), count);
    assert!(server.connections.load(Ordering::Relaxed) <= 32);
}
