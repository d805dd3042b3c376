//! What stat(2) says of a file.

use std::time::Duration;

use cap_std::fs::{Metadata, MetadataExt};
use serde::{Deserialize, Serialize};

use crate::digest::{Digest, Encoder};
use crate::event::Timestamp;

/// A file that was changed less than this before it was looked at is not remembered: file systems tick slowly, and it
/// may change once more in the same tick.
const SETTLED: Duration = Duration::from_secs(2);

/// What stat(2) says of a file: as long as all of it is the same, so is the content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stamp {
    size: u64,
    inode: u64,
    /// Seconds and nanoseconds of the last change of the content.
    modified: (i64, i64),
    /// The same of the last change of anything, which no program can set.
    changed: (i64, i64),
}

impl Stamp {
    /// The stamp of a file with these metadata.
    pub fn read(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// What stands for the content of a program that may be run and not read: its size and time.
    pub fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("rpmforge unreadable file v1");
        encoder.text("size", &self.size.to_string()).text("modified", &format!("{:?}", self.modified));
        encoder.digest()
    }

    /// Whether it was changed long enough ago to be told from a later change.
    pub fn has_settled(&self, now: Timestamp) -> bool {
        let changed = u64::try_from(self.changed.0).unwrap_or_default().saturating_mul(1000);
        now.since(Timestamp(changed)) > SETTLED
    }
}
