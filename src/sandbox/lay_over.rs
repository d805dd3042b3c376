//! Folders of packages laid over a folder of the root, entry by entry, where the machine has no overlayfs for it.
//!
//! A folder that gets something new is made anew in memory, with all that was there attached to it once more: slower than an
//! overlay, and to programs the same.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, StatxFlags, openat, readlinkat, statx, symlinkat};
use rustix::mount::MountAttrFlags;

use super::kernel::{MountAttributes, change_mount};
use super::mounts::Detached;

const READ_ONLY: MountAttributes<'_> = MountAttributes { read_only: true, no_devices: true, owners: None };

/// Lays what is in the folder `layer` over what is attached at `path` below `root`. Nothing can be written there.
///
/// # Errors
/// Something of it can't be attached.
pub(super) fn lay_over(root: BorrowedFd<'_>, path: &Path, layer: BorrowedFd<'_>) -> io::Result<()> {
    let under = open_folder(root, path)?;
    let entries = read_entries(layer)?;
    let is_folder_in_both = |(name, kind): &(PathBuf, FileType)| {
        *kind == FileType::Directory && kind_of(under.as_fd(), name) == Some(FileType::Directory)
    };
    // A file can be attached over a file; all else takes a folder that can be written.
    let fits = |entry: &(PathBuf, FileType)| {
        let files = [entry.1, kind_of(under.as_fd(), &entry.0).unwrap_or(FileType::Unknown)];
        is_folder_in_both(entry) || files.iter().all(|kind| *kind == FileType::RegularFile)
    };
    let anew = match entries.iter().all(fits) {
        true => None,
        false => {
            let replaced = entries.iter().filter(|entry| !is_folder_in_both(entry));
            let replaced: Vec<&Path> = replaced.map(|(name, _)| name.as_path()).collect();
            Some(make_anew(root, path, under.as_fd(), &replaced)?)
        }
    };
    let over = open_folder(root, path)?;
    for (name, kind) in &entries {
        match (kind, kind_of(over.as_fd(), name)) {
            (FileType::Directory, Some(FileType::Directory)) => {
                lay_over(root, &path.join(name), open_folder(layer, name)?.as_fd())?;
            }
            (FileType::Symlink, _) => symlinkat(readlinkat(layer, name, Vec::new())?, &over, name)?,
            (_, _) => drop(Detached::copy_below(layer, name, READ_ONLY)?.attach_anew(over.as_fd(), name)?),
        }
    }
    anew.map_or(Ok(()), |folder| change_mount(folder.as_fd(), READ_ONLY))
}

/// Attaches a folder in memory at `path` below `root` that has all that `under`, which is there, has, but for some.
fn make_anew(
    root: BorrowedFd<'_>,
    path: &Path,
    under: BorrowedFd<'_>,
    without: &[&Path],
) -> io::Result<OwnedFd> {
    let memory = Detached::new("tmpfs", &[("mode", Some("0755"))], MountAttrFlags::MOUNT_ATTR_NODEV)?;
    let folder = memory.attach(root, path)?;
    for (name, kind) in read_entries(under)? {
        match kind {
            _ if without.contains(&name.as_path()) => {}
            FileType::Symlink => symlinkat(readlinkat(under, &name, Vec::new())?, &folder, &name)?,
            _ => drop(Detached::copy_below(under, &name, READ_ONLY)?.attach_anew(folder.as_fd(), &name)?),
        }
    }
    Ok(folder)
}

fn read_entries(folder: BorrowedFd<'_>) -> io::Result<Vec<(PathBuf, FileType)>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = PathBuf::from(OsStr::from_bytes(entry.file_name().to_bytes()));
        if name != Path::new(".") && name != Path::new("..") {
            let kind = kind_of(folder, &name).ok_or(io::ErrorKind::NotFound)?;
            entries.push((name, kind));
        }
    }
    Ok(entries)
}

fn kind_of(folder: BorrowedFd<'_>, name: &Path) -> Option<FileType> {
    let status = statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE).ok()?;
    Some(FileType::from_raw_mode(status.stx_mode.into()))
}

/// Opens a folder of which entries can be read.
pub(super) fn open_folder(folder: BorrowedFd<'_>, path: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(openat(folder, path, flags, Mode::empty())?)
}
