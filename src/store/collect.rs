//! Garbage collection: results that nobody has used for long, or more than the store may hold.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::collection::{CollectionLimits, CollectionMode, files_below};
use super::record_index::RecordName;
use super::{CollectedGit, CollectedRoots, RecordKind, StepResult, Store, StoreError};
use crate::digest::Key;
use crate::event::Timestamp;
use crate::files::{FreedSpace, is_temporary};

/// What is to be collected.
#[derive(Clone, Debug, Default)]
pub struct Collection {
    /// What may stay.
    pub limits: CollectionLimits,
    /// The keys of results that stay whatever the limits are.
    pub needed: HashSet<Key>,
    /// Whether anything is removed.
    pub mode: CollectionMode,
}

/// What went, and what is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Results that went.
    pub results: usize,
    /// Blobs that went.
    pub blobs: usize,
    /// The bytes of those blobs.
    pub bytes: u64,
    /// The results that stay because they are needed.
    pub needed: usize,
    /// The other results that stay.
    pub within_limits: usize,
    /// The bytes of the blobs that stay.
    pub bytes_left: u64,
}

/// What becomes of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultFate {
    /// It stays: it is needed.
    Needed,
    /// It stays, within the limits.
    WithinLimits,
    /// It goes: nobody has used it for long.
    TooOld,
    /// It goes: the store would be too large.
    TooMuch,
    /// It goes: it can't be believed.
    Damaged,
}

/// A result that was looked at.
#[derive(Clone, Debug)]
pub struct CollectedResult {
    /// Its key, where its record has one.
    pub key: Option<Key>,
    /// A package of it.
    pub package: Option<String>,
    /// The bytes of its files.
    pub bytes: u64,
    /// When it was of use last.
    pub used: Timestamp,
    /// What becomes of it.
    pub fate: ResultFate,
}

/// What a collection came to.
#[derive(Debug, Default)]
pub struct CollectionReport {
    /// Counted.
    pub collected: Collected,
    /// Every result.
    pub results: Vec<CollectedResult>,
    /// What went of package trees and of roots.
    pub roots: CollectedRoots,
    /// What went of git repositories.
    pub git: CollectedGit,
    /// The files that went, or would.
    pub freed: FreedSpace,
}

impl CollectionReport {
    /// The keys of the results that stay.
    pub fn kept(&self) -> HashSet<Key> {
        let stays = |fate| matches!(fate, ResultFate::Needed | ResultFate::WithinLimits);
        self.results.iter().filter(|result| stays(result.fate)).filter_map(|result| result.key).collect()
    }
}

/// A file that is older than this is not being written any more.
const BEING_WRITTEN: Duration = Duration::from_secs(3600);

struct Remembered {
    path: PathBuf,
    is_needed: bool,
    used: Timestamp,
    result: Option<StepResult>,
}

impl Remembered {
    /// What becomes of it where the store would be that large with it.
    fn fate(&self, limits: CollectionLimits, now: Timestamp, size: u64) -> ResultFate {
        let is_too_old = || limits.older.is_some_and(|older| now.since(self.used) > older);
        let is_too_much = || limits.size_bytes.is_some_and(|most| size > most);
        match self.result {
            None => ResultFate::Damaged,
            Some(_) if self.is_needed => ResultFate::Needed,
            Some(_) if is_too_old() => ResultFate::TooOld,
            Some(_) if is_too_much() => ResultFate::TooMuch,
            Some(_) => ResultFate::WithinLimits,
        }
    }

    fn collected(&self, fate: ResultFate) -> CollectedResult {
        let files = || self.result.iter().flat_map(|result| &result.files);
        CollectedResult {
            key: step_name(&self.path).map(|name| name.key),
            package: files().next().map(|file| file.package.nevra.clone()),
            bytes: self.result.iter().flat_map(StepResult::blobs).map(|blob| blob.size).sum(),
            used: self.used,
            fate,
        }
    }
}

impl Store {
    /// Removes results beyond the limits that are not needed, and every blob that no result needs any more.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while anything is being built.
    pub fn collect(&self, collection: &Collection, now: Timestamp) -> Result<CollectionReport, StoreError> {
        let _lock = self.lock_alone("forge gc")?;
        let Collection { limits, needed, mode } = collection;
        let mut steps = self.read_results(needed)?;
        let mut report = CollectionReport::default();
        steps.sort_by_key(|step| (!step.is_needed, std::cmp::Reverse(step.used)));
        let mut kept: HashSet<PathBuf> = HashSet::new();
        let mut size = 0;
        for step in steps {
            let blobs: Vec<_> = step.result.iter().flat_map(StepResult::blobs).collect();
            let added: u64 =
                blobs.iter().filter(|blob| !kept.contains(&blob.path())).map(|blob| blob.size).sum();
            let fate = step.fate(*limits, now, size + added);
            report.results.push(step.collected(fate));
            match fate {
                ResultFate::Needed => report.collected.needed += 1,
                ResultFate::WithinLimits => report.collected.within_limits += 1,
                ResultFate::TooOld | ResultFate::TooMuch | ResultFate::Damaged => {
                    report.freed.add_file(&self.folder, &step.path);
                    self.remove_collected(step.path, *mode)?;
                    report.collected.results += 1;
                    continue;
                }
            }
            size += added;
            kept.extend(blobs.iter().map(super::Blob::path));
        }
        self.collect_fetched((*limits, *mode), now, size, &mut kept)?;
        // Roots are composed again in no time where their packages are there: they go first where there is too much.
        let left = CollectionLimits {
            size_bytes: limits.size_bytes.map(|most| most.saturating_sub(size)),
            ..*limits
        };
        report.roots = self.collect_roots(left, *mode, now, &mut report.freed)?;
        self.remove_blobs(&kept, *mode, &mut report)?;
        report.git = self.collect_git((*limits, *mode), now, size, &mut report.freed)?;
        match mode {
            CollectionMode::Count => {}
            CollectionMode::Remove => {
                self.remove_old_facts(*limits, now)?;
                self.folder.remove_folder("incoming")?;
                self.folder.remove_folder("downloads")?;
                self.records.clear();
            }
        }
        Ok(report)
    }

    fn remove_collected(&self, path: PathBuf, mode: CollectionMode) -> io::Result<()> {
        match mode {
            CollectionMode::Remove => self.folder.remove_file(path),
            CollectionMode::Count => Ok(()),
        }
    }

    /// All records of results. One that can't be believed, or whose blobs are not all there, is none.
    fn read_results(&self, needed: &HashSet<Key>) -> Result<Vec<Remembered>, StoreError> {
        let mut found = Vec::new();
        for path in files_below(&self.folder, Path::new(RecordKind::Step.folder()))? {
            let used = Timestamp::of(self.folder.modified(&path)?);
            let result = self.read_result(&path)?;
            let is_needed = step_name(&path).is_some_and(|name| needed.contains(&name.key));
            found.push(Remembered { path, is_needed, used, result });
        }
        Ok(found)
    }

    /// The blobs of all results.
    pub(super) fn blobs_of_results(&self) -> Result<HashSet<PathBuf>, StoreError> {
        let results = self.read_results(&HashSet::new())?;
        Ok(results
            .iter()
            .flat_map(|step| &step.result)
            .flat_map(StepResult::blobs)
            .map(|blob| blob.path())
            .collect())
    }

    fn read_result(&self, path: &Path) -> io::Result<Option<StepResult>> {
        let Some(name) = step_name(path) else {
            return Ok(None);
        };
        let content = self.folder.read(path)?;
        let result: Option<StepResult> = serde_json::from_slice(&content).ok();
        Ok(result.filter(|result| name.is_name_of(&content) && result.blobs().all(|blob| self.has(&blob))))
    }

    /// Specs are read without the store's lock: a file that is just being written is left alone.
    fn remove_old_facts(&self, limits: CollectionLimits, now: Timestamp) -> Result<(), StoreError> {
        // What roots consist of can be had again by another look as well.
        for kind in [
            RecordKind::Facts,
            RecordKind::Root,
            RecordKind::Package,
            RecordKind::Repository,
            RecordKind::Metadata,
        ] {
            for path in files_below(&self.folder, Path::new(kind.folder()))? {
                let Ok(modified) = self.folder.modified(&path) else { continue };
                let age = now.since(Timestamp::of(modified));
                let is_ours = || {
                    let file = path.file_name().unwrap_or_default().to_string_lossy();
                    RecordName::parse(kind, &file).is_some()
                };
                let is_too_old = limits.older.is_some_and(|older| age > older);
                let is_left_over = age > BEING_WRITTEN && (is_temporary(&path) || !is_ours());
                if is_too_old || is_left_over {
                    self.folder.remove_file(path)?;
                }
            }
        }
        Ok(())
    }

    fn remove_blobs(
        &self,
        kept: &HashSet<PathBuf>,
        mode: CollectionMode,
        report: &mut CollectionReport,
    ) -> Result<(), StoreError> {
        let CollectionReport { collected, freed, roots, .. } = report;
        for path in files_below(&self.folder, Path::new("blobs"))? {
            let size = self.folder.file_size(&path).unwrap_or_default();
            if kept.contains(&path) {
                collected.bytes_left += size;
                continue;
            }
            if roots.blobs.contains(&path) {
                continue;
            }
            freed.add_file(&self.folder, &path);
            self.remove_collected(path, mode)?;
            collected.blobs += 1;
            collected.bytes += size;
        }
        Ok(())
    }
}

/// What the name of a record of a result says, if it is one.
fn step_name(path: &Path) -> Option<RecordName> {
    RecordName::parse(RecordKind::Step, &path.file_name()?.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Encoder;
    use crate::files::{Folder, HostPath};

    fn store_with(contents: &[&str]) -> (tempfile::TempDir, Store) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        for (index, content) in contents.iter().enumerate() {
            folder.write_atomic("log", content.as_bytes()).unwrap();
            let (log, _) = store.take_in(&folder, Path::new("log")).unwrap();
            let result = StepResult { files: Vec::new(), log, stages: Vec::new(), milliseconds: 0 };
            let key = Encoder::new("test v1").text("content", content).key();
            store.remember(RecordKind::Step, &key, &result).unwrap();
            let record = record_of(&store, &result);
            store.folder.set_modified(record, 1000 * index as u64).unwrap();
        }
        (temp, store)
    }

    fn within(limits: CollectionLimits) -> Collection {
        Collection { limits, ..Collection::default() }
    }

    fn record_of(store: &Store, result: &StepResult) -> PathBuf {
        let records = files_below(&store.folder, Path::new("steps")).unwrap();
        let content = serde_json::to_vec(result).unwrap();
        records.into_iter().find(|path| store.folder.read(path).unwrap() == content).unwrap()
    }

    #[test]
    fn what_can_not_be_believed_goes_with_the_blobs_that_only_it_needs() {
        let (_temp, store) = store_with(&["a", "b", "c"]);
        let records = files_below(&store.folder, Path::new("steps")).unwrap();
        store.folder.write_atomic(&records[0], b"{}").unwrap();
        let result = store.read_result(&records[1]).unwrap().unwrap();
        store.folder.remove_file(result.log.path()).unwrap();
        store.folder.write_atomic("steps/.forge-tmp-1-1", b"").unwrap();
        store.folder.create("incoming").unwrap().write_atomic("half", b"").unwrap();
        let collected = store.collect(&Collection::default(), Timestamp(9_000_000)).unwrap().collected;
        assert_eq!((collected.results, collected.blobs, collected.bytes_left), (3, 1, 1));
        assert!(!store.folder.exists("incoming"));
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let (_temp, store) = store_with(&["oldest..", "older...", "newest.."]);
        let limits = CollectionLimits { older: None, size_bytes: Some(16) };
        let collected = store.collect(&within(limits), Timestamp(9_000_000)).unwrap().collected;
        assert_eq!(
            collected,
            Collected { results: 1, blobs: 1, bytes: 8, needed: 0, within_limits: 2, bytes_left: 16 }
        );
        let newest = Encoder::new("test v1").text("content", "newest..").key();
        assert!(store.result(&newest).is_some());
    }

    #[test]
    fn what_is_needed_stays_whatever_the_limits_are_and_counts_first() {
        let (_temp, store) = store_with(&["needed..", "newest.."]);
        let needed = Encoder::new("test v1").text("content", "needed..").key();
        let limits = CollectionLimits { older: Some(Duration::from_secs(1)), size_bytes: Some(0) };
        let counting = Collection { limits, needed: HashSet::from([needed]), mode: CollectionMode::Count };
        let expected =
            Collected { results: 1, blobs: 1, bytes: 8, needed: 1, within_limits: 0, bytes_left: 8 };
        assert_eq!(store.collect(&counting, Timestamp(9_000_000)).unwrap().collected, expected);
        assert_eq!(files_below(&store.folder, Path::new("blobs")).unwrap().len(), 2);
        let removing = Collection { mode: CollectionMode::Remove, ..counting };
        assert_eq!(store.collect(&removing, Timestamp(9_000_000)).unwrap().collected, expected);
        assert_eq!(files_below(&store.folder, Path::new("blobs")).unwrap().len(), 1);
        assert!(store.result(&needed).is_some());
    }

    #[test]
    fn age_counts_from_the_last_use() {
        let (_temp, store) = store_with(&["a", "b"]);
        let limits = CollectionLimits { older: Some(Duration::from_secs(1500)), size_bytes: None };
        assert_eq!(store.collect(&within(limits), Timestamp(2_000_000)).unwrap().collected.results, 1);
    }

    #[test]
    fn nothing_is_collected_while_something_is_built() {
        let (_temp, store) = store_with(&["a"]);
        let _building = store.lock_for_use().unwrap();
        assert!(matches!(store.collect(&Collection::default(), Timestamp(0)), Err(StoreError::InUse)));
    }
}
