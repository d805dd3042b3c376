//! Removing a folder, whatever a build has made of it.

use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{
    AtFlags, Dir, FileType, Mode, OFlags, StatxFlags, chmodat, fchmod, fstat, openat, renameat, statx,
    unlinkat,
};
use rustix::io::Errno;

/// How many folders are gone into at a time: what lies deeper is moved up first. A build may have nested them so deep that
/// neither the stack nor the descriptors would do.
const DEEPEST: usize = 64;

/// Removes the folder `name` of `parent` and all below it. Folders that nobody may look into are opened up first, and no
/// link is followed.
///
/// # Errors
/// It is not there or no folder, or something below it can't be removed.
pub(super) fn remove_tree(parent: impl AsFd, name: &OsStr) -> io::Result<()> {
    let parent = parent.as_fd();
    let top = open(parent, name)?;
    let mut moved = Moved { top: top.as_fd(), count: 0 };
    loop {
        let before = moved.count;
        empty(top.as_fd(), DEEPEST, &mut moved)?;
        if moved.count == before {
            break;
        }
    }
    Ok(unlinkat(parent, name, AtFlags::REMOVEDIR)?)
}

/// Folders that lay too deep, and are in the topmost one now.
struct Moved<'a> {
    top: BorrowedFd<'a>,
    count: u64,
}

/// Removes what is in a folder, but for what lies deeper than `depth` below it.
fn empty(folder: BorrowedFd<'_>, depth: usize, moved: &mut Moved<'_>) -> io::Result<()> {
    for (name, kind) in entries(folder)? {
        if kind != FileType::Directory {
            ignore_missing(unlinkat(folder, &name, AtFlags::empty()))?;
            continue;
        }
        // Most are empty, or will be.
        if unlinkat(folder, &name, AtFlags::REMOVEDIR).is_ok() {
            continue;
        }
        let inner = open(folder, &name)?;
        match depth.checked_sub(1) {
            Some(depth) => {
                empty(inner.as_fd(), depth, moved)?;
                unlinkat(folder, &name, AtFlags::REMOVEDIR)?;
            }
            None => moved.add(folder, &name)?,
        }
    }
    Ok(())
}

impl Moved<'_> {
    /// Moves a folder up, under a name that nothing there has.
    fn add(&mut self, folder: BorrowedFd<'_>, name: &CString) -> io::Result<()> {
        loop {
            self.count += 1;
            match renameat(folder, name, self.top, format!("removed-{}", self.count)) {
                Err(Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => {}
                result => return Ok(result?),
            }
        }
    }
}

fn entries(folder: BorrowedFd<'_>) -> io::Result<Vec<(CString, FileType)>> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let kind = match entry.file_type() {
            // Not every file system says it here.
            FileType::Unknown => {
                let status = statx(folder, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE)?;
                FileType::from_raw_mode(status.stx_mode.into())
            }
            kind => kind,
        };
        entries.push((name.to_owned(), kind));
    }
    Ok(entries)
}

/// Opens a folder whose content is to be removed, and makes that possible.
fn open(parent: BorrowedFd<'_>, name: impl rustix::path::Arg + Copy) -> io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = match openat(parent, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            openat(parent, name, flags, Mode::empty())?
        }
        opened => opened?,
    };
    if !Mode::from_raw_mode(fstat(&folder)?.st_mode).contains(Mode::RWXU) {
        fchmod(&folder, Mode::RWXU)?;
    }
    Ok(folder)
}

fn ignore_missing(result: rustix::io::Result<()>) -> rustix::io::Result<()> {
    match result {
        Err(Errno::NOENT) => Ok(()),
        result => result,
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "tests set up and look at files")]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::mkdirat;

    use super::*;

    /// A folder with folders in it, as many within each other as said.
    fn nested(levels: usize) -> (tempfile::TempDir, OwnedFd) {
        let temp = tempfile::tempdir().unwrap();
        std::fs::create_dir(temp.path().join("top")).unwrap();
        let parent = OwnedFd::from(std::fs::File::open(temp.path()).unwrap());
        let mut folder = open(parent.as_fd(), c"top").unwrap();
        for _ in 0..levels {
            mkdirat(&folder, "d", Mode::RWXU).unwrap();
            mkdirat(&folder, "removed-1", Mode::RWXU).unwrap();
            folder = open(folder.as_fd(), c"d").unwrap();
        }
        (temp, parent)
    }

    #[test]
    fn folders_by_the_thousand_within_each_other_are_removed() {
        let (temp, parent) = nested(1500);
        remove_tree(&parent, OsStr::new("top")).unwrap();
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
    }

    #[test]
    fn closed_folders_are_removed_and_what_links_lead_to_stays() {
        let (temp, parent) = nested(DEEPEST + 3);
        let kept = temp.path().join("kept");
        std::fs::create_dir(&kept).unwrap();
        std::fs::write(kept.join("file"), "x").unwrap();
        std::os::unix::fs::symlink(&kept, temp.path().join("top/link")).unwrap();
        for closed in ["top/d/d", "top/d", "top"] {
            std::fs::set_permissions(temp.path().join(closed), PermissionsExt::from_mode(0o000)).unwrap();
        }
        remove_tree(&parent, OsStr::new("top")).unwrap();
        assert!(kept.join("file").exists());
        assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 1);
        assert!(remove_tree(&parent, OsStr::new("top")).is_err());
        std::os::unix::fs::symlink(&kept, temp.path().join("top")).unwrap();
        assert!(remove_tree(&parent, OsStr::new("top")).is_err());
        assert!(kept.join("file").exists());
    }
}
