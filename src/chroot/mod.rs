//! Roots to build in.
//!
//! There is one kind so far: the root that forge itself runs in, `chroot host { root "/" }`. What a build finds there
//! is an ingredient of its key, so the root has an identity that changes with all that can be seen of what builds use:
//! the package database, whichever package manager keeps it; rpm's configuration; the programs in `PATH` and those that
//! compilers call, by content. Libraries and headers are as the package database says: a root in which somebody
//! replaces those by hand is not seen to be another one.

mod configuration;
mod contents;
mod file_digests;
mod package_database;
mod programs;
mod stamp;
#[cfg(test)]
mod tests;
mod view;

pub use contents::{RootContents, RootIdentity, RootPart, changed_files};

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
