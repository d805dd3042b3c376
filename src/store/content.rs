//! Content by its digest: taken into the store and given out.

use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use super::{Blob, Store, StoreError};
use crate::digest::Digest;
use crate::files::{Destination, Folder, Sharing};

impl Store {
    /// Whether the blob is there with its size, which is enough for what is only counted. See [`Store::has_sound`].
    pub fn has(&self, blob: &Blob) -> bool {
        self.folder.own_file_size(&blob.path()) == Some(blob.size)
    }

    /// Takes in the file `path` of `origin`, streaming; gives its SHA-256 too, which others ask for. When it counts, it is
    /// on the disk. A blob of that digest that is there already stays if it is sound.
    pub fn take_in(&self, origin: &Folder, path: &Path) -> Result<(Blob, String), StoreError> {
        let (blob, sha256, ()) = self.take_in_reading(origin, path, |_, _| Ok::<_, StoreError>(()))?;
        Ok((blob, sha256))
    }

    /// As [`Store::take_in`], with a look at what is taken in before it counts: nobody else can change what `read` sees.
    /// Where it refuses, nothing is kept.
    pub fn take_in_reading<T, E: From<StoreError> + From<io::Error>>(
        &self,
        origin: &Folder,
        path: &Path,
        read: impl FnOnce(&Blob, &mut dyn Read) -> Result<T, E>,
    ) -> Result<(Blob, String, T), E> {
        self.take_in_checking(origin, path, |blob, _, content| read(blob, content))
    }

    /// As [`Store::take_in_reading`]; what looks is told the SHA-256 of what it sees.
    pub fn take_in_checking<T, E: From<StoreError> + From<io::Error>>(
        &self,
        origin: &Folder,
        path: &Path,
        check: impl FnOnce(&Blob, &str, &mut dyn Read) -> Result<T, E>,
    ) -> Result<(Blob, String, T), E> {
        let mut file = origin.open_regular(path)?;
        let incoming = self.folder.create("incoming")?;
        let temporary = incoming.temporary(Path::new("blob"));
        let mut content = incoming.new_file(&temporary, 0o444)?;
        let taken = write_hashed(&mut file, &mut content).map_err(E::from).and_then(|(blob, sha256)| {
            let seen = check(&blob, &sha256, &mut incoming.open(&temporary)?)?;
            if !self.has_equal(&blob) {
                content.sync_data()?;
                self.file(&incoming, &temporary, &blob)?;
            }
            Ok((blob, sha256, seen))
        });
        incoming.remove_file(&temporary)?;
        taken
    }

    /// Gives a synced file its name among the blobs.
    fn file(&self, incoming: &Folder, temporary: &Path, blob: &Blob) -> io::Result<()> {
        let target = blob.path();
        let folder = self.folder.create(target.parent().unwrap_or(&target))?;
        if self.folder.is_folder(&target) {
            self.folder.remove(&target)?;
        }
        incoming.dir().rename(temporary, self.folder.dir(), &target)?;
        folder.sync()
    }

    /// Whether the blob is there, byte for byte.
    fn has_equal(&self, blob: &Blob) -> bool {
        self.has(blob)
            && Digest::read_file(&self.folder, blob.path()).is_ok_and(|(digest, _)| digest == blob.digest)
    }

    /// Puts a blob at `path` in `target`, checked: what is there afterwards is what the digest says.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the blob is missing or not what its name says; nothing is at `path` then.
    pub fn place(
        &self,
        blob: &Blob,
        target: &Folder,
        path: &Path,
        sharing: Sharing,
    ) -> Result<(), StoreError> {
        if !self.has(blob) {
            return Err(self.drop_damaged(blob));
        }
        let mut is_sound = true;
        let destination = Destination { folder: target, path, sharing };
        let placed = self.folder.place(&blob.path(), destination, |placed| {
            is_sound = Digest::read_from(placed)?.0 == blob.digest;
            if is_sound { Ok(()) } else { Err(io::ErrorKind::InvalidData.into()) }
        });
        if is_sound { Ok(placed?) } else { Err(self.drop_damaged(blob)) }
    }
}

fn write_hashed(from: &mut impl Read, to: &mut impl Write) -> io::Result<(Blob, String)> {
    let mut sha256 = Sha256::new();
    let mut both = Both { to, sha256: &mut sha256 };
    let (digest, size) = crate::digest::copy_digested(from, &mut both)?;
    let hex = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((Blob { digest, size }, hex))
}

struct Both<'a, W> {
    to: &'a mut W,
    sha256: &'a mut Sha256,
}

impl<W: Write> Write for Both<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.sha256.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;

    fn scratch() -> (tempfile::TempDir, Store, Folder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        (temp, store, folder)
    }

    #[test]
    fn content_is_found_again_by_its_digest() {
        let (_temp, store, folder) = scratch();
        folder.write_atomic("in", b"abc").unwrap();
        let (blob, sha256) = store.take_in(&folder, Path::new("in")).unwrap();
        assert_eq!(sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        store.place(&blob, &folder, Path::new("out"), Sharing::HardLink).unwrap();
        assert_eq!(folder.read("out").unwrap(), b"abc");
    }

    #[test]
    fn what_is_refused_while_it_is_taken_in_is_not_kept() {
        let (_temp, store, folder) = scratch();
        folder.write_atomic("in", b"abc").unwrap();
        let mut seen = None;
        let refused = store.take_in_reading(&folder, Path::new("in"), |blob, file| {
            seen = Some((*blob, io::read_to_string(file)?));
            Err::<(), StoreError>(io::Error::from(io::ErrorKind::InvalidData).into())
        });
        let (blob, content) = seen.unwrap();
        assert!(refused.is_err() && content == "abc" && !store.has(&blob));
        assert!(store.folder.folder("incoming").unwrap().entries().unwrap().is_empty());
    }

    #[test]
    fn a_blob_that_was_cut_short_is_not_believed() {
        let (_temp, store, folder) = scratch();
        folder.write_atomic("in", b"abc").unwrap();
        let (blob, _) = store.take_in(&folder, Path::new("in")).unwrap();
        store.folder.remove_file(blob.path()).unwrap();
        store.folder.write_atomic(blob.path(), b"ab").unwrap();
        assert!(!store.has(&blob));
    }

    #[test]
    fn a_blob_that_was_changed_reaches_neither_build_nor_result_nor_repository() {
        for sharing in [Sharing::Nothing, Sharing::HardLink] {
            let (_temp, store, folder) = scratch();
            folder.write_atomic("in", b"abc").unwrap();
            let (blob, _) = store.take_in(&folder, Path::new("in")).unwrap();
            store.folder.write_atomic(blob.path(), b"abd").unwrap();
            let placed = store.place(&blob, &folder, Path::new("out"), sharing);
            assert!(matches!(placed, Err(StoreError::Damaged(_))));
            assert!(!folder.exists("out") && !store.has(&blob));
            assert_eq!(store.take_damaged(), [blob]);
        }
    }

    #[test]
    fn a_changed_blob_is_replaced_when_the_same_content_comes_in_again() {
        let (_temp, store, folder) = scratch();
        folder.write_atomic("in", b"abc").unwrap();
        let (blob, _) = store.take_in(&folder, Path::new("in")).unwrap();
        store.folder.write_atomic(blob.path(), b"abd").unwrap();
        store.take_in(&folder, Path::new("in")).unwrap();
        assert_eq!(store.folder.read(blob.path()).unwrap(), b"abc");
        assert!(store.folder.folder("incoming").unwrap().entries().unwrap().is_empty());
    }

    #[test]
    fn a_folder_in_the_place_of_a_blob_makes_room_for_it() {
        let (_temp, store, folder) = scratch();
        folder.write_atomic("in", b"abc").unwrap();
        let (blob, _) = store.take_in(&folder, Path::new("in")).unwrap();
        let put_folder = || {
            store.folder.remove(blob.path()).unwrap();
            store.folder.create(blob.path().join("below")).unwrap();
        };
        put_folder();
        store.take_in(&folder, Path::new("in")).unwrap();
        assert_eq!(store.folder.read(blob.path()).unwrap(), b"abc");
        put_folder();
        let placed = store.place(&blob, &folder, Path::new("out"), Sharing::Nothing);
        assert!(matches!(placed, Err(StoreError::Damaged(_))) && !store.folder.exists(blob.path()));
    }

    #[test]
    fn blobs_are_read_only() {
        let (_temp, store, folder) = scratch();
        folder.write_atomic("in", b"abc").unwrap();
        let (blob, _) = store.take_in(&folder, Path::new("in")).unwrap();
        assert!(store.folder.dir().metadata(blob.path()).unwrap().permissions().readonly());
    }
}
