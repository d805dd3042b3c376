//! Content by its digest: its name.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Encoder, Key};
use crate::engine::FORGE_SOURCES;

/// Content that the store has, or should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Blob {
    /// BLAKE3 of the content.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

impl Blob {
    /// The key that the record of a package file with this content is remembered under. Another forge may read packages
    /// otherwise: what it has remembered is not believed.
    pub fn record_key(&self) -> Key {
        self.record_key_of(FORGE_SOURCES)
    }

    fn record_key_of(&self, forge: &str) -> Key {
        let mut encoder = Encoder::new("rpmforge package record v1");
        encoder.text("forge", forge).digest_field("file", &self.digest).key()
    }

    /// Where it is, below the store's folder.
    pub fn path(&self) -> PathBuf {
        blob_path(&self.digest)
    }
}

/// Where the blob with this digest is, below the store's folder.
pub(super) fn blob_path(digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    ["blobs", name.get(..2).unwrap_or_default(), &name].iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_forge_has_read_of_a_package_is_read_again() {
        let blob = |content: &[u8]| Blob { digest: Digest::compute(content), size: content.len() as u64 };
        assert_eq!(blob(b"a").record_key_of("one"), blob(b"a").record_key_of("one"));
        assert_ne!(blob(b"a").record_key_of("one"), blob(b"a").record_key_of("other"));
        assert_ne!(blob(b"a").record_key_of("one"), blob(b"b").record_key_of("one"));
        assert_eq!(blob(b"a").record_key(), blob(b"a").record_key_of(FORGE_SOURCES));
    }
}
