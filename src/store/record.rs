//! What is remembered by key: written and read by a [`Store`].

use std::io::{self, Read};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::record_index::{RecordKind, RecordName, Shelf};
use super::{StepResult, Store, StoreError};
use crate::digest::Key;
use crate::event::Timestamp;
use crate::files::Durability;

impl Store {
    /// What is remembered under `key`; what is not as it was written is as if it were not there.
    pub fn record<T: DeserializeOwned>(&self, kind: RecordKind, key: &Key) -> Option<T> {
        self.find_record(kind, key, &|content| serde_json::from_slice(&content).ok())
    }

    /// The same of what [`remember_bytes`](Self::remember_bytes) has written.
    pub fn record_bytes(&self, kind: RecordKind, key: &Key) -> Option<Vec<u8>> {
        self.find_record(kind, key, &Some)
    }

    fn find_record<T>(
        &self,
        kind: RecordKind,
        key: &Key,
        decode: &dyn Fn(Vec<u8>) -> Option<T>,
    ) -> Option<T> {
        self.newest_sound(self.records.known_names(kind, key), decode)
            .or_else(|| self.newest_sound(self.records.list_again(&self.folder, kind, key), decode))
    }

    fn newest_sound<T>(
        &self,
        mut names: Vec<RecordName>,
        decode: &dyn Fn(Vec<u8>) -> Option<T>,
    ) -> Option<T> {
        if names.len() > 1 {
            names.sort_by_cached_key(|name| std::cmp::Reverse(self.folder.modified(name.path()).ok()));
        }
        names.into_iter().find_map(|name| {
            let content = self.read_record(&name).ok()?;
            name.is_name_of(&content).then(|| decode(content)).flatten()
        })
    }

    fn read_record(&self, name: &RecordName) -> io::Result<Vec<u8>> {
        let (mut file, metadata) = self.folder.open_regular_with_metadata(name.path())?;
        // What grows meanwhile is not what the digest is of.
        let mut content = vec![0; usize::try_from(metadata.len().min(LARGEST_RECORD)).unwrap_or_default()];
        file.read_exact(&mut content)?;
        if name.kind == RecordKind::Step {
            self.records.note_written(*name, Timestamp::of(metadata.modified()?.into_std()));
        }
        Ok(content)
    }

    /// Remembers `record` under `key`, in place of what was remembered before.
    pub fn remember<T: Serialize>(&self, kind: RecordKind, key: &Key, record: &T) -> Result<(), StoreError> {
        self.remember_bytes(kind, key, &serde_json::to_vec(record).map_err(io::Error::other)?)
    }

    /// The same of bytes, as they are.
    pub fn remember_bytes(&self, kind: RecordKind, key: &Key, content: &[u8]) -> Result<(), StoreError> {
        let name = RecordName::new(kind, *key, content);
        // Listed before it is written: of two that write at once, neither removes the other's.
        let before = Shelf::new(kind, key).list(&self.folder).remove(key).unwrap_or_default();
        let path = name.path();
        let folder = match kind.durability() {
            Durability::Synced => self.folder.again()?,
            Durability::Unsynced => self.folder.again()?.without_sync(),
        };
        folder.create(path.parent().unwrap_or(&path))?;
        if folder.is_folder(&path) {
            folder.remove(&path)?;
        }
        folder.write_atomic(&path, content)?;
        for old in before.iter().filter(|old| **old != name) {
            self.folder.remove_file(old.path())?;
        }
        self.records.replace(kind, key, vec![name]);
        Ok(())
    }

    /// Forgets what is remembered under `key`.
    pub fn forget(&self, kind: RecordKind, key: &Key) -> Result<(), StoreError> {
        for name in Shelf::new(kind, key).list(&self.folder).remove(key).unwrap_or_default() {
            self.folder.remove_file(name.path())?;
        }
        self.records.replace(kind, key, Vec::new());
        Ok(())
    }

    /// The result of the step with this key, if it is complete: every file of it is there with its size.
    pub fn result(&self, key: &Key) -> Option<StepResult> {
        let result: StepResult = self.record(RecordKind::Step, key)?;
        let is_complete = result.blobs().all(|blob| self.has(&blob));
        is_complete.then_some(result)
    }

    /// Marks a result as used, so that [`Store::collect`] keeps it longer.
    pub fn mark_used(&self, key: &Key, now: Timestamp) -> Result<(), StoreError> {
        for name in self.records.known_names(RecordKind::Step, key) {
            let look = || self.folder.modified(name.path()).map(Timestamp::of).ok();
            // Another forge may have replaced it, which marks it as well.
            let Some(modified) = self.records.time_written(&name).or_else(look) else { continue };
            let path = name.path();
            if now.since(modified) > USED_AGAIN && self.folder.exists(&path) {
                self.folder.set_modified(&path, now.0 / 1000)?;
            }
        }
        Ok(())
    }
}

/// How much is read of a record: what is longer was not written by forge.
const LARGEST_RECORD: u64 = 1 << 30;

/// Results are marked as used at most this often.
const USED_AGAIN: std::time::Duration = std::time::Duration::from_secs(3600);

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::digest::Encoder;
    use crate::files::HostPath;

    fn scratch() -> (tempfile::TempDir, Store) {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(&HostPath::new(temp.path()).unwrap()).unwrap();
        (temp, store)
    }

    fn key(text: &str) -> Key {
        Encoder::new("test v1").text("of", text).key()
    }

    /// A second look at the same store, as another process has it.
    fn again(store: &Store) -> Store {
        Store::open(store.folder.path()).unwrap()
    }

    fn files(store: &Store, key: &Key) -> Vec<PathBuf> {
        let records = Shelf::new(RecordKind::Facts, key).list(&store.folder);
        records.into_values().flatten().map(|name| name.path()).collect()
    }

    fn recall(store: &Store, key: &Key) -> Option<String> {
        store.record(RecordKind::Facts, key)
    }

    #[test]
    fn no_bit_of_a_record_can_be_flipped_unseen() {
        let (_temp, store) = scratch();
        store.remember(RecordKind::Facts, &key("a"), &"answer").unwrap();
        let path = files(&store, &key("a")).remove(0);
        let sound = store.folder.read(&path).unwrap();
        for bit in 0..sound.len() * 8 {
            let mut flipped = sound.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            store.folder.write_atomic(&path, &flipped).unwrap();
            assert_eq!(recall(&store, &key("a")), None);
        }
        store.folder.write_atomic(&path, b"").unwrap();
        assert_eq!(recall(&store, &key("a")), None);
        store.folder.write_atomic(&path, &sound).unwrap();
        assert_eq!(recall(&store, &key("a")).as_deref(), Some("answer"));
    }

    #[test]
    fn a_record_that_was_renamed_to_another_key_is_not_believed() {
        let (_temp, store) = scratch();
        store.remember(RecordKind::Facts, &key("a"), &"of a").unwrap();
        store.remember(RecordKind::Facts, &key("b"), &"of b").unwrap();
        let (a, b) = (files(&store, &key("a")).remove(0), files(&store, &key("b")).remove(0));
        let digest = a.to_string_lossy().rsplit_once('-').unwrap().1.to_owned();
        let forged = b.to_string_lossy().rsplit_once('-').unwrap().0.to_owned() + "-" + &digest;
        store.folder.dir().rename(&a, store.folder.dir(), &forged).unwrap();
        store.folder.remove_file(&b).unwrap();
        assert_eq!(recall(&again(&store), &key("b")), None);
    }

    #[test]
    fn the_newer_record_replaces_the_older_one() {
        let (_temp, store) = scratch();
        store.remember(RecordKind::Facts, &key("a"), &"old").unwrap();
        store.remember(RecordKind::Facts, &key("a"), &"new").unwrap();
        assert_eq!(files(&store, &key("a")).len(), 1);
        assert_eq!(recall(&again(&store), &key("a")).as_deref(), Some("new"));
    }

    #[test]
    fn what_is_forgotten_is_not_there_for_anybody() {
        let (_temp, store) = scratch();
        store.remember_bytes(RecordKind::Metadata, &key("a"), b"\0\x01").unwrap();
        assert_eq!(again(&store).record_bytes(RecordKind::Metadata, &key("a")), Some(b"\0\x01".to_vec()));
        store.forget(RecordKind::Metadata, &key("a")).unwrap();
        assert_eq!(store.record_bytes(RecordKind::Metadata, &key("a")), None);
        assert_eq!(again(&store).record_bytes(RecordKind::Metadata, &key("a")), None);
        store.forget(RecordKind::Metadata, &key("a")).unwrap();
    }

    #[test]
    fn what_another_forge_remembers_meanwhile_is_found() {
        let (_temp, store) = scratch();
        assert_eq!(recall(&store, &key("a")), None);
        again(&store).remember(RecordKind::Facts, &key("a"), &"theirs").unwrap();
        assert_eq!(recall(&store, &key("a")).as_deref(), Some("theirs"));
    }
}
