//! A whole commit with its history, for programs that ask git: `method=make-srpm`.

use std::collections::BTreeMap;
use std::path::Path;

use gix_hash::ObjectId;

use super::address::GitAddress;
use super::checkout::{Checkout, CheckoutOptions};
use super::commit_choice::{ChosenCommit, CommitChooser, CommitLock, CommitReach};
use super::connection::GitTools;
use super::gather::{COMMIT, REFERENCE, asked_of, read_lock};
use super::repository::Repository;
use super::request::GitRequest;
use super::revision::Revision;
use super::write_tree::{Subfolders, find_entry};
use crate::chroot::Connection;
use crate::chroot::making::LockRule;
use crate::digest::Digest;
use crate::files::{Folder, HostPath};
use crate::source::SourceError;
use crate::source::lock::LockedSource;
use crate::source::tools::SourceTools;
use crate::store::GIT_CACHE;

/// A commit that was chosen, with all that was before it.
pub(in crate::source) struct WholeCommit {
    repository: Repository,
    address: GitAddress,
    cache: Folder,
    chosen: ChosenCommit,
    /// What decides which commit is meant.
    pub asked: Digest,
    /// Whether the lock had it.
    pub was_locked: bool,
}

impl WholeCommit {
    /// Chooses the commit that is asked for, by the lock where that has it, and fetches it.
    ///
    /// # Errors
    /// It can't be had, or it is not locked where it has to be.
    pub fn choose(
        request: &GitRequest<'_>,
        tools: &SourceTools<'_>,
        locked: Option<&LockedSource>,
    ) -> Result<Self, SourceError> {
        let cache = tools.store.folder().create(GIT_CACHE)?;
        let address = GitAddress::parse(request.url)?;
        let revision = Revision::parse(request.revision.as_deref())?;
        let asked = asked_of(&address, request.revision.as_deref());
        let known = locked.filter(|locked| locked.asked == Some(asked)).and_then(read_lock);
        let before = locked.filter(|locked| locked.asked.is_none()).and_then(read_lock);
        let lock = match (&known, &before, tools.rule) {
            (Some(known), _, _) => CommitLock::Locked(known),
            (None, Some(before), LockRule::MayChange) => CommitLock::Moves(before),
            (None, None, LockRule::MayChange) => CommitLock::Open,
            (None, _, LockRule::Frozen) => CommitLock::Frozen,
        };
        let repository = Repository::open(&cache, &address)?;
        let environment = tools.environment.iter().cloned().collect();
        let git_tools = git_tools(tools, &address, &environment);
        let reach = CommitReach::History;
        let chooser = CommitChooser { repository: &repository, address: &address, tools: git_tools, reach };
        let chosen = chooser.choose(&revision, lock)?;
        let was_locked = known.is_some();
        Ok(Self { repository, address, cache, chosen, asked, was_locked })
    }

    /// The commit's id.
    pub fn id(&self) -> String {
        self.chosen.commit.to_string()
    }

    /// Where the repository is, for messages.
    pub fn shown(&self) -> String {
        self.address.to_string()
    }

    /// What is locked of it.
    pub fn found(&self) -> BTreeMap<String, String> {
        let mut found = BTreeMap::from([(COMMIT.to_owned(), self.id())]);
        found.extend(self.chosen.reference.clone().map(|reference| (REFERENCE.to_owned(), reference)));
        found
    }

    /// Whether it has something of that name.
    ///
    /// # Errors
    /// It can't be read.
    pub fn has(&self, path: &Path) -> Result<bool, SourceError> {
        let root = self.repository.commit(self.chosen.commit)?.tree;
        Ok(find_entry(&self.repository, root, path)?.is_some())
    }

    /// The folder with the objects of its repository.
    pub fn objects(&self) -> HostPath {
        self.repository.path().join("objects")
    }

    /// Writes all its files into an empty folder, and beside them a `.git` that knows the commit, those before it and the tags; its
    /// objects are those at `objects`, where the folder is seen.
    ///
    /// # Errors
    /// Something of it could do harm, or can't be had.
    pub fn write(&self, into: &Folder, objects: &str, tools: &SourceTools<'_>) -> Result<(), SourceError> {
        let environment = tools.environment.iter().cloned().collect();
        let git_tools = git_tools(tools, &self.address, &environment);
        let options = CheckoutOptions::default();
        let checkout = Checkout { cache: &self.cache, tools: git_tools, options };
        let whole = (Path::new(""), Subfolders::Written);
        checkout.write(&self.repository, (&self.address, self.chosen.commit), whole, into)?;
        let git = into.create(".git")?;
        for folder in ["refs/heads", "refs/tags", "objects/pack", "objects/info"] {
            git.create(folder)?;
        }
        let mut packed = "# pack-refs with: peeled fully-peeled sorted \n".to_owned();
        for (name, tag) in self.repository.tags()? {
            if !self.repository.has(tag.id) {
                continue;
            }
            packed.push_str(&format!("{} refs/tags/{name}\n", tag.id));
            packed.extend(tag.peeled.map(|peeled: ObjectId| format!("^{peeled}\n")));
        }
        let config = format!(
            "[core]\n\trepositoryformatversion = 0\n\tbare = false\n[remote \"origin\"]\n\turl = {}\n",
            quote(&self.shown())
        );
        let files = [
            ("HEAD", format!("{}\n", self.chosen.commit)),
            ("config", config),
            ("packed-refs", packed),
            ("objects/info/alternates", format!("{objects}\n")),
        ];
        for (name, text) in files {
            git.write_atomic(name, text.as_bytes())?;
        }
        Ok(())
    }
}

/// A value as git's configuration takes any (git-config(1), "Values").
fn quote(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// What the repository may be reached with: nothing where that would take the network, and there is to be none.
fn git_tools<'t>(
    tools: &SourceTools<'t>,
    address: &GitAddress,
    environment: &'t BTreeMap<std::ffi::OsString, std::ffi::OsString>,
) -> Option<GitTools<'t>> {
    let reached = GitTools { client: tools.client, environment, cancel: tools.cancel };
    let is_here = matches!(address, GitAddress::Local(_));
    (tools.connection == Connection::Online || is_here).then_some(reached)
}
