//! Reading blobs, and checking them on the way.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rustix::io::Errno;

use super::{Blob, StepResult, Store, StoreError};
use crate::digest::{Digest, Key};

/// The content of a blob while [`Store::read_blob`] checks it.
pub struct BlobReader {
    shared: Arc<Mutex<Checking>>,
}

/// What has been read of a blob so far. The reader goes to whoever unpacks it and may be dropped there; this stays.
struct Checking {
    content: cap_std::fs::File,
    hasher: blake3::Hasher,
}

impl Read for Checking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.content.read(buffer)?;
        self.hasher.update(buffer.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner).read(buffer)
    }
}

impl Store {
    /// Gives a blob's content to `read`, and what that makes of it only if the content was right to its last byte: what
    /// `read` has written by then is to be thrown away where it was not.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where the blob is missing or not what its name says, whatever `read` said of it.
    pub fn read_blob<T, E: From<StoreError>>(
        &self,
        blob: &Blob,
        read: impl FnOnce(BlobReader) -> Result<T, E>,
    ) -> Result<T, E> {
        let content = match self.folder.open(blob.path()) {
            Ok(content) => content,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(self.drop_damaged(blob).into());
            }
            Err(error) => return Err(StoreError::Io(error).into()),
        };
        let checking = Checking { content, hasher: blake3::Hasher::new() };
        let shared = Arc::new(Mutex::new(checking));
        let made = read(BlobReader { shared: Arc::clone(&shared) });
        let mut checking = shared.lock().unwrap_or_else(PoisonError::into_inner);
        // What unpacks stops where its own end is; the blob may go on.
        let is_readable = match io::copy(&mut *checking, &mut io::sink()) {
            Ok(_) => true,
            // The disk can't give it back any more.
            Err(error) if error.raw_os_error() == Some(Errno::IO.raw_os_error()) => false,
            Err(error) => return Err(StoreError::Io(error).into()),
        };
        if is_readable && Digest::finish(&checking.hasher) == blob.digest {
            return made;
        }
        Err(self.drop_damaged(blob).into())
    }

    /// Whether a blob is there and what its name says. One that is not is dropped.
    pub fn has_sound(&self, blob: &Blob) -> bool {
        self.has(blob) && self.read_blob(blob, |_| Ok::<(), StoreError>(())).is_ok()
    }

    /// Whether all packages of a result, and its log, are what their names say. Those that are not are dropped.
    pub fn is_sound(&self, result: &StepResult) -> bool {
        let blobs: Vec<Blob> = result.blobs().collect();
        // All of them, not up to the first bad one: each is a build that has to be done again.
        blobs.par_iter().map(|blob| self.has_sound(blob)).reduce(|| true, |one, other| one && other)
    }

    /// [`Store::result`], and [`Store::is_sound`].
    pub fn sound_result(&self, key: &Key) -> Option<StepResult> {
        self.result(key).filter(|result| self.is_sound(result))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::files::{Folder, HostPath};

    fn store_with(content: &[u8]) -> (tempfile::TempDir, Store, Blob) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.write_atomic("in", content).unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let (blob, _) = store.take_in(&folder, Path::new("in")).unwrap();
        (temp, store, blob)
    }

    fn first_byte(mut reader: BlobReader) -> Result<u8, StoreError> {
        let mut byte = [0];
        reader.read_exact(&mut byte)?;
        Ok(byte[0])
    }

    #[test]
    fn a_blob_is_checked_to_its_end_even_if_only_its_beginning_is_asked_for() {
        let (_temp, store, blob) = store_with(b"abc");
        assert_eq!(store.read_blob(&blob, first_byte).unwrap(), b'a');
        store.folder.write_atomic(blob.path(), b"abd").unwrap();
        assert!(matches!(store.read_blob(&blob, first_byte), Err(StoreError::Damaged(_))));
        assert_eq!(store.take_damaged(), [blob]);
        assert!(!store.has(&blob) && store.take_damaged().is_empty());
    }

    #[test]
    fn a_damaged_blob_is_blamed_and_not_whoever_reads_it() {
        let (_temp, store, blob) = store_with(b"abc");
        store.folder.write_atomic(blob.path(), b"").unwrap();
        assert!(matches!(store.read_blob(&blob, first_byte), Err(StoreError::Damaged(_))));
    }
}
