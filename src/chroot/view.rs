//! A root's files, with its links followed as its own programs follow them.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::{Metadata, MetadataExt};

use super::stamp::Stamp;
use crate::files::{EntryKind, Folder, FolderEntry, HostPath, KnownFolders, Tree};

/// A root that is looked at.
pub(super) struct View {
    pub folder: Folder,
    tree: Tree,
    /// Folders that one look meets again and again.
    known: KnownFolders,
}

/// A file that counts for a root's identity.
#[derive(Debug)]
pub(super) struct RootFile {
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
        Ok(Self {
            folder: Folder::open_ambient(path)?,
            tree: Tree::open(path)?,
            known: KnownFolders::default(),
        })
    }

    /// Where a path leads, without links.
    pub fn resolve(&self, path: &str) -> io::Result<PathBuf> {
        self.tree.resolve_knowing(Path::new(path), &self.known)
    }

    /// The paths that match a pattern of glob(7).
    pub fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        self.tree.glob(pattern)
    }

    /// The regular file that a path leads to.
    pub fn file(&self, name: &str) -> Option<RootFile> {
        let path = self.resolve(name).ok()?;
        let metadata = self.folder.dir().symlink_metadata(&path).ok()?;
        root_file(name.to_owned(), path, &metadata)
    }

    /// The regular files of a folder and what its links lead to, without what lies in folders below it.
    pub fn files(&self, folder: &str) -> io::Result<Vec<RootFile>> {
        let Some((opened, path)) = self.folder(folder) else {
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        for entry in opened.dir().entries()? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            let file_type = entry.file_type()?;
            let full = format!("{folder}/{name}");
            if file_type.is_file() {
                files.extend(root_file(full, path.join(name), &entry.metadata()?));
            } else if !file_type.is_dir() {
                files.extend(self.file(&full));
            }
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(files)
    }

    /// The names of the folders in a folder, and of links to folders.
    pub fn folders(&self, folder: &str) -> io::Result<Vec<String>> {
        let Some((opened, _)) = self.folder(folder) else {
            return Ok(Vec::new());
        };
        let is_folder = |entry: &FolderEntry| match entry.kind {
            EntryKind::Folder => true,
            EntryKind::File => false,
            EntryKind::Other => self.folder(&format!("{folder}/{}", entry.name)).is_some(),
        };
        Ok(opened.entries()?.into_iter().filter(is_folder).map(|entry| entry.name).collect())
    }

    /// A folder, opened, and where it is.
    fn folder(&self, folder: &str) -> Option<(Folder, PathBuf)> {
        let path = self.resolve(folder).ok().filter(|path| self.folder.is_folder(path))?;
        Some((self.folder.folder(&path).ok()?, path))
    }
}

fn root_file(name: String, path: PathBuf, metadata: &Metadata) -> Option<RootFile> {
    let is_program = metadata.mode() & 0o111 != 0;
    let stamp = Stamp::read(metadata);
    metadata.is_file().then_some(RootFile { name, path, stamp, is_program })
}
