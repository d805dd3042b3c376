//! `.forge-repository`: what forge has put into a repository, and whose the repository is.
//!
//! The record lies in the repository itself, since nothing else goes wherever the repository goes. It is one JSON object on one line,
//!
//! ```json
//! {"version":1,"blake3":"…","repository":{…}}
//! ```
//!
//! where `blake3` is the BLAKE3 of the version's digits, a colon, and the bytes of the value of `repository`, so that no bit of it can
//! change without being noticed. Every path in it is relative to the repository. Only what is on record is ever removed
//! or replaced. A copy lies in the project's `.forge/published/`.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::PublishError;
use super::owner::Owner;
use crate::digest::{Digest, Key};
use crate::event::Timestamp;
use crate::files::Folder;
use crate::store::Blob;

/// The record's name in its repository.
pub(super) const RECORD: &str = ".forge-repository";

/// The form that is written.
const VERSION: u64 = 1;

/// What a repository holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RepositoryRecord {
    pub owner: Owner,
    /// The chroot whose packages it holds.
    pub chroot: String,
    /// Whether packages may be hard links to the store's files.
    pub links: bool,
    /// What is published, by the manifest's names.
    pub packages: Vec<PublishedPackage>,
    /// The files that `repomd.xml` names.
    pub metadata: Vec<PublishedFile>,
    /// `repomd.xml`; none before the first publish has ended.
    pub repomd: Option<PublishedFile>,
    /// What a publish that has not ended brings in.
    pub incoming: Option<Incoming>,
    /// What is no longer named, and stays for those who have read an earlier `repomd.xml`.
    pub superseded: Vec<Superseded>,
}

/// A package of the manifest, as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PublishedPackage {
    /// Its name in the manifest.
    pub package: String,
    /// The key of the result that it is from; none where it was found in a repository that was taken over.
    pub key: Option<Key>,
    pub files: Vec<PublishedFile>,
}

/// A file in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PublishedFile {
    /// Relative to the repository.
    pub path: String,
    /// In bytes.
    pub size: u64,
    pub sha256: String,
    pub blake3: Digest,
    /// What package it is; none for metadata.
    pub nevra: Option<String>,
    /// When it was left as it should be. None where it is not there: it is still to come, or it was lost and the store has
    /// it no more. Metadata name only what has times.
    pub times: Option<FileTimes>,
}

/// What a file system says of a file that nobody has written to since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileTimes {
    /// When its content changed: nanoseconds since 1970.
    pub modified: i64,
    /// When anything of it changed, which no program can set.
    pub changed: i64,
}

/// What a publish brings in. Where it was killed, its `repomd.xml` says whether it took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Incoming {
    /// All packages that will be published.
    pub packages: Vec<PublishedPackage>,
    pub metadata: Vec<PublishedFile>,
    pub repomd: Option<PublishedFile>,
}

/// A file that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Superseded {
    pub file: PublishedFile,
    /// Since when nothing names it.
    pub since: Timestamp,
}

/// What stands where a record should be.
pub(super) enum ReadRecord {
    Intact(Box<RepositoryRecord>),
    Missing,
    Damaged,
    /// Of a later form, with its number.
    Newer(u64),
}

impl PublishedFile {
    /// The store's name of its content.
    pub fn blob(&self) -> Blob {
        Blob { digest: self.blake3, size: self.size }
    }

    /// What metadata say of where it is.
    fn location(&self) -> (&str, &str, u64) {
        (&self.path, &self.sha256, self.size)
    }
}

impl RepositoryRecord {
    /// The record of a repository that holds nothing.
    pub fn empty(owner: Owner, chroot: &str) -> Self {
        let chroot = chroot.to_owned();
        let (packages, metadata, superseded) = (Vec::new(), Vec::new(), Vec::new());
        Self { owner, chroot, links: false, packages, metadata, repomd: None, incoming: None, superseded }
    }

    /// Every file on record but `repomd.xml`.
    pub fn files(&self) -> impl Iterator<Item = &PublishedFile> {
        let incoming = self.incoming.iter();
        let incoming = incoming.flat_map(|incoming| files(&incoming.packages).chain(&incoming.metadata));
        let superseded = self.superseded.iter().map(|superseded| &superseded.file);
        files(&self.packages).chain(&self.metadata).chain(incoming).chain(superseded)
    }

    /// The bytes of its file.
    pub fn encode(&self) -> Result<Vec<u8>, PublishError> {
        let content = serde_json::to_vec(self).map_err(std::io::Error::other)?;
        let digest = digest_of(VERSION, &content);
        let mut bytes =
            format!("{{\"version\":{VERSION},\"blake3\":\"{digest}\",\"repository\":").into_bytes();
        bytes.extend(content);
        bytes.extend(b"}\n");
        Ok(bytes)
    }
}

/// All files of some packages.
pub(super) fn files(packages: &[PublishedPackage]) -> impl Iterator<Item = &PublishedFile> {
    packages.iter().flat_map(|package| &package.files)
}

/// Whether metadata of both would be the same.
pub(super) fn have_same_listing(one: &[PublishedPackage], other: &[PublishedPackage]) -> bool {
    let is_listed = |file: &&PublishedFile| file.times.is_some();
    let one = files(one).filter(is_listed).map(PublishedFile::location);
    one.eq(files(other).filter(is_listed).map(PublishedFile::location))
}

/// Reads the record at `path` of `folder`.
pub(super) fn read_record(folder: &Folder, path: impl AsRef<Path>) -> ReadRecord {
    let path = path.as_ref();
    if folder.dir().symlink_metadata(path).is_err() {
        return ReadRecord::Missing;
    }
    // What is no regular file is not opened: a pipe would never answer.
    let bytes = folder.file_size(path).and_then(|_| folder.read(path).ok());
    bytes.and_then(|bytes| decode(&bytes)).unwrap_or(ReadRecord::Damaged)
}

fn decode(bytes: &[u8]) -> Option<ReadRecord> {
    let rest = bytes.strip_prefix(b"{\"version\":")?.strip_suffix(b"}\n")?;
    let (version, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b',')?)?;
    let version: u64 = std::str::from_utf8(version).ok()?.parse().ok()?;
    let (digest, rest) = rest.strip_prefix(b",\"blake3\":\"")?.split_at_checked(64)?;
    let content = rest.strip_prefix(b"\",\"repository\":")?;
    let is_whole = digest_of(version, content).to_string().as_bytes() == digest;
    match is_whole {
        false => None,
        true if version > VERSION => Some(ReadRecord::Newer(version)),
        true => serde_json::from_slice(content).ok().map(ReadRecord::Intact),
    }
}

fn digest_of(version: u64, content: &[u8]) -> Digest {
    Digest::of(&[format!("{version}:").as_bytes(), content].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> RepositoryRecord {
        let owner = Owner::new(Some("acme"), Path::new("/srv/acme"), Path::new("/srv/acme/public/host"));
        let mut record = RepositoryRecord::empty(owner, "host");
        record.superseded.push(Superseded {
            file: PublishedFile {
                path: "a-1/a.rpm".to_owned(),
                size: 7,
                sha256: "00".to_owned(),
                blake3: Digest::of(b"a"),
                nevra: None,
                times: Some(FileTimes { modified: 1, changed: 2 }),
            },
            since: Timestamp(9),
        });
        record
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let record = record();
        let read = decode(&record.encode().unwrap());
        assert!(matches!(read, Some(ReadRecord::Intact(read)) if *read == record));
    }

    #[test]
    fn no_bit_of_a_record_can_change_without_being_noticed() {
        let bytes = record().encode().unwrap();
        for place in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[place / 8] ^= 1 << (place % 8);
            assert!(decode(&flipped).is_none(), "bit {place}");
        }
    }

    #[test]
    fn a_record_of_a_later_form_is_not_taken_for_a_damaged_one() {
        let digest = digest_of(2, b"[]");
        let bytes = format!("{{\"version\":2,\"blake3\":\"{digest}\",\"repository\":[]}}\n");
        assert!(matches!(decode(bytes.as_bytes()), Some(ReadRecord::Newer(2))));
    }
}
