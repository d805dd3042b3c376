//! A farm, written: folders, links to the store's files, symbolic links.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use bstr::{BStr, ByteSlice};
use rayon::prelude::*;
use rustix::fs::{AtFlags, Mode, OFlags, fchmod, futimens, mkdirat, openat, symlinkat, utimensat};

use crate::files::{Folder, change_times};
use crate::store::{EntryContent, EntryList, LinkedFrom, TreeEntry};

/// Why a farm wasn't written.
#[derive(Debug)]
pub(super) enum FillError {
    /// The store's file of this entry is missing or changed.
    Changed {
        /// Its number in the list.
        entry: usize,
    },
    /// Something can't be written.
    Io(io::Error),
}

impl From<io::Error> for FillError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<rustix::io::Errno> for FillError {
    fn from(error: rustix::io::Errno) -> Self {
        Self::Io(error.into())
    }
}

/// Writes all that is in a list into an empty folder.
pub(super) fn fill(files: &LinkedFrom, list: &EntryList, root: &Folder) -> Result<(), FillError> {
    let top = OpenFolder::build(&list.entries);
    let filling = Filling { files, entries: &list.entries };
    filling.fill(&top, open_folder(root.dir().as_fd(), b".")?.as_fd())
}

/// A folder of the list, with what is in it by numbers of entries.
#[derive(Default)]
struct OpenFolder {
    entry: Option<usize>,
    leaves: Vec<usize>,
    folders: Vec<OpenFolder>,
}

impl OpenFolder {
    /// The topmost folder of entries that are sorted by path.
    fn build(entries: &[TreeEntry]) -> Self {
        let mut numbers: hashbrown::HashMap<&[u8], usize> = hashbrown::HashMap::new();
        let mut folders: Vec<(Self, usize)> = vec![(Self::default(), 0)];
        for (number, entry) in entries.iter().enumerate() {
            let is_root = entry.path.is_empty();
            let parent = entry.path.rsplit_once_str("/").map_or(&b""[..], |(parent, _)| parent);
            let parent = numbers.get(parent).copied().unwrap_or(0);
            match (&entry.content, is_root) {
                (EntryContent::Folder, true) => {
                    numbers.insert(b"", 0);
                    folders[0].0.entry = Some(number);
                }
                (EntryContent::Folder, false) => {
                    numbers.insert(&entry.path, folders.len());
                    folders.push((Self { entry: Some(number), ..Self::default() }, parent));
                }
                (EntryContent::File(_) | EntryContent::Link(_), _) => folders[parent].0.leaves.push(number),
            }
        }
        // Folders come after those that they lie in: the last one has got all of its own.
        while folders.len() > 1 {
            if let Some((folder, parent)) = folders.pop() {
                folders[parent].0.folders.push(folder);
            }
        }
        folders.pop().map(|(top, _)| top).unwrap_or_default()
    }
}

struct Filling<'a> {
    files: &'a LinkedFrom,
    entries: &'a [TreeEntry],
}

impl Filling<'_> {
    fn fill(&self, folder: &OpenFolder, opened: BorrowedFd<'_>) -> Result<(), FillError> {
        folder.leaves.iter().try_for_each(|number| self.put_leaf(*number, opened))?;
        folder.folders.par_iter().with_max_len(1).try_for_each(|inner| self.make_folder(inner, opened))?;
        let Some(entry) = folder.entry.and_then(|number| self.entries.get(number)) else {
            return Ok(());
        };
        // At last: what was written into it has changed its time, and it may not be written to any more.
        fchmod(opened, Mode::from_raw_mode(entry.mode))?;
        Ok(futimens(opened, &change_times(entry.modified))?)
    }

    fn make_folder(&self, folder: &OpenFolder, parent: BorrowedFd<'_>) -> Result<(), FillError> {
        let Some(entry) = folder.entry.and_then(|number| self.entries.get(number)) else {
            return Ok(());
        };
        let name = name(entry).as_bytes();
        mkdirat(parent, name, Mode::RWXU)?;
        self.fill(folder, open_folder(parent, name)?.as_fd())
    }

    fn put_leaf(&self, number: usize, folder: BorrowedFd<'_>) -> Result<(), FillError> {
        let Some(entry) = self.entries.get(number) else { return Ok(()) };
        let name = name(entry).as_bytes();
        match &entry.content {
            EntryContent::Folder => Ok(()),
            EntryContent::Link(target) => {
                symlinkat(target.as_bytes(), folder, name)?;
                Ok(utimensat(folder, name, &change_times(entry.modified), AtFlags::SYMLINK_NOFOLLOW)?)
            }
            EntryContent::File(file) => match self.files.link(entry, file, folder, name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    Err(FillError::Changed { entry: number })
                }
                linked => Ok(linked?),
            },
        }
    }
}

fn open_folder(parent: BorrowedFd<'_>, name: &[u8]) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(parent, name, flags, Mode::empty())
}

fn name(entry: &TreeEntry) -> &BStr {
    entry.path.rsplit_once_str("/").map_or(entry.path.as_ref(), |(_, name)| name.as_bstr())
}
