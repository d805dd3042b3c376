//! Garbage collection of trees and of the roots that are composed of them.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::{Path, PathBuf};

use super::file::{FILES, INCOMING, stored_path};
use super::header_copy::remove_copies;
use super::kept_list::{FARMS, FORM, PACKAGES, TREES, remove};
use super::{EntryList, ListedIn};
use crate::digest::Digest;
use crate::event::Timestamp;
use crate::files::{EntryKind, Folder, FreedSpace};
use crate::store::blob::blob_path;
use crate::store::collection::{CollectionLimits, CollectionMode, files_below};
use crate::store::{Store, StoreError};

/// What was collected of trees and roots.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CollectedRoots {
    /// Packages of which it is forgotten what they unpack to.
    pub packages: usize,
    /// Roots that went.
    pub roots: usize,
    /// The bytes of the files that stay.
    pub bytes_left: u64,
    /// The blobs of the packages that stay.
    pub(in crate::store) blobs: HashSet<PathBuf>,
}

/// A tree that was looked at.
pub(super) struct KnownTree {
    path: PathBuf,
    used: Timestamp,
    pub files: HashMap<Digest, u64>,
}

impl Store {
    /// Removes trees and roots that nobody has used for long, and of the trees those used longest ago until all are no larger than
    /// `size_left` bytes. The caller has the store for itself.
    pub(in crate::store) fn collect_roots(
        &self,
        limits: CollectionLimits,
        mode: CollectionMode,
        now: Timestamp,
        freed: &mut FreedSpace,
    ) -> Result<CollectedRoots, StoreError> {
        let mut collected = CollectedRoots::default();
        let is_old = |used: Timestamp| limits.older.is_some_and(|older| now.since(used) > older);
        if let Some(farms) = folder_if_there(&self.folder, FARMS)? {
            for entry in farms.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::Folder) {
                let used = farms.modified(Path::new(&entry.name).join("list")).map(Timestamp::of);
                // What has no list was never finished.
                if used.is_ok_and(|used| !is_old(used)) {
                    remove_unfinished(&farms, &entry.name, mode)?;
                    continue;
                }
                collected.roots += usize::from(entry.name.len() == 64);
                // What can't be looked into is not counted.
                let _ = farms.folder(&entry.name).and_then(|folder| freed.add_folder(&folder));
                remove(&farms, Path::new(&entry.name), mode)?;
            }
        }
        if let Some(indexes) = folder_if_there(&self.folder, INDEXES)? {
            for entry in indexes.entries()? {
                let path = Path::new(&entry.name);
                if indexes.modified(path).map(Timestamp::of).is_ok_and(|used| !is_old(used)) {
                    continue;
                }
                freed.add_file(&indexes, path);
                remove(&indexes, path, mode)?;
            }
        }
        if let Some(trees) = folder_if_there(&self.folder, TREES)? {
            collect_trees(&trees, limits, mode, now, (&mut collected, freed))?;
        }
        Ok(collected)
    }
}

/// Removes what scriptlets were changing in a root when they were killed.
fn remove_unfinished(farms: &Folder, farm: impl AsRef<Path>, mode: CollectionMode) -> io::Result<()> {
    let Some(effects) = folder_if_there(&farms.folder(farm)?, EFFECTS)? else { return Ok(()) };
    let entries = effects.entries()?.into_iter();
    let unfinished = entries.filter(|entry| entry.name.starts_with(UNFINISHED));
    unfinished.into_iter().try_for_each(|entry| remove(&effects, Path::new(&entry.name), mode))
}

/// Where what repositories have is kept in a compact form.
pub(crate) const INDEXES: &str = "indexes";

/// Where a farm keeps what scriptlets have changed of it.
pub(crate) const EFFECTS: &str = "effects";

/// How names begin of what they are still changing.
pub(crate) const UNFINISHED: &str = "new-";

fn collect_trees(
    trees: &Folder,
    limits: CollectionLimits,
    mode: CollectionMode,
    now: Timestamp,
    (collected, freed): (&mut CollectedRoots, &mut FreedSpace),
) -> Result<(), StoreError> {
    remove(trees, Path::new(INCOMING), mode)?;
    let mut known = Vec::new();
    for path in files_below(trees, Path::new(PACKAGES))? {
        match read_tree(trees, &path) {
            Some(tree) => known.push(tree),
            None => remove(trees, &path, mode)?,
        }
    }
    known.sort_by_key(|tree| std::cmp::Reverse(tree.used));
    let mut kept: HashSet<PathBuf> = HashSet::new();
    let mut packages: HashSet<Digest> = HashSet::new();
    for tree in known {
        let is_new = |name: &Digest| !kept.contains(&stored_path(name));
        let added: u64 = tree.files.iter().filter(|(name, _)| is_new(name)).map(|(_, size)| size).sum();
        let is_old = limits.older.is_some_and(|older| now.since(tree.used) > older);
        let is_too_much = limits.size_bytes.is_some_and(|most| collected.bytes_left + added > most);
        if is_old || is_too_much {
            freed.add_file(trees, &tree.path);
            remove(trees, &tree.path, mode)?;
            collected.packages += 1;
            continue;
        }
        collected.bytes_left += added;
        packages.extend(package_digest(&tree.path));
        kept.extend(tree.files.keys().map(stored_path));
    }
    collected.blobs.extend(packages.iter().map(blob_path));
    remove_copies(trees, |package| !packages.contains(package), mode, freed)?;
    for path in files_below(trees, Path::new(FILES))? {
        if path.strip_prefix(FILES).is_ok_and(|path| !kept.contains(path)) {
            freed.add_file(trees, &path);
            remove(trees, &path, mode)?;
        }
    }
    Ok(())
}

pub(super) fn read_tree(trees: &Folder, path: &Path) -> Option<KnownTree> {
    package_digest(path)?;
    let list = EntryList::decode(ListedIn::Tree, &trees.read(path).ok()?)?;
    let used = Timestamp::of(trees.modified(path).ok()?);
    let files = list.entries.iter().filter_map(|entry| entry.stored()).map(|file| (file.name, file.size));
    Some(KnownTree { path: path.to_owned(), used, files: files.collect() })
}

/// The package that a list is of, as its name says; nothing where another version of forge has written it.
pub(super) fn package_digest(path: &Path) -> Option<Digest> {
    let (digest, form) = path.file_name()?.to_str()?.split_once('-')?;
    digest.parse().ok().filter(|_| form == FORM)
}

pub(super) fn folder_if_there(parent: &Folder, name: &str) -> io::Result<Option<Folder>> {
    if parent.is_folder(name) { parent.folder(name).map(Some) } else { Ok(None) }
}
