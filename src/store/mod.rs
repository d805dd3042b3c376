//! What forge remembers: content by its digest, results of steps by their key, and a project's history.
//!
//! A [`Store`] is shared by all projects of a user. Everything in it is written beside its place and renamed into it,
//! named by what it holds or by what it was made from, so that any number of forge processes may read and write it
//! at once and a killed one leaves nothing that is later believed. What it gives out is checked by digest while it is
//! read: names and sizes are only good for counting. A [`History`] belongs to one project.

#![warn(clippy::wildcard_enum_match_arm)]

mod blob;
mod build_row;
mod collect;
mod collection;
mod content;
mod error;
mod fetched;
mod git_repositories;
mod history;
mod pins;
mod projects;
mod reading;
mod record;
mod record_index;
mod recovery;
mod root_answers;
mod signed;
mod step;
mod tree;
mod verify;

use std::sync::{Mutex, PoisonError};

use crate::files::{Folder, HostPath, Lock, LockKind};

pub use blob::Blob;
pub use build_row::BuildRow;
pub use collect::{Collected, CollectedResult, Collection, CollectionReport, ResultFate};
pub use collection::{CollectionLimits, CollectionMode};
pub use error::StoreError;
pub use fetched::{FetchedFile, FetchedPackage};
pub use git_repositories::{CollectedGit, GIT_CACHE, GIT_USED, LARGE_FILES};
pub use history::{History, LastBuild};
pub use pins::{Pin, Pins};
pub use reading::BlobReader;
pub use record_index::RecordKind;
pub use signed::SignedCopy;
pub use step::{PackageSummary, ResultFile, StepResult, result_digest};
pub use tree::{
    Boot, CollectedRoots, EntryContent, EntryFault, EntryList, ImageChoice, ImageSource, LinkedFrom,
    ListedIn, Ownership, PackageTree, PackageTrees, ReleasedRoots, StoredFile, TreeEntry, TreeError,
};
pub(crate) use tree::{EFFECTS, INDEXES, UNFINISHED};
pub use verify::{Defect, Finding, Repair, StoredKind, Verification};

/// The store. See the [module](self).
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    records: record_index::RecordIndex,
    /// Blobs that were met damaged, and dropped.
    damaged: Mutex<Vec<Blob>>,
}

impl Store {
    /// Opens the store in `folder`, or makes it.
    pub fn open(folder: &HostPath) -> Result<Self, StoreError> {
        let folder = Folder::create_ambient(folder)?;
        Ok(Self { folder, records: record_index::RecordIndex::default(), damaged: Mutex::default() })
    }

    /// The folder that it lies in.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Holds off the collection of garbage while the lock is held.
    pub fn lock_for_use(&self) -> Result<Lock, StoreError> {
        Lock::take(&self.folder, "lock", LockKind::Shared)?.map_err(StoreError::Busy)
    }

    /// Takes the lock alone; `purpose` is what other processes report of its holder.
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
