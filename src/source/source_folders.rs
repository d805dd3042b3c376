//! Where sources lie that are not files of the project, once for each: source packages unpacked, what was fetched, what was
//! made.
//!
//! `DIGEST/files/` holds the files of what has that digest (a source package, or what it was made from), and `DIGEST/record`
//! what they were when they had been written: a line with the digest of the rest, then JSON. Files are believed while their
//! sizes, modes and times are those of the record, or else by their digests; where anything differs, all is made again.
//!
//! Whoever reads below this folder shares the lock in it; whoever removes what is no longer needed holds it alone. So what
//! stands beside the folders while the lock is held alone was left by a process that was ended.

use std::collections::BTreeSet;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cap_std::fs::{Metadata, MetadataExt};
use rustix::fs::{RenameFlags, renameat_with};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::SourceError;
use super::source_package::list_files;
use crate::digest::Digest;
use crate::files::{EntryKind, Folder, Lock, LockKind, is_temporary};
use crate::package::{PackageError, read_headers, unpack_at_most};

const FILES: &str = "files";
const RECORD: &str = "record";
const LOCK: &str = "lock";

/// The folder of such sources, in use by this process. See the [module](self).
#[derive(Debug)]
pub struct SourceFolders {
    folder: Folder,
    /// What was asked for.
    used: Mutex<BTreeSet<String>>,
    lock: Lock,
}

/// A folder that something is made in, which goes when this is dropped. What a process leaves that was killed goes with
/// [`SourceFolders::collect_unused`].
pub(super) struct WorkFolder {
    parent: Folder,
    name: PathBuf,
    /// The folder.
    pub folder: Folder,
}

impl Drop for WorkFolder {
    fn drop(&mut self) {
        // What is left goes another time.
        let _ = remove(&self.parent, &self.name);
    }
}

/// A source package that is to be unpacked.
struct PackedFile<'a> {
    /// The folder from which it can be reached.
    root: &'a Folder,
    /// Its path from there.
    path: &'a Path,
    /// What it is called in messages.
    shown: &'a str,
    /// Its size.
    bytes: u64,
}

/// What a folder holds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FolderRecord {
    spec: String,
    files: Vec<RecordedFile>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RecordedFile {
    name: String,
    digest: Digest,
    stamp: Stamp,
}

/// What tells without reading it that a file has not changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    mode: u32,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl SourceFolders {
    /// Takes the folder into use, once nobody removes anything from it.
    ///
    /// # Errors
    /// The folder can't be used.
    pub fn open(folder: Folder) -> Result<Self, SourceError> {
        let lock = Lock::wait(&folder, LOCK, LockKind::Shared)?;
        Ok(Self { folder, used: Mutex::default(), lock })
    }

    /// An empty folder of one's own to make sources in.
    ///
    /// # Errors
    /// It can't be made.
    pub(super) fn make_work_folder(&self) -> io::Result<WorkFolder> {
        let name = self.folder.temporary(Path::new("work"));
        let folder = self.folder.create(&name)?.without_sync();
        Ok(WorkFolder { parent: self.folder.again()?, name, folder })
    }

    /// The files of a source package, and the name of its spec among them.
    pub(super) fn unpack_once(
        &self,
        root: &Folder,
        path: &Path,
        shown: &str,
    ) -> Result<(Folder, String), SourceError> {
        let (digest, packed_bytes) = Digest::read_file(root, path)?;
        let packed = PackedFile { root, path, shown, bytes: packed_bytes };
        self.make_once(digest, |files| {
            let spec = unpack(&packed, files)?;
            if Digest::read_file(root, path)?.0 != digest {
                return Err(SourceError::Changed { file: shown.to_owned() });
            }
            Ok(spec)
        })
    }

    /// The folder of what `digest` names, and the name of the spec in it: as it was made before, or made now by `fill`, which
    /// writes the files into an empty folder and gives the name of the spec among them.
    ///
    /// # Errors
    /// What `fill` says, and that the folder can't be written; nothing is kept then.
    pub fn make_once(
        &self,
        digest: Digest,
        fill: impl FnOnce(&Folder) -> Result<String, SourceError>,
    ) -> Result<(Folder, String), SourceError> {
        let name = digest.to_string();
        self.used.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
        if let Some(record) = self.read_valid_record(&name) {
            return Ok((self.folder.folder(Path::new(&name).join(FILES))?, record.spec));
        }
        let temporary = self.folder.temporary(Path::new(&name));
        let made = self.make(&temporary, fill).and_then(|record| {
            self.put_in_place(&temporary, &name)?;
            Ok(record)
        });
        // What has this name now is half of it, or what stood in its place before.
        let removed = remove(&self.folder, &temporary);
        let record = made?;
        removed?;
        Ok((self.folder.folder(Path::new(&name).join(FILES))?, record.spec))
    }

    fn make(
        &self,
        temporary: &Path,
        fill: impl FnOnce(&Folder) -> Result<String, SourceError>,
    ) -> Result<FolderRecord, SourceError> {
        let folder = self.folder.create(temporary)?;
        let files = folder.create(FILES)?;
        let spec = fill(&files)?;
        let record = FolderRecord::write_down(&files, spec)?;
        record.write(&folder)?;
        Ok(record)
    }

    /// The record of what was made, if it is all there as it was.
    fn read_valid_record(&self, name: &str) -> Option<FolderRecord> {
        let folder = self.folder.folder(name).ok()?;
        let mut record = FolderRecord::read(&folder)?;
        let files = folder.folder(FILES).ok()?;
        if record.names() != names(&files).ok()? {
            return None;
        }
        let mut has_other_stamps = false;
        for file in &mut record.files {
            let stamp = Stamp::read(&files, &file.name).ok()?;
            if stamp == file.stamp {
                continue;
            }
            let is_same = stamp.mode == file.stamp.mode
                && stamp.size == file.stamp.size
                && Digest::read_file(&files, &file.name).ok()?.0 == file.digest;
            if !is_same {
                return None;
            }
            file.stamp = stamp;
            has_other_stamps = true;
        }
        if has_other_stamps {
            // Where that fails, the files are read once more the next time.
            let _ = record.write(&folder);
        }
        Some(record)
    }

    /// Makes `temporary` what `name` stands for, in one step; what stood there gets the name `temporary`.
    fn put_in_place(&self, temporary: &Path, name: &str) -> io::Result<()> {
        let dir = self.folder.dir();
        match renameat_with(dir, temporary, dir, name, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST | Errno::NOTEMPTY) => {}
            // Not every file system knows of flags.
            Err(Errno::INVAL | Errno::NOSYS) if !self.folder.exists(name) => {
                return dir.rename(temporary, dir, name);
            }
            Err(Errno::INVAL | Errno::NOSYS) => {}
            renamed => return Ok(renamed?),
        }
        if self.read_valid_record(name).is_some() {
            // Another forge that reads the same package was first.
            return Ok(());
        }
        match renameat_with(dir, temporary, dir, name, RenameFlags::EXCHANGE) {
            Err(Errno::INVAL | Errno::NOSYS) => {
                remove(&self.folder, Path::new(name))?;
                dir.rename(temporary, dir, name)
            }
            exchanged => Ok(exchanged?),
        }
    }

    /// Removes every folder that this process was not asked for, and what ended processes have left, unless another
    /// process is using the folder: then a later one will do it. Gives how many were removed.
    ///
    /// # Errors
    /// Something can't be removed.
    pub fn collect_unused(self) -> Result<usize, SourceError> {
        let Self { folder, used, lock } = self;
        drop(lock);
        remove_all_but(&folder, &used.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// As [`SourceFolders::collect_unused`], where those of `packages` are still needed as well.
    ///
    /// # Errors
    /// Something can't be removed.
    pub fn collect_all_but(self, packages: &BTreeSet<Digest>) -> Result<usize, SourceError> {
        let names = packages.iter().map(Digest::to_string);
        self.used.lock().unwrap_or_else(PoisonError::into_inner).extend(names);
        self.collect_unused()
    }
}

/// Unpacks a source package; gives the name of its spec.
fn unpack(packed: &PackedFile<'_>, files: &Folder) -> Result<String, SourceError> {
    let PackedFile { root, path, shown, bytes } = *packed;
    let open = || root.open(path).map(|file| BufReader::new(file.into_std()));
    let headers = read_headers(&mut open()?)
        .map_err(|source| PackageError::Header { file: shown.to_owned(), source })?;
    let listing = list_files(shown, &headers.header, bytes)?;
    unpack_at_most(shown, open()?, files, listing.bytes)?;
    if files.file_size(&listing.spec).is_none() {
        return Err(SourceError::NoSpec { file: shown.to_owned() });
    }
    Ok(listing.spec)
}

fn remove_all_but(folder: &Folder, kept: &BTreeSet<String>) -> Result<usize, SourceError> {
    let is_ours = |name: &String| name.parse::<Digest>().is_ok() || is_temporary(Path::new(name));
    let names = names(folder)?.into_iter();
    let unused: Vec<String> = names.filter(|name| is_ours(name) && !kept.contains(name)).collect();
    if unused.is_empty() {
        return Ok(0);
    }
    let Ok(_alone) = Lock::take(folder, LOCK, LockKind::Exclusive)? else {
        return Ok(0);
    };
    unused.iter().try_for_each(|name| remove(folder, Path::new(name)))?;
    Ok(unused.len())
}

/// Removes a file or a folder with all that is in it, if it is there.
fn remove(folder: &Folder, path: &Path) -> io::Result<()> {
    match folder.dir().symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => folder.remove_folder(path),
        Ok(_) => folder.remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn names(folder: &Folder) -> io::Result<BTreeSet<String>> {
    let entries = folder.dir().entries()?;
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}

impl Stamp {
    fn read(folder: &Folder, name: &str) -> io::Result<Self> {
        let metadata: Metadata = folder.dir().symlink_metadata(name)?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(Self {
            size: metadata.size(),
            mode: metadata.mode(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

impl FolderRecord {
    /// What the files of a folder are, once they are safe on the disk.
    fn write_down(folder: &Folder, spec: String) -> io::Result<Self> {
        let mut files = Vec::new();
        for entry in folder.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::File) {
            let file = folder.open(&entry.name)?;
            file.sync_all()?;
            let (digest, _) = Digest::read_from(file)?;
            let stamp = Stamp::read(folder, &entry.name)?;
            files.push(RecordedFile { name: entry.name, digest, stamp });
        }
        Ok(Self { spec, files })
    }

    fn names(&self) -> BTreeSet<String> {
        self.files.iter().map(|file| file.name.clone()).collect()
    }

    fn read(folder: &Folder) -> Option<Self> {
        let text = folder.read_text(RECORD).ok()?;
        let (digest, json) = text.split_once('\n')?;
        (digest == Digest::compute(json.as_bytes()).to_string()).then(|| serde_json::from_str(json).ok())?
    }

    fn write(&self, folder: &Folder) -> io::Result<()> {
        let json = serde_json::to_string(self).map_err(io::Error::other)?;
        let text = format!("{}\n{json}", Digest::compute(json.as_bytes()));
        folder.write_atomic(RECORD, text.as_bytes())
    }
}
