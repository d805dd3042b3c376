//! What is remembered by key.
//!
//! A record is `steps/KK/KEY-DIGEST.json` (`facts/…` for facts of specs), KK being the key's first two digits. DIGEST is
//! of the record's kind, key and content: what was cut short, what lost a bit, and what was renamed to another key is
//! not believed, and nothing has to be synced for that to hold.

use std::collections::HashMap;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{StepResult, Store, StoreError};
use crate::digest::{Digest, Encoder, Key};
use crate::event::Timestamp;
use crate::files::{Durability, EntryKind, Folder};

/// What is remembered by key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// Results of steps.
    Step,
    /// Facts of specs.
    Facts,
    /// What roots consist of.
    Root,
    /// What package files say of themselves, by [their content](super::Blob::record_key).
    Package,
}

impl RecordKind {
    pub(super) const ALL: [Self; 4] = [Self::Step, Self::Facts, Self::Root, Self::Package];

    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Step => "steps",
            Self::Facts => "facts",
            Self::Root => "roots",
            Self::Package => "packages",
        }
    }

    /// A result that was lost is a build that is done again; all else is read again in a moment, thousands of it in one
    /// plan, so that it is not waited for.
    fn durability(self) -> Durability {
        match self {
            Self::Step => Durability::Synced,
            Self::Facts | Self::Root | Self::Package => Durability::Unsynced,
        }
    }
}

/// The name of a record: what it is of, and what it must hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct RecordName {
    pub kind: RecordKind,
    pub key: Key,
    digest: Digest,
}

impl RecordName {
    fn new(kind: RecordKind, key: Key, content: &[u8]) -> Self {
        let mut encoder = Encoder::new("rpmforge record v1");
        encoder.text("kind", kind.folder());
        encoder.digest_field("key", key.digest()).digest_field("content", &Digest::of(content));
        Self { kind, key, digest: encoder.digest() }
    }

    /// What a file's name says, if it is one of ours.
    pub fn parse(kind: RecordKind, file: &str) -> Option<Self> {
        let (key, digest) = file.strip_suffix(".json")?.split_once('-')?;
        let (key, digest) = (Digest::from_str(key).ok()?, Digest::from_str(digest).ok()?);
        Some(Self { kind, key: Key::from_digest(key), digest })
    }

    /// Whether `content` is what was remembered under this name.
    pub fn is_of(&self, content: &[u8]) -> bool {
        *self == Self::new(self.kind, self.key, content)
    }

    pub fn path(&self) -> PathBuf {
        Shelf::new(self.kind, &self.key).path().join(format!("{}-{}.json", self.key, self.digest))
    }
}

/// The folder of all records of a kind whose keys begin alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Shelf {
    kind: RecordKind,
    prefix: String,
}

impl Shelf {
    fn new(kind: RecordKind, key: &Key) -> Self {
        Self { kind, prefix: key.digest().short(2) }
    }

    fn path(&self) -> PathBuf {
        [self.kind.folder(), &self.prefix].iter().collect()
    }

    /// The records in it, by key.
    fn list(&self, store: &Folder) -> HashMap<Key, Vec<RecordName>> {
        let entries = store.folder(self.path()).and_then(|folder| folder.entries()).unwrap_or_default();
        let files = entries.iter().filter(|entry| entry.kind == EntryKind::File);
        let mut records: HashMap<Key, Vec<RecordName>> = HashMap::new();
        for name in files.filter_map(|entry| RecordName::parse(self.kind, &entry.name)) {
            records.entry(name.key).or_default().push(name);
        }
        records
    }
}

/// The names of records, as far as folders were listed: thousands are asked for in one plan.
#[derive(Debug, Default)]
pub(super) struct RecordIndex {
    shelves: Mutex<HashMap<Shelf, HashMap<Key, Vec<RecordName>>>>,
    /// When the records that were read had been written.
    written: Mutex<HashMap<RecordName, Timestamp>>,
}

impl RecordIndex {
    /// The records of a key, as far as its folder was listed before.
    fn listed(&self, kind: RecordKind, key: &Key) -> Vec<RecordName> {
        let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let records = shelves.get(&Shelf::new(kind, key));
        records.and_then(|records| records.get(key)).cloned().unwrap_or_default()
    }

    /// The records of a key as they are now: another forge may have written one, or replaced it.
    fn list_again(&self, store: &Folder, kind: RecordKind, key: &Key) -> Vec<RecordName> {
        let shelf = Shelf::new(kind, key);
        let records = shelf.list(store);
        let names = records.get(key).cloned().unwrap_or_default();
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner).insert(shelf, records);
        names
    }

    fn replace(&self, kind: RecordKind, key: &Key, names: Vec<RecordName>) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(records) = shelves.get_mut(&Shelf::new(kind, key)) {
            records.insert(*key, names);
        }
    }

    /// When a record that was read had been written.
    fn written(&self, name: &RecordName) -> Option<Timestamp> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    fn note_written(&self, name: RecordName, at: Timestamp) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(name, at);
    }

    pub(super) fn clear(&self) {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Store {
    /// What is remembered under `key`; what is not as it was written is as if it were not there.
    pub fn record<T: DeserializeOwned>(&self, kind: RecordKind, key: &Key) -> Option<T> {
        self.newest_sound(self.records.listed(kind, key))
            .or_else(|| self.newest_sound(self.records.list_again(&self.folder, kind, key)))
    }

    fn newest_sound<T: DeserializeOwned>(&self, mut names: Vec<RecordName>) -> Option<T> {
        if names.len() > 1 {
            names.sort_by_cached_key(|name| std::cmp::Reverse(self.folder.modified(name.path()).ok()));
        }
        names.into_iter().find_map(|name| {
            let content = self.read_record(&name).ok()?;
            serde_json::from_slice(&content).ok().filter(|_| name.is_of(&content))
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
        let content = serde_json::to_vec(record).map_err(io::Error::other)?;
        let name = RecordName::new(kind, *key, &content);
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
        folder.write_atomic(&path, &content)?;
        for old in before.iter().filter(|old| **old != name) {
            self.folder.remove_file(old.path())?;
        }
        self.records.replace(kind, key, vec![name]);
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
        for name in self.records.listed(RecordKind::Step, key) {
            let look = || self.folder.modified(name.path()).map(Timestamp::of).ok();
            // Another forge may have replaced it, which marks it as well.
            let Some(modified) = self.records.written(&name).or_else(look) else { continue };
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
    use super::*;
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
    fn what_another_forge_remembers_meanwhile_is_found() {
        let (_temp, store) = scratch();
        assert_eq!(recall(&store, &key("a")), None);
        again(&store).remember(RecordKind::Facts, &key("a"), &"theirs").unwrap();
        assert_eq!(recall(&store, &key("a")).as_deref(), Some("theirs"));
    }
}
