//! Values that nobody but the build that they are for may see.

use std::fmt;
use std::hint::black_box;

use crate::digest::Digest;

/// A text that is neither printed nor written down. What stands for it there is its keyed digest: whoever reads that can't
/// try out texts until one fits, because the key is the user's own (see [`SecretKey`]).
///
/// It has no `Display` and no `Serialize`, and `Debug` shows [`MASK`](super::MASK).
#[derive(Clone)]
pub struct Secret {
    text: String,
    digest: Digest,
}

/// The key of the digests that stand for secrets: 32 random bytes that one user has.
#[derive(Clone)]
pub struct SecretKey([u8; Self::SIZE]);

impl Secret {
    /// A text that is secret.
    pub fn new(text: String, key: &SecretKey) -> Self {
        let digest = key.digest(&text);
        Self { text, digest }
    }

    /// A text whose digest is known already.
    pub(super) fn with_digest(text: String, digest: Digest) -> Self {
        Self { text, digest }
    }

    /// The text, for the build alone.
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// What may be written down of it.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.text).into_bytes();
        bytes.fill(0);
        // Without it the compiler could leave the writing out: nobody reads these bytes again.
        black_box(&bytes);
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::MASK)
    }
}

impl SecretKey {
    /// How many bytes a key has.
    pub const SIZE: usize = 32;

    /// The key that these bytes are.
    pub fn new(bytes: [u8; Self::SIZE]) -> Self {
        Self(bytes)
    }

    /// BLAKE3 of `text`, keyed.
    fn digest(&self, text: &str) -> Digest {
        Digest::finish(blake3::Hasher::new_keyed(&self.0).update(text.as_bytes()))
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::MASK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_and_its_digest_needs_the_key() {
        let secret = |key: u8| Secret::new("hunter2".to_owned(), &SecretKey::new([key; SecretKey::SIZE]));
        assert_eq!(format!("{:?}", secret(1)), "(secret)");
        assert_eq!(secret(1).digest(), secret(1).digest());
        assert_ne!(secret(1).digest(), secret(2).digest());
        assert_ne!(secret(1).digest(), Digest::compute(b"hunter2"));
    }
}
