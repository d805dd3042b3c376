//! Signed copies of packages, by what they are copies of and who has signed them.
//!
//! They are recorded as files that were fetched are: they can be had again, at the price of a signature.

use serde::{Deserialize, Serialize};

use super::{Blob, RecordKind, Store, StoreError};
use crate::digest::{Digest, Encoder, Key};

/// A package with signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCopy {
    /// Its content.
    #[serde(flatten)]
    pub blob: Blob,
    /// SHA-256 of the content, which repository metadata hold.
    pub sha256: String,
}

impl Store {
    /// The copy of the package `unsigned` with signatures by the keys with these fingerprints, if it is there.
    pub fn signed_copy(&self, unsigned: &Digest, fingerprints: &[String]) -> Option<SignedCopy> {
        let copy: SignedCopy = self.record(RecordKind::Fetched, &key_of(unsigned, fingerprints))?;
        self.has(&copy.blob).then_some(copy)
    }

    /// Remembers a copy.
    ///
    /// # Errors
    /// It can't be written.
    pub fn remember_signed(
        &self,
        unsigned: &Digest,
        fingerprints: &[String],
        copy: &SignedCopy,
    ) -> Result<(), StoreError> {
        self.remember(RecordKind::Fetched, &key_of(unsigned, fingerprints), copy)
    }
}

fn key_of(unsigned: &Digest, fingerprints: &[String]) -> Key {
    let mut encoder = Encoder::new("rpmforge signed package v1");
    encoder.digest_field("package", unsigned);
    for fingerprint in fingerprints {
        encoder.text("key", fingerprint);
    }
    encoder.key()
}
