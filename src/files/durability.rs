//! What a power cut leaves: a file is there with its content only when both it and the folder that names it were synced
//! (fsync(2)).
//!
//! A folder says whether what is written into it has to last. Where it has to, a file is synced before it gets its name and
//! the folder after that, and folders made on the way are synced into those above them. A build's work folder has not: the
//! next build empties it anyway.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, File};
use rustix::fs::{Mode, OFlags, fdatasync, fsync, openat};

use super::HostPath;

/// Whether what is written into a folder must be there after a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// It must.
    Synced,
    /// It need not: it is made again, or recognised as broken when it is read.
    Unsynced,
}

impl Durability {
    /// Makes a file's content last, where it has to.
    pub(super) fn sync_content(self, file: &File) -> io::Result<()> {
        match self {
            Self::Synced => Ok(fdatasync(file)?),
            Self::Unsynced => Ok(()),
        }
    }

    /// Makes the name `path` in `dir` last, where it has to.
    pub(super) fn sync_name(self, dir: &Dir, path: &Path) -> io::Result<()> {
        match (self, path.parent()) {
            (Self::Unsynced, _) => Ok(()),
            (Self::Synced, Some(parent)) if !parent.as_os_str().is_empty() => {
                sync_folder(&dir.open_dir(parent)?)
            }
            (Self::Synced, _) => sync_folder(dir),
        }
    }

    /// Makes the folder `path` in `dir` and those above it where they are missing; new ones last, where they have to.
    pub(super) fn make_folders(self, dir: &Dir, path: &Path) -> io::Result<()> {
        if self == Self::Unsynced {
            return dir.create_dir_all(path);
        }
        let missing: Vec<&Path> =
            path.ancestors().take_while(|path| !path.as_os_str().is_empty() && !dir.is_dir(path)).collect();
        missing.into_iter().rev().try_for_each(|path| {
            make_folder(dir, path)?;
            self.sync_name(dir, path)
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

/// Makes the names in a folder last.
pub(super) fn sync_folder(dir: &Dir) -> io::Result<()> {
    // The handle itself may be one that only leads on (O_PATH), which can't be synced.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let readable = openat(dir, ".", flags, Mode::empty())?;
    match fsync(readable) {
        // A file system without anything to sync, such as some that are reached over a network.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOTSUP) => Ok(()),
        synced => Ok(synced?),
    }
}
