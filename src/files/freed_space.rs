//! How much room it makes on a disk to remove files: one that has another name stays where it is.

use std::collections::HashMap;
use std::path::Path;

use super::{EntryKind, Folder};

/// Files that are removed, or would be.
#[derive(Clone, Debug, Default)]
pub struct FreedSpace {
    /// By device and number.
    files: HashMap<(u64, u64), Removed>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Removed {
    /// How many of its names are removed.
    names: u64,
    /// How many names it had.
    had: u64,
    bytes: u64,
}

impl FreedSpace {
    /// Notes that a file is about to be removed, or would be.
    pub fn add_file(&mut self, folder: &Folder, path: impl AsRef<Path>) {
        let flags = rustix::fs::AtFlags::SYMLINK_NOFOLLOW;
        let Ok(stat) = rustix::fs::statat(folder.dir(), path.as_ref(), flags) else { return };
        let removed = self.files.entry((stat.st_dev, stat.st_ino)).or_default();
        removed.names += 1;
        // Where another name has gone already, there are fewer now.
        removed.had = removed.had.max(stat.st_nlink);
        removed.bytes = u64::try_from(stat.st_size).unwrap_or_default();
    }

    /// Notes that all files of a folder are about to be removed, or would be.
    pub fn add_folder(&mut self, folder: &Folder) -> std::io::Result<()> {
        for entry in folder.entries()? {
            match entry.kind {
                EntryKind::Folder => self.add_folder(&folder.folder(&entry.name)?)?,
                EntryKind::File | EntryKind::Other => self.add_file(folder, &entry.name),
            }
        }
        Ok(())
    }

    /// The bytes of the files that have no other name.
    pub fn bytes(&self) -> u64 {
        self.files.values().filter(|file| file.names >= file.had).map(|file| file.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;

    #[test]
    fn a_file_with_another_name_frees_nothing_until_that_goes_too() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.write_atomic("one", b"eight888").unwrap();
        folder.dir().hard_link("one", folder.dir(), "two").unwrap();
        let mut planned = FreedSpace::default();
        planned.add_file(&folder, "one");
        assert_eq!(planned.bytes(), 0);
        let mut done = planned.clone();
        planned.add_file(&folder, "two");
        folder.remove_file("one").unwrap();
        done.add_file(&folder, "two");
        assert_eq!((planned.bytes(), done.bytes()), (8, 8));
    }
}
