//! The files beside a spec.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::SourceError;
use super::reach::regular_file;
use crate::digest::{Digest, Encoder};
use crate::files::{EntryKind, Folder};

/// The digests of the files of folders, each folder read once: thousands of specs may lie in one.
#[derive(Debug, Default)]
pub struct Neighbours(Mutex<HashMap<PathBuf, Arc<OnceLock<Digest>>>>);

impl Neighbours {
    /// The digest of all regular files of a folder below `root`, those that links lead to included.
    ///
    /// # Errors
    /// The folder can't be read.
    pub(super) fn digest(&self, root: &Folder, folder: &Path) -> Result<Digest, SourceError> {
        let place = root.path().as_path().join(folder);
        let known =
            Arc::clone(self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(place).or_default());
        if let Some(digest) = known.get() {
            return Ok(*digest);
        }
        // Two threads may come here for one folder: both are right, and neither waits for the other.
        let digest = digest_files(root, folder)?;
        Ok(*known.get_or_init(|| digest))
    }
}

fn digest_files(root: &Folder, folder: &Path) -> Result<Digest, SourceError> {
    let opened = if folder.as_os_str().is_empty() { root.again()? } else { root.folder(folder)? };
    let mut encoder = Encoder::new("rpmforge spec neighbours v1");
    for entry in opened.entries()?.into_iter().filter(|entry| entry.kind != EntryKind::Folder) {
        // A link that can't be followed is of no use to the spec either.
        if let Ok(path) = regular_file(root, &folder.join(&entry.name)) {
            encoder.digest_field(&entry.name, &Digest::read_file(root, &path)?.0);
        }
    }
    Ok(encoder.digest())
}
