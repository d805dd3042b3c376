//! Folders that last, and folders that need not: see [`Durability`].

use std::io;

use rayon::prelude::*;
use rustix::fs::fsync;

use super::about;
use super::durability::{Durability, sync_folder};
use super::folder::{EntryKind, Folder};

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
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;
    use crate::files::durability::make_ambient_folders;

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
