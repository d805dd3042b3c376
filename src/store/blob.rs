//! Content by its digest: its name.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Encoder, Key};

/// Content that the store has, or should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Blob {
    /// BLAKE3 of the content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Blob {
    /// The key that the record of a package file with this content is remembered under.
    pub fn record_key(&self) -> Key {
        Encoder::new("rpmforge package record v1").digest_field("file", &self.digest).key()
    }

    pub(super) fn path(&self) -> PathBuf {
        let name = self.digest.to_string();
        ["blobs", name.get(..2).unwrap_or_default(), &name].iter().collect()
    }
}
