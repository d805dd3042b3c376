//! What was fetched of git repositories, and of their large files: it can be fetched again, so that it stays only as long as
//! somebody uses it.
//!
//! `git/DIGEST/` is a repository, whose file `used` tells by its time when it was of use last; `git/large-files/ID` is a large
//! file. Plans read there without the store's lock, so what was used a moment ago stays whatever the limits are.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::collection::{CollectionLimits, CollectionMode};
use super::{Store, StoreError};
use crate::event::Timestamp;
use crate::files::{EntryKind, Folder, FreedSpace};

/// Where they are, below the store.
pub const GIT_CACHE: &str = "git";

/// The file in a repository whose time is that of its last use.
pub const GIT_USED: &str = "used";

/// Where large files are, below [`GIT_CACHE`].
pub const LARGE_FILES: &str = "large-files";

/// Somebody may be reading what was used less than this ago.
const BEING_READ: Duration = Duration::from_secs(3600);

/// What went of repositories that were fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CollectedGit {
    /// Repositories.
    pub repositories: usize,
    /// Large files.
    pub large_files: usize,
}

/// A repository or a large file.
struct KeptGit {
    path: PathBuf,
    kind: EntryKind,
    used: Timestamp,
    space: FreedSpace,
}

impl Store {
    /// Removes what is beyond the limits, beside the `size` bytes that are kept of other things already; what was used longest ago
    /// first.
    pub(super) fn collect_git(
        &self,
        (limits, mode): (CollectionLimits, CollectionMode),
        now: Timestamp,
        mut size: u64,
        freed: &mut FreedSpace,
    ) -> Result<CollectedGit, StoreError> {
        let mut collected = CollectedGit::default();
        let mut all = self.list_git()?;
        all.sort_by_key(|kept| std::cmp::Reverse(kept.used));
        for KeptGit { path, kind, used, space } in all {
            let age = now.since(used);
            let is_too_old = limits.older.is_some_and(|older| age > older);
            let is_too_much = limits.size_bytes.is_some_and(|most| size.saturating_add(space.bytes()) > most);
            if age <= BEING_READ || !(is_too_old || is_too_much) {
                size = size.saturating_add(space.bytes());
                continue;
            }
            match kind {
                EntryKind::Folder => {
                    freed.add_folder(&self.folder.folder(&path)?)?;
                    collected.repositories += 1;
                }
                EntryKind::File | EntryKind::Other => {
                    freed.add_file(&self.folder, &path);
                    collected.large_files += 1;
                }
            }
            match mode {
                CollectionMode::Remove => self.folder.remove(&path)?,
                CollectionMode::Count => {}
            }
        }
        Ok(collected)
    }

    fn list_git(&self) -> io::Result<Vec<KeptGit>> {
        let mut all = Vec::new();
        let git = Path::new(GIT_CACHE);
        if !self.folder.is_folder(git) {
            return Ok(all);
        }
        for entry in self.folder.folder(git)?.entries()? {
            let path = git.join(&entry.name);
            if entry.kind != EntryKind::Folder || entry.name != LARGE_FILES {
                all.extend(self.kept_git(path, entry.kind));
                continue;
            }
            for file in self.folder.folder(&path)?.entries()? {
                all.extend(self.kept_git(path.join(&file.name), file.kind));
            }
        }
        Ok(all)
    }

    /// Nothing where it is gone by now.
    fn kept_git(&self, path: PathBuf, kind: EntryKind) -> Option<KeptGit> {
        let mut space = FreedSpace::default();
        let times = match kind {
            EntryKind::Folder => {
                space.add_folder(&self.folder.folder(&path).ok()?).ok()?;
                // A forge before this one has not said when it was used: then it counts when it was made.
                [path.join(GIT_USED), path.join("HEAD"), path.clone()]
                    .map(|path| modified(&self.folder, &path))
            }
            EntryKind::File | EntryKind::Other => {
                space.add_file(&self.folder, &path);
                [modified(&self.folder, &path), None, None]
            }
        };
        let used = times.into_iter().flatten().next()?;
        Some(KeptGit { path, kind, used, space })
    }
}

fn modified(folder: &Folder, path: &Path) -> Option<Timestamp> {
    folder.modified(path).ok().map(Timestamp::of)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;
    use crate::store::Collection;

    /// A store with two repositories and a large file, of 2,000 bytes each, used one hour after the other.
    fn store() -> (tempfile::TempDir, Store) {
        let temp = tempfile::tempdir().unwrap();
        let store = Store::open(&HostPath::new(temp.path()).unwrap()).unwrap();
        let git = store.folder.create(GIT_CACHE).unwrap();
        for (hour, name) in ["old", "new"].into_iter().enumerate() {
            let repository = git.create(name).unwrap();
            repository.create("objects/pack").unwrap();
            repository.write_atomic("objects/pack/pack-1.pack", &[0; 2000]).unwrap();
            repository.write_atomic(GIT_USED, b"").unwrap();
            repository.set_modified(GIT_USED, 3600 * hour as u64).unwrap();
        }
        let large = git.create(LARGE_FILES).unwrap();
        large.write_atomic("a1", &[0; 2000]).unwrap();
        large.set_modified("a1", 3600 * 2).unwrap();
        (temp, store)
    }

    fn left(store: &Store) -> [bool; 3] {
        ["git/old", "git/new", "git/large-files/a1"].map(|path| store.folder.exists(path))
    }

    /// What is collected when so many hours have gone by.
    fn collect(store: &Store, limits: CollectionLimits, hours: u64, mode: CollectionMode) -> CollectedGit {
        let collection = Collection { limits, mode, ..Collection::default() };
        store.collect(&collection, Timestamp(3_600_000 * hours)).unwrap().git
    }

    #[test]
    fn repositories_that_nobody_has_used_for_long_go() {
        let (_temp, store) = store();
        let limits = CollectionLimits { older: Some(Duration::from_secs(3600 * 9)), size_bytes: None };
        let one = CollectedGit { repositories: 1, large_files: 0 };
        assert_eq!(collect(&store, limits, 10, CollectionMode::Count), one);
        assert_eq!(left(&store), [true, true, true]);
        assert_eq!(collect(&store, limits, 10, CollectionMode::Remove), one);
        assert_eq!(left(&store), [false, true, true]);
        let rest = CollectedGit { repositories: 1, large_files: 1 };
        assert_eq!(collect(&store, limits, 30, CollectionMode::Remove), rest);
        assert_eq!(left(&store), [false, false, false]);
    }

    #[test]
    fn what_was_used_longest_ago_goes_where_there_is_little_room() {
        let (_temp, store) = store();
        let limits = CollectionLimits { older: None, size_bytes: Some(20_000) };
        assert_eq!(collect(&store, limits, 10, CollectionMode::Remove), CollectedGit::default());
        let limits = CollectionLimits { older: None, size_bytes: Some(0) };
        assert_eq!(collect(&store, limits, 1, CollectionMode::Remove), CollectedGit::default());
        let all = CollectedGit { repositories: 2, large_files: 1 };
        assert_eq!(collect(&store, limits, 10, CollectionMode::Remove), all);
    }
}
