//! What forge remembers: content by its digest, results of steps by their key, and a project's history.
//!
//! A [`Store`] is shared by all projects of a user. Everything in it is written beside its place and renamed into it,
//! named by what it holds or by what it was made from, so that any number of forge processes may read and write it
//! at once and a killed one leaves nothing that is later believed. What it gives out is checked by digest while it is
//! read: names and sizes are only good for counting. A [`History`] belongs to one project.

mod blob;
mod collect;
mod history;
mod reading;
mod record;
mod recovery;
mod step;
mod verify;

use std::io;
use std::sync::{Mutex, PoisonError};

use crate::files::{Folder, HostPath, Lock, LockKind};

pub use blob::Blob;
pub use collect::{Collected, Limits};
pub use history::{BuildRow, History, LastBuild};
pub use reading::BlobReader;
pub use record::RecordKind;
pub use step::{PackageSummary, ResultFile, StepResult};
pub use verify::{Defect, Finding, Repair, StoredKind, Verification};

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
    /// The history is not what was written.
    #[error("this project's history is damaged: {reason}")]
    #[diagnostic(
        code(forge::store::damaged_history),
        help(
            "run `forge apply`: it moves the file aside and begins a new history; what was built stays in the store"
        )
    )]
    DamagedHistory {
        /// What was found.
        reason: String,
    },
    /// A blob is not there, or is not what its name says.
    #[error("the store's blob {0} is missing or damaged")]
    #[diagnostic(code(forge::store::damaged), help("run `forge apply` again: what is missing is built anew"))]
    Damaged(String),
    /// Somebody collects garbage, or checks what there is.
    #[error("the store is being cleaned or checked by {0}")]
    #[diagnostic(code(forge::store::busy), help("wait until it has ended, then try again"))]
    Busy(String),
    /// Somebody builds.
    #[error("the store is in use by a running `forge apply`")]
    #[diagnostic(
        code(forge::store::in_use),
        help("wait until it has ended, then try again: what it is building is not yet what it will be")
    )]
    InUse,
}

/// The store. See the [module](self).
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    records: record::RecordIndex,
    /// Blobs that were met damaged, and dropped.
    damaged: Mutex<Vec<Blob>>,
}

impl Store {
    /// Opens the store in `folder`, or makes it.
    pub fn open(folder: &HostPath) -> Result<Self, StoreError> {
        let folder = Folder::create_ambient(folder)?;
        Ok(Self { folder, records: record::RecordIndex::default(), damaged: Mutex::default() })
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Holds off the collection of garbage while the lock is held.
    pub fn lock_for_use(&self) -> Result<Lock, StoreError> {
        Lock::take(&self.folder, "lock", LockKind::Shared)?.map_err(StoreError::Busy)
    }
    /// Keeps everybody else out; `purpose` is what they are told.
    fn lock_alone(&self, purpose: &str) -> Result<Lock, StoreError> {
        let lock = Lock::take(&self.folder, "lock", LockKind::Exclusive)?;
        let mut lock = lock.map_err(|_| StoreError::InUse)?;
        lock.sign(&format!("{purpose}, process {}", std::process::id()))?;
        Ok(lock)
    }

    /// The blobs that were met damaged since this was asked last. They have been dropped, so whatever made them counts
    /// as not done.
    pub fn take_damaged(&self) -> Vec<Blob> {
        std::mem::take(&mut self.damaged.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Drops a blob that is not what its name says.
    fn drop_damaged(&self, blob: &Blob) -> StoreError {
        // Where it can't be removed it is found damaged again: it is never believed.
        let _ = self.folder.remove(blob.path());
        let mut damaged = self.damaged.lock().unwrap_or_else(PoisonError::into_inner);
        if !damaged.contains(blob) {
            damaged.push(*blob);
        }
        StoreError::Damaged(blob.digest.to_string())
    }
}
