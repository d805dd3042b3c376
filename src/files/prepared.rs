//! Files that are written beside their places and take them later, many at once: then names wait for the disk once, and not each for itself.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::File;

use super::about;
use super::folder::Folder;

/// A file whose content is on the disk, where the folder's content has to [last](super::Durability), and whose name is not its own yet.
/// It goes where it does not get that.
#[must_use]
pub struct PreparedFile<'a> {
    folder: &'a Folder,
    temporary: PathBuf,
    path: PathBuf,
    is_in_place: bool,
}

impl Folder {
    /// Writes what is to be the file at `path`, beside that place.
    pub fn prepare(
        &self,
        path: &Path,
        write: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<PreparedFile<'_>> {
        let temporary = self.temporary(path);
        let mut file = self.new_file(&temporary, 0o644)?;
        let prepared = PreparedFile { folder: self, temporary, path: path.to_owned(), is_in_place: false };
        let written = write(&mut file).and_then(|()| self.durability().sync_content(&file));
        written.map_err(about(self.path().join(path)))?;
        Ok(prepared)
    }
}

impl PreparedFile<'_> {
    /// Takes the place. Whether that lasts is for who syncs the folder.
    pub fn take_place(mut self) -> io::Result<()> {
        let dir = self.folder.dir();
        let renamed = dir.rename(&self.temporary, dir, &self.path);
        self.is_in_place = renamed.is_ok();
        renamed.map_err(about(self.folder.path().join(&self.path)))
    }
}

impl Drop for PreparedFile<'_> {
    fn drop(&mut self) {
        if !self.is_in_place {
            // What is left of it is of no use; a second failure would only hide the first.
            let _ = self.folder.dir().remove_file(&self.temporary);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::files::HostPath;

    #[test]
    fn what_is_prepared_takes_its_place_or_leaves_nothing() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let prepare = |path: &'static str| folder.prepare(Path::new(path), |file| file.write_all(b"new"));
        folder.write_atomic("a", b"old").unwrap();
        let (a, b) = (prepare("a").unwrap(), prepare("b").unwrap());
        assert_eq!(folder.read("a").unwrap(), b"old");
        a.take_place().unwrap();
        drop(b);
        assert!(folder.prepare(Path::new("c"), |_| Err(io::ErrorKind::Other.into())).is_err());
        assert_eq!(folder.read("a").unwrap(), b"new");
        assert_eq!(folder.entries().unwrap().len(), 1);
    }
}
