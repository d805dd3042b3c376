//! How much of the store a collection of garbage leaves, and what there is to look at.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::files::{EntryKind, Folder};

/// What may stay.
#[derive(Clone, Copy, Debug, Default)]
pub struct CollectionLimits {
    /// Results unused for longer go.
    pub older: Option<Duration>,
    /// The results used longest ago go until the store is no larger, in bytes.
    pub size_bytes: Option<u64>,
}

/// Whether anything is removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CollectionMode {
    /// It is.
    #[default]
    Remove,
    /// What would be removed is counted, and stays.
    Count,
}

/// All files below a folder of the store.
pub(super) fn files_below(folder: &Folder, path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        if !folder.is_folder(&path) {
            continue;
        }
        for entry in folder.folder(&path)?.entries()? {
            match entry.kind {
                EntryKind::Folder => open.push(path.join(entry.name)),
                EntryKind::File => files.push(path.join(entry.name)),
                EntryKind::Other => {}
            }
        }
    }
    Ok(files)
}
