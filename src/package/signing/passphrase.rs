//! Passphrases, and who is asked for them.

use std::io;

use pgp::types::Password;

/// A passphrase. It is overwritten when it is no longer needed, and never shown.
pub struct Passphrase(Password);

impl Passphrase {
    /// A passphrase; the line's end behind it is not part of it.
    pub fn new(text: &[u8]) -> Self {
        let text = text.strip_suffix(b"\n").unwrap_or(text);
        Self(Password::from(text.strip_suffix(b"\r").unwrap_or(text)))
    }

    /// What the library takes.
    pub(super) fn password(&self) -> &Password {
        &self.0
    }

    /// The same as bytes, for a program that has to be told.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.read().to_vec()
    }
}

/// Who knows passphrases.
pub trait Passphrases: Send + Sync {
    /// The passphrase of the key that `key` names; nothing where nobody says it.
    ///
    /// # Errors
    /// It can't be read.
    fn passphrase(&self, key: &str) -> io::Result<Option<Passphrase>>;
}
