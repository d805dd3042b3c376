//! What `Rpmforge.lock` says, read.

use serde::{Deserialize, Serialize};

use super::context::{CliError, Failure};
use crate::chroot::{LOCK_FILE, Lock};
use crate::digest::{Digest, Encoder, Key};
use crate::files::Folder;
use crate::source::SourceLock;
use crate::store::{RecordKind, Store};

/// How it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockReading {
    /// All of it must be as it was written.
    Whole,
    /// Chroots are chosen anew.
    Renewing,
}

/// What it says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Locks {
    /// Of roots.
    pub roots: Lock,
    /// Of sources.
    pub sources: SourceLock,
}

impl Locks {
    /// Reads it, as [`Lock::parse_renewing`] does for all chroots where these are renewed: whoever renews some has refused it where
    /// others are wrong. What it says then isn't kept.
    ///
    /// # Errors
    /// It is not what forge writes.
    pub fn read_as(repository: &Folder, store: &Store, reading: LockReading) -> Result<Self, Failure> {
        match reading {
            LockReading::Whole => Self::read(repository, store),
            LockReading::Renewing => {
                let text =
                    repository.read_text_if_there(LOCK_FILE).map_err(CliError::Io)?.unwrap_or_default();
                let roots = Lock::parse_renewing(&text, |_| true).map_err(CliError::Lock)?;
                Ok(Self { roots, sources: SourceLock::parse(&text).map_err(CliError::Lock)? })
            }
        }
    }

    /// Reads it; there is nothing in it where it is missing. KDL of hundreds of packages takes longer to read than the rest of a plan
    /// takes: what a text said is kept in the store.
    ///
    /// # Errors
    /// It is not what forge writes.
    pub fn read(repository: &Folder, store: &Store) -> Result<Self, Failure> {
        let text = repository.read_text_if_there(LOCK_FILE).map_err(CliError::Io)?;
        let Some(text) = text else { return Ok(Self::default()) };
        let key = key_of(&text);
        if let Some(known) = store.record(RecordKind::Root, &key) {
            return Ok(known);
        }
        let roots = Lock::parse(&text).map_err(CliError::Lock)?;
        let sources = SourceLock::parse(&text).map_err(CliError::Lock)?;
        let locks = Self { roots, sources };
        // Where it can't be kept, it is read again.
        let _ = store.remember(RecordKind::Root, &key, &locks);
        Ok(locks)
    }
}

/// What a text is known by. Where it is read otherwise, this is another version.
fn key_of(text: &str) -> Key {
    Encoder::new("rpmforge locks v2").digest_field("text", &Digest::compute(text.as_bytes())).key()
}
