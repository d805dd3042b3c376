//! Where lists of trees are kept, and when they are believed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rayon::prelude::*;

use super::file::TreeFiles;
use super::{Boot, EntryList, ListedIn, TreeEntry};
use crate::digest::Digest;
use crate::event::{Clock, SystemClock, Timestamp};
use crate::files::Folder;
use crate::store::StoreError;
use crate::store::collection::CollectionMode;

/// Trees are made otherwise from another version on.
pub(super) const FORM: &str = "1";

pub(super) const TREES: &str = "trees";
pub(super) const FARMS: &str = "farms";
pub(super) const PACKAGES: &str = "packages";

/// Trees are marked as used at most this often.
const USED_AGAIN: Duration = Duration::from_secs(3600);

/// A folder that only its owner can look into, made where it is missing.
pub(super) fn private_folder(parent: &Folder, name: &str) -> Result<Folder, StoreError> {
    match rustix::fs::mkdirat(parent.dir(), name, rustix::fs::Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => Ok(parent.folder(name)?.without_sync()),
        Err(error) => Err(std::io::Error::from(error).into()),
    }
}

pub(super) fn list_path(digest: &Digest) -> PathBuf {
    let name = digest.to_string();
    [PACKAGES, name.get(..2).unwrap_or_default(), &format!("{name}-{FORM}")].iter().collect()
}

/// Writes the list of a tree, and gives its entries back.
pub(super) fn write_list(
    trees: &Folder,
    path: &Path,
    entries: Vec<TreeEntry>,
    boot: &Boot,
) -> Result<Vec<TreeEntry>, StoreError> {
    trees.create(path.parent().unwrap_or(path))?;
    let list = EntryList { boot: boot.clone(), entries, ..EntryList::default() };
    trees.write_atomic(path, &list.encode(ListedIn::Tree))?;
    Ok(list.entries)
}

/// The entries of a tree that is whole, and believed from now on until the machine boots again.
pub(super) fn sound_list(
    trees: &Folder,
    path: &Path,
    files: &TreeFiles,
    boot: &Boot,
) -> Option<Vec<TreeEntry>> {
    let list = EntryList::decode(ListedIn::Tree, &trees.read(path).ok()?)?;
    if !list.boot.is_same(boot) {
        let is_sound = |entry: &TreeEntry| entry.stored().is_none_or(|file| files.is_sound(entry, file));
        list.entries.par_iter().all(is_sound).then_some(())?;
        mark_used(trees, path);
        return write_list(trees, path, list.entries, boot).ok();
    }
    mark_used(trees, path);
    Some(list.entries)
}

/// Notes that a tree is of use, so that it is kept longer.
fn mark_used(trees: &Folder, path: &Path) {
    let now = SystemClock.now();
    let used = trees.modified(path).map(Timestamp::of);
    if used.is_ok_and(|used| now.since(used) > USED_AGAIN) {
        // Where that can't be noted, it is unpacked again some day.
        let _ = trees.set_modified(path, now.0 / 1000);
    }
}

/// Removes something, where it is there and that is wanted.
pub(super) fn remove(folder: &Folder, path: &Path, mode: CollectionMode) -> std::io::Result<()> {
    match mode {
        CollectionMode::Count => Ok(()),
        CollectionMode::Remove if folder.dir().symlink_metadata(path).is_err() => Ok(()),
        CollectionMode::Remove => folder.remove(path),
    }
}
