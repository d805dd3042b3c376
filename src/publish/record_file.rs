//! The files that records are in, as they are read and written.
//!
//! A record is one JSON object on one line,
//!
//! ```json
//! {"version":1,"blake3":"…","repository":{…}}
//! ```
//!
//! where `blake3` is the BLAKE3 of the version's digits, a colon, and all that stands between `"repository":` and the last brace, so that no
//! bit of it can change without being noticed.
//!
//! One of many files is of form 4: `repository` is what [distinguishes it](super::record_changes) from a list of packages, which
//! follow, each on a line of its own, so that they can be read by several threads. Beside it, in a file whose name ends with `.changes`, is what
//! has changed since it was written: a record like it, without those lines, that says of which one it is by its digest. So an update of one
//! package among ten thousand writes a few kilobytes. What is of another record is left over, and not looked at: the record was written anew
//! since. Both files are replaced as a whole, each in one step. Who knows forms up to 3 only sees that this is a later one.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::PublishError;
use super::limits::LARGEST_RECORD;
use super::record::{PublishedPackage, RepositoryRecord};
use super::record_changes::{RecordBase, RecordChanges};
use super::shared_list::SharedList;
use crate::digest::Digest;
use crate::files::{Folder, HostPath};

/// The record's name in its repository.
pub(super) const RECORD: &str = ".forge-repository";

/// The file beside it that has what it has changed.
pub(super) const RECORD_CHANGES: &str = ".forge-repository.changes";

/// What the names of such files end with.
const CHANGES: &str = ".changes";

/// How it begins, before the number of its form.
const HEAD: &[u8] = b"{\"version\":";

/// How long the beginning of a record is at least that has the digest of all the rest in it.
const LONGEST_HEAD: usize = 128;

/// The form of records of many files.
const VERSION_IN_PARTS: u64 = 4;

/// How many files of packages a record has at least that is written in parts: smaller ones are written in no time.
const MANY_FILES: usize = 500;

/// Changes are written as long as they are smaller than this part of the record.
const LARGEST_CHANGES: usize = 8;

/// What stands where a record should be.
pub(super) enum ReadRecord {
    Intact(Box<RepositoryRecord>),
    Missing,
    Damaged,
    /// Of a later form, with its number.
    Newer(u64),
}

/// Records that were decoded: an apply reads each before it builds and once more when it publishes, and nearly always finds the
/// same bytes.
#[derive(Default)]
pub struct DecodedRecords {
    by_file: Mutex<HashMap<HostPath, Arc<DecodedFile>>>,
}

/// What the files of a record say.
struct DecodedFile {
    whole: Arc<WholeRecord>,
    changes: Option<Vec<u8>>,
    record: RepositoryRecord,
}

/// A record's own file.
struct WholeRecord {
    bytes: Vec<u8>,
    content: WholeContent,
}

enum WholeContent {
    /// Of forms 1 to 3.
    Plain(Box<RepositoryRecord>),
    InParts {
        digest: Digest,
        record: Box<RepositoryRecord>,
        base: RecordBase,
    },
}

/// A record as it is to be written.
pub(super) enum EncodedRecord {
    /// All of it.
    Whole(Vec<u8>),
    /// What it has changed, for the file beside the one that is there.
    Changes(Vec<u8>),
}

/// What stands in the file of changes.
#[derive(Serialize, Deserialize)]
struct ChangesOf<'a> {
    /// The digest of the record that they are of.
    of: Digest,
    #[serde(borrow)]
    changes: RecordChanges<'a>,
}

/// The file that has the changes of the record at `path`.
pub(super) fn changes_path(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(CHANGES);
    name.into()
}

impl DecodedRecords {
    /// Reads the record at `path` of `folder`.
    pub(super) fn read(&self, folder: &Folder, path: impl AsRef<Path>) -> ReadRecord {
        let path = path.as_ref();
        let read = self.read_files(folder, path);
        if !matches!(read, ReadRecord::Intact(_)) {
            // What was read before is there no more: nothing can be written beside it.
            self.forget(&folder.path().join(path));
        }
        read
    }

    fn read_files(&self, folder: &Folder, path: &Path) -> ReadRecord {
        if folder.dir().symlink_metadata(path).is_err() {
            return ReadRecord::Missing;
        }
        let Some(bytes) = read_bytes(folder, path) else { return ReadRecord::Damaged };
        let file = folder.path().join(path);
        let known = self.known(&file).filter(|known| known.whole.bytes == bytes);
        let whole = match &known {
            Some(known) => Arc::clone(&known.whole),
            None => match WholeRecord::decode(bytes) {
                Some(Ok(whole)) => Arc::new(whole),
                Some(Err(version)) => return ReadRecord::Newer(version),
                None => return ReadRecord::Damaged,
            },
        };
        let changes_path = changes_path(path);
        let is_changed = whole.is_in_parts() && folder.dir().symlink_metadata(&changes_path).is_ok();
        let changes = match is_changed.then(|| read_bytes(folder, &changes_path)) {
            None => None,
            Some(None) => return ReadRecord::Damaged,
            Some(Some(changes)) => Some(changes),
        };
        if let Some(known) = known.filter(|known| known.changes == changes) {
            return ReadRecord::Intact(Box::new(known.record.clone()));
        }
        let Some(record) = whole.with_changes(changes.as_deref()).filter(RepositoryRecord::is_credible)
        else {
            return ReadRecord::Damaged;
        };
        self.keep(file, DecodedFile { whole, changes, record: record.clone() });
        ReadRecord::Intact(Box::new(record))
    }

    /// The record at `path` of `folder`, as it is to be written there: what has changed of it since it was last written whole, where that
    /// is still there as it was read.
    pub(super) fn encode(
        &self,
        folder: &Folder,
        path: impl AsRef<Path>,
        record: &RepositoryRecord,
    ) -> Result<EncodedRecord, PublishError> {
        let path = path.as_ref();
        let known = self.known(&folder.path().join(path)).filter(|_| is_long(record));
        let known = known.filter(|known| claim(folder, path) == Some(known.whole.claim()));
        let changes = known.map(|known| known.whole.encode_changes(record)).transpose()?.flatten();
        Ok(match changes {
            Some(changes) => EncodedRecord::Changes(changes),
            None => EncodedRecord::Whole(encode(record)?),
        })
    }

    /// Keeps what was written, and need not be decoded when it is read again.
    pub(super) fn note_written(
        &self,
        folder: &Folder,
        path: impl AsRef<Path>,
        (encoded, record): (&EncodedRecord, &RepositoryRecord),
    ) {
        let file = folder.path().join(path);
        match (encoded, self.known(&file)) {
            (EncodedRecord::Changes(changes), Some(known)) => {
                let (whole, changes) = (Arc::clone(&known.whole), Some(changes.clone()));
                self.keep(file, DecodedFile { whole, changes, record: record.clone() });
            }
            (EncodedRecord::Whole(bytes), _) => {
                let whole = WholeContent::new(bytes, record);
                let whole = whole.map(|content| Arc::new(WholeRecord { bytes: bytes.clone(), content }));
                match whole {
                    Some(whole) => {
                        self.keep(file, DecodedFile { whole, changes: None, record: record.clone() });
                    }
                    None => self.forget(&file),
                }
            }
            (EncodedRecord::Changes(_), None) => {}
        }
    }

    fn known(&self, file: &HostPath) -> Option<Arc<DecodedFile>> {
        self.by_file.lock().unwrap_or_else(PoisonError::into_inner).get(file).cloned()
    }

    fn keep(&self, file: HostPath, decoded: DecodedFile) {
        self.by_file.lock().unwrap_or_else(PoisonError::into_inner).insert(file, Arc::new(decoded));
    }

    fn forget(&self, file: &HostPath) {
        self.by_file.lock().unwrap_or_else(PoisonError::into_inner).remove(file);
    }
}

impl std::fmt::Debug for DecodedRecords {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let known = self.by_file.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_set().entries(known.keys()).finish()
    }
}

impl WholeRecord {
    /// What a file of these bytes says; the number of a later form where it is of one, nothing where it is no record.
    fn decode(bytes: Vec<u8>) -> Option<Result<Self, u64>> {
        let line = split_line(&bytes)?;
        // Nothing of what is decoded is looked at where the digest is not right.
        let decode = || match line.version {
            ..VERSION_IN_PARTS => {
                serde_json::from_slice(line.content).ok().map(|record| Ok(WholeContent::Plain(record)))
            }
            VERSION_IN_PARTS => WholeContent::decode_parts(line.digest, line.content).map(Ok),
            version => Some(Err(version)),
        };
        match rayon::join(decode, || line.is_right()) {
            (Some(Ok(content)), true) => Some(Ok(Self { bytes, content })),
            (Some(Err(version)), true) => Some(Err(version)),
            (_, false) | (None, true) => None,
        }
    }

    /// What its file claims to be.
    fn claim(&self) -> (u64, Vec<u8>) {
        let head = self.bytes.get(..LONGEST_HEAD).unwrap_or(&self.bytes);
        (self.bytes.len() as u64, head.to_vec())
    }

    fn is_in_parts(&self) -> bool {
        matches!(self.content, WholeContent::InParts { .. })
    }

    /// The record that it is with these changes, where they are of this one.
    fn with_changes(&self, changes: Option<&[u8]>) -> Option<RepositoryRecord> {
        let (record, own, base) = match &self.content {
            WholeContent::Plain(record) => return Some(RepositoryRecord::clone(record)),
            WholeContent::InParts { digest, record, base } => (record, digest, base),
        };
        let Some(changes) = changes else { return Some(RepositoryRecord::clone(record)) };
        let line = split_line(changes).filter(RecordLine::is_right)?;
        if line.version != VERSION_IN_PARTS {
            return None;
        }
        let ChangesOf { of, changes } = serde_json::from_slice(line.content).ok()?;
        if of == *own { changes.apply(base) } else { Some(RepositoryRecord::clone(record)) }
    }

    /// What `record` has changed of it, where that is little.
    fn encode_changes(&self, record: &RepositoryRecord) -> Result<Option<Vec<u8>>, PublishError> {
        let WholeContent::InParts { digest, base, .. } = &self.content else { return Ok(None) };
        let changes = ChangesOf { of: *digest, changes: RecordChanges::new(record, base) };
        let content = serde_json::to_vec(&changes).map_err(std::io::Error::other)?;
        let is_small = content.len() < self.bytes.len() / LARGEST_CHANGES;
        Ok(is_small.then(|| with_head(VERSION_IN_PARTS, &content)))
    }
}

impl WholeContent {
    /// What was written of a record in parts; nothing where it was written otherwise.
    fn new(bytes: &[u8], record: &RepositoryRecord) -> Option<Self> {
        let digest = head_digest(bytes).filter(|_| is_long(record))?;
        let base =
            RecordBase { packages: longest_list(record).clone(), superseded: record.superseded.clone() };
        Some(Self::InParts { digest, record: Box::new(record.clone()), base })
    }

    fn decode_parts(digest: Digest, content: &[u8]) -> Option<Self> {
        let mut lines = std::str::from_utf8(content).ok()?.split('\n');
        // The brace that ends the last line is the one that `content` leaves out.
        let (first, rest): (&str, Vec<&str>) = (lines.next()?, lines.collect());
        let first = if rest.is_empty() { first } else { first.strip_suffix('}')? };
        let last = rest.len().saturating_sub(1);
        let package = |(number, line): (usize, &&str)| -> Option<PublishedPackage> {
            match number == last {
                true => serde_json::from_str(&format!("{line}}}")).ok(),
                false => serde_json::from_str(line).ok(),
            }
        };
        let packages =
            rest.par_iter().enumerate().with_min_len(64).map(package).collect::<Option<Vec<_>>>()?;
        let changes: RecordChanges<'_> = serde_json::from_str(first).ok()?;
        let mut base = RecordBase { packages: packages.into(), superseded: Vec::new() };
        let record = Box::new(changes.apply(&base)?);
        base.superseded.clone_from(&record.superseded);
        Some(Self::InParts { digest, record, base })
    }
}

/// Whether a record is written in parts.
fn is_long(record: &RepositoryRecord) -> bool {
    longest_list(record).iter().map(|package| package.files.len()).sum::<usize>() >= MANY_FILES
}

/// The packages that stand on lines of their own.
fn longest_list(record: &RepositoryRecord) -> &SharedList<PublishedPackage> {
    let incoming = record.incoming.as_ref().map(|incoming| &incoming.packages);
    incoming.filter(|incoming| incoming.len() > record.packages.len()).unwrap_or(&record.packages)
}

/// The bytes of a record's file.
pub(super) fn encode(record: &RepositoryRecord) -> Result<Vec<u8>, PublishError> {
    let bytes = match is_long(record) {
        true => encode_parts(record),
        false => serde_json::to_vec(record).map(|content| with_head(record.version(), &content)),
    };
    let bytes = bytes.map_err(std::io::Error::other)?;
    match bytes.len() as u64 > LARGEST_RECORD {
        true => Err(PublishError::TooMuch { bytes: bytes.len() as u64, limit: LARGEST_RECORD }),
        false => Ok(bytes),
    }
}

fn encode_parts(record: &RepositoryRecord) -> serde_json::Result<Vec<u8>> {
    let packages = longest_list(record).clone();
    let lines: Vec<Vec<u8>> =
        packages.par_iter().with_min_len(64).map(serde_json::to_vec).collect::<Result<_, _>>()?;
    let base = RecordBase { packages, superseded: Vec::new() };
    let mut content = serde_json::to_vec(&RecordChanges::new(record, &base))?;
    for line in lines {
        content.extend(b"}\n");
        content.extend(line.strip_suffix(b"}").unwrap_or(&line));
    }
    Ok(with_head(VERSION_IN_PARTS, &content))
}

fn with_head(version: u64, content: &[u8]) -> Vec<u8> {
    let digest = digest_of(version, content);
    let mut bytes = format!("{{\"version\":{version},\"blake3\":\"{digest}\",\"repository\":").into_bytes();
    bytes.extend(content);
    bytes.extend(b"}\n");
    bytes
}

/// Whether two records claim to be the same: what their content has as digest, and its size. Neither is read whole.
pub(super) fn claim_the_same(one: (&Folder, &Path), other: (&Folder, &Path)) -> bool {
    let changes = |(folder, path): (&Folder, &Path)| claim(folder, &changes_path(path));
    have_same_base(one, other) && changes(one) == changes(other)
}

/// The same of what was written before their changes.
pub(super) fn have_same_base(one: (&Folder, &Path), other: (&Folder, &Path)) -> bool {
    claim(one.0, one.1).is_some_and(|one| claim(other.0, other.1) == Some(one))
}

fn claim(folder: &Folder, path: &Path) -> Option<(u64, Vec<u8>)> {
    let (file, metadata) = folder.open_regular_with_metadata(path).ok()?;
    let mut head = Vec::with_capacity(LONGEST_HEAD);
    file.take(LONGEST_HEAD as u64).read_to_end(&mut head).ok()?;
    Some((metadata.len(), head)).filter(|(_, head)| head.starts_with(HEAD))
}

/// The bytes of what may be a record.
fn read_bytes(folder: &Folder, path: &Path) -> Option<Vec<u8>> {
    let file = folder.open_regular(path).ok()?;
    // What is too large for a record, or begins as none does, is not read to find that out.
    let size = file.metadata().ok()?.len();
    if size > LARGEST_RECORD {
        return None;
    }
    let mut file = file.take(LARGEST_RECORD);
    let mut bytes = Vec::with_capacity(usize::try_from(size).ok()?.saturating_add(1));
    bytes.resize(HEAD.len(), 0);
    file.read_exact(&mut bytes).ok()?;
    if bytes != HEAD {
        return None;
    }
    file.read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The paths that the record of these bytes names, relative to its repository, without what has changed since it was written. None where
/// they are no record that is believed: what is damaged, of a later form, or names what forge does not publish.
pub fn recorded_paths(bytes: &[u8]) -> Option<Vec<String>> {
    let record = decode(bytes.to_vec())?.ok()?;
    let files = record.files().chain(&record.repomd).chain(record.signing_files());
    Some(files.map(|file| file.path.clone()).collect())
}

/// The record of these bytes; the number of a later form.
fn decode(bytes: Vec<u8>) -> Option<Result<RepositoryRecord, u64>> {
    match WholeRecord::decode(bytes)? {
        Ok(whole) => whole.with_changes(None).filter(RepositoryRecord::is_credible).map(Ok),
        Err(version) => Some(Err(version)),
    }
}

/// A file of a record.
struct RecordLine<'a> {
    version: u64,
    digest: Digest,
    content: &'a [u8],
}

impl RecordLine<'_> {
    /// Whether its content is that of its digest.
    fn is_right(&self) -> bool {
        digest_of(self.version, self.content) == self.digest
    }
}

fn split_line(bytes: &[u8]) -> Option<RecordLine<'_>> {
    let (version, digest, rest) = split_head(bytes)?;
    Some(RecordLine { version, digest, content: rest.strip_suffix(b"}\n")? })
}

fn head_digest(bytes: &[u8]) -> Option<Digest> {
    split_head(bytes).map(|(_, digest, _)| digest)
}

/// The number of the form, the digest, and what follows them.
fn split_head(bytes: &[u8]) -> Option<(u64, Digest, &[u8])> {
    let rest = bytes.strip_prefix(HEAD)?;
    let (version, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b',')?)?;
    let version_text = std::str::from_utf8(version).ok()?;
    let version: u64 = version_text.parse().ok()?;
    let (digest, rest) = rest.strip_prefix(b",\"blake3\":\"")?.split_at_checked(64)?;
    let digest_text = std::str::from_utf8(digest).ok()?;
    let digest: Digest = digest_text.parse().ok()?;
    let rest = rest.strip_prefix(b"\",\"repository\":")?;
    // Each is written in one way.
    (version.to_string() == version_text && digest.to_string() == digest_text)
        .then_some((version, digest, rest))
}

fn digest_of(version: u64, content: &[u8]) -> Digest {
    let mut hasher = blake3::Hasher::new();
    hasher.update(format!("{version}:").as_bytes()).update(content);
    Digest::finish(&hasher)
}

#[cfg(test)]
mod tests;
