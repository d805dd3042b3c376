//! What forge remembers: content by its digest, results of steps by their key, and a project's history.
//!
//! A [`Store`] is shared by all projects of a user. Everything in it is written beside its place and renamed into it,
//! named by what it holds or by what it was made from, so that any number of forge processes may read and write it
//! at once and a killed one leaves nothing that is later believed. A [`History`] belongs to one project.

mod blob;
mod collect;
mod history;
mod step;

use std::io;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::digest::Key;
use crate::event::Timestamp;
use crate::files::{Folder, HostPath, Lock, LockKind};

pub use blob::Blob;
pub use collect::{Collected, Limits};
pub use history::{BuildRow, History, LastBuild, PublishedRow};
pub use step::{PackageSummary, ResultFile, StepResult};

/// Why the store or the history can't be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum StoreError {
    /// Its files can't be read or written.
    #[error("the store can't be used: {}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::store::io),
        help(
            "is there room on the disk, and may forge write to its cache folder? XDG_CACHE_HOME says where that is"
        )
    )]
    Io(#[from] io::Error),
    /// The history can't be read or written.
    #[error("this project's history can't be used: {0}")]
    #[diagnostic(
        code(forge::store::history),
        help("`.forge/history.db` can be deleted: what was built stays in the store")
    )]
    History(#[from] rusqlite::Error),
    /// A blob is not there, or is not what its name says.
    #[error("the store's blob {0} is missing or damaged")]
    #[diagnostic(code(forge::store::damaged), help("run `forge apply` again: what is missing is built anew"))]
    Damaged(String),
    /// Somebody collects garbage.
    #[error("the store is being cleaned by {0}")]
    #[diagnostic(code(forge::store::busy), help("wait until `forge gc` has ended, then try again"))]
    Busy(String),
    /// Somebody builds.
    #[error("the store is in use by a running `forge apply`")]
    #[diagnostic(
        code(forge::store::in_use),
        help("wait until it has ended, then try again: what it is building must not be cleaned away")
    )]
    InUse,
}

/// What is remembered by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// Results of steps.
    Step,
    /// Facts of specs.
    Facts,
}

impl RecordKind {
    fn folder(self) -> &'static str {
        match self {
            Self::Step => "steps",
            Self::Facts => "facts",
        }
    }

    fn path(self, key: &Key) -> PathBuf {
        let name = key.to_string();
        [self.folder(), name.get(..2).unwrap_or_default(), &format!("{name}.json")].iter().collect()
    }
}

/// Results are marked as used at most this often.
const USED_AGAIN: std::time::Duration = std::time::Duration::from_secs(3600);

/// The store. See the [module](self).
#[derive(Debug)]
pub struct Store {
    folder: Folder,
}

impl Store {
    /// Opens the store in `folder`, or makes it.
    pub fn open(folder: &HostPath) -> Result<Self, StoreError> {
        Ok(Self { folder: Folder::create_ambient(folder)? })
    }

    /// Holds off the collection of garbage while the lock is held.
    pub fn lock_for_use(&self) -> Result<Lock, StoreError> {
        Lock::take(&self.folder, "lock", LockKind::Shared)?.map_err(StoreError::Busy)
    }

    /// What is remembered under `key`; what can't be read as such is as if it were not there.
    pub fn record<T: DeserializeOwned>(&self, kind: RecordKind, key: &Key) -> Option<T> {
        let bytes = self.folder.dir().read(kind.path(key)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Remembers `record` under `key`.
    pub fn remember<T: Serialize>(&self, kind: RecordKind, key: &Key, record: &T) -> Result<(), StoreError> {
        let path = kind.path(key);
        let bytes = serde_json::to_vec(record).map_err(io::Error::other)?;
        self.folder.dir().create_dir_all(path.parent().unwrap_or(&path))?;
        Ok(self.folder.write_atomic(path, &bytes)?)
    }

    /// The result of the step with this key, if it is complete: every file of it is there with its size.
    pub fn result(&self, key: &Key) -> Option<StepResult> {
        let result: StepResult = self.record(RecordKind::Step, key)?;
        let is_complete = result.blobs().all(|blob| self.has(&blob));
        is_complete.then_some(result)
    }

    /// Marks a result as used, so that [`Store::collect`] keeps it longer.
    pub fn mark_used(&self, key: &Key, now: Timestamp) -> Result<(), StoreError> {
        let path = RecordKind::Step.path(key);
        let modified = Timestamp::of(self.folder.modified(&path)?);
        if now.since(modified) > USED_AGAIN {
            self.folder.set_modified(&path, now.0 / 1000)?;
        }
        Ok(())
    }
}
