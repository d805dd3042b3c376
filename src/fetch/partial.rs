//! A file while it comes.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cap_std::fs::{File, OpenOptions};

use super::FetchError;
use super::address::Address;
use super::download::{Download, Validators};
use super::progress::Counter;
use crate::digest::{Checksum, ChecksumAlgorithm, ChecksumHasher, Digest};
use crate::files::{Folder, Lock, LockKind};

/// What has come of a file so far.
///
/// A file whose checksum is known is `CHECKSUM.part` until it is whole, and beside it `CHECKSUM.part-of` says which server's
/// version of the file that is: another run goes on with it, whatever it calls the file in the end. Where another forge is at
/// it, and for all other files, it is a temporary file that goes with this value.
pub(super) struct Partial {
    folder: Arc<Folder>,
    path: PathBuf,
    counter: Arc<Counter>,
    /// Held while it is the part that a later run may go on with.
    lock: Option<Lock>,
    file: File,
    received: u64,
    hashers: Vec<ChecksumHasher>,
    algorithms: Vec<ChecksumAlgorithm>,
    version: Option<FileVersion>,
    is_finished: bool,
}

/// Which server's version of a file it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileVersion {
    /// Of the address, which may hold a password.
    address: Digest,
    etag: String,
}

impl FileVersion {
    fn new(address: &Address, validators: &Validators) -> Option<Self> {
        let etag = validators.strong()?.to_owned();
        Some(Self { address: digest_address(address), etag })
    }

    fn parse(text: &str) -> Option<Self> {
        let (address, etag) = text.split_once('\n')?;
        Some(Self { address: address.parse().ok()?, etag: etag.to_owned() })
    }
}

fn digest_address(address: &Address) -> Digest {
    Digest::compute(address.url().as_str().as_bytes())
}

/// How much is read of `CHECKSUM.part-of`.
const LONGEST_VERSION: u64 = 4096;

impl Partial {
    /// Begins a file, or goes on with what an earlier run has left of it.
    pub fn open(folder: Arc<Folder>, download: &Download, counter: Arc<Counter>) -> io::Result<Self> {
        let mut algorithms: Vec<_> = download.checksums.iter().map(Checksum::algorithm).collect();
        algorithms.sort_unstable();
        algorithms.dedup();
        let part =
            download.checksums.first().map(|checksum| checksum.to_string().replace(':', "-") + ".part");
        let lock = match &part {
            None => None,
            Some(part) => Lock::take(&folder, part, LockKind::Exclusive)?.ok(),
        };
        let path = match part {
            Some(part) if lock.is_some() => PathBuf::from(part),
            _ => folder.temporary(Path::new(&download.file)),
        };
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true);
        let file = folder.dir().open_with(&path, &options)?;
        let hashers = new_hashers(&algorithms);
        let is_finished = false;
        let mut partial = Self {
            folder,
            path,
            counter,
            lock,
            file,
            received: 0,
            hashers,
            algorithms,
            version: None,
            is_finished,
        };
        partial.take_up(download.limit())?;
        Ok(partial)
    }

    /// Takes what is there for what has come, if it is known what it is of.
    fn take_up(&mut self, limit: u64) -> io::Result<()> {
        let version = match &self.lock {
            Some(_) => self.folder.read_text_up_to(self.version_path(), LONGEST_VERSION).ok(),
            None => None,
        };
        let size = self.file.metadata()?.len();
        self.version = version.as_deref().and_then(FileVersion::parse).filter(|_| size > 0 && size < limit);
        if self.version.is_none() {
            return self.empty();
        }
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = self.file.read(&mut buffer)?;
            let chunk = buffer.get(..read).unwrap_or_default();
            if chunk.is_empty() {
                return Ok(());
            }
            self.note(chunk);
        }
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The tag of the version that the rest must be of, if it is to come from `address`.
    pub fn etag_to_go_on(&self, address: &Address) -> Option<&str> {
        let version = self.version.as_ref().filter(|_| self.received > 0)?;
        (version.address == digest_address(address)).then_some(version.etag.as_str())
    }

    /// Begins it again, from a server that says this of it.
    pub fn restart(&mut self, address: &Address, validators: &Validators) -> io::Result<()> {
        self.empty()?;
        self.version = FileVersion::new(address, validators);
        match (&self.version, &self.lock) {
            (Some(FileVersion { address, etag }), Some(_)) => {
                self.folder.write_atomic(self.version_path(), format!("{address}\n{etag}").as_bytes())
            }
            _ => self.folder.remove_file(self.version_path()),
        }
    }

    /// Forgets all that has come.
    pub fn empty(&mut self) -> io::Result<()> {
        self.counter.take_back(self.received);
        self.received = 0;
        self.version = None;
        self.hashers = new_hashers(&self.algorithms);
        self.file.set_len(0)?;
        io::Seek::rewind(&mut self.file)
    }

    /// Takes in what came.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.note(bytes);
        Ok(())
    }

    fn note(&mut self, bytes: &[u8]) {
        self.hashers.iter_mut().for_each(|hasher| hasher.update(bytes));
        self.received = self.received.saturating_add(bytes.len() as u64);
        self.counter.add(bytes.len() as u64);
    }

    /// Whether all that came is what was said of the file.
    pub fn check(&self, download: &Download, address: &Address) -> Result<(), FetchError> {
        let address = || address.to_string();
        if let Some(expected) = download.size.filter(|size| *size != self.received) {
            return Err(FetchError::Length { address: address(), expected, found: self.received });
        }
        let found: Vec<Checksum> = self.hashers.iter().cloned().map(ChecksumHasher::finish).collect();
        let Some(expected) = download.checksums.first() else { return Ok(()) };
        if download.checksums.iter().any(|expected| found.contains(expected)) {
            return Ok(());
        }
        let is_same = |found: &&Checksum| found.algorithm() == expected.algorithm();
        let found = found.iter().find(is_same).unwrap_or(expected).clone();
        let (expected, found) = (Box::new(expected.clone()), Box::new(found));
        Err(FetchError::WrongChecksum { address: address(), expected, found })
    }

    /// Gives it its name.
    pub fn finish(mut self, file: &str) -> io::Result<()> {
        let dir = self.folder.dir();
        dir.rename(&self.path, dir, file)?;
        self.is_finished = true;
        match self.lock {
            Some(_) => self.folder.remove_file(self.version_path()),
            None => Ok(()),
        }
    }

    fn version_path(&self) -> PathBuf {
        let mut path = self.path.clone().into_os_string();
        path.push("-of");
        path.into()
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        let is_of_use = self.lock.is_some() && self.version.is_some() && self.received > 0;
        if !self.is_finished && !is_of_use {
            // What is left here is begun anew by whoever wants it next.
            let _ = self.folder.remove_file(&self.path);
            let _ = self.folder.remove_file(self.version_path());
        }
    }
}

fn new_hashers(algorithms: &[ChecksumAlgorithm]) -> Vec<ChecksumHasher> {
    algorithms.iter().copied().map(ChecksumHasher::new).collect()
}
