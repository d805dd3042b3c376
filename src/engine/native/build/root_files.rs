//! The root that a build works in, as one handle: whatever the build itself opens, makes and removes, it reaches through it. No
//! other file of `build` opens anything by its path alone (`tests/architecture/handles.rs` checks); scripts and programs
//! of the root run in it anyway.

use std::ffi::OsStr;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use cap_std::fs::Metadata;

use crate::digest::Digest;
use crate::engine::WrittenContent;
use crate::files::{Folder, HostPath, Tree, about, reason};

/// The files of the root that a build works in, which are named by absolute paths. Links are followed as the root's own
/// programs follow them, and none leads out of it. Opened once for each job.
#[derive(Debug)]
pub struct RootFiles {
    tree: Tree,
}

impl RootFiles {
    /// Those of the root that this process runs in.
    ///
    /// # Errors
    /// It can't be opened.
    pub fn open() -> io::Result<Self> {
        Ok(Self { tree: Tree::open(&HostPath::root())? })
    }

    /// A folder.
    pub(super) fn folder(&self, path: &HostPath) -> io::Result<Folder> {
        self.tree.folder(path.as_path()).map(Folder::without_sync)
    }

    /// A folder, made where it is not there. Whoever takes over what is put into it makes that last, as with rpm.
    pub(super) fn create_folder(&self, path: &HostPath) -> io::Result<Folder> {
        self.tree.create_scratch(path.as_path())
    }

    /// The folder that a file lies in, and the file's name there.
    pub(super) fn folder_of<'p>(&self, path: &'p HostPath) -> io::Result<(Folder, &'p OsStr)> {
        let (parent, name) = split_path(path);
        Ok((self.folder(&parent)?, name))
    }

    /// The folder that a file is to lie in, made where it is not there, and the file's name there.
    pub(super) fn create_folder_of<'p>(&self, path: &'p HostPath) -> io::Result<(Folder, &'p OsStr)> {
        let (parent, name) = split_path(path);
        Ok((self.create_folder(&parent)?, name))
    }

    /// Opens a file for reading.
    pub(super) fn open_file(&self, path: &HostPath) -> io::Result<BufReader<std::fs::File>> {
        let file = self.tree.open_file(path.as_path()).map_err(about(path))?;
        Ok(BufReader::new(file.into_std()))
    }

    /// What a small file holds, a script or the like.
    pub(super) fn read(&self, path: &HostPath) -> io::Result<Vec<u8>> {
        self.tree.read(path.as_path())
    }

    /// What a regular file holds that a program of the root has written, up to so many bytes: no pipe is waited for.
    pub(super) fn read_regular(&self, path: &HostPath, most: u64) -> io::Result<Vec<u8>> {
        let (folder, name) = self.folder_of(path)?;
        let mut content = Vec::new();
        folder.open_regular(name)?.take(most).read_to_end(&mut content)?;
        Ok(content)
    }

    /// What a package file that has just been written holds.
    ///
    /// # Errors
    /// It can't be read, or is no regular file any more: a script may have put a pipe there, which would be waited for.
    pub fn read_content(&self, path: &HostPath) -> io::Result<WrittenContent> {
        let (folder, name) = self.folder_of(path)?;
        let (digest, size) = Digest::read_from(folder.open_regular(name)?)?;
        Ok(WrittenContent { digest, size })
    }

    /// Where a path leads without links, relative to the root, and what is there.
    pub(super) fn find(&self, path: &HostPath) -> io::Result<(PathBuf, Metadata)> {
        let found = self.tree.resolve(path.as_path()).and_then(|place| {
            let (folder, name) = (place.parent().unwrap_or(Path::new("")), place.file_name());
            let folder = self.tree.folder(folder)?;
            let metadata = folder.dir().symlink_metadata(name.unwrap_or(OsStr::new(".")))?;
            Ok((place, metadata))
        });
        found.map_err(about(path))
    }

    /// The path without links of a file that a library opens itself.
    pub(super) fn checked_path(&self, path: &Path) -> io::Result<HostPath> {
        Ok(self.tree.path().join(self.tree.resolve(path).map_err(about(path.display()))?))
    }

    /// Removes a file; one that is gone already does no harm.
    pub(super) fn remove_file(&self, path: &HostPath) {
        if let Ok((folder, name)) = self.folder_of(path) {
            let _ = folder.remove_file(name);
        }
    }
}

/// The words of the operating system for what went wrong, without the path before them.
pub(super) fn plain_reason(error: &io::Error) -> String {
    let text = reason(error);
    text.rsplit_once(": ").map_or(text.clone(), |(_, words)| words.to_owned())
}

fn split_path(path: &HostPath) -> (HostPath, &OsStr) {
    let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    (parent, path.as_path().file_name().unwrap_or_default())
}
