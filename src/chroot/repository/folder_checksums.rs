//! The checksums of the packages of a plain folder, remembered with what stat(2) says of each file: what has not changed is not
//! read to its end once more.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::request::RepositoryAccess;
use crate::chroot::stamp::Stamp;
use crate::digest::{Checksum, ChecksumAlgorithm, ChecksumHasher, Encoder, Key};
use crate::event::Timestamp;
use crate::files::{Folder, HostPath};
use crate::store::{RecordKind, StoreError};

/// A package file with its checksum.
pub(super) struct ChecksummedFile {
    pub checksum: Checksum,
    pub size: u64,
    stamp: Stamp,
}

/// Checksums by path in the folder.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FolderChecksums(BTreeMap<String, (Stamp, Checksum)>);

impl FolderChecksums {
    /// Those that are remembered of a folder.
    pub fn recall(folder: &HostPath, access: &RepositoryAccess<'_>) -> Self {
        access.store.record(RecordKind::Repository, &key(folder)).unwrap_or_default()
    }

    /// The checksum of a file: it is read where that is not known.
    pub fn find(&self, folder: &Folder, path: &Path) -> io::Result<ChecksummedFile> {
        let (mut file, metadata) = folder.open_regular_with_metadata(path)?;
        let stamp = Stamp::read(&metadata);
        let known = path.to_str().and_then(|path| self.0.get(path)).filter(|(known, _)| *known == stamp);
        if let Some((_, checksum)) = known {
            return Ok(ChecksummedFile { checksum: checksum.clone(), size: metadata.len(), stamp });
        }
        let (checksum, size) = checksum_of(&mut file)?;
        Ok(ChecksummedFile { checksum, size, stamp })
    }

    /// Remembers the checksums of all files of a folder, but for those that were written just now and may be written once more
    /// without another stamp.
    ///
    /// # Errors
    /// They can't be written.
    pub fn remember<'f>(
        self,
        folder: &HostPath,
        files: impl Iterator<Item = (&'f str, &'f ChecksummedFile)>,
        access: &RepositoryAccess<'_>,
    ) -> Result<(), StoreError> {
        let settled = files.filter(|(_, file)| file.has_settled(access.now));
        let known = settled.map(|(path, file)| (path.to_owned(), (file.stamp, file.checksum.clone())));
        let new = Self(known.collect());
        if new == self { Ok(()) } else { access.store.remember(RecordKind::Repository, &key(folder), &new) }
    }
}

impl ChecksummedFile {
    fn has_settled(&self, now: Timestamp) -> bool {
        self.stamp.has_settled(now)
    }
}

fn key(folder: &HostPath) -> Key {
    Encoder::new("rpmforge folder checksums v1").text("folder", &folder.to_string()).key()
}

fn checksum_of(file: &mut impl Read) -> io::Result<(Checksum, u64)> {
    let mut hasher = ChecksumHasher::new(ChecksumAlgorithm::Sha256);
    let mut buffer = vec![0; 256 * 1024];
    let mut size = 0_u64;
    loop {
        let read = file.read(&mut buffer)?;
        let chunk = buffer.get(..read).unwrap_or_default();
        if chunk.is_empty() {
            return Ok((hasher.finish(), size));
        }
        hasher.update(chunk);
        size = size.saturating_add(chunk.len() as u64);
    }
}
