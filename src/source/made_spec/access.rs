//! The way to a registry: small documents that are looked at and not kept, and files that the store keeps.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use super::MadeSpecError;
use crate::chroot::Connection;
use crate::digest::Checksum;
use crate::fetch::{Address, Download, DownloadOutcome, Downloads, FetchError, Validators};
use crate::files::Folder;
use crate::source::SourceError;
use crate::source::remote::RemoteFile;
use crate::source::tools::{SourceProgress, SourceTools};
use crate::store::{Blob, Store};

/// What a registry is reached with, and where what comes from it goes.
#[derive(Clone, Copy)]
pub struct RegistryAccess<'a> {
    /// What sources are fetched and made with.
    pub tools: &'a SourceTools<'a>,
    /// Where files stay.
    pub store: &'a Store,
    /// Where files lie while they come, or are made.
    pub downloads: &'a Folder,
}

/// A file of a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryFile {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub url: String,
    /// What the index, or the lock, says that it is. Without, whatever comes is taken, and its SHA-256 goes into the lock.
    pub checksum: Option<Checksum>,
    /// How many bytes it has.
    pub size: Option<u64>,
    /// How many it may have.
    pub most: u64,
}

/// What became of a document that may be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewerDocument {
    /// It came; what the server says to know it again.
    Came(Vec<u8>, Validators),
    /// It is what is known of it.
    Unchanged,
    /// The server says that there is none.
    NotThere,
}

/// How large a document of an index may be: npm's of much used packages have 30 MB.
const LARGEST_DOCUMENT: u64 = 128 << 20;

static FILES: AtomicU64 = AtomicU64::new(0);

impl RegistryAccess<'_> {
    /// A document of an index; nothing where the index says that there is none.
    ///
    /// # Errors
    /// It can't be fetched.
    pub fn document(&self, url: &str) -> Result<Option<Vec<u8>>, MadeSpecError> {
        self.document_as((url, None))
    }

    /// A document of an index that is taken in these forms (`Accept`), as [`Self::document`].
    ///
    /// # Errors
    /// As there.
    pub fn document_as(
        &self,
        wanted: (&str, Option<&'static str>),
    ) -> Result<Option<Vec<u8>>, MadeSpecError> {
        Ok(match self.newer_document(wanted, None)? {
            NewerDocument::Came(content, _) => Some(content),
            NewerDocument::NotThere | NewerDocument::Unchanged => None,
        })
    }

    /// A document of an index, if it is another one than is known; with the forms that it is taken in.
    ///
    /// # Errors
    /// It can't be fetched.
    pub fn newer_document(
        &self,
        (url, accept): (&str, Option<&'static str>),
        known: Option<Validators>,
    ) -> Result<NewerDocument, MadeSpecError> {
        let wanted = || format!("`{}`", crate::fetch::without_login(url));
        let not_fetched = |source| MadeSpecError::NotFetched { wanted: wanted(), source };
        let address = Address::parse(url).map_err(not_fetched)?;
        if self.tools.connection == Connection::Offline && address.local_path().is_none() {
            return Err(MadeSpecError::NotStored { wanted: wanted() });
        }
        let file = file_name();
        let download = Download {
            file: file.clone(),
            addresses: vec![address],
            checksums: Vec::new(),
            size: None,
            most_bytes: LARGEST_DOCUMENT,
            known,
            accept,
        };
        let tell = |progress| (self.tools.progress)(SourceProgress::Fetching(progress));
        let around = Downloads { folder: self.downloads, cancel: self.tools.cancel, progress: &tell };
        let downloaded = match self.tools.client.download(download, around) {
            Ok(DownloadOutcome::Came(downloaded)) => downloaded,
            Ok(DownloadOutcome::Unchanged) => return Ok(NewerDocument::Unchanged),
            Err(error) if is_not_found(&error) => return Ok(NewerDocument::NotThere),
            Err(error) => return Err(not_fetched(error)),
        };
        let content = self.downloads.read(&file);
        let _ = self.downloads.remove_file(&file);
        Ok(NewerDocument::Came(content?, downloaded.validators))
    }

    /// A document that is JSON.
    ///
    /// # Errors
    /// As [`RegistryAccess::document`], and where it is none.
    pub fn json<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<Option<T>, MadeSpecError> {
        let Some(bytes) = self.document(url)? else { return Ok(None) };
        let read = serde_json::from_slice(&bytes);
        read.map(Some).map_err(|error| MadeSpecError::unreadable(&crate::fetch::without_login(url), error))
    }

    /// Files, in the store; those that are not there yet are fetched, several at once. With each, the checksum that it is known by.
    ///
    /// # Errors
    /// One of them can't be had.
    pub fn files(&self, files: &[RegistryFile]) -> Result<Vec<(Blob, Checksum)>, MadeSpecError> {
        let remote = |file: &RegistryFile| {
            let not_fetched =
                |source| MadeSpecError::NotFetched { wanted: format!("`{}`", file.name), source };
            Ok(RemoteFile {
                name: file.name.clone(),
                addresses: vec![elsewhere(&file.url).map_err(not_fetched)?],
                checksum: file.checksum.clone(),
                size: file.size,
                most: file.most,
            })
        };
        let wanted = files.iter().map(remote).collect::<Result<Vec<RemoteFile>, MadeSpecError>>()?;
        let fetched = self.tools.fetch_files(wanted).into_iter();
        let stored = fetched.map(|result| result.map(|stored| (stored.blob, stored.checksum)));
        stored.map(|result| result.map_err(not_fetched)).collect()
    }

    /// One file, as [`RegistryAccess::files`].
    ///
    /// # Errors
    /// It can't be had.
    pub fn file(&self, file: &RegistryFile) -> Result<(Blob, Checksum), MadeSpecError> {
        let found = self.files(std::slice::from_ref(file))?;
        found
            .into_iter()
            .next()
            .ok_or_else(|| MadeSpecError::NotStored { wanted: format!("`{}`", file.name) })
    }

    /// The file with this checksum, if the store has it.
    pub fn stored(&self, checksum: &Checksum) -> Option<Blob> {
        Some(self.store.fetched(checksum, self.tools.clock.now())?.blob)
    }

    /// Takes a file into the store that is made here.
    ///
    /// # Errors
    /// It can't be written.
    pub fn take_in_made(
        &self,
        write: impl FnOnce(&mut dyn io::Write) -> Result<(), MadeSpecError>,
    ) -> Result<Blob, MadeSpecError> {
        let name = file_name();
        let mut file = io::BufWriter::new(self.downloads.new_file(&name, 0o644)?);
        let made = write(&mut file).and_then(|()| Ok(io::Write::flush(&mut file)?));
        let taken = made.and_then(|()| Ok(self.store.take_in(self.downloads, Path::new(&name))?.0));
        let _ = self.downloads.remove_file(&name);
        taken
    }
}

/// What a file is called while it comes: nobody else has that name.
fn file_name() -> String {
    format!("registry-{}-{}", std::process::id(), FILES.fetch_add(1, Ordering::Relaxed))
}

fn is_not_found(error: &FetchError) -> bool {
    match error {
        FetchError::Status { status, .. } => status.starts_with("404") || status.starts_with("410"),
        FetchError::Local { source, .. } => source.kind() == io::ErrorKind::NotFound,
        _ => false,
    }
}

/// The address of a file that an index names: it has no say in which files of this machine are read.
fn elsewhere(url: &str) -> Result<Address, FetchError> {
    let address = Address::parse(url)?;
    match address.local_path() {
        None => Ok(address),
        Some(_) => Err(FetchError::Address {
            address: url.to_owned(),
            reason: "an index may not name a file of this machine".to_owned(),
        }),
    }
}

/// Why a file can't be had, as a spec's maker says it.
fn not_fetched(error: SourceError) -> MadeSpecError {
    match error {
        SourceError::Remote(error) => MadeSpecError::File(error),
        SourceError::Store(error) => error.into(),
        SourceError::Io(error) => error.into(),
        // Fetching knows no others.
        other => io::Error::other(other.to_string()).into(),
    }
}
