//! Files of repositories: from the store, or fetched into it.

use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::error::RepositoryError;
use super::limits::LARGEST_SMALL_FILE;
use super::problem::FileOf;
use super::request::{Connection, RepositoryAccess};
use crate::digest::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use crate::fetch::{Address, Download, DownloadOutcome, Downloaded, Downloads, FetchError, Validators};
use crate::files::Folder;
use crate::store::{Blob, FetchedFile, FetchedPackage};

/// A file that is known by its checksum.
pub(super) struct WantedFile<'a> {
    pub addresses: Vec<Address>,
    pub checksum: &'a Checksum,
    pub size: Option<u64>,
    pub most_bytes: u64,
}

/// A file that is read whole.
pub(super) struct SmallFile {
    pub content: Vec<u8>,
    pub downloaded: Downloaded,
}

static FILES: AtomicU64 = AtomicU64::new(0);

impl RepositoryAccess<'_> {
    /// The folder that files are fetched into.
    pub(super) fn downloads(&self) -> Result<Folder, RepositoryError> {
        let folder = self.store.folder().create("downloads").map_err(crate::store::StoreError::Io)?;
        // What a power cut spoils has another checksum then.
        Ok(folder.without_sync())
    }

    /// Where a file may come from: not from another machine where nothing may be fetched.
    pub(super) fn reachable(&self, addresses: Vec<Address>) -> Vec<Address> {
        match self.connection {
            Connection::Online => addresses,
            Connection::Offline => {
                addresses.into_iter().filter(|address| address.local_path().is_some()).collect()
            }
        }
    }

    /// A file of metadata in the store; fetched where it isn't there.
    pub(super) fn stored(&self, place: FileOf<'_>, wanted: WantedFile<'_>) -> Result<Blob, RepositoryError> {
        if let Some(fetched) = self.store.fetched(wanted.checksum, self.now) {
            return Ok(fetched.blob);
        }
        let addresses = self.reachable(wanted.addresses);
        if addresses.is_empty() {
            return Err(not_stored(place));
        }
        let folder = self.downloads()?;
        let file = file_name();
        let download = Download {
            file: file.clone(),
            addresses,
            checksums: vec![wanted.checksum.clone()],
            size: wanted.size,
            most_bytes: wanted.most_bytes,
            known: None,
            accept: None,
        };
        self.download(place, &folder, download)?;
        self.take_in(&folder, &file, wanted.checksum, |_| Ok(None))
    }

    /// Takes a file into the store that was fetched. Nobody can change it between this look and the store: what is there in the
    /// end is what has the checksum, and what `look` has seen.
    pub(super) fn take_in(
        &self,
        folder: &Folder,
        file: &str,
        checksum: &Checksum,
        look: impl FnOnce(&mut dyn Read) -> Result<Option<FetchedPackage>, RepositoryError>,
    ) -> Result<Blob, RepositoryError> {
        let taken = self.store.take_in_checking(folder, Path::new(file), |_, sha256, content| {
            // What the store has worked out itself is not worked out a second time.
            if checksum.algorithm() == ChecksumAlgorithm::Sha256 {
                check_same(sha256 == checksum.hex())?;
                return look(content);
            }
            let mut hashing = Hashing { content, hasher: ChecksumHasher::new(checksum.algorithm()) };
            let package = look(&mut hashing)?;
            io::copy(&mut hashing, &mut io::sink())?;
            check_same(hashing.hasher.finish() == *checksum)?;
            Ok::<_, RepositoryError>(package)
        });
        // Good or not, it is of no more use there.
        let _ = folder.remove_file(file);
        let (blob, _, package) = taken?;
        self.store.remember_fetched(checksum, &FetchedFile { blob, package })?;
        Ok(blob)
    }

    /// A small file, which is not kept; nothing where it is as it is `known` to be.
    pub(super) fn small_file(
        &self,
        place: FileOf<'_>,
        addresses: Vec<Address>,
        (checksums, known): (Vec<Checksum>, Option<Validators>),
    ) -> Result<Option<SmallFile>, RepositoryError> {
        let addresses = self.reachable(addresses);
        if addresses.is_empty() {
            return Err(not_stored(place));
        }
        let folder = self.downloads()?;
        let file = file_name();
        let most_bytes = LARGEST_SMALL_FILE;
        let download = Download {
            file: file.clone(),
            addresses,
            checksums,
            size: None,
            most_bytes,
            known,
            accept: None,
        };
        match self.download(place, &folder, download)? {
            DownloadOutcome::Unchanged => Ok(None),
            DownloadOutcome::Came(downloaded) => {
                let content = folder.read(&file);
                let _ = folder.remove_file(&file);
                Ok(Some(SmallFile { content: content?, downloaded }))
            }
        }
    }

    fn download(
        &self,
        place: FileOf<'_>,
        folder: &Folder,
        download: Download,
    ) -> Result<DownloadOutcome, RepositoryError> {
        let outcome = self.client.download(download, self.downloads_into(folder));
        outcome.map_err(|source| not_fetched(place, source))
    }

    pub(super) fn downloads_into<'a>(&'a self, folder: &'a Folder) -> Downloads<'a> {
        Downloads { folder, cancel: self.cancel, progress: self.progress }
    }
}

fn check_same(is_same: bool) -> io::Result<()> {
    match is_same {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidData, "a file was changed while it was taken in")),
    }
}

/// What a file is called between its coming and its being taken into the store: no other forge, nor another thread of this
/// one, may take it away meanwhile.
pub(super) fn file_name() -> String {
    format!("file-{}-{}", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed))
}

pub(super) fn not_stored(place: FileOf<'_>) -> RepositoryError {
    RepositoryError::NotStored { repository: place.repository.to_owned(), file: place.file.to_owned() }
}

pub(super) fn not_fetched(place: FileOf<'_>, source: FetchError) -> RepositoryError {
    RepositoryError::NotFetched {
        repository: place.repository.to_owned(),
        file: place.file.to_owned(),
        source,
    }
}

/// Works out the checksum of what is read.
struct Hashing<'a> {
    content: &'a mut dyn Read,
    hasher: ChecksumHasher,
}

impl Read for Hashing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}
