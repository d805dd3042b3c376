//! `.forge-place`: what forge has put into a place, and whose the repository there is.
//!
//! It lies in the place itself, since nothing else is there for every machine that sends to it. What is not on it is never removed.
//! Only paths that forge [publishes at](crate::publish::paths) are believed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::event::Timestamp;
use crate::publish::owner::Owner;
use crate::publish::paths::{REPOMD, is_metadata_path, is_package_path, is_signing_path};

/// Its name.
pub(super) const PLACE_RECORD: &str = ".forge-place";

/// The form that is written.
const VERSION: u64 = 1;

/// What a place holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlaceRecord {
    version: u64,
    /// The project whose repository it is.
    pub owner: Owner,
    /// The chroot whose packages it has.
    pub chroot: String,
    /// What forge has put there, or is about to, by its path.
    pub files: BTreeMap<String, PlacedFile>,
    /// Since when nothing names a file of these, which stays for clients that have read an earlier `repomd.xml`.
    pub superseded: BTreeMap<String, Timestamp>,
}

/// A file of a place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PlacedFile {
    /// In bytes.
    pub size: u64,
    pub sha256: String,
}

impl PlaceRecord {
    /// The record of a place that has nothing.
    pub fn empty(owner: Owner, chroot: &str) -> Self {
        let (files, superseded) = (BTreeMap::new(), BTreeMap::new());
        Self { version: VERSION, owner, chroot: chroot.to_owned(), files, superseded }
    }

    /// Reads one; none where it can't be believed.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let record: Self = serde_json::from_slice(bytes).ok()?;
        let mut paths = record.files.keys().chain(record.superseded.keys());
        (record.version == VERSION && paths.all(|path| is_own_path(path))).then_some(record)
    }

    /// The bytes of its file.
    pub fn encode(&self) -> std::io::Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(std::io::Error::other)
    }
}

/// Whether forge publishes at such paths.
fn is_own_path(path: &str) -> bool {
    path == REPOMD || is_metadata_path(path) || is_signing_path(path) || is_package_path(path)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_record_that_names_anything_but_what_forge_publishes_is_not_believed() {
        let record = |path: &str| {
            let mut record =
                PlaceRecord::empty(Owner::new(None, Path::new("/a"), Path::new("/a/public")), "host");
            let file = PlacedFile { size: 3, sha256: "00".to_owned() };
            record.files.insert(path.to_owned(), file);
            record.encode().unwrap()
        };
        for path in ["repodata/repomd.xml", "repodata/repomd.xml.asc", "a-0123456789ab/a-1-1.noarch.rpm"] {
            assert!(PlaceRecord::decode(&record(path)).is_some(), "{path}");
        }
        for path in ["", "/etc/passwd", "../a-0123456789ab/a.rpm", "index.html", ".ssh/authorized_keys"] {
            assert!(PlaceRecord::decode(&record(path)).is_none(), "{path}");
        }
        let newer = String::from_utf8(record("repodata/repomd.xml")).unwrap();
        let newer = newer.replace("\"version\":1", "\"version\":2");
        assert!(PlaceRecord::decode(newer.as_bytes()).is_none());
    }
}
