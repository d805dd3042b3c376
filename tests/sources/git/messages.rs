//! What is wrong has a code of its own.

use miette::Diagnostic;
use rpmforge::source::git::{CaseClash, CommitLock, GitError};

use super::made_git::MadeGit;
use super::reader::Reader;

fn code(error: Result<impl std::fmt::Debug, GitError>) -> String {
    let error = error.unwrap_err();
    assert!(error.help().is_some());
    error.code().unwrap().to_string()
}

#[test]
fn each_refusal_has_its_code() {
    let made = MadeGit::new();
    let id = "1".repeat(40);
    let pointer =
        format!("version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize 5\n", "a".repeat(64));
    made.commit_raw(&[
        ("100644", b"A", b"1"),
        ("100644", b"a", b"2"),
        ("100644", b"large", pointer.as_bytes()),
        ("160000", b"module", id.as_bytes()),
    ]);
    let url = made.url();
    let choose = |url: &str, revision: Option<&str>| Reader::new().choose(url, revision, CommitLock::Open);
    let checkout = |change: &dyn Fn(&mut Reader)| {
        let mut reader = Reader::new();
        change(&mut reader);
        reader.checkout(&url, None)
    };
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let canceled = |reader: &mut Reader| reader.cancel.cancel();
    let web = |change: &dyn Fn(&mut Reader)| {
        let mut reader = Reader::new();
        change(&mut reader);
        reader.choose(&format!("http://{nobody}/a.git"), None, CommitLock::Open)
    };

    assert_eq!(code(choose("ext::sh", None)), "forge::source::git_address");
    assert_eq!(code(choose(&url, Some("a..b"))), "forge::source::git_revision");
    assert_eq!(code(choose(&url, Some("b"))), "forge::source::git_not_found");
    assert_eq!(code(choose("file:///nowhere", None)), "forge::source::git_server");
    assert_eq!(code(web(&|_| {})), "forge::source::git_not_reached");
    assert_eq!(code(web(&canceled)), "forge::source::git_canceled");
    assert_eq!(
        code(checkout(&|reader| drop(reader.environment.insert("PATH".into(), "/nowhere".into())))),
        "forge::source::git_program"
    );
    assert_eq!(code(checkout(&|reader| reader.is_offline = true)), "forge::source::git_offline");
    assert_eq!(
        code(checkout(&|reader| reader.options.case = CaseClash::Refused)),
        "forge::source::git_case_clash"
    );
    assert_eq!(code(checkout(&|reader| reader.options.submodules = true)), "forge::source::git_submodule");
    assert_eq!(code(checkout(&|reader| reader.options.large_files = true)), "forge::source::git_lfs");
    assert_eq!(
        code(Reader::new().choose(&url, Some("main"), CommitLock::Frozen)),
        "forge::source::git_not_locked"
    );
    let below = ("none", rpmforge::source::git::Subfolders::Written);
    assert_eq!(code(Reader::new().checkout_below(&url, None, below)), "forge::source::git_no_path");
    let reader = Reader::new();
    let tree = made.git(&["rev-parse", "HEAD^{tree}"]).parse().unwrap();
    reader.choose(&url, None, CommitLock::Open).unwrap();
    assert_eq!(code(reader.repository(&url).commit(tree)), "forge::source::git_damaged");
}

#[test]
fn refusals_of_what_is_written_have_theirs() {
    // In `locks.rs`: forge::source::git_moved_tag, forge::source::git_rewritten.
    for (mode, name, content, wanted) in [
        ("100644", b"..".as_slice(), b"x".as_slice(), "forge::source::git_unsafe_name"),
        ("120000", b"a", b"/etc", "forge::source::git_link_out"),
    ] {
        let made = MadeGit::new();
        made.commit_raw(&[(mode, name, content)]);
        assert_eq!(code(Reader::new().checkout(&made.url(), None)), wanted);
    }
}
