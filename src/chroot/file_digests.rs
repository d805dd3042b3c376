//! The digests of a root's files, remembered with what stat(2) says of each: a second look costs no reading.

use std::collections::BTreeMap;
use std::io;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use super::view::{RootFile, View};
use crate::digest::Digest;
use crate::event::Timestamp;

/// Digests by path.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct FileDigests {
    known: BTreeMap<String, (Stamp, Digest)>,
}

/// Digests of files, and what to remember of them.
pub(super) struct DigestedFiles {
    /// In the order of the files.
    pub digests: Vec<(String, Digest)>,
    pub known: FileDigests,
    /// Whether there is more or less to remember than there was.
    pub is_new: bool,
}

impl FileDigests {
    /// The digest of each file: its content is read where that is not known, on all threads.
    pub fn digest_files(&self, view: &View, files: &[RootFile], now: Timestamp) -> io::Result<DigestedFiles> {
        let digests: Vec<Digest> =
            files.par_iter().map(|file| self.digest(view, file)).collect::<io::Result<_>>()?;
        let mut digested =
            DigestedFiles { digests: Vec::with_capacity(files.len()), known: Self::default(), is_new: false };
        for (file, digest) in files.iter().zip(digests) {
            digested.digests.push((file.name.clone(), digest));
            if file.stamp.has_settled(now) {
                digested.known.known.insert(file.name.clone(), (file.stamp, digest));
            }
        }
        digested.is_new = digested.known.known != self.known;
        Ok(digested)
    }

    fn digest(&self, view: &View, file: &RootFile) -> io::Result<Digest> {
        if let Some((stamp, digest)) = self.known.get(&file.name)
            && *stamp == file.stamp
        {
            return Ok(*digest);
        }
        match Digest::read_file(&view.folder, &file.path) {
            Ok((digest, _)) => Ok(digest),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(file.stamp.digest()),
            Err(error) => Err(error),
        }
    }
}
