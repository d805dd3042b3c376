//! Files that were fetched: metadata of repositories, and packages, by the checksums that repositories say of them.
//!
//! They can be had again, so that they stay only as long as somebody uses them, and go before results do.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::collection::{CollectionLimits, CollectionMode, files_below};
use super::record_index::RecordName;
use super::{Blob, RecordKind, Store, StoreError};
use crate::digest::{Checksum, Encoder, Key};
use crate::event::Timestamp;

/// A file that was fetched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedFile {
    /// Its content.
    #[serde(flatten)]
    pub blob: Blob,
    /// What it was found to be, where it is a package.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub package: Option<FetchedPackage>,
}

/// What a package that was fetched was found to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FetchedPackage {
    /// `name-[epoch:]version-release.arch`, as its header says.
    pub nevra: String,
    /// The fingerprint of the key that its signature was checked with, where it was checked.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub signer: Option<String>,
}

/// Files are marked as used at most this often.
const USED_AGAIN: std::time::Duration = std::time::Duration::from_secs(3600);

impl Store {
    /// The file with this checksum, if it is there. It counts as used.
    pub fn fetched(&self, checksum: &Checksum, now: Timestamp) -> Option<FetchedFile> {
        let key = key_of(checksum);
        let fetched: FetchedFile = self.record(RecordKind::Fetched, &key)?;
        if !self.has(&fetched.blob) {
            return None;
        }
        for name in self.records.known_names(RecordKind::Fetched, &key) {
            let used = self.folder.modified(name.path()).map(Timestamp::of);
            if used.is_ok_and(|used| now.since(used) > USED_AGAIN) {
                // That it goes too soon some day is no reason not to use it.
                let _ = self.folder.set_modified(name.path(), now.0 / 1000);
            }
        }
        Some(fetched)
    }

    /// Remembers a file by its checksum.
    ///
    /// # Errors
    /// It can't be written.
    pub fn remember_fetched(&self, checksum: &Checksum, fetched: &FetchedFile) -> Result<(), StoreError> {
        self.remember(RecordKind::Fetched, &key_of(checksum), fetched)
    }

    /// Adds to `kept` the blobs of fetched files that are within the limits, beside the `size` bytes that are kept already;
    /// the records of the others go.
    pub(super) fn collect_fetched(
        &self,
        (limits, mode): (CollectionLimits, CollectionMode),
        now: Timestamp,
        mut size: u64,
        kept: &mut HashSet<PathBuf>,
    ) -> io::Result<()> {
        let mut files = self.read_fetched()?;
        files.sort_by_key(|(_, used, _)| std::cmp::Reverse(*used));
        for (path, used, fetched) in files {
            let is_too_old = limits.older.is_some_and(|older| now.since(used) > older);
            let blob = fetched.map(|fetched| fetched.blob).filter(|blob| !is_too_old && self.has(blob));
            let added = blob.filter(|blob| !kept.contains(&blob.path())).map_or(0, |blob| blob.size);
            let fits = limits.size_bytes.is_none_or(|most| size.saturating_add(added) <= most);
            match (blob.filter(|_| fits), mode) {
                (Some(blob), _) => {
                    size = size.saturating_add(added);
                    kept.insert(blob.path());
                }
                (None, CollectionMode::Remove) => self.folder.remove_file(path)?,
                (None, CollectionMode::Count) => {}
            }
        }
        Ok(())
    }

    /// All records of fetched files, with the times of their last use. One that can't be believed names no file.
    fn read_fetched(&self) -> io::Result<Vec<(PathBuf, Timestamp, Option<FetchedFile>)>> {
        let mut found = Vec::new();
        for path in files_below(&self.folder, Path::new(RecordKind::Fetched.folder()))? {
            let used = Timestamp::of(self.folder.modified(&path)?);
            let content = self.folder.read(&path)?;
            let file = path.file_name().unwrap_or_default().to_string_lossy();
            let name = RecordName::parse(RecordKind::Fetched, &file);
            let is_sound = name.is_some_and(|name| name.is_name_of(&content));
            let fetched = serde_json::from_slice(&content).ok().filter(|_| is_sound);
            found.push((path, used, fetched));
        }
        Ok(found)
    }
}

fn key_of(checksum: &Checksum) -> Key {
    Encoder::new("rpmforge fetched file v1").text("checksum", &checksum.to_string()).key()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::digest::ChecksumAlgorithm;
    use crate::files::{Folder, HostPath};
    use crate::store::Collection;

    fn checksum(content: &[u8]) -> Checksum {
        Checksum::compute(ChecksumAlgorithm::Sha256, content)
    }

    fn store_with(contents: &[&[u8]]) -> (tempfile::TempDir, Store) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        for content in contents {
            folder.write_atomic("in", content).unwrap();
            let (blob, _) = store.take_in(&folder, Path::new("in")).unwrap();
            store.remember_fetched(&checksum(content), &FetchedFile { blob, package: None }).unwrap();
        }
        (temp, store)
    }

    fn set_used(store: &Store, content: &[u8], seconds: u64) {
        let names = store.records.list_again(&store.folder, RecordKind::Fetched, &key_of(&checksum(content)));
        store.folder.set_modified(names[0].path(), seconds).unwrap();
    }

    fn is_there(store: &Store, content: &[u8]) -> bool {
        store.fetched(&checksum(content), Timestamp(0)).is_some()
    }

    #[test]
    fn a_file_is_found_by_its_checksum_as_long_as_it_is_there() {
        let (_temp, store) = store_with(&[b"a"]);
        let fetched = store.fetched(&checksum(b"a"), Timestamp(0)).unwrap();
        assert!(!is_there(&store, b"b"));
        store.folder.remove_file(fetched.blob.path()).unwrap();
        assert!(!is_there(&store, b"a"));
    }

    #[test]
    fn what_nobody_has_used_for_long_goes() {
        let (_temp, store) = store_with(&[b"old", b"new", b"used"]);
        set_used(&store, b"old", 1_000);
        set_used(&store, b"new", 100_000);
        set_used(&store, b"used", 1_000);
        store.fetched(&checksum(b"used"), Timestamp(100_000_000)).unwrap();
        let limits = CollectionLimits { older: Some(Duration::from_secs(10_000)), size_bytes: None };
        let collection = Collection { limits, ..Collection::default() };
        let collected = store.collect(&collection, Timestamp(105_000_000)).unwrap().collected;
        assert_eq!((collected.blobs, collected.bytes_left), (1, 7));
        assert_eq!(
            [b"old".as_slice(), b"new", b"used"].map(|content| is_there(&store, content)),
            [false, true, true]
        );
    }

    #[test]
    fn what_was_used_last_stays_where_there_is_little_room() {
        let (_temp, store) = store_with(&[b"1234", b"12345"]);
        set_used(&store, b"1234", 1_000);
        set_used(&store, b"12345", 2_000);
        let limits = CollectionLimits { older: None, size_bytes: Some(6) };
        let collection = Collection { limits, ..Collection::default() };
        store.collect(&collection, Timestamp(3_000_000)).unwrap();
        assert!(is_there(&store, b"12345") && !is_there(&store, b"1234"));
    }
}
