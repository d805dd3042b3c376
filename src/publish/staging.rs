//! The folder in a repository that files are written in before they get their names.
//!
//! A publish that is killed leaves files there and nowhere else; the next one removes them. The folder's name is forge's own.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;

use super::PublishError;
use super::folders::{make_public, make_readable};
use super::inspect::read_times;
use super::record::{FileTimes, PublishedFile};
use crate::files::{Folder, Sharing};
use crate::store::{Store, StoreError};

/// Its name.
const STAGING: &str = ".forge-publishing";

/// A file in the folder that is safe on the disk.
pub(super) struct PreparedFile {
    name: String,
}

/// See the [module](self).
pub(super) struct Staging<'a> {
    repository: &'a Folder,
    folder: Folder,
    names: AtomicU64,
}

impl<'a> Staging<'a> {
    /// Makes the folder anew. It need not be there after a power cut, nor need names in it: files are synced themselves
    /// before they leave it, and then the folders that they go to.
    pub fn open(repository: &'a Folder) -> io::Result<Self> {
        repository.remove_folder(STAGING)?;
        match repository.again()?.without_sync().create(STAGING) {
            Ok(folder) => Ok(Self { repository, folder, names: AtomicU64::new(0) }),
            Err(error) => {
                // It may be there all the same, and be of no use; a second failure would only hide the first.
                let _ = repository.remove_folder(STAGING);
                Err(error)
            }
        }
    }

    /// Takes a file out of the store, and to its place once its content is safe on the disk.
    pub fn bring(
        &self,
        store: &Store,
        file: &PublishedFile,
        sharing: Sharing,
    ) -> Result<FileTimes, PublishError> {
        if !store.has(&file.blob()) {
            // Nothing to be dropped and built again for: whoever has a result has had it checked.
            return Err(StoreError::Damaged(file.blake3.to_string()).into());
        }
        let name = self.next_name();
        store.place(&file.blob(), &self.folder, Path::new(&name), sharing)?;
        make_readable(&self.folder, Path::new(&name))?;
        self.folder.open(&name)?.sync_all()?;
        Ok(self.put(PreparedFile { name }, &file.path)?)
    }

    /// Writes a file of this content at `path`.
    pub fn write(&self, path: &str, content: &[u8]) -> io::Result<FileTimes> {
        self.put(self.prepare(content)?, path)
    }

    /// Writes a file of this content, which is safe on the disk then and has no place yet.
    pub fn prepare(&self, content: &[u8]) -> io::Result<PreparedFile> {
        let name = self.next_name();
        self.folder.write_atomic(&name, content)?;
        make_readable(&self.folder, Path::new(&name))?;
        self.folder.open(&name)?.sync_all()?;
        Ok(PreparedFile { name })
    }

    fn next_name(&self) -> String {
        self.names.fetch_add(1, Ordering::Relaxed).to_string()
    }

    /// Gives a file its place.
    pub fn put(&self, PreparedFile { name }: PreparedFile, path: &str) -> io::Result<FileTimes> {
        let folders: Vec<&Path> = Path::new(path).ancestors().skip(1).collect();
        for folder in folders.into_iter().rev().filter(|folder| !folder.as_os_str().is_empty()) {
            make_public(self.repository, folder)?;
        }
        let moved = self.folder.dir().rename(name, self.repository.dir(), path);
        moved.map_err(crate::files::about(self.repository.path().join(path)))?;
        read_times(self.repository, path)
    }

    /// Makes sure that the names of files at `paths` are on the disk.
    pub fn sync_names<'b>(&self, paths: impl Iterator<Item = &'b str>) -> io::Result<()> {
        let parents: BTreeSet<PathBuf> =
            paths.flat_map(|path| Path::new(path).ancestors().skip(1)).map(Path::to_owned).collect();
        // Each waits for the disk: together they wait once.
        let named: Vec<&PathBuf> = parents.iter().filter(|parent| !parent.as_os_str().is_empty()).collect();
        named.into_par_iter().try_for_each(|parent| sync_folder(self.repository, parent))?;
        sync_folder(self.repository, Path::new("."))
    }

    /// Removes the folder.
    pub fn close(self) -> io::Result<()> {
        self.repository.remove_folder(STAGING)
    }
}

/// What is given up half way leaves nothing either.
impl Drop for Staging<'_> {
    fn drop(&mut self) {
        let _ = self.repository.remove_folder(STAGING);
    }
}

/// Removes what a killed publish has left.
pub(super) fn remove_leftovers(repository: &Folder) -> io::Result<()> {
    if repository.dir().symlink_metadata(STAGING).is_ok() {
        repository.remove_folder(STAGING)
    } else {
        Ok(())
    }
}

fn sync_folder(folder: &Folder, path: &Path) -> io::Result<()> {
    folder.open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;

    #[test]
    fn a_publish_that_is_given_up_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let staging = Staging::open(&folder).unwrap();
        staging.folder.write_atomic("0", b"half").unwrap();
        assert!(folder.exists(STAGING));
        drop(staging);
        assert!(!folder.exists(STAGING));
    }
}
