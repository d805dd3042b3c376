//! Where a file system puts what is made in a folder.

use rustix::fs::{IFlags, Mode, OFlags, ioctl_getflags, ioctl_setflags, openat};

use super::folder::Folder;

impl Folder {
    /// Has the file system put the folders that are made in this one far from each other, with all that is in them (ext4's
    /// `chattr +T`). For folders whose folders come and go: ext4 gives no inode of a file that was removed less than a minute ago
    /// to a new one of the same part of the disk, and looks at each of them whenever a file is made there.
    ///
    /// Where a file system knows nothing of that, nothing happens.
    pub fn spread_folders(&self) {
        // The handle may be one that only leads to the folder.
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let Ok(opened) = openat(self.dir(), ".", flags, Mode::empty()) else { return };
        match ioctl_getflags(&opened) {
            Ok(known) if !known.contains(IFlags::TOPDIR) => {
                let _ = ioctl_setflags(&opened, known | IFlags::TOPDIR);
            }
            Ok(_) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use rustix::fs::{Mode, OFlags};

    use super::*;
    use crate::files::HostPath;

    /// The number of ext4 (statfs(2)).
    const EXT4: i64 = 0xef53;

    #[test]
    fn a_folder_is_marked_where_its_file_system_knows_that() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let open =
            || rustix::fs::open(temp.path(), OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
        let before = ioctl_getflags(open());
        folder.spread_folders();
        let after = ioctl_getflags(open());
        // Others say that they know no such mark, or none at all.
        let is_ext4 = rustix::fs::statfs(temp.path()).unwrap().f_type == EXT4;
        assert!(!is_ext4 || after.unwrap() == before.unwrap() | IFlags::TOPDIR);
    }
}
