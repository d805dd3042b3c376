//! The digests of a root's files, remembered with what stat(2) says of each: a second look costs no reading.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use cap_std::fs::{Metadata, MetadataExt};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::view::{Found, View};
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
    pub fn read(metadata: &Metadata) -> Self {
        Self {
            size: metadata.len(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    fn has_settled(&self, now: Timestamp) -> bool {
        let changed = u64::try_from(self.changed.0).unwrap_or_default().saturating_mul(1000);
        now.since(Timestamp(changed)) > SETTLED
    }
}

/// Digests by path.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct FileDigests {
    known: BTreeMap<String, (Stamp, Digest)>,
}

/// Digests of files, and what to remember of them.
pub(super) struct Looked {
    /// In the order of the files.
    pub digests: Vec<(String, Digest)>,
    pub known: FileDigests,
    /// Whether there is more or less to remember than there was.
    pub is_new: bool,
}

impl FileDigests {
    /// The digest of each file: its content is read where that is not known, on all threads.
    pub fn look(&self, view: &View, files: &[Found], now: Timestamp) -> io::Result<Looked> {
        let digests: Vec<Digest> =
            files.par_iter().map(|file| self.digest(view, file)).collect::<io::Result<_>>()?;
        let mut looked =
            Looked { digests: Vec::with_capacity(files.len()), known: Self::default(), is_new: false };
        for (file, digest) in files.iter().zip(digests) {
            looked.digests.push((file.name.clone(), digest));
            if file.stamp.has_settled(now) {
                looked.known.known.insert(file.name.clone(), (file.stamp, digest));
            }
        }
        looked.is_new = looked.known.known != self.known;
        Ok(looked)
    }

    fn digest(&self, view: &View, file: &Found) -> io::Result<Digest> {
        if let Some((stamp, digest)) = self.known.get(&file.name)
            && *stamp == file.stamp
        {
            return Ok(*digest);
        }
        match Digest::of_file(&view.folder, &file.path) {
            Ok((digest, _)) => Ok(digest),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(unreadable(&file.stamp)),
            Err(error) => Err(error),
        }
    }
}

/// What stands for the content of a program that may be run and not read: its size and time.
fn unreadable(stamp: &Stamp) -> Digest {
    let mut encoder = Encoder::new("rpmforge unreadable file v1");
    encoder.text("size", &stamp.size.to_string()).text("modified", &format!("{:?}", stamp.modified));
    encoder.digest()
}
