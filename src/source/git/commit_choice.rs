//! Which commit is taken: the locked one, or what is asked for stands for now.

use std::collections::BTreeSet;

use gix_hash::ObjectId;

use super::address::GitAddress;
use super::connection::GitTools;
use super::error::GitError;
use super::repository::Repository;
use super::revision::Revision;
use super::server::{Depth, GitReference, Server};

/// A commit that was chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChosenCommit {
    /// The commit.
    pub commit: ObjectId,
    /// The whole name of the branch or tag that stood for it; nothing where the commit itself was asked for.
    pub reference: Option<String>,
}

/// What is already said of the commit.
#[derive(Clone, Copy, Debug)]
pub enum CommitLock<'a> {
    /// It is locked.
    Locked(&'a ChosenCommit),
    /// Nothing; it may be found.
    Open,
    /// What is there now is to be found, in the place of what is locked.
    Moves(&'a ChosenCommit),
    /// Nothing, and nothing may be locked.
    Frozen,
}

/// How much of a repository is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommitReach {
    /// The files of one commit.
    Commit,
    /// All that was before it, and the tags.
    History,
}

/// A repository to choose a commit of.
pub struct CommitChooser<'a> {
    /// What was fetched of it.
    pub repository: &'a Repository,
    /// Where it is.
    pub address: &'a GitAddress,
    /// What it is reached with; nothing where nothing may be fetched.
    pub tools: Option<GitTools<'a>>,
    /// How much of it is needed.
    pub reach: CommitReach,
}

impl CommitChooser<'_> {
    /// Chooses the commit, and fetches it.
    ///
    /// # Errors
    /// There is none, it can't be had, or it is not what is locked.
    pub fn choose(&self, revision: &Revision, lock: CommitLock<'_>) -> Result<ChosenCommit, GitError> {
        match (lock, revision) {
            (CommitLock::Locked(locked), _) => self.fetch_locked(revision, locked),
            (CommitLock::Open | CommitLock::Moves(_) | CommitLock::Frozen, Revision::Commit(id)) => {
                let chosen = ChosenCommit { commit: *id, reference: None };
                self.fetch_locked(revision, &chosen)
            }
            (CommitLock::Frozen, Revision::Head | Revision::Name(_)) => Err(GitError::NotLocked {
                repository: self.address.to_string(),
                revision: revision.to_string(),
            }),
            (CommitLock::Open, Revision::Head | Revision::Name(_)) => self.find(revision, None),
            (CommitLock::Moves(before), Revision::Head | Revision::Name(_)) => {
                self.find(revision, Some(before))
            }
        }
    }

    fn depth(&self) -> Depth {
        match self.reach {
            CommitReach::Commit => Depth::One,
            CommitReach::History => Depth::Whole,
        }
    }

    fn is_there(&self, id: ObjectId) -> Result<bool, GitError> {
        match self.reach {
            CommitReach::Commit => Ok(self.repository.has(id)),
            CommitReach::History => self.repository.has_history(id),
        }
    }

    fn offline(&self, revision: &dyn std::fmt::Display) -> GitError {
        GitError::Offline { repository: self.address.to_string(), revision: revision.to_string() }
    }

    fn find(&self, revision: &Revision, before: Option<&ChosenCommit>) -> Result<ChosenCommit, GitError> {
        let candidates = revision.candidates();
        let Some(tools) = self.tools else {
            let known = self.repository.known_reference(&candidates)?;
            return match known.map(|known| (known.commit(), known.name)) {
                Some((commit, name)) if self.is_there(commit)? => {
                    Ok(ChosenCommit { commit: self.repository.peel(commit)?, reference: Some(name) })
                }
                Some(_) | None => Err(self.offline(revision)),
            };
        };
        let mut server = Server::connect(self.address, tools)?;
        let listed = self.list(&mut server, &candidates)?;
        let found =
            candidates.iter().find_map(|name| listed.iter().find(|reference| reference.name == *name));
        let Some(found) = found else {
            if let Some(digits) = revision.abbreviation() {
                let id = self.complete(&mut server, &digits)?;
                let chosen = ChosenCommit { commit: id, reference: None };
                return self.fetch_locked(&Revision::Commit(id), &chosen);
            }
            let (repository, revision) = (self.address.to_string(), revision.to_string());
            return Err(GitError::NotFound { repository, revision });
        };
        if let Some(before) = before {
            self.check_tag(found, before)?;
        }
        self.repository.fetch_references(&mut server, &self.needed(found, &listed), self.depth())?;
        let commit = self.repository.peel(found.commit())?;
        Ok(ChosenCommit {
            commit,
            reference: Some(found.target.clone().unwrap_or_else(|| found.name.clone())),
        })
    }

    /// The commit whose id begins so, where it is one that a branch or a tag stands for: servers tell no others.
    fn complete(&self, server: &mut Server<'_>, digits: &str) -> Result<ObjectId, GitError> {
        let everything = ["HEAD".to_owned(), "refs/heads/".to_owned(), "refs/tags/".to_owned()];
        let listed = server.list(&everything)?;
        let ids: BTreeSet<ObjectId> = listed.iter().map(GitReference::commit).collect();
        let mut found = ids.into_iter().filter(|id| id.to_string().starts_with(digits));
        match (found.next(), found.next()) {
            (Some(id), None) => Ok(id),
            (first, _) => Err(GitError::Abbreviated {
                repository: self.address.to_string(),
                revision: digits.to_owned(),
                reason: match first {
                    Some(_) => "several of its branches and tags stand for commits that begin so",
                    None => "no branch or tag of it is called so, or stands for a commit that begins so",
                },
            }),
        }
    }

    fn list(&self, server: &mut Server<'_>, candidates: &[String]) -> Result<Vec<GitReference>, GitError> {
        let mut prefixes = candidates.to_vec();
        if self.reach == CommitReach::History {
            prefixes.push("refs/tags/".to_owned());
        }
        server.list(&prefixes)
    }

    /// What is fetched together with a reference.
    fn needed(&self, found: &GitReference, listed: &[GitReference]) -> Vec<GitReference> {
        let is_needed = |reference: &&GitReference| match self.reach {
            CommitReach::Commit => reference.name == found.name,
            CommitReach::History => reference.name == found.name || reference.name.starts_with("refs/tags/"),
        };
        listed.iter().filter(is_needed).cloned().collect()
    }

    /// A release doesn't change.
    fn check_tag(&self, now: &GitReference, locked: &ChosenCommit) -> Result<(), GitError> {
        let is_same = locked.reference.as_ref() != Some(&now.name) || now.commit() == locked.commit;
        match now.name.strip_prefix("refs/tags/").filter(|_| !is_same) {
            None => Ok(()),
            Some(tag) => Err(GitError::MovedTag {
                repository: self.address.to_string(),
                tag: tag.to_owned(),
                locked: locked.commit.to_string(),
                now: now.commit().to_string(),
            }),
        }
    }

    fn fetch_locked(&self, revision: &Revision, locked: &ChosenCommit) -> Result<ChosenCommit, GitError> {
        if self.is_there(locked.commit)? {
            let commit = self.repository.peel(locked.commit)?;
            return Ok(ChosenCommit { commit, ..locked.clone() });
        }
        let Some(tools) = self.tools else { return Err(self.offline(&locked.commit)) };
        let mut server = Server::connect(self.address, tools)?;
        let mut candidates = revision.candidates();
        candidates.extend(locked.reference.clone());
        let listed = match candidates.is_empty() && self.reach == CommitReach::Commit {
            true => Vec::new(),
            false => self.list(&mut server, &candidates)?,
        };
        let named = locked.reference.as_ref();
        let now = listed.iter().find(|reference| Some(&reference.name) == named);
        if let Some(now) = now {
            self.check_tag(now, locked)?;
        }
        if self.reach == CommitReach::History {
            let tags: Vec<GitReference> =
                listed.iter().filter(|reference| reference.name.starts_with("refs/tags/")).cloned().collect();
            self.repository.fetch_references(&mut server, &tags, Depth::Whole)?;
        }
        let by_id = self.repository.fetch_commit(&mut server, locked.commit, self.depth());
        match by_id {
            Ok(()) => {}
            Err(GitError::Server { .. }) => self.fetch_whole(tools, revision, locked)?,
            Err(error) => return Err(error),
        }
        let commit = self.repository.peel(locked.commit)?;
        Ok(ChosenCommit { commit, ..locked.clone() })
    }

    /// A server that gives no commit by its id: what it has is fetched whole, and the commit looked for in it.
    fn fetch_whole(
        &self,
        tools: GitTools<'_>,
        revision: &Revision,
        locked: &ChosenCommit,
    ) -> Result<(), GitError> {
        // The connection before has ended with the server's refusal.
        let mut server = Server::connect(self.address, tools)?;
        let everything = ["HEAD".to_owned(), "refs/heads/".to_owned(), "refs/tags/".to_owned()];
        let listed = server.list(&everything)?;
        let name = locked.reference.clone();
        let now = listed.iter().find(|reference| Some(&reference.name) == name.as_ref());
        let first: Vec<GitReference> = match now {
            Some(now) => vec![now.clone()],
            None => listed.clone(),
        };
        self.repository.fetch_references(&mut server, &first, Depth::Whole)?;
        if !self.repository.has(locked.commit) && now.is_some() {
            let mut server = Server::connect(self.address, tools)?;
            self.repository.fetch_references(&mut server, &listed, Depth::Whole)?;
        }
        if self.repository.has(locked.commit) {
            return Ok(());
        }
        let repository = self.address.to_string();
        match name {
            None => Err(GitError::NotFound { repository, revision: locked.commit.to_string() }),
            Some(_) => Err(GitError::Rewritten {
                repository,
                locked: locked.commit.to_string(),
                reference: revision.to_string(),
                now: now.map_or_else(|| "nothing".to_owned(), |now| now.commit().to_string()),
            }),
        }
    }
}
