//! Checking all that the store holds.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::collection::files_below;
use super::record_index::RecordName;
use super::{Blob, RecordKind, StepResult, Store, StoreError};
use crate::digest::Digest;
use crate::files::{Folder, is_temporary};

/// What is done with what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repair {
    /// It is only named.
    Nothing,
    /// It is removed, with the records that need it, so that it is built or read again.
    Remove,
}

/// What a thing in the store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum StoredKind {
    /// Content: a package, a log, a source.
    Blob,
    /// The record of a step's result.
    Result,
    /// The record of what a spec says.
    Facts,
    /// The record of what a root consists of.
    Root,
    /// The record of what a package says of itself.
    Package,
    /// The record of a file that was fetched.
    Fetched,
    /// The record of what was seen of a repository.
    Repository,
    /// What metadata say of packages.
    Metadata,
    /// What a package of a root unpacks to.
    Tree,
    /// A root, or a layer of one.
    Farm,
}

/// What is wrong with a thing in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Defect {
    /// It is not there, and something needs it.
    Missing,
    /// It is not what its name says.
    Changed,
    /// Its name is none that forge gives.
    Misnamed,
    /// It can't be read.
    Unreadable,
}

/// A thing in the store that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// What it is.
    pub kind: StoredKind,
    /// Where it is, or should be, below the store's folder.
    pub path: PathBuf,
    /// What is wrong.
    pub defect: Defect,
    /// What needs it: names of packages; empty where that is not on record.
    pub needed_by: Vec<String>,
}

impl Finding {
    /// Whether nothing is lost by it: packages are unpacked again, and roots made of them; facts and contents of roots are not synced, so a power cut may leave a record of them
    /// unfinished. Such a record is not believed; whoever asks for it takes another look, and writes it again.
    pub fn is_read_again(&self) -> bool {
        match self.kind {
            StoredKind::Facts
            | StoredKind::Root
            | StoredKind::Package
            | StoredKind::Metadata
            | StoredKind::Fetched
            | StoredKind::Repository
            | StoredKind::Tree
            | StoredKind::Farm => true,
            StoredKind::Blob | StoredKind::Result => false,
        }
    }
}

/// What a check came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verification {
    /// How many blobs there are.
    pub blobs: usize,
    /// How many bytes these hold.
    pub bytes: u64,
    /// How many records there are.
    pub records: usize,
    /// How many packages of roots are unpacked.
    pub trees: usize,
    /// How many roots, and layers of roots, are made of them.
    pub farms: usize,
    /// Everything that is wrong, sorted.
    pub wrong: Vec<Finding>,
}

impl Store {
    /// Reads everything that the store holds, and names what is not what it should be.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while anything is being built.
    pub fn verify(&self, repair: Repair) -> Result<Verification, StoreError> {
        let _lock = self.lock_alone("forge store verify")?;
        let mut checked = Verification::default();
        let needs = self.verify_records(&mut checked)?;
        self.verify_blobs(&needs, &mut checked)?;
        self.verify_trees(&mut checked)?;
        checked.wrong.sort();
        if repair == Repair::Remove {
            for wrong in &checked.wrong {
                self.folder.remove(&wrong.path)?;
                let records = needs.by_path.get(&wrong.path).map(|need| need.records.as_slice());
                records.unwrap_or_default().iter().try_for_each(|record| self.folder.remove(record))?;
            }
            self.records.clear();
        }
        Ok(checked)
    }

    /// Checks all records; gives which packages need which blob.
    fn verify_records(&self, checked: &mut Verification) -> Result<Needs, StoreError> {
        let mut needs = Needs::default();
        for kind in RecordKind::ALL {
            let mut paths = files_below(&self.folder, Path::new(kind.folder()))?;
            // Of a forge that was killed, or that is reading specs at this moment.
            paths.retain(|path| !is_temporary(path));
            let read: Vec<_> = paths.par_iter().map(|path| read_record(&self.folder, kind, path)).collect();
            checked.records += paths.len();
            for (path, record) in paths.into_iter().zip(read) {
                match record {
                    Ok(content) if kind == RecordKind::Step => needs.add(path, &content),
                    Ok(_) => {}
                    Err(defect) => {
                        let stored = match kind {
                            RecordKind::Step => StoredKind::Result,
                            RecordKind::Facts => StoredKind::Facts,
                            RecordKind::Root => StoredKind::Root,
                            RecordKind::Package => StoredKind::Package,
                            RecordKind::Fetched => StoredKind::Fetched,
                            RecordKind::Repository => StoredKind::Repository,
                            RecordKind::Metadata => StoredKind::Metadata,
                        };
                        checked.wrong.push(Finding { kind: stored, path, defect, needed_by: Vec::new() });
                    }
                }
            }
        }
        Ok(needs)
    }

    fn verify_blobs(&self, needs: &Needs, checked: &mut Verification) -> Result<(), StoreError> {
        let paths = files_below(&self.folder, Path::new("blobs"))?;
        let read: Vec<_> = paths.par_iter().map(|path| read_blob(&self.folder, path)).collect();
        for (path, read) in paths.iter().zip(read) {
            checked.blobs += 1;
            match read {
                Ok(size) => checked.bytes += size,
                Err(defect) => checked.wrong.push(needs.wrong_blob(path, defect)),
            }
        }
        let there: HashSet<&PathBuf> = paths.iter().collect();
        let missing = needs.by_path.keys().filter(|path| !there.contains(path));
        checked.wrong.extend(missing.map(|path| needs.wrong_blob(path, Defect::Missing)));
        Ok(())
    }
}

/// What needs a blob.
#[derive(Default)]
struct Need {
    packages: Vec<String>,
    records: Vec<PathBuf>,
}

/// What needs which blob.
#[derive(Default)]
struct Needs {
    by_path: HashMap<PathBuf, Need>,
}

impl Needs {
    /// Adds what a sound record of a result names; one of another forge's form names nothing.
    fn add(&mut self, path: PathBuf, record: &[u8]) {
        let Ok(result) = serde_json::from_slice::<StepResult>(record) else {
            return;
        };
        for file in &result.files {
            self.need(file.blob, &path, &file.package.nevra);
        }
        let packages = result.files.iter().filter(|file| !file.package.is_source());
        let built = packages.chain(&result.files).next().map(|file| file.package.nevra.clone());
        let log = built.map_or("the log of a build".to_owned(), |built| format!("the log of {built}"));
        self.need(result.log, &path, &log);
    }

    fn need(&mut self, blob: Blob, record: &Path, package: &str) {
        let need = self.by_path.entry(blob.path()).or_default();
        need.records.push(record.to_owned());
        if !need.packages.iter().any(|known| known == package) {
            need.packages.push(package.to_owned());
        }
    }

    fn wrong_blob(&self, path: &Path, defect: Defect) -> Finding {
        let needed_by = self.by_path.get(path).map(|need| need.packages.clone()).unwrap_or_default();
        Finding { kind: StoredKind::Blob, path: path.to_owned(), defect, needed_by }
    }
}

fn read_record(store: &Folder, kind: RecordKind, path: &Path) -> Result<Vec<u8>, Defect> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let name = RecordName::parse(kind, &file).filter(|name| name.path() == path).ok_or(Defect::Misnamed)?;
    let content = store.read(path).map_err(|_| Defect::Unreadable)?;
    if name.is_name_of(&content) { Ok(content) } else { Err(Defect::Changed) }
}

/// The size of a sound blob.
fn read_blob(store: &Folder, path: &Path) -> Result<u64, Defect> {
    let name: Option<Digest> = path.file_name().and_then(|name| name.to_str()?.parse().ok());
    let name = name.filter(|digest| Blob { digest: *digest, size: 0 }.path() == path);
    let name = name.ok_or(Defect::Misnamed)?;
    let (digest, size) = Digest::read_file(store, path).map_err(|_| Defect::Unreadable)?;
    if digest == name { Ok(size) } else { Err(Defect::Changed) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{Encoder, Key};
    use crate::files::HostPath;

    fn key() -> Key {
        Encoder::new("test v1").key()
    }

    fn store_with_a_result() -> (tempfile::TempDir, Store, Blob) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.write_atomic("log", b"it was built").unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let (log, _) = store.take_in(&folder, Path::new("log")).unwrap();
        let result = StepResult { files: Vec::new(), log, stages: Vec::new(), milliseconds: 0 };
        store.remember(RecordKind::Step, &key(), &result).unwrap();
        (temp, store, log)
    }

    #[test]
    fn a_sound_store_has_nothing_wrong() {
        let (_temp, store, log) = store_with_a_result();
        let checked = store.verify(Repair::Nothing).unwrap();
        assert_eq!(
            checked,
            Verification { blobs: 1, bytes: log.size, records: 1, ..Verification::default() }
        );
    }

    #[test]
    fn every_kind_of_damage_is_named_and_removed() {
        let (_temp, store, log) = store_with_a_result();
        store.folder.write_atomic(log.path(), b"it was bui1t").unwrap();
        store.folder.write_atomic("steps/stray.json", b"{}").unwrap();
        let record = files_below(&store.folder, Path::new("steps")).unwrap();
        let record = record.into_iter().find(|path| path.components().count() == 3).unwrap();
        store.folder.write_atomic(&record, b"").unwrap();
        let found = store.verify(Repair::Remove).unwrap().wrong;
        let found: Vec<_> = found.into_iter().map(|wrong| (wrong.path, wrong.defect)).collect();
        let expected = [
            (log.path(), Defect::Changed),
            (record, Defect::Changed),
            (PathBuf::from("steps/stray.json"), Defect::Misnamed),
        ];
        assert!(expected.iter().all(|wrong| found.contains(wrong)) && found.len() == 3, "{found:?}");
        assert_eq!(store.verify(Repair::Nothing).unwrap(), Verification::default());
    }

    #[test]
    fn a_missing_blob_is_wrong_and_named_by_what_needs_it() {
        let (_temp, store, log) = store_with_a_result();
        store.folder.remove_file(log.path()).unwrap();
        let wrong = store.verify(Repair::Remove).unwrap().wrong;
        let needed_by = vec!["the log of a build".to_owned()];
        let path = log.path();
        assert_eq!(wrong, [Finding { kind: StoredKind::Blob, path, defect: Defect::Missing, needed_by }]);
        assert_eq!(store.verify(Repair::Nothing).unwrap(), Verification::default());
    }

    #[test]
    fn a_folder_in_the_place_of_a_blob_is_removed() {
        let (_temp, store, log) = store_with_a_result();
        store.folder.remove_file(log.path()).unwrap();
        store.folder.create(log.path()).unwrap().write_atomic("x", b"").unwrap();
        let wrong = store.verify(Repair::Remove).unwrap().wrong;
        let wrong: Vec<_> = wrong.into_iter().map(|wrong| (wrong.path, wrong.defect)).collect();
        assert_eq!(wrong, [(log.path(), Defect::Missing), (log.path().join("x"), Defect::Misnamed)]);
        assert_eq!(store.verify(Repair::Nothing).unwrap(), Verification::default());
        assert!(!store.folder.exists(log.path()));
    }

    #[test]
    fn nothing_is_checked_while_something_is_built() {
        let (_temp, store, _) = store_with_a_result();
        let _building = store.lock_for_use().unwrap();
        assert!(matches!(store.verify(Repair::Nothing), Err(StoreError::InUse)));
    }
}
