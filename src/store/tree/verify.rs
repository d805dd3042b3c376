//! Checking what packages unpack to, and the roots that are made of it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::collect::{folder_if_there, package_digest};
use super::file::{FILES, TreeFiles, stored_path};
use super::header_copy::wrong_copies;
use super::kept_list::{FARMS, PACKAGES, TREES};
use super::{EntryList, ListedIn};
use crate::digest::Digest;
use crate::files::{EntryKind, Folder};
use crate::store::collection::files_below;
use crate::store::{Defect, Finding, Store, StoreError, StoredKind, Verification};

impl Store {
    /// Reads all files of trees. With one that is not what it was, the lists go that name it, and the roots that have it, whose
    /// files may be the same ones on disk.
    pub(in crate::store) fn verify_trees(&self, checked: &mut Verification) -> Result<(), StoreError> {
        let Some(trees) = folder_if_there(&self.folder, TREES)? else { return Ok(()) };
        let files = TreeFiles::open(&trees)?;
        let lists = files_below(&trees, Path::new(PACKAGES))?;
        let read: Vec<Result<HashSet<Digest>, Defect>> =
            lists.par_iter().map(|path| find_wrong_files(&trees, &files, path)).collect();
        let mut wrong: HashSet<Digest> = HashSet::new();
        for (path, read) in lists.iter().zip(read) {
            checked.trees += 1;
            let defect = match read {
                Ok(files) if files.is_empty() => continue,
                Ok(files) => {
                    wrong.extend(files);
                    Defect::Changed
                }
                Err(defect) => defect,
            };
            checked.wrong.push(finding(StoredKind::Tree, Path::new(TREES).join(path), defect));
        }
        for path in wrong_copies(&trees)? {
            checked.wrong.push(finding(StoredKind::Tree, Path::new(TREES).join(path), Defect::Changed));
        }
        let there = |name: &Digest| {
            let path = Path::new(TREES).join(FILES).join(stored_path(name));
            self.folder.exists(&path).then(|| finding(StoredKind::Tree, path, Defect::Changed))
        };
        checked.wrong.extend(wrong.iter().filter_map(there));
        self.verify_farms(&wrong, checked)
    }

    fn verify_farms(&self, wrong: &HashSet<Digest>, checked: &mut Verification) -> Result<(), StoreError> {
        let Some(farms) = folder_if_there(&self.folder, FARMS)? else { return Ok(()) };
        for entry in farms.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::Folder) {
            // What has no list was never finished, and is collected.
            let Ok(bytes) = farms.read(Path::new(&entry.name).join("list")) else { continue };
            checked.farms += 1;
            let list = EntryList::decode(ListedIn::Farm, &bytes);
            let is_sound = list.is_some_and(|list| {
                list.entries.iter().filter_map(|entry| entry.stored()).all(|file| !wrong.contains(&file.name))
            });
            if !is_sound {
                let path = Path::new(FARMS).join(&entry.name);
                checked.wrong.push(finding(StoredKind::Farm, path, Defect::Changed));
            }
        }
        Ok(())
    }
}

/// The files of a list that are not what they were.
fn find_wrong_files(trees: &Folder, files: &TreeFiles, path: &Path) -> Result<HashSet<Digest>, Defect> {
    if package_digest(path).is_none() {
        return Err(Defect::Misnamed);
    }
    let bytes = trees.read(path).map_err(|_| Defect::Unreadable)?;
    let list = EntryList::decode(ListedIn::Tree, &bytes).ok_or(Defect::Changed)?;
    let stored = list.entries.iter().filter_map(|entry| Some((entry, entry.stored()?)));
    Ok(stored.filter(|(entry, file)| !files.is_sound(entry, file)).map(|(_, file)| file.name).collect())
}

fn finding(kind: StoredKind, path: PathBuf, defect: Defect) -> Finding {
    Finding { kind, path, defect, needed_by: Vec::new() }
}
