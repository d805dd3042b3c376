//! Garbage collection: results that nobody has used for long, or more than the store may hold.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{RecordKind, StepResult, Store, StoreError};
use crate::event::Timestamp;
use crate::files::{EntryKind, Folder, Lock, LockKind};

/// What may stay.
#[derive(Clone, Copy, Debug, Default)]
pub struct Limits {
    /// Results unused for longer go.
    pub older: Option<Duration>,
    /// The results used longest ago go until the store is no larger, in bytes.
    pub size_bytes: Option<u64>,
}

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    /// Results.
    pub results: usize,
    /// Blobs.
    pub blobs: usize,
    /// The bytes of those blobs.
    pub bytes: u64,
    /// The bytes of the blobs that stay.
    pub bytes_left: u64,
}

struct Remembered {
    path: PathBuf,
    used: Timestamp,
    result: Option<StepResult>,
}

impl Store {
    /// Removes results beyond `limits`, and every blob that no result needs any more.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while anything is being built.
    pub fn collect(&self, limits: Limits, now: Timestamp) -> Result<Collected, StoreError> {
        let lock = Lock::take(&self.folder, "lock", LockKind::Exclusive)?;
        let mut lock = lock.map_err(|_| StoreError::InUse)?;
        lock.sign(&format!("process {}", std::process::id()))?;
        let mut steps = self.remembered(RecordKind::Step)?;
        let mut collected = Collected::default();
        steps.sort_by_key(|step| std::cmp::Reverse(step.used));
        let mut kept: HashSet<PathBuf> = HashSet::new();
        let mut size = 0;
        for step in steps {
            let blobs: Vec<_> = step.result.iter().flat_map(StepResult::blobs).collect();
            let added: u64 =
                blobs.iter().filter(|blob| !kept.contains(&blob.path())).map(|blob| blob.size).sum();
            let too_old = limits.older.is_some_and(|older| now.since(step.used) > older);
            let too_much = limits.size_bytes.is_some_and(|most| size + added > most);
            if too_old || too_much || step.result.is_none() {
                self.folder.remove_file(&step.path)?;
                collected.results += 1;
                continue;
            }
            size += added;
            kept.extend(blobs.iter().map(super::Blob::path));
        }
        self.remove_old_facts(limits, now)?;
        self.remove_blobs(&kept, &mut collected)?;
        self.folder.remove_folder("incoming")?;
        Ok(collected)
    }

    fn remembered(&self, kind: RecordKind) -> Result<Vec<Remembered>, StoreError> {
        let mut found = Vec::new();
        for path in files_below(&self.folder, Path::new(kind.folder()))? {
            let used = Timestamp::of(self.folder.modified(&path)?);
            let result = serde_json::from_slice(&self.folder.read(&path)?).ok();
            found.push(Remembered { path, used, result });
        }
        Ok(found)
    }

    fn remove_old_facts(&self, limits: Limits, now: Timestamp) -> Result<(), StoreError> {
        let Some(older) = limits.older else { return Ok(()) };
        for path in files_below(&self.folder, Path::new(RecordKind::Facts.folder()))? {
            if now.since(Timestamp::of(self.folder.modified(&path)?)) > older {
                self.folder.remove_file(path)?;
            }
        }
        Ok(())
    }

    fn remove_blobs(&self, kept: &HashSet<PathBuf>, collected: &mut Collected) -> Result<(), StoreError> {
        for path in files_below(&self.folder, Path::new("blobs"))? {
            let size = self.folder.file_size(&path).unwrap_or_default();
            if kept.contains(&path) {
                collected.bytes_left += size;
                continue;
            }
            self.folder.remove_file(path)?;
            collected.blobs += 1;
            collected.bytes += size;
        }
        Ok(())
    }
}

fn files_below(folder: &Folder, path: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![path.to_owned()];
    while let Some(path) = open.pop() {
        if !folder.is_folder(&path) {
            continue;
        }
        for entry in folder.folder(&path)?.entries()? {
            match entry.kind {
                EntryKind::Folder => open.push(path.join(entry.name)),
                EntryKind::File => files.push(path.join(entry.name)),
                EntryKind::Other => {}
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Encoder;
    use crate::files::HostPath;

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
            store.folder.set_modified(RecordKind::Step.path(&key), 1000 * index as u64).unwrap();
        }
        (temp, store)
    }

    #[test]
    fn what_was_used_longest_ago_goes_first() {
        let (_temp, store) = store_with(&["oldest..", "older...", "newest.."]);
        let limits = Limits { older: None, size_bytes: Some(16) };
        let collected = store.collect(limits, Timestamp(9_000_000)).unwrap();
        assert_eq!(collected, Collected { results: 1, blobs: 1, bytes: 8, bytes_left: 16 });
        let newest = Encoder::new("test v1").text("content", "newest..").key();
        assert!(store.result(&newest).is_some());
    }

    #[test]
    fn age_counts_from_the_last_use() {
        let (_temp, store) = store_with(&["a", "b"]);
        let limits = Limits { older: Some(Duration::from_secs(1500)), size_bytes: None };
        assert_eq!(store.collect(limits, Timestamp(2_000_000)).unwrap().results, 1);
    }

    #[test]
    fn nothing_is_collected_while_something_is_built() {
        let (_temp, store) = store_with(&["a"]);
        let _building = store.lock_for_use().unwrap();
        assert!(matches!(store.collect(Limits::default(), Timestamp(0)), Err(StoreError::InUse)));
    }
}
