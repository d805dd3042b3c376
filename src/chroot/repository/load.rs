//! A repository, looked at: which metadata it has now.

use std::io::BufReader;

use serde::{Deserialize, Serialize};

use super::error::RepositoryError;
use super::folder;
use super::limits::LARGEST_PACKED;
use super::mirrors::{Mirrors, SourceText};
use super::problem::{FileOf, signature_error};
use super::repomd::{MetadataFile, REPOMD, Repomd};
use super::request::{
    Connection, OlderMetadata, RepositoryAccess, RepositoryRequest, RepositorySource, RepositoryState,
    SignatureRule,
};
use super::stored::{SmallFile, WantedFile};
use crate::chroot::AvailablePackage;
use crate::digest::{Checksum, ChecksumAlgorithm, Key};
use crate::fetch::{Address, Validators};
use crate::store::{Blob, FetchedFile, RecordKind};

/// A repository as it is at a moment.
#[derive(Clone, Debug)]
pub struct Repository {
    /// What it is called.
    pub name: String,
    /// What a lock holds of it.
    pub state: RepositoryState,
    pub(super) contents: RepositoryContents,
}

/// Where what it has is read from.
#[derive(Clone, Debug)]
pub(super) enum RepositoryContents {
    /// Metadata, and where they and packages can be had.
    Metadata { repomd: Repomd, addresses: Vec<Address> },
    /// The headers of the packages themselves.
    Packages(Vec<AvailablePackage>),
}

const SIGNATURE: &str = "repodata/repomd.xml.asc";

/// What is remembered of a repository between runs.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct SeenRepository {
    state: RepositoryState,
    repomd: Blob,
    validators: Validators,
    signature: Option<Vec<u8>>,
}

/// A `repomd.xml`, with its signature where one is asked for.
struct FoundRepomd {
    content: Vec<u8>,
    validators: Validators,
    signature: Option<Vec<u8>>,
    repomd: Repomd,
    state: RepositoryState,
}

impl Repository {
    /// Looks at a repository: what has not changed since it was seen last is not fetched again.
    ///
    /// # Errors
    /// What is wrong with it; nothing of it counts then.
    pub fn load(request: &RepositoryRequest, access: &RepositoryAccess<'_>) -> Result<Self, RepositoryError> {
        if let RepositorySource::Folder(path) = &request.source
            && let Some((packages, state)) = folder::read(&request.name, path, access)?
        {
            let (name, contents) = (request.name.clone(), RepositoryContents::Packages(packages));
            return Ok(Self { name, state, contents });
        }
        let source = SourceText::new(request)?;
        let loading = Loading { request, access, source: &source, record: source.record_key() };
        loading.load()
    }

    /// The checksum of what its packages are read from: where it is the same, so are they.
    pub fn packages_checksum(&self) -> &Checksum {
        match &self.contents {
            RepositoryContents::Metadata { repomd, .. } => {
                repomd.file("primary").map_or(&self.state.checksum, |file| &file.checksum)
            }
            RepositoryContents::Packages(_) => &self.state.checksum,
        }
    }
}

struct Loading<'a> {
    request: &'a RepositoryRequest,
    access: &'a RepositoryAccess<'a>,
    source: &'a SourceText,
    record: Key,
}

impl Loading<'_> {
    fn load(&self) -> Result<Repository, RepositoryError> {
        let seen: Option<SeenRepository> = self.access.store.record(RecordKind::Repository, &self.record);
        let seen = seen.filter(|seen| self.access.store.has(&seen.repomd));
        let mirrors = self.source.mirrors(self.request, self.access)?;
        let found = match (&seen, self.access.connection) {
            (Some(seen), Connection::Offline) if !self.source.is_local() => self.read_seen(seen)?,
            (Some(seen), _) if mirrors.current.as_ref() == Some(&seen.state.checksum) => {
                self.read_seen(seen)?
            }
            _ => self.find(&mirrors, seen.as_ref())?,
        };
        let FoundRepomd { content, validators, signature, repomd, state } = found;
        let blob = self.keep(&content, &state.checksum)?;
        let new = SeenRepository { state: state.clone(), repomd: blob, validators, signature };
        self.access.store.remember(RecordKind::Repository, &self.record, &new)?;
        let contents = RepositoryContents::Metadata { repomd, addresses: mirrors.addresses };
        Ok(Repository { name: self.request.name.clone(), state, contents })
    }

    /// Asks one mirror after the other until one has metadata that are not older than those that were seen.
    fn find(&self, mirrors: &Mirrors, seen: Option<&SeenRepository>) -> Result<FoundRepomd, RepositoryError> {
        let mut addresses = mirrors.addresses.clone();
        loop {
            let (found, from) = self.fetch(mirrors, &addresses, seen)?;
            match self.check_age(&found.state, seen) {
                Ok(()) => return Ok(found),
                Err(older) => {
                    addresses.retain(|address| Some(address) != from.as_ref());
                    if addresses.is_empty() || from.is_none() {
                        return Err(older);
                    }
                }
            }
        }
    }

    fn fetch(
        &self,
        mirrors: &Mirrors,
        addresses: &[Address],
        seen: Option<&SeenRepository>,
    ) -> Result<(FoundRepomd, Option<Address>), RepositoryError> {
        let known = match (&self.request.source, seen) {
            // What one mirror says to know a file again means nothing to another one.
            (RepositorySource::BaseUrls(urls), Some(seen))
                if urls.len() == 1 && seen.validators != Validators::default() =>
            {
                Some(seen.validators.clone())
            }
            _ => None,
        };
        let all = addresses.iter().map(|address| address.join(REPOMD)).collect();
        let file = self.access.small_file(self.place(REPOMD), all, (mirrors.checksums.clone(), known))?;
        let Some(SmallFile { content, downloaded }) = file else {
            return match seen {
                Some(seen) => Ok((self.read_seen(seen)?, None)),
                None => Err(super::stored::not_stored(self.place(REPOMD))),
            };
        };
        let from = addresses.iter().find(|address| address.join(REPOMD) == downloaded.address);
        let signature = match self.request.metadata_signature {
            SignatureRule::NotAsked => None,
            SignatureRule::Required => Some(self.fetch_signature(from)?),
        };
        let found = self.read(content, downloaded.validators, signature)?;
        Ok((found, from.cloned()))
    }

    fn fetch_signature(&self, from: Option<&Address>) -> Result<Vec<u8>, RepositoryError> {
        let addresses = from.into_iter().map(|address| address.join(SIGNATURE)).collect();
        let missing =
            || RepositoryError::NotSigned { repository: self.request.name.clone(), file: REPOMD.to_owned() };
        let file = self.access.small_file(self.place(SIGNATURE), addresses, (Vec::new(), None));
        match file {
            Ok(file) => file.map(|file| file.content).ok_or_else(missing),
            Err(RepositoryError::NotFetched { source, .. }) if source.is_missing_file() => Err(missing()),
            Err(error) => Err(error),
        }
    }

    /// What was seen the last time, checked again: other keys may be declared now.
    fn read_seen(&self, seen: &SeenRepository) -> Result<FoundRepomd, RepositoryError> {
        let content = self.access.store.read_blob(&seen.repomd, |mut reader| {
            let mut content = Vec::new();
            std::io::Read::read_to_end(&mut reader, &mut content)?;
            Ok::<_, RepositoryError>(content)
        })?;
        let signature = match (self.request.metadata_signature, &seen.signature) {
            (SignatureRule::NotAsked, _) => None,
            (SignatureRule::Required, Some(signature)) => Some(signature.clone()),
            (SignatureRule::Required, None) => {
                let mirrors = self.source.mirrors(self.request, self.access)?;
                Some(self.fetch_signature(mirrors.addresses.first())?)
            }
        };
        self.read(content, seen.validators.clone(), signature)
    }

    fn read(
        &self,
        content: Vec<u8>,
        validators: Validators,
        signature: Option<Vec<u8>>,
    ) -> Result<FoundRepomd, RepositoryError> {
        let place = self.place(REPOMD);
        if let Some(signature) = &signature {
            let keyring = self.access.keyring(self.request)?;
            let checked = keyring.check(signature, &content, self.access.keys_at);
            checked.map_err(|problem| signature_error(problem, place))?;
        }
        let repomd = Repomd::read(BufReader::new(content.as_slice())).map_err(|problem| problem.of(place))?;
        if repomd.file("primary").is_none() {
            let reason = "it names no `primary` that forge can read".to_owned();
            return Err(super::problem::MetadataProblem::Malformed(reason).of(place));
        }
        let state = RepositoryState {
            url: self.source.shown(),
            checksum: Checksum::compute(ChecksumAlgorithm::Sha256, &content),
            revision: repomd.revision.clone(),
            time: repomd.time,
        };
        Ok(FoundRepomd { content, validators, signature, repomd, state })
    }

    fn check_age(
        &self,
        state: &RepositoryState,
        seen: Option<&SeenRepository>,
    ) -> Result<(), RepositoryError> {
        let known = self.request.locked.iter().chain(seen.map(|seen| &seen.state));
        let newer = known.into_iter().find(|known| state.is_older_than(known));
        match (newer, self.request.older_metadata) {
            (None, _) | (_, OlderMetadata::Allowed) => Ok(()),
            (Some(newer), OlderMetadata::Refused) => Err(RepositoryError::Older {
                repository: self.request.name.clone(),
                found: state.shown(),
                known: newer.shown(),
            }),
        }
    }

    /// Keeps `repomd.xml` in the store.
    fn keep(&self, content: &[u8], checksum: &Checksum) -> Result<Blob, RepositoryError> {
        if let Some(FetchedFile { blob, .. }) = self.access.store.fetched(checksum, self.access.now) {
            return Ok(blob);
        }
        let folder = self.access.downloads()?;
        let file = super::stored::file_name();
        folder.write_atomic(&file, content)?;
        self.access.take_in(&folder, &file, checksum, |_| Ok(None))
    }

    fn place<'a>(&'a self, file: &'a str) -> FileOf<'a> {
        FileOf { repository: &self.request.name, file }
    }
}

impl Repository {
    /// A file of its metadata in the store; nothing where it has none of that kind.
    pub(super) fn metadata(
        &self,
        kind: &str,
        access: &RepositoryAccess<'_>,
    ) -> Result<Option<(Blob, &MetadataFile)>, RepositoryError> {
        let RepositoryContents::Metadata { repomd, addresses } = &self.contents else { return Ok(None) };
        let Some(file) = repomd.file(kind) else { return Ok(None) };
        let addresses = addresses.iter().map(|address| address.join(&file.href)).collect();
        let wanted =
            WantedFile { addresses, checksum: &file.checksum, size: file.size, most_bytes: LARGEST_PACKED };
        let place = FileOf { repository: &self.name, file: &file.href };
        Ok(Some((access.stored(place, wanted)?, file)))
    }
}
