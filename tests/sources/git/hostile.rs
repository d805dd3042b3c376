//! Repositories that were made to do harm, and those that only look like it.

use rpmforge::source::git::{CaseClash, CommitLock, GitError};

use super::http_server::{HttpServer, Manner};
use super::made_git::MadeGit;
use super::reader::Reader;

fn refusal(made: &MadeGit) -> String {
    Reader::new().checkout(&made.url(), None).unwrap_err().to_string()
}

fn repository_with(mode: &str, name: &[u8], content: &[u8]) -> MadeGit {
    let made = MadeGit::new();
    made.commit_raw(&[(mode, name, content)]);
    made
}

#[test]
fn names_that_lead_elsewhere_or_to_gits_own_files_are_refused() {
    for (name, words) in [
        (b"..".as_slice(), "`..`, which is not written: it leads elsewhere"),
        (b"../x", "a name has a slash in it"),
        (b"/etc/x", "a name has a slash in it"),
        (b".git", "git's own files would be there"),
        (b".GIT", "git's own files would be there"),
        ("g\u{200c}it~1".as_bytes(), "git's own files would be there"),
        (b"a\x1b[2Jb", "`a\\u{1b}[2Jb`, which is not written: it has control characters"),
        (b"\xff", "it is not UTF-8"),
    ] {
        let said = refusal(&repository_with("100644", name, b"x"));
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_folder_of_gits_own_name_is_refused_within_folders_too() {
    let made = MadeGit::new();
    let hooks = made.raw_tree(&[("100755", b"post-checkout", b"#!/bin/sh\ntouch /tmp/forge-was-here\n")]);
    let git = made.raw_tree(&[("40000", b"hooks", hooks.as_bytes())]);
    let inner = made.raw_tree(&[("40000", b".git", git.as_bytes())]);
    made.commit_raw(&[("40000", b"a", inner.as_bytes())]);
    let said = refusal(&made);
    assert!(said.contains("`a/.git`, which is not written"), "{said}");
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let made = MadeGit::new();
    made.commit_raw(&[("120000", b"a", b"b"), ("100644", b"a", b"x")]);
    assert!(refusal(&made).contains("the name stands there twice"));
}

#[test]
fn links_out_of_the_commit_are_refused_step_by_step() {
    for target in ["/etc/passwd", "../x", "b/../../x", "./../../x"] {
        let said = refusal(&repository_with("120000", b"a", target.as_bytes()));
        assert!(
            said.contains(&format!("holds the link `a`, which leads out of it, to `{target}`")),
            "{said}"
        );
    }
    // By its words alone, `deep/x` stays within; but `deep` is a link, and from there it is one folder too many.
    let made = MadeGit::new();
    let inner = made.raw_tree(&[("100644", b"f", b"x")]);
    made.commit_raw(&[
        ("120000", b"deep", b"e"),
        ("40000", b"e", inner.as_bytes()),
        ("120000", b"out", b"deep/../../y"),
    ]);
    assert!(refusal(&made).contains("holds the link `out`"), "{}", refusal(&made));
    let circle = MadeGit::new();
    circle.commit_raw(&[("120000", b"a", b"b"), ("120000", b"b", b"a")]);
    assert_eq!(Reader::new().checkout(&circle.url(), None).unwrap().len(), 2);
}

#[test]
fn a_link_is_refused_where_only_the_files_of_a_folder_are_written_too() {
    let made = repository_with("120000", b"a.patch", b"../../etc/passwd");
    let below = ("", rpmforge::source::git::Subfolders::LeftOut);
    let error = Reader::new().checkout_below(&made.url(), None, below).unwrap_err();
    assert!(matches!(error, GitError::LinkOut { .. }), "{error}");
}

#[test]
fn names_that_differ_only_by_case_are_two_files_or_refused_where_that_is_asked() {
    let made = MadeGit::new();
    made.commit_raw(&[("100644", b"README", b"1"), ("100644", b"readme", b"2")]);
    let mut reader = Reader::new();
    assert_eq!(reader.checkout(&made.url(), None).unwrap().len(), 2);
    reader.options.case = CaseClash::Refused;
    let said = reader.checkout(&made.url(), None).unwrap_err().to_string();
    assert!(said.ends_with("holds both `README` and `readme`"), "{said}");
}

#[test]
fn hostile_gitmodules_are_refused() {
    let id = "1234567812345678123456781234567812345678";
    for (modules, words) in [
        ("[submodule \"../../x\"]\npath = a\nurl = ../b", "its name leads elsewhere"),
        ("[submodule \"x\"]\npath = a\nurl = ext::sh", "runs no `git-remote-ext`"),
        ("[submodule \"x\"]\npath = a\nurl = ssh://-oProxyCommand=x/y", "odd name"),
        ("[submodule \"x\"]\npath = -a\nurl = ../b", "its path begins with `-`"),
        ("[submodule \"x\"]\npath = ../a\nurl = ../b", "its path leads elsewhere"),
        ("[submodule \"x\"]\npath = .git/hooks\nurl = ../b", "`.gitmodules` doesn't say where it is"),
        ("[submodule \"x\"\npath = a", "line 1 makes no sense"),
    ] {
        let made = MadeGit::new();
        made.commit_raw(&[("100644", b".gitmodules", modules.as_bytes()), ("160000", b"a", id.as_bytes())]);
        let mut reader = Reader::new();
        reader.options.submodules = true;
        let said = reader.checkout(&made.url(), None).unwrap_err().to_string();
        assert!(said.contains(words), "{modules}: {said}");
    }
    let made = MadeGit::new();
    made.commit_raw(&[
        ("120000", b".gitmodules", b"evil"),
        ("160000", b"a", id.as_bytes()),
        ("100644", b"evil", b""),
    ]);
    let mut reader = Reader::new();
    reader.options.submodules = true;
    let said = reader.checkout(&made.url(), None).unwrap_err().to_string();
    assert!(said.contains("`.gitmodules`: it is no file"), "{said}");
}

#[test]
fn hostile_names_of_references_are_as_good_as_not_there() {
    let root = tempfile::TempDir::new().unwrap();
    let id = "1".repeat(40);
    let line = |text: String| format!("{:04x}{text}\n", text.len() + 5);
    let body = [
        line(format!("{id} refs/heads/../../config")),
        line(format!("{id} refs/tags/v1\u{1b}[31m")),
        line(format!("{id} HEAD symref-target:--upload-pack=x")),
        "0000".to_owned(),
    ]
    .concat();
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-result\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answers = [("/a.git/git-upload-pack".to_owned(), answer)].into();
    let server = HttpServer::start(root.path(), Manner { answers, ..Manner::default() });
    let wanted = |name: Option<&str>| {
        let address = rpmforge::source::git::GitAddress::parse(&server.url("a.git")).unwrap();
        (address, rpmforge::source::git::Revision::parse(name).unwrap())
    };
    let news =
        rpmforge::source::git::look_for_news(&[wanted(None), wanted(Some("v1"))], Reader::new().tools());
    let head = news[0].as_ref().unwrap().as_ref().unwrap();
    assert_eq!((head.name.as_str(), &head.target), ("HEAD", &None));
    assert!(news[1].as_ref().unwrap().is_none());
    let error =
        Reader::new().choose(&server.url("a.git"), Some("--upload-pack=x"), CommitLock::Open).unwrap_err();
    assert!(error.to_string().contains("it begins with `-`"), "{error}");
}

#[test]
fn a_server_that_sends_other_objects_than_it_says_is_found_out() {
    let made = MadeGit::new();
    let id = made.commit("one", &[("a", "x")]);
    let reader = Reader::new();
    reader.checkout(&made.url(), None).unwrap();
    let repository = reader.repository(&made.url());
    let tree = repository.commit(id.parse().unwrap()).unwrap().tree;
    // A tree is no commit, whatever a reference says.
    let error = repository.commit(tree).unwrap_err().to_string();
    assert!(error.contains("is a tree, and should be a commit"), "{error}");
}
