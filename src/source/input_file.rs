//! A file that a build needs.

use std::io;
use std::path::PathBuf;

use crate::files::{Folder, HostPath};
use crate::store::Blob;

/// A file that a build needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputFile {
    /// Its name among the sources.
    pub name: String,
    /// The folder from which it can be reached.
    pub root: HostPath,
    /// Its path from there.
    pub path: PathBuf,
    /// Its content.
    pub blob: Blob,
    /// Whether its owner may execute it: builds may run it, and source packages keep its mode.
    pub is_executable: bool,
}

impl InputFile {
    /// Opens the folder from which it can be reached.
    pub fn folder(&self) -> io::Result<Folder> {
        Folder::open_ambient(&self.root)
    }
}
