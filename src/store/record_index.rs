//! Where records are, by kind and key.
//!
//! A record is `steps/KK/KEY-DIGEST.json` (`facts/…` for facts of specs, `metadata/…` with another ending for bytes), KK being the key's first two digits. DIGEST is
//! of the record's kind, key and content: what was cut short, what lost a bit, and what was renamed to another key is
//! not believed, and nothing has to be synced for that to hold.

use std::collections::HashMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

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
    /// What package files say of themselves, by [their content](super::blob::Blob::record_key).
    Package,
    /// Files that were fetched, by their checksums.
    Fetched,
    /// What was seen of repositories.
    Repository,
    /// What metadata say of packages that stand beside each other in a repository, packed.
    Metadata,
}

impl RecordKind {
    pub(super) const ALL: [Self; 7] =
        [Self::Step, Self::Facts, Self::Root, Self::Package, Self::Fetched, Self::Repository, Self::Metadata];

    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Step => "steps",
            Self::Facts => "facts",
            Self::Root => "roots",
            Self::Package => "packages",
            Self::Fetched => "fetched",
            Self::Repository => "repositories",
            Self::Metadata => "metadata",
        }
    }

    /// How the names of its files end: what is in them.
    fn ending(self) -> &'static str {
        match self {
            Self::Step | Self::Facts | Self::Root | Self::Package | Self::Fetched | Self::Repository => {
                ".json"
            }
            Self::Metadata => ".pieces",
        }
    }

    /// A result that was lost is a build that is done again; all else is read again in a moment, thousands of it in one
    /// plan, so that it is not waited for.
    pub(super) fn durability(self) -> Durability {
        match self {
            Self::Step => Durability::Synced,
            Self::Facts | Self::Root | Self::Package | Self::Fetched | Self::Repository | Self::Metadata => {
                Durability::Unsynced
            }
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
    pub fn new(kind: RecordKind, key: Key, content: &[u8]) -> Self {
        let mut encoder = Encoder::new("rpmforge record v1");
        encoder.text("kind", kind.folder());
        encoder.digest_field("key", key.digest()).digest_field("content", &Digest::compute(content));
        Self { kind, key, digest: encoder.digest() }
    }

    /// What a file's name says, if it is one of ours.
    pub fn parse(kind: RecordKind, file: &str) -> Option<Self> {
        let (key, digest) = file.strip_suffix(kind.ending())?.split_once('-')?;
        let (key, digest) = (Digest::from_str(key).ok()?, Digest::from_str(digest).ok()?);
        Some(Self { kind, key: Key::from_digest(key), digest })
    }

    /// Whether `content` is what was remembered under this name.
    pub fn is_name_of(&self, content: &[u8]) -> bool {
        *self == Self::new(self.kind, self.key, content)
    }

    pub fn path(&self) -> PathBuf {
        Shelf::new(self.kind, &self.key).path().join(format!(
            "{}-{}{}",
            self.key,
            self.digest,
            self.kind.ending()
        ))
    }
}

/// The folder of all records of a kind whose keys begin alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Shelf {
    kind: RecordKind,
    prefix: String,
}

impl Shelf {
    pub fn new(kind: RecordKind, key: &Key) -> Self {
        Self { kind, prefix: key.digest().short(2) }
    }

    fn path(&self) -> PathBuf {
        [self.kind.folder(), &self.prefix].iter().collect()
    }

    /// The records in it, by key.
    pub fn list(&self, store: &Folder) -> HashMap<Key, Vec<RecordName>> {
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
    pub fn known_names(&self, kind: RecordKind, key: &Key) -> Vec<RecordName> {
        let shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        let records = shelves.get(&Shelf::new(kind, key));
        records.and_then(|records| records.get(key)).cloned().unwrap_or_default()
    }

    /// The records of a key as they are now: another forge may have written one, or replaced it.
    pub fn list_again(&self, store: &Folder, kind: RecordKind, key: &Key) -> Vec<RecordName> {
        let shelf = Shelf::new(kind, key);
        let records = shelf.list(store);
        let names = records.get(key).cloned().unwrap_or_default();
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner).insert(shelf, records);
        names
    }

    pub fn replace(&self, kind: RecordKind, key: &Key, names: Vec<RecordName>) {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(records) = shelves.get_mut(&Shelf::new(kind, key)) {
            records.insert(*key, names);
        }
    }

    /// When a record that was read had been written.
    pub fn time_written(&self, name: &RecordName) -> Option<Timestamp> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).get(name).copied()
    }

    pub fn note_written(&self, name: RecordName, at: Timestamp) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(name, at);
    }

    pub fn clear(&self) {
        self.shelves.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}
