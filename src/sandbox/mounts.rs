//! Mounts, by descriptors: what is attached is what was opened, whatever its path comes to mean (mount(8), open_tree(2)).

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::AtFlags;
use rustix::fs::{CWD, FileType, Mode, OFlags, StatxFlags, mkdirat, openat, statx, symlinkat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, OpenTreeFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, open_tree,
};

use super::kernel::{MountAttributes, change_mount};

/// A mount that is attached nowhere yet.
#[derive(Debug)]
pub(super) struct Detached(OwnedFd);

impl Detached {
    /// A copy of what is mounted at `path`, with all that is mounted below it.
    pub fn copy_of(path: &Path, attributes: MountAttributes<'_>) -> io::Result<Self> {
        Self::copy_below(CWD, path, attributes)
    }

    /// As [`Detached::copy_of`], with `path` below `folder`.
    pub fn copy_below(
        folder: BorrowedFd<'_>,
        path: &Path,
        attributes: MountAttributes<'_>,
    ) -> io::Result<Self> {
        let flags = OpenTreeFlags::OPEN_TREE_CLONE
            | OpenTreeFlags::OPEN_TREE_CLOEXEC
            | OpenTreeFlags::AT_RECURSIVE
            | OpenTreeFlags::AT_NO_AUTOMOUNT;
        let tree = open_tree(folder, path, flags)?;
        change_mount(tree.as_fd(), attributes)?;
        Ok(Self(tree))
    }

    /// A new file system of a kind, with options.
    pub fn new(kind: &str, options: &[(&str, Option<&str>)], attributes: MountAttrFlags) -> io::Result<Self> {
        let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
        for (key, value) in options {
            match value {
                Some(value) => fsconfig_set_string(context.as_fd(), *key, *value)?,
                None => fsconfig_set_flag(context.as_fd(), *key)?,
            }
        }
        fsconfig_create(context.as_fd())?;
        let attributes = attributes | MountAttrFlags::MOUNT_ATTR_NOSUID;
        Ok(Self(fsmount(context.as_fd(), FsMountFlags::FSMOUNT_CLOEXEC, attributes)?))
    }

    /// Whether its root is a folder.
    pub fn is_folder(&self) -> io::Result<bool> {
        let status = statx(&self.0, "", AtFlags::EMPTY_PATH, StatxFlags::TYPE)?;
        Ok(FileType::from_raw_mode(status.stx_mode.into()) == FileType::Directory)
    }

    /// Attaches it at `path` below `folder`.
    pub fn attach(self, folder: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
        move_mount(self.0.as_fd(), "", folder, path, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH)?;
        Ok(self.0)
    }

    /// Makes `path` below `folder`, where it is not there yet, and attaches it there.
    pub fn attach_anew(self, folder: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
        match self.is_folder()? {
            true => make_folder(folder, path, 0o755)?,
            false => {
                if let Some(parent) = path.parent() {
                    make_folder(folder, parent, 0o755)?;
                }
                drop(openat(folder, path, OFlags::CREATE | OFlags::CLOEXEC, Mode::from(0o644))?);
            }
        }
        self.attach(folder, path)
    }
}

/// Makes a folder and those above it, below `folder`.
pub(super) fn make_folder(folder: BorrowedFd<'_>, path: &Path, mode: u32) -> io::Result<()> {
    let mut made = std::path::PathBuf::new();
    for part in path.components() {
        made.push(part);
        let is_last = made.as_path() == path;
        let mode = if is_last { mode } else { 0o755 };
        match mkdirat(folder, &made, Mode::from(mode)) {
            Err(rustix::io::Errno::EXIST) | Ok(()) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Makes a symbolic link below `folder`.
pub(super) fn make_link(folder: BorrowedFd<'_>, target: &str, path: &str) -> io::Result<()> {
    Ok(symlinkat(target, folder, path)?)
}
