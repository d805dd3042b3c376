//! A package, unpacked into the files of trees.

use std::collections::HashMap;
use std::io::{self, BufReader, Read};
use std::sync::Arc;

use super::file::{TakeInError, TreeFiles};
use super::file_digest::FileDigest;
use super::limits::{MOST_UNPACKED, READ_WHOLE};
use super::list_check::{check_link, check_path, sort_and_check};
use super::{EntryContent, EntryFault, Ownership, StoredFile, TreeEntry, TreeError};
use crate::digest::Digest;
use crate::package::{Headers, PackageFile, PayloadReader, read_headers_of};

const BUFFER: usize = 256 * 1024;

/// Unpacks a package; gives what is in it.
///
/// # Errors
/// It can't be read, or has a file that doesn't belong into a root.
pub(super) fn unpack_package(
    name: &str,
    reader: impl Read,
    files: &TreeFiles,
) -> Result<Vec<TreeEntry>, TreeError> {
    let mut reader = BufReader::with_capacity(BUFFER, reader);
    let headers = read_headers_of(name, &mut reader)?;
    let archive_error = |source| TreeError::Archive { origin: name.to_owned(), source };
    let mut payload = PayloadReader::open(&headers, reader).map_err(archive_error)?;
    let listed = payload.files().to_vec();
    let mut unpacking = Unpacking::begin(name, &headers, &listed, files)?;
    while let Some(archived) = payload.next_file().map_err(archive_error)? {
        unpacking.take(archived.index, archived.size, &mut payload.content())?;
    }
    unpacking.finish()
}

/// A package that is being unpacked.
struct Unpacking<'a> {
    name: &'a str,
    headers: &'a Headers,
    listed: &'a [PackageFile],
    files: &'a TreeFiles,
    /// By the numbers of the header; none for what the package only speaks of.
    entries: Vec<Option<TreeEntry>>,
    /// For each file the first of all that are hard links to it; most are their own first.
    firsts: Vec<usize>,
    /// The content of files, by the first of all hard links.
    stored: HashMap<usize, StoredFile>,
}

impl<'a> Unpacking<'a> {
    /// Checks all that the header says before anything is written.
    fn begin(
        name: &'a str,
        headers: &'a Headers,
        listed: &'a [PackageFile],
        files: &'a TreeFiles,
    ) -> Result<Self, TreeError> {
        let mut ownerships = HashMap::new();
        let mut entries = Vec::with_capacity(listed.len());
        for file in listed {
            let entry = entry(file, &mut ownerships);
            entries.push(entry.map_err(|fault| TreeError::refused(name, &file.path, fault))?);
        }
        let mut sorted: Vec<TreeEntry> = entries.iter().flatten().cloned().collect();
        sort_and_check(&mut sorted).map_err(|(path, fault)| {
            let path = [b"/".as_slice(), &path].concat();
            TreeError::refused(name, &path, fault)
        })?;
        let firsts = first_links(listed);
        let unpacking = Self { name, headers, listed, files, entries, firsts, stored: HashMap::new() };
        unpacking.check_sizes()?;
        Ok(unpacking)
    }

    fn check_sizes(&self) -> Result<(), TreeError> {
        let mut sum = 0_u64;
        for (index, file) in self.listed.iter().enumerate() {
            if self.is_first_file(index) {
                sum = sum.saturating_add(file.size);
            }
            if sum > MOST_UNPACKED {
                return Err(self.refused(index, EntryFault::TooMuch(MOST_UNPACKED)));
            }
        }
        Ok(())
    }

    fn is_first_file(&self, index: usize) -> bool {
        self.listed.get(index).is_some_and(|file| file.is_regular() && !file.is_ghost())
            && self.firsts.get(index) == Some(&index)
    }

    /// Takes what the archive has of a file.
    fn take(&mut self, index: usize, size: u64, content: &mut impl Read) -> Result<(), TreeError> {
        let (Some(file), Some(Some(entry))) = (self.listed.get(index), self.entries.get(index)) else {
            return Ok(());
        };
        match &entry.content {
            EntryContent::Folder => Ok(()),
            EntryContent::Link(target) => {
                let mut archived = Vec::new();
                let read = content.take(size.min(READ_WHOLE)).read_to_end(&mut archived);
                read.map_err(|error| self.unreadable(error))?;
                let is_listed = archived == **target;
                if is_listed { Ok(()) } else { Err(self.refused(index, EntryFault::Link)) }
            }
            EntryContent::File(_) => {
                let first = self.firsts.get(index).copied().unwrap_or(index);
                self.check_hard_link(index, first)?;
                // The content comes with another of its names.
                if size == 0 && file.size > 0 && self.has_other_names(first) {
                    return Ok(());
                }
                if size != file.size {
                    return Err(self.refused(index, EntryFault::Size { listed: file.size, archived: size }));
                }
                let stored = self.store(index, first, content)?;
                self.stored.insert(first, stored);
                Ok(())
            }
        }
    }

    /// Whether all that is said of two names of a file is the same.
    fn check_hard_link(&self, index: usize, first: usize) -> Result<(), TreeError> {
        let (Some(one), Some(other)) = (self.listed.get(index), self.listed.get(first)) else {
            return Ok(());
        };
        // The colour is what was found behind one of its names.
        // Rpm works the color out for one of the names.
        let (path, flags, color) = (other.path.clone(), other.flags, other.color);
        let renamed = PackageFile { path, flags, color, ..one.clone() };
        if renamed == *other {
            return Ok(());
        }
        Err(self.refused(index, EntryFault::HardLink(other.path.to_string().escape_debug().to_string())))
    }

    fn has_other_names(&self, first: usize) -> bool {
        self.firsts.iter().filter(|other| **other == first).nth(1).is_some()
    }

    fn store(&self, index: usize, first: usize, content: &mut impl Read) -> Result<StoredFile, TreeError> {
        let (Some(file), Some(Some(entry))) = (self.listed.get(index), self.entries.get(first)) else {
            return Err(self.refused(index, EntryFault::Missing));
        };
        let check = FileDigest::new(&self.headers.header, &file.digest);
        let mut check = check.map_err(|kind| self.refused(index, EntryFault::DigestKind(kind)))?;
        let mut checked = CheckedContent { content, check: check.as_mut() };
        let stored = self.files.take_in(entry, file.size, &mut checked).map_err(|error| match error {
            TakeInError::Read(error) => self.unreadable(error),
            TakeInError::Write(error) => error.into(),
        })?;
        if stored.size != file.size {
            return Err(self.unreadable(io::ErrorKind::UnexpectedEof.into()));
        }
        match check.is_none_or(FileDigest::ends_as_listed) {
            true => Ok(stored),
            false => Err(self.refused(index, EntryFault::Digest)),
        }
    }

    /// All that is in the package, sorted, if its archive had all of it.
    fn finish(mut self) -> Result<Vec<TreeEntry>, TreeError> {
        for index in 0..self.entries.len() {
            let first = self.firsts.get(index).copied().unwrap_or(index);
            let stored = self.stored.get(&first).copied();
            let Some(Some(entry)) = self.entries.get_mut(index) else { continue };
            if !matches!(entry.content, EntryContent::File(_)) {
                continue;
            }
            match stored {
                Some(stored) => entry.content = EntryContent::File(stored),
                None => return Err(self.refused(index, EntryFault::Missing)),
            }
        }
        let mut entries: Vec<TreeEntry> = self.entries.into_iter().flatten().collect();
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    fn refused(&self, index: usize, fault: EntryFault) -> TreeError {
        let path = self.listed.get(index).map(|file| file.path.as_slice());
        TreeError::refused(self.name, path.unwrap_or_default(), fault)
    }

    fn unreadable(&self, error: io::Error) -> TreeError {
        TreeError::Archive { origin: self.name.to_owned(), source: error.into() }
    }
}

/// What a file of a package is in a tree; nothing for what the package only speaks of.
fn entry(
    file: &PackageFile,
    ownerships: &mut HashMap<Ownership, Arc<Ownership>>,
) -> Result<Option<TreeEntry>, EntryFault> {
    let path = check_path(&file.path)?;
    if file.is_ghost() {
        return Ok(None);
    }
    let content = if file.is_folder() {
        EntryContent::Folder
    } else if file.is_link() {
        check_link(&file.link)?;
        EntryContent::Link(file.link.clone())
    } else if file.is_regular() {
        let nothing = Digest::compute(b"");
        EntryContent::File(StoredFile { size: file.size, digest: nothing, name: nothing })
    } else {
        return Err(EntryFault::Special(special_kind(file.mode)));
    };
    let ownership = Ownership {
        owner: file.owner.clone(),
        group: file.group.clone(),
        capabilities: file.capabilities.clone(),
    };
    let ownership = ownerships.entry(ownership).or_insert_with_key(|key| Arc::new(key.clone()));
    Ok(Some(TreeEntry {
        path,
        mode: file.mode & 0o7777,
        ownership: Arc::clone(ownership),
        modified: file.modified,
        color: u8::try_from(file.color & 0xff).unwrap_or_default(),
        content,
    }))
}

pub(super) fn special_kind(mode: u32) -> &'static str {
    match mode & 0o170_000 {
        0o020_000 | 0o060_000 => "device",
        0o010_000 => "pipe",
        0o140_000 => "socket",
        _ => "file of an unknown kind",
    }
}

/// For each file the first of all names of it, by their paths: files that are there with the same device and inode are one.
fn first_links(listed: &[PackageFile]) -> Vec<usize> {
    let mut firsts: HashMap<(u64, u64), usize> = HashMap::new();
    let is_there = |file: &PackageFile| file.is_regular() && !file.is_ghost();
    let path = |index: usize| listed.get(index).map(|file| &file.path);
    for (index, file) in listed.iter().enumerate().filter(|(_, file)| is_there(file)) {
        let first = firsts.entry(file.inode).or_insert(index);
        if path(index) < path(*first) {
            *first = index;
        }
    }
    let first = |(index, file): (usize, &PackageFile)| match is_there(file) {
        true => firsts.get(&file.inode).copied().unwrap_or(index),
        false => index,
    };
    listed.iter().enumerate().map(first).collect()
}

/// Content that goes by its check.
struct CheckedContent<'a, R> {
    content: &'a mut R,
    check: Option<&'a mut FileDigest>,
}

impl<R: Read> Read for CheckedContent<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        if let Some(check) = &mut self.check {
            check.update(buffer.get(..read).unwrap_or_default());
        }
        Ok(read)
    }
}
