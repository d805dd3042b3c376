//! The files of trees: written once, linked into roots.

use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};

use cap_std::fs::{File, Permissions, PermissionsExt};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, futimens, linkat, openat, statat};
use rustix::io::Errno;

use super::limits::READ_WHOLE;
use super::{StoredFile, TreeEntry};
use crate::digest::Digest;
use crate::files::{Folder, change_times};
use crate::store::StoreError;

pub(super) const FILES: &str = "files";
pub(super) const INCOMING: &str = "incoming";

/// The files of all trees, and a place to write new ones.
pub(super) struct TreeFiles {
    files: Folder,
    incoming: Folder,
    /// In `incoming`, for these alone.
    own: String,
    number: std::sync::atomic::AtomicU64,
}

/// A file that is being written.
struct NewFile {
    file: File,
    path: PathBuf,
}

/// Why a file was not taken in.
#[derive(Debug)]
pub(super) enum TakeInError {
    /// Its content can't be read.
    Read(io::Error),
    /// It can't be written.
    Write(io::Error),
}

fn copy_hashed(
    from: &mut dyn Read,
    to: &mut impl Write,
    hasher: &mut blake3::Hasher,
) -> Result<(), TakeInError> {
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = match from.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read.map_err(TakeInError::Read)?,
        };
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else { return Ok(()) };
        hasher.update(chunk);
        to.write_all(chunk).map_err(TakeInError::Write)?;
    }
}

impl TreeFiles {
    pub fn open(trees: &Folder) -> Result<Self, StoreError> {
        let files = trees.create(FILES)?;
        if !files.is_folder("ff") {
            (0..=255).try_for_each(|number: u8| files.create(format!("{number:02x}")).map(drop))?;
        }
        let incoming = trees.create(INCOMING)?;
        incoming.spread_folders();
        let own = incoming.unique("")?;
        incoming.create(&own)?;
        Ok(Self { files, incoming, own, number: Default::default() })
    }

    /// Where something may lie until it counts.
    pub fn incoming(&self) -> &Folder {
        &self.incoming
    }

    /// Takes in what an entry holds, `size` bytes or fewer; gives what it is then. A file that is there already is not written again.
    pub fn take_in(
        &self,
        entry: &TreeEntry,
        size: u64,
        content: &mut dyn Read,
    ) -> Result<StoredFile, TakeInError> {
        let mut hasher = blake3::Hasher::new();
        let mut whole = Vec::with_capacity(usize::try_from(size.min(READ_WHOLE)).unwrap_or_default());
        let read = content.take(READ_WHOLE + 1).read_to_end(&mut whole).map_err(TakeInError::Read)?;
        hasher.update(&whole);
        let mut streamed = None;
        if read as u64 > READ_WHOLE {
            let mut new = self.begin().map_err(TakeInError::Write)?;
            new.file.write_all(&whole).map_err(TakeInError::Write)?;
            copy_hashed(content, &mut new.file, &mut hasher)?;
            streamed = Some(new);
        }
        let digest = Digest::finish(&hasher);
        let stored = StoredFile { size: hasher.count(), digest, name: entry.stored_name(&digest) };
        let written = match streamed {
            Some(new) => self.finish(new, entry, &stored.name),
            None if self.has(entry, &stored) => Ok(()),
            None => self.begin().and_then(|mut new| {
                new.file.write_all(&whole)?;
                self.finish(new, entry, &stored.name)
            }),
        };
        written.map(|()| stored).map_err(TakeInError::Write)
    }

    /// Whether a file is there as far as its size, permissions and time tell.
    pub fn has(&self, entry: &TreeEntry, file: &StoredFile) -> bool {
        is_as_listed(self.files.dir().as_fd(), &stored_path(&file.name), entry, file)
    }

    /// Whether a file is there, byte for byte.
    pub fn is_sound(&self, entry: &TreeEntry, file: &StoredFile) -> bool {
        let digest = || Digest::read_file(&self.files, stored_path(&file.name));
        self.has(entry, file) && digest().is_ok_and(|(digest, _)| digest == file.digest)
    }

    /// A new file, without its name.
    fn begin(&self) -> io::Result<NewFile> {
        let number = self.number.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = Path::new(&self.own).join(number.to_string());
        Ok(NewFile { file: self.incoming.new_file(&path, 0o600)?, path })
    }

    /// Gives a file its permissions, its time and its name.
    fn finish(&self, new: NewFile, entry: &TreeEntry, name: &Digest) -> io::Result<()> {
        set_metadata(&new.file, entry)?;
        self.incoming.dir().rename(&new.path, self.files.dir(), stored_path(name))
    }
}

impl Drop for TreeFiles {
    fn drop(&mut self) {
        // What is left here counts for nothing, and is collected.
        let _ = self.incoming.remove_folder(&self.own);
    }
}

/// The files of trees, to be linked into a root.
#[derive(Debug)]
pub struct LinkedFrom {
    files: Folder,
}

impl LinkedFrom {
    pub(super) fn open(trees: &Folder) -> io::Result<Self> {
        Ok(Self { files: trees.create(FILES)? })
    }

    /// Links a file of a tree to `name` in an open folder; where it can't be linked, it is copied.
    ///
    /// # Errors
    /// `NotFound` where the file is not in the store, or not what it was written as; else what went wrong.
    pub fn link(
        &self,
        entry: &TreeEntry,
        file: &StoredFile,
        folder: BorrowedFd<'_>,
        name: &[u8],
    ) -> io::Result<()> {
        let (files, path) = (self.files.dir().as_fd(), stored_path(&file.name));
        if !is_as_listed(files, &path, entry, file) {
            return Err(io::ErrorKind::NotFound.into());
        }
        match linkat(files, &path, folder, name, AtFlags::empty()) {
            // There are as many links as the file system can count, it has none, or another one is mounted there.
            Err(Errno::MLINK | Errno::XDEV | Errno::PERM | Errno::OPNOTSUPP | Errno::NOSYS) => {
                self.copy(entry, file, folder, name)
            }
            linked => Ok(linked?),
        }
    }

    /// Copies a file of a tree, sharing what it holds where the file system can.
    ///
    /// # Errors
    /// It can't be read or written.
    pub fn copy(
        &self,
        entry: &TreeEntry,
        file: &StoredFile,
        folder: BorrowedFd<'_>,
        name: &[u8],
    ) -> io::Result<()> {
        let mut source = self.files.open_regular(stored_path(&file.name))?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let copy = openat(folder, name, flags, Mode::RUSR | Mode::WUSR)?;
        let mut copy = File::from_std(copy.into());
        if rustix::fs::ioctl_ficlone(&copy, &source).is_err() {
            io::copy(&mut source, &mut copy)?;
        }
        set_metadata(&copy, entry)
    }
}

pub(super) fn stored_path(name: &Digest) -> PathBuf {
    let name = name.to_string();
    [name.get(..2).unwrap_or_default(), "/", &name].concat().into()
}

fn is_as_listed(files: BorrowedFd<'_>, path: &Path, entry: &TreeEntry, file: &StoredFile) -> bool {
    let Ok(status) = statat(files, path, AtFlags::SYMLINK_NOFOLLOW) else {
        return false;
    };
    FileType::from_raw_mode(status.st_mode).is_file()
        && status.st_mode & 0o7777 == entry.mode
        && u64::try_from(status.st_size) == Ok(file.size)
        && u64::try_from(status.st_mtime) == Ok(entry.modified)
}

/// Permissions after content: writing takes some of them away.
fn set_metadata(file: &File, entry: &TreeEntry) -> io::Result<()> {
    file.set_permissions(Permissions::from_mode(entry.mode))?;
    Ok(futimens(file, &change_times(entry.modified))?)
}
