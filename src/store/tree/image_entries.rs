//! What is read of an image, and what is not let in.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;

use bstr::BString;

use super::file::{TakeInError, TreeFiles};
use super::limits::MOST_UNPACKED;
use super::list_check::{check_link, check_relative_path, sort_and_check};
use super::{EntryContent, EntryFault, Ownership, StoredFile, TreeEntry, TreeError};
use crate::digest::Digest;

/// What was read of an image so far.
pub(super) struct ImageEntries<'f> {
    /// The image, for errors.
    pub origin: String,
    files: &'f TreeFiles,
    entries: BTreeMap<BString, TreeEntry>,
    bytes: u64,
}

/// What is said of something in an image.
#[derive(Clone, Copy)]
pub(super) struct ImageMetadata {
    pub mode: u32,
    pub user: u64,
    pub group: u64,
    pub modified: u64,
}

impl<'f> ImageEntries<'f> {
    pub fn new(origin: String, files: &'f TreeFiles) -> Self {
        Self { origin, files, entries: BTreeMap::new(), bytes: 0 }
    }

    /// The path that an image has something at, from one that may begin with `./` and end with `/`.
    pub fn path(&self, written: &[u8]) -> Result<BString, TreeError> {
        if written.starts_with(b"/") {
            return Err(self.refused(written, EntryFault::OddPart(String::new())));
        }
        let path = written.strip_prefix(b"./").unwrap_or(written);
        let path = path.strip_suffix(b"/").unwrap_or(path);
        let path = if path == b"." { b"" } else { path };
        check_relative_path(path).map_err(|fault| self.refused(written, fault))
    }

    pub fn add_folder(&mut self, path: BString, metadata: ImageMetadata) -> Result<(), TreeError> {
        self.put(entry(path, metadata, EntryContent::Folder))
    }

    pub fn add_link(
        &mut self,
        path: BString,
        metadata: ImageMetadata,
        target: &[u8],
    ) -> Result<(), TreeError> {
        check_link(target).map_err(|fault| self.refused(&path, fault))?;
        self.put(entry(path, metadata, EntryContent::Link(target.into())))
    }

    pub fn add_file(
        &mut self,
        path: BString,
        metadata: ImageMetadata,
        content: &mut dyn Read,
    ) -> Result<(), TreeError> {
        let nothing = Digest::compute(b"");
        let placeholder = StoredFile { size: 0, digest: nothing, name: nothing };
        let mut entry = entry(path, metadata, EntryContent::File(placeholder));
        let left = MOST_UNPACKED.saturating_sub(self.bytes);
        let mut content = content.take(left.saturating_add(1));
        let stored = self.files.take_in(&entry, 0, &mut content).map_err(|error| match error {
            TakeInError::Read(error) => self.unreadable(error),
            TakeInError::Write(error) => error.into(),
        })?;
        if stored.size > left {
            return Err(self.refused(&entry.path, EntryFault::TooMuch(MOST_UNPACKED)));
        }
        self.bytes = self.bytes.saturating_add(stored.size);
        entry.content = EntryContent::File(stored);
        self.put(entry)
    }

    /// Adds another name of a file that was read before.
    pub fn add_hard_link(&mut self, path: BString, target: &BString) -> Result<(), TreeError> {
        let known = self.entries.get(target).filter(|entry| entry.stored().is_some());
        let shown = || target.to_string().escape_debug().to_string();
        let known = known.ok_or_else(|| self.refused(&path, EntryFault::LinkedToNothing(shown())))?;
        self.put(TreeEntry { path, ..known.clone() })
    }

    /// Whether a device may be left out: roots have those that forge gives them.
    pub fn check_special(&self, path: &BString, kind: &'static str) -> Result<(), TreeError> {
        match path.starts_with(b"dev/") {
            true => Ok(()),
            false => Err(self.refused(path, EntryFault::Special(kind))),
        }
    }

    /// Takes away what is at a path, and all below it.
    pub fn remove(&mut self, path: &BString) {
        self.entries.remove(path);
        self.remove_below(path);
    }

    /// Takes away all that is below a folder.
    pub fn remove_below(&mut self, path: &BString) {
        let prefix = if path.is_empty() { Vec::new() } else { [path.as_slice(), b"/"].concat() };
        self.entries.retain(|other, _| other.is_empty() || !other.starts_with(&prefix));
    }

    /// What was read so far, for an upper layer to be read over it.
    pub fn take_lower(&mut self) -> BTreeMap<BString, TreeEntry> {
        std::mem::take(&mut self.entries)
    }

    /// Lays what was read since over what was read before. Where one of both is no folder, the upper one replaces the lower one.
    pub fn lay_over(&mut self, lower: BTreeMap<BString, TreeEntry>) {
        let upper = std::mem::replace(&mut self.entries, lower);
        for (path, entry) in upper {
            let is_folder = |entry: &TreeEntry| entry.content == EntryContent::Folder;
            if self.entries.get(&path).is_some_and(|lower| is_folder(lower) != is_folder(&entry)) {
                self.remove(&path);
            }
            self.entries.insert(path, entry);
        }
    }

    /// A file of a lower layer that hard links of an upper one may be to.
    pub fn lend(&mut self, lower: &BTreeMap<BString, TreeEntry>, path: &BString) {
        if let Some(entry) = lower.get(path).filter(|_| !self.entries.contains_key(path)) {
            self.entries.insert(path.clone(), entry.clone());
        }
    }

    fn put(&mut self, entry: TreeEntry) -> Result<(), TreeError> {
        match self.entries.get(&entry.path) {
            // Some programs write a folder twice.
            Some(there) if there.content != entry.content => {
                Err(self.refused(&entry.path, EntryFault::Twice))
            }
            Some(_) | None => {
                self.entries.insert(entry.path.clone(), entry);
                Ok(())
            }
        }
    }

    /// All that was read, sorted, if it makes sense together.
    pub fn finish(self) -> Result<Vec<TreeEntry>, TreeError> {
        let mut entries: Vec<TreeEntry> = self.entries.into_values().collect();
        sort_and_check(&mut entries)
            .map_err(|(path, fault)| TreeError::refused(&self.origin, &path, fault))?;
        Ok(entries)
    }

    pub fn refused(&self, path: &[u8], fault: EntryFault) -> TreeError {
        TreeError::refused(&self.origin, path, fault)
    }

    pub fn unreadable(&self, error: io::Error) -> TreeError {
        TreeError::Image { origin: self.origin.clone(), reason: crate::files::reason(&error) }
    }

    pub fn damaged(&self, reason: impl Into<String>) -> TreeError {
        TreeError::Image { origin: self.origin.clone(), reason: reason.into() }
    }
}

fn entry(path: BString, metadata: ImageMetadata, content: EntryContent) -> TreeEntry {
    let ImageMetadata { mode, user, group, modified } = metadata;
    let ownership = Ownership { owner: name(user), group: name(group), capabilities: BString::default() };
    TreeEntry { path, mode: mode & 0o7777, ownership: Arc::new(ownership), modified, color: 0, content }
}

/// Images know users by numbers, of which only root's means the same everywhere.
fn name(number: u64) -> BString {
    if number == 0 { "root".into() } else { number.to_string().into() }
}
