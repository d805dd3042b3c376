//! Files, fetched into the store.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::error::RemoteError;
use crate::chroot::Connection;
use crate::digest::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use crate::fetch::{Address, Download, Downloads};
use crate::files::Folder;
use crate::source::SourceError;
use crate::source::tools::{SourceProgress, SourceTools};
use crate::store::{Blob, FetchedFile, StoreError};

/// A file that is wanted.
#[derive(Clone, Debug)]
pub struct RemoteFile {
    /// What it is called in messages.
    pub name: String,
    /// Where it can be had, in order of preference.
    pub addresses: Vec<Address>,
    /// What it must be; where nobody knows, whatever comes is taken.
    pub checksum: Option<Checksum>,
    /// Its size in bytes, where it is known.
    pub size: Option<u64>,
    /// How many bytes it may have.
    pub most: u64,
}

/// A file that is in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredFile {
    /// Its content.
    pub blob: Blob,
    /// Its checksum: the one that it was wanted by, or its SHA-256.
    pub checksum: Checksum,
    /// Where it came from; nothing where it was there.
    pub from: Option<Address>,
}

static FILES: AtomicU64 = AtomicU64::new(0);

impl SourceTools<'_> {
    /// Brings a file into the store. See [`Self::fetch_files`].
    ///
    /// # Errors
    /// It can't be had.
    pub fn fetch_file(&self, file: RemoteFile) -> Result<StoredFile, SourceError> {
        let name = file.name.clone();
        let fetched = self.fetch_files(vec![file]).pop();
        fetched.unwrap_or_else(|| Err(RemoteError::NotStored { file: name }.into()))
    }

    /// Brings files into the store, several at once, and gives what became of each, in the same order. What is there already
    /// is not fetched.
    pub fn fetch_files(&self, files: Vec<RemoteFile>) -> Vec<Result<StoredFile, SourceError>> {
        let mut results: Vec<Option<Result<StoredFile, SourceError>>> =
            files.iter().map(|file| self.find_stored(file).map(Ok)).collect();
        let missing: Vec<usize> =
            (0..files.len()).filter(|index| matches!(results.get(*index), Some(None))).collect();
        for (index, result) in self.fetch_missing(&files, &missing) {
            if let Some(place) = results.get_mut(index) {
                *place = Some(result);
            }
        }
        let not_there = |file: RemoteFile| Err(RemoteError::NotStored { file: file.name }.into());
        results
            .into_iter()
            .zip(files)
            .map(|(result, file)| result.unwrap_or_else(|| not_there(file)))
            .collect()
    }

    fn find_stored(&self, file: &RemoteFile) -> Option<StoredFile> {
        let checksum = file.checksum.as_ref()?;
        let FetchedFile { blob, .. } = self.store.fetched(checksum, self.clock.now())?;
        Some(StoredFile { blob, checksum: checksum.clone(), from: None })
    }

    /// Whether a file may come from there: not from another machine where nothing may be fetched.
    pub(in crate::source) fn may_reach(&self, address: &Address) -> bool {
        match self.connection {
            Connection::Online => true,
            Connection::Offline => address.local_path().is_some(),
        }
    }

    fn fetch_missing(
        &self,
        files: &[RemoteFile],
        missing: &[usize],
    ) -> Vec<(usize, Result<StoredFile, SourceError>)> {
        let mut orders = Vec::new();
        let mut downloads = Vec::new();
        for (index, file) in missing.iter().filter_map(|index| Some((*index, files.get(*index)?))) {
            let addresses = file.addresses.iter().flat_map(|address| self.mirrors.places(address));
            let addresses: Vec<Address> = addresses.filter(|address| self.may_reach(address)).collect();
            if addresses.is_empty() {
                continue;
            }
            // No other forge, nor another thread of this one, may take it away between its coming and its being taken in.
            let name = format!("source-{}-{}", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed));
            orders.push((index, file, name.clone()));
            downloads.push(Download {
                file: name,
                addresses,
                checksums: file.checksum.iter().cloned().collect(),
                size: file.size,
                most_bytes: file.most,
                known: None,
                accept: None,
            });
        }
        if downloads.is_empty() {
            return Vec::new();
        }
        let folder = match self.downloads_folder() {
            Ok(folder) => folder,
            Err(error) => {
                let again = || SourceError::Io(io::Error::new(error.kind(), error.to_string()));
                return orders.iter().map(|(index, _, _)| (*index, Err(again()))).collect();
            }
        };
        let results = Mutex::new(Vec::new());
        let tell = |progress| (self.progress)(SourceProgress::Fetching(progress));
        let around = Downloads { folder: &folder, cancel: self.cancel, progress: &tell };
        rayon::in_place_scope(|scope| {
            self.client.download_all(downloads, around, |position, outcome| {
                let Some((index, file, name)) = orders.get(position) else { return };
                let (results, folder) = (&results, &folder);
                scope.spawn(move |_| {
                    let taken = match outcome {
                        Ok(outcome) => self.take_in_fetched(folder, (file, name)).map(|mut stored| {
                            stored.from = outcome.into_address();
                            stored
                        }),
                        Err(source) => {
                            Err(RemoteError::NotFetched { file: file.name.clone(), source }.into())
                        }
                    };
                    results.lock().unwrap_or_else(PoisonError::into_inner).push((*index, taken));
                });
            });
        });
        results.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder that files are fetched into.
    fn downloads_folder(&self) -> io::Result<Folder> {
        // What a power cut spoils has another checksum then, or none that anybody knows.
        Ok(self.store.folder().create("downloads")?.without_sync())
    }

    /// Takes a file into the store that was fetched. Nobody can change it between the look at its checksum and the store.
    fn take_in_fetched(
        &self,
        folder: &Folder,
        (file, name): (&RemoteFile, &str),
    ) -> Result<StoredFile, SourceError> {
        let taken = self.store.take_in_checking(folder, Path::new(name), |_, sha256, content| {
            let wanted = match &file.checksum {
                None => return Ok(None),
                Some(wanted) => wanted,
            };
            let is_same = match wanted.algorithm() {
                // What the store has worked out itself is not worked out a second time.
                ChecksumAlgorithm::Sha256 => sha256 == wanted.hex(),
                algorithm => {
                    let mut hasher = ChecksumHasher::new(algorithm);
                    let mut buffer = vec![0; 256 * 1024];
                    loop {
                        let read = content.read(&mut buffer)?;
                        match buffer.get(..read) {
                            Some(chunk) if !chunk.is_empty() => hasher.update(chunk),
                            Some(_) | None => break,
                        }
                    }
                    hasher.finish() == *wanted
                }
            };
            match is_same {
                true => Ok(Some(wanted.clone())),
                false => {
                    let changed = "a file was changed while it was taken in";
                    Err(SourceError::Io(io::Error::new(io::ErrorKind::InvalidData, changed)))
                }
            }
        });
        // Good or not, it is of no more use there.
        let _ = folder.remove_file(name);
        let (blob, sha256, wanted) = taken?;
        let sha256 = Checksum::new(ChecksumAlgorithm::Sha256.name(), &sha256)
            .map_err(|error| StoreError::Io(io::Error::new(io::ErrorKind::InvalidData, error)))?;
        let fetched = FetchedFile { blob, package: None };
        self.store.remember_fetched(&sha256, &fetched)?;
        let checksum = match wanted {
            Some(wanted) if wanted != sha256 => {
                self.store.remember_fetched(&wanted, &fetched)?;
                wanted
            }
            Some(_) | None => sha256,
        };
        Ok(StoredFile { blob, checksum, from: None })
    }
}
