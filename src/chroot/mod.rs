//! Roots to build in.
//!
//! There is one kind so far: the root that forge itself runs in, `chroot host { root "/" }`. What a build finds there
//! is an ingredient of its key, so the root has an identity that changes with all that can be seen of what builds use:
//! the package database, whichever package manager keeps it; rpm's configuration; the programs in `PATH` and those that
//! compilers call, by content. Libraries and headers are as the package database says: a root in which somebody
//! replaces those by hand is not seen to be another one.

mod available;
pub mod compose;
mod configuration;
mod contents;
pub mod database;
mod file_digests;
mod lock;
pub mod making;
mod package_database;
mod programs;
mod repository;
pub mod scriptlets;
pub mod solve;
mod stamp;
#[cfg(test)]
mod tests;
mod view;

pub use available::{AvailablePackage, LockedPackage, Relations, Requirement};
pub use contents::{RootContents, RootIdentity, RootPart, changed_files};
pub use lock::{LOCK_FILE, Lock, LockError, LockedChroot, LockedRepository, LockedSet};
pub use repository::{
    Connection, DeclaredKey, Environment, FileLists, GroupMember, Groups, KeyPlace, Membership, MetadataFile,
    OlderMetadata, PackageFilter, PackageGroup, Repomd, Repository, RepositoryAccess, RepositoryError,
    RepositoryRequest, RepositorySource, RepositoryState, SignatureRule, fetch_packages, named_in_primary,
    unpacked,
};

pub use crate::digest::{Checksum, ChecksumAlgorithm, ChecksumError};

/// What looking at a root needs.
#[derive(Clone, Copy, Debug)]
pub struct RootRequest<'a> {
    /// Where the root is.
    pub path: &'a crate::files::HostPath,
    /// Forge's own binary: it may lie among the root's programs, and a new one is no other root.
    pub own_binary: &'a crate::files::HostPath,
    /// The moment that it is now: what was changed just before may change once more without another time.
    pub now: crate::event::Timestamp,
}
