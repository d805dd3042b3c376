//! What a power cut leaves: a file is there with its content only when both it and the folder that names it were synced
//! (fsync(2)).
//!
//! A folder says whether what is written into it has to last. Where it has to, [`Folder::write_atomic`] and
//! [`Folder::place`] sync the file before it gets its name and the folder after that, and folders made on the way are
//! synced into those above them. A build's work folder has not: the next build empties it anyway.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};
use rayon::prelude::*;
use rustix::fs::{Mode, OFlags, fdatasync, fsync, openat};

use super::{EntryKind, Folder, HostPath, about};

/// Whether what is written into a folder must be there after a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It must.
    Synced,
    /// It need not: it is made again, or recognised as broken when it is read.
    Unsynced,
}

impl Folder {
    /// This folder (and what is opened below it from now on) for content that need not last.
    #[must_use]
    pub fn without_sync(mut self) -> Self {
        self.durability = Durability::Unsynced;
        self
    }

    /// Makes the names in this folder last.
    pub fn sync(&self) -> io::Result<()> {
        sync_folder(self.dir()).map_err(about(self.path()))
    }

    /// Makes this folder last with the content of all files in it, but not of the folders in it.
    pub fn sync_with_files(&self) -> io::Result<()> {
        let files = self.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::File);
        let names: Vec<String> = files.map(|entry| entry.name).collect();
        names.par_iter().try_for_each(|name| Ok::<(), io::Error>(fsync(self.open(name)?)?))?;
        self.sync()
    }

    /// Makes a file's content last, where this folder's content has to.
    pub(super) fn sync_content(&self, file: &File) -> io::Result<()> {
        match self.durability {
            Durability::Synced => Ok(fdatasync(file)?),
            Durability::Unsynced => Ok(()),
        }
    }

    /// Makes the name `path` last, where this folder's content has to.
    pub(super) fn sync_name(&self, path: &Path) -> io::Result<()> {
        match (self.durability, path.parent()) {
            (Durability::Unsynced, _) => Ok(()),
            (Durability::Synced, Some(parent)) if !parent.as_os_str().is_empty() => {
                sync_folder(&self.dir().open_dir(parent)?)
            }
            (Durability::Synced, _) => sync_folder(self.dir()),
        }
    }

    /// Makes the folder `path` and those above it where they are missing; new ones last.
    pub(super) fn make_folders(&self, path: &Path) -> io::Result<()> {
        if self.durability == Durability::Unsynced {
            return self.dir().create_dir_all(path);
        }
        let missing: Vec<&Path> = path
            .ancestors()
            .take_while(|path| !path.as_os_str().is_empty() && !self.is_folder(path))
            .collect();
        missing.into_iter().rev().try_for_each(|path| {
            make_folder(self.dir(), path)?;
            self.sync_name(path)
        })
    }
}

/// Makes the folder `path` of the machine and those above it where they are missing; new ones last.
pub(super) fn make_ambient_folders(path: &HostPath) -> io::Result<()> {
    let is_folder = |path: &Path| Dir::open_ambient_dir(path, ambient_authority()).is_ok();
    let missing: Vec<PathBuf> =
        path.as_path().ancestors().take_while(|path| !is_folder(path)).map(Path::to_owned).collect();
    missing.into_iter().rev().try_for_each(|path| {
        // Only what is below a folder that is there can be missing: it has a parent and a name.
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let parent = Dir::open_ambient_dir(parent, ambient_authority())?;
        make_folder(&parent, Path::new(name))?;
        sync_folder(&parent)
    })
}

/// Makes a folder, unless somebody else was faster.
fn make_folder(dir: &Dir, path: &Path) -> io::Result<()> {
    match dir.create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && dir.is_dir(path) => Ok(()),
        made => made,
    }
}

fn sync_folder(dir: &Dir) -> io::Result<()> {
    // The handle itself may be one that only leads on (O_PATH), which can't be synced.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = openat(dir, ".", flags, Mode::empty())?;
    match fsync(readable) {
        // A file system without anything to sync, such as some that are reached over a network.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOTSUP) => Ok(()),
        synced => Ok(synced?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_made_on_the_way_and_those_there_are_kept() {
        let temp = tempfile::tempdir().unwrap();
        let path = HostPath::new(temp.path().join("a/b")).unwrap();
        make_ambient_folders(&path).unwrap();
        let folder = Folder::open_ambient(&path).unwrap();
        folder.write_atomic("file", b"kept").unwrap();
        folder.create("c/d").unwrap().sync_with_files().unwrap();
        make_ambient_folders(&path).unwrap();
        folder.create("c/d").unwrap();
        assert_eq!(folder.read("file").unwrap(), b"kept");
        assert!(folder.create("file/below").is_err());
    }

    #[test]
    fn what_need_not_last_is_written_all_the_same() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap().without_sync();
        let below = folder.create("a/b").unwrap();
        assert_eq!(below.durability(), Durability::Unsynced);
        below.write_atomic("file", b"there").unwrap();
        assert_eq!(folder.read("a/b/file").unwrap(), b"there");
    }
}
