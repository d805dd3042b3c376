//! What a lock says, and what the server has now.

use rpmforge::source::git::{ChosenCommit, CommitLock, GitError};
use tempfile::TempDir;

use super::http_server::{HttpServer, Manner, publish};
use super::made_git::MadeGit;
use super::reader::Reader;

struct Published {
    made: MadeGit,
    root: TempDir,
    server: HttpServer,
}

impl Published {
    fn new(manner: Manner) -> Self {
        let (made, root) = (MadeGit::new(), TempDir::new().unwrap());
        made.commit("first", &[("a.spec", "Name: a")]);
        made.commit("second", &[("a.spec", "Name: b")]);
        made.git(&["tag", "--annotate", "-m", "one", "v1"]);
        publish(root.path(), "a.git", &made);
        let server = HttpServer::start(root.path(), manner);
        Self { made, root, server }
    }

    fn url(&self) -> String {
        self.server.url("a.git")
    }

    fn lock(&self, revision: &str) -> ChosenCommit {
        Reader::new().choose(&self.url(), Some(revision), CommitLock::Open).unwrap()
    }

    fn publish_again(&self) {
        publish(self.root.path(), "a.git", &self.made);
    }
}

#[test]
fn a_branch_that_moved_on_gives_the_locked_commit() {
    let published = Published::new(Manner::default());
    let locked = published.lock("main");
    published.made.commit("third", &[("a.spec", "Name: c")]);
    published.publish_again();
    let again = Reader::new().choose(&published.url(), Some("main"), CommitLock::Locked(&locked)).unwrap();
    assert_eq!(again, locked);
    let moved = Reader::new().choose(&published.url(), Some("main"), CommitLock::Moves(&locked)).unwrap();
    assert_eq!(moved.commit.to_string(), published.made.git(&["rev-parse", "HEAD"]));
}

#[test]
fn a_tag_that_was_moved_is_refused_with_both_commits_even_by_an_update() {
    let published = Published::new(Manner::default());
    let locked = published.lock("v1");
    let now = published.made.commit("third", &[("a.spec", "evil")]);
    published.made.git(&["tag", "--force", "--annotate", "-m", "one", "v1"]);
    published.publish_again();
    let before = locked.commit.to_string();
    for lock in [CommitLock::Locked(&locked), CommitLock::Moves(&locked)] {
        let error = Reader::new().choose(&published.url(), Some("v1"), lock).unwrap_err();
        assert!(
            matches!(&error, GitError::MovedTag { tag, locked: was, now: is, .. }
                if tag == "v1" && *was == before && *is == now),
            "{error}"
        );
    }
}

#[test]
fn a_locked_commit_that_a_force_push_took_away_is_an_error_with_both_commits() {
    let published = Published::new(Manner::default());
    let locked = published.lock("main");
    published.made.git(&["tag", "--delete", "v1"]);
    published.made.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    let now = published.made.commit("rewritten", &[("a.spec", "evil")]);
    let before = locked.commit.to_string();
    published.publish_again();
    let error =
        Reader::new().choose(&published.url(), Some("main"), CommitLock::Locked(&locked)).unwrap_err();
    assert!(
        matches!(&error, GitError::Rewritten { locked: was, now: is, .. } if *was == before && *is == now),
        "{error}"
    );
}

#[test]
fn a_server_that_gives_nothing_by_id_is_asked_for_the_whole_branch() {
    let published = Published::new(Manner { is_old: true, only_by_name: true, ..Manner::default() });
    let locked = published.lock("main");
    published.made.commit("third", &[("a.spec", "Name: c")]);
    published.publish_again();
    let again = Reader::new().choose(&published.url(), Some("main"), CommitLock::Locked(&locked)).unwrap();
    assert_eq!(again, locked);
}

#[test]
fn what_is_not_locked_is_not_found_where_nothing_may_be_locked() {
    let published = Published::new(Manner::default());
    let error = Reader::new().choose(&published.url(), Some("main"), CommitLock::Frozen).unwrap_err();
    assert!(matches!(&error, GitError::NotLocked { revision, .. } if revision == "main"), "{error}");
    let id = published.made.git(&["rev-parse", "HEAD~1"]);
    let chosen = Reader::new().choose(&published.url(), Some(&id), CommitLock::Frozen).unwrap();
    assert_eq!(chosen.commit.to_string(), id);
}
