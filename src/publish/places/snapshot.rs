//! What a repository is at one moment: what its record says, and the few files that change their content and not their name.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::PlaceError;
use super::place_record::PlacedFile;
use super::sending::Sending;
use crate::event::Timestamp;
use crate::files::Folder;
use crate::publish::PublishError;
use crate::publish::lock::lock_repository;
use crate::publish::owner::Owner;
use crate::publish::paths::REPOMD_SIGNATURE;
use crate::publish::record::{PublishedFile, RepositoryRecord, Superseded, files, listed_files};
use crate::publish::record_file::{DecodedRecords, RECORD, ReadRecord};
use crate::publish::superseded::GRACE;

/// How long another forge is waited for that publishes to the folder.
const PATIENCE: Duration = Duration::from_secs(120);

/// A repository, as it is to be elsewhere.
pub(super) struct Snapshot {
    pub owner: Owner,
    pub packages: Vec<OutgoingFile>,
    /// Named by their checksums.
    pub metadata: Vec<OutgoingFile>,
    /// In the order in which they are to be replaced: `repomd.xml` is the last.
    pub heads: Vec<Head>,
    /// What stays in the folder though its metadata don't name it, for as long as the manifest says: where a place has it, it stays there
    /// too.
    pub kept: BTreeSet<String>,
}

/// A file that is to be at a place, and whose content never changes under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct OutgoingFile {
    /// Relative to the repository.
    pub path: String,
    pub file: PlacedFile,
}

/// A small file that is replaced with each publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub path: String,
    pub content: Vec<u8>,
}

impl Snapshot {
    /// Reads that of a folder; none where nothing was published there. `shown` is how the manifest says it.
    pub fn read(
        folder: &Folder,
        shown: &str,
        (decoded, now): (&DecodedRecords, Timestamp),
    ) -> Result<Option<Self>, PlaceError> {
        // Nobody writes where nobody may.
        let _lock = match lock_repository(folder, (shown, "to send it"), PATIENCE) {
            Err(PublishError::Io(error)) if is_read_only(&error) => None,
            lock => Some(lock?),
        };
        let unfinished = || PlaceError::Unfinished { folder: shown.to_owned() };
        match decoded.read(folder, RECORD) {
            ReadRecord::Missing => Ok(None),
            ReadRecord::Intact(record) if record.incoming.is_none() => {
                Self::from_record((folder, shown), &record, now).map(Some)
            }
            ReadRecord::Intact(_) | ReadRecord::Damaged | ReadRecord::Newer(_) => Err(unfinished()),
        }
    }

    fn from_record(
        (folder, shown): (&Folder, &str),
        record: &RepositoryRecord,
        now: Timestamp,
    ) -> Result<Self, PlaceError> {
        let unfinished = || PlaceError::Unfinished { folder: shown.to_owned() };
        let repomd = record.repomd.as_ref().ok_or_else(unfinished)?;
        let mut beside: Vec<&PublishedFile> = record.signed.iter().flat_map(|signed| &signed.files).collect();
        // Between the signature and what it is of comes nothing.
        beside.sort_by_key(|file| file.path == REPOMD_SIGNATURE);
        let heads = beside.into_iter().chain([repomd]).map(|file| read_head(folder, shown, file));
        let is_kept = |superseded: &&Superseded| now.since(superseded.since) >= GRACE;
        let superseded = record.superseded.iter().filter(is_kept).map(|superseded| &superseded.file);
        let kept = files(&record.packages).chain(superseded).map(|file| file.path.clone());
        Ok(Self {
            owner: record.owner.clone(),
            packages: listed_files(&record.packages).map(OutgoingFile::from_published).collect(),
            metadata: record.metadata.iter().map(OutgoingFile::from_published).collect(),
            heads: heads.collect::<Result<_, _>>()?,
            kept: kept.collect(),
        })
    }

    /// Every file but the heads.
    pub fn files(&self) -> impl Iterator<Item = &OutgoingFile> {
        self.packages.iter().chain(&self.metadata)
    }
}

impl OutgoingFile {
    fn from_published(file: &PublishedFile) -> Self {
        let placed = PlacedFile { size: file.size, sha256: file.sha256.clone() };
        Self { path: file.path.clone(), file: placed }
    }

    /// Looks whether the folder has it as it is on record.
    pub fn check(&self, from: &Sending<'_>) -> Result<(), PlaceError> {
        let changed = || PlaceError::ChangedFile { folder: from.shown.to_owned(), path: self.path.clone() };
        let mut file =
            from.folder.open_regular(&self.path).map_err(|error| unless_missing(error, changed()))?;
        let (mut hasher, mut size, mut buffer) = (Sha256::new(), 0_u64, vec![0; 1 << 20]);
        loop {
            let length = file.read(&mut buffer)?;
            let Some(chunk) = buffer.get(..length).filter(|chunk| !chunk.is_empty()) else { break };
            hasher.update(chunk);
            size = size.saturating_add(length as u64);
        }
        let is_right = size == self.file.size && hex(&hasher.finalize()) == self.file.sha256;
        if is_right { Ok(()) } else { Err(changed()) }
    }
}

impl Head {
    /// What a record says of it.
    pub fn placed(&self) -> PlacedFile {
        PlacedFile { size: self.content.len() as u64, sha256: sha256_hex(&self.content) }
    }
}

/// The SHA-256 of some bytes, as it is written everywhere.
pub(super) fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Bytes in hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why a file can't be opened; where it is not there, `missing`.
pub(super) fn unless_missing(error: io::Error, missing: PlaceError) -> PlaceError {
    if error.kind() == io::ErrorKind::NotFound { missing } else { error.into() }
}

fn read_head(folder: &Folder, shown: &str, file: &PublishedFile) -> Result<Head, PlaceError> {
    let changed = || PlaceError::ChangedFile { folder: shown.to_owned(), path: file.path.clone() };
    let opened = folder.open_regular(&file.path).map_err(|error| unless_missing(error, changed()))?;
    let mut content = Vec::new();
    // One byte more than there should be says that there are too many.
    opened.take(file.size.saturating_add(1)).read_to_end(&mut content)?;
    let is_right = content.len() as u64 == file.size && sha256_hex(&content) == file.sha256;
    if is_right { Ok(Head { path: file.path.clone(), content }) } else { Err(changed()) }
}

fn is_read_only(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}
