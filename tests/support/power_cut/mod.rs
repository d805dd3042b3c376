//! A file system whose power can be cut: kept in memory, mounted with FUSE, with a journal of every operation.
//!
//! - [`Tree`]: folders, files and links in memory; what is mounted, and what is left after a power cut.
//! - [`Journal`]: every operation since the mount, in order, with the writes' data and the syncs.
//! - [`Disk`]: replays a journal and says what would be left on the disk, under several models of what gets lost.
//! - [`Mount`]: a tree that programs can use, at a path.
//!
//! A state is mounted again at the same path, with the same inodes and times: what comes back after a cut is compared by
//! forge as a real disk would be, and a flipped bit of `tests/bit_flips.rs` leaves no trace in a file's times.

#![allow(dead_code, reason = "each test binary uses its own part")]

mod disk;
mod journal;
mod layer;
mod libraries;
mod mount;
mod tree;

pub use disk::{Content, Disk, Loss, Names};
pub use journal::{Journal, NewNode, Operation};
pub use libraries::{Machine, PROJECT, Said, read_repository, release_again, wrong_blobs};
pub use mount::{Mount, in_own_mounts};
pub use tree::{ROOT, Tree};
