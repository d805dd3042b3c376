//! A root's files, with its links followed as its own programs follow them.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::{Metadata, MetadataExt};

use super::file_digests::Stamp;
use crate::files::{Entry, EntryKind, Folder, HostPath, Tree};

/// A root that is looked at.
pub(super) struct View {
    pub folder: Folder,
    pub tree: Tree,
}

/// A file that counts for a root's identity.
#[derive(Debug)]
pub(super) struct Found {
    /// Its path, as people call it: `/usr/bin/cc`.
    pub name: String,
    /// Where that leads, without links, from the root.
    pub path: PathBuf,
    /// Its size, times and number.
    pub stamp: Stamp,
    /// Whether anybody may run it.
    pub is_program: bool,
}

impl View {
    pub fn open(path: &HostPath) -> io::Result<Self> {
        Ok(Self { folder: Folder::open_ambient(path)?, tree: Tree::open(path)? })
    }

    /// The regular file that a path leads to.
    pub fn file(&self, name: &str) -> Option<Found> {
        let path = self.tree.resolve(Path::new(name)).ok()?;
        let metadata = self.folder.dir().symlink_metadata(&path).ok()?;
        found(name.to_owned(), path, &metadata)
    }

    /// The regular files of a folder and what its links lead to, without what lies in folders below it.
    pub fn files(&self, folder: &str) -> io::Result<Vec<Found>> {
        let Some((opened, path)) = self.folder(folder) else {
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        for entry in opened.entries()? {
            let name = format!("{folder}/{}", entry.name);
            match entry.kind {
                EntryKind::File => {
                    let metadata = opened.dir().symlink_metadata(&entry.name)?;
                    files.extend(found(name, path.join(&entry.name), &metadata));
                }
                EntryKind::Other => files.extend(self.file(&name)),
                EntryKind::Folder => {}
            }
        }
        Ok(files)
    }

    /// The names of the folders in a folder, and of links to folders.
    pub fn folders(&self, folder: &str) -> io::Result<Vec<String>> {
        let Some((opened, _)) = self.folder(folder) else {
            return Ok(Vec::new());
        };
        let is_folder = |entry: &Entry| match entry.kind {
            EntryKind::Folder => true,
            EntryKind::File => false,
            EntryKind::Other => self.folder(&format!("{folder}/{}", entry.name)).is_some(),
        };
        Ok(opened.entries()?.into_iter().filter(is_folder).map(|entry| entry.name).collect())
    }

    /// A folder, opened, and where it is.
    fn folder(&self, folder: &str) -> Option<(Folder, PathBuf)> {
        let path = self.tree.resolve(Path::new(folder)).ok().filter(|path| self.folder.is_folder(path))?;
        Some((self.folder.folder(&path).ok()?, path))
    }
}

fn found(name: String, path: PathBuf, metadata: &Metadata) -> Option<Found> {
    let is_program = metadata.mode() & 0o111 != 0;
    let stamp = Stamp::read(metadata);
    metadata.is_file().then_some(Found { name, path, stamp, is_program })
}
