//! Where a folder really is.

use std::ffi::OsStr;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::File;
use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use super::{Folder, HostPath};

impl Folder {
    /// Its absolute path without links, as the kernel knows it: the same for everybody who has opened the folder.
    pub fn real_path(&self) -> io::Result<PathBuf> {
        let link = format!("/proc/self/fd/{}", self.dir().as_raw_fd());
        let path = rustix::fs::readlink(link, Vec::new())?;
        Ok(PathBuf::from(OsStr::from_bytes(path.as_bytes())))
    }

    /// Where a file of this folder really is, relative to the folder: not where links lead that it was opened by.
    ///
    /// # Errors
    /// It is in another folder.
    pub fn real_path_of(&self, file: &File) -> io::Result<PathBuf> {
        let link = format!("/proc/self/fd/{}", file.as_raw_fd());
        let path = rustix::fs::readlink(link, Vec::new())?;
        let path = Path::new(OsStr::from_bytes(path.as_bytes()));
        let below = path.strip_prefix(self.real_path()?).map_err(|_| io::ErrorKind::NotFound)?;
        Ok(below.to_owned())
    }

    /// Whether something is mounted on the way to the folder `below` this one, be it another folder of the same disk.
    pub fn has_mount_before(&self, below: &Path) -> bool {
        let path = if below.as_os_str().is_empty() { Path::new(".") } else { below };
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = openat2(self.dir(), path, flags, Mode::empty(), ResolveFlags::NO_XDEV);
        matches!(opened, Err(rustix::io::Errno::XDEV))
    }
}

impl HostPath {
    /// This path without `..`. What climbs is followed as the kernel follows it: behind a link, `..` leads elsewhere than its
    /// words say.
    ///
    /// # Errors
    /// What it climbs from is no folder that can be opened.
    pub fn without_climbing(&self) -> io::Result<Self> {
        let parts: Vec<Component<'_>> = self.as_path().components().collect();
        let Some(last) = parts.iter().rposition(|part| *part == Component::ParentDir) else {
            return Ok(self.clone());
        };
        let (climbing, rest) = parts.split_at(last + 1);
        let folder = Folder::open_ambient(&Self(climbing.iter().collect()))?;
        Ok(Self(folder.real_path()?.join(rest.iter().collect::<PathBuf>())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_reached_by_a_link_has_the_path_that_it_has_without() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let direct = folder.create("there").unwrap();
        folder.dir().symlink_contents("there", "link").unwrap();
        assert_eq!(folder.folder("link").unwrap().real_path().unwrap(), direct.real_path().unwrap());
    }

    #[test]
    fn a_path_that_climbs_behind_a_link_is_followed() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.create("a/b").unwrap();
        folder.dir().symlink_contents("a/b", "link").unwrap();
        let path = folder.path().join("link/../new");
        let followed = HostPath::new(folder.real_path().unwrap()).unwrap().join("a/new");
        assert_eq!(path.without_climbing().unwrap(), followed);
        assert_eq!(
            folder.path().join("link/new").without_climbing().unwrap(),
            folder.path().join("link/new")
        );
        assert!(folder.path().join("nosuch/../new").without_climbing().is_err());
    }

    #[test]
    fn what_is_mounted_below_a_folder_is_noticed() {
        let root = Folder::open_ambient(&HostPath::root()).unwrap();
        assert!(root.has_mount_before(Path::new("proc")));
        assert!(!root.has_mount_before(Path::new("")));
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.create("a/b").unwrap();
        assert!(!folder.has_mount_before(Path::new("a/b")));
    }
}
