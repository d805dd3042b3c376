//! Giving back what packages of repositories take in the store.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use super::collect::{folder_if_there, package_digest, read_tree};
use super::file::{FILES, stored_path};
use super::header_copy::remove_copies;
use super::kept_list::{FARMS, PACKAGES, TREES, remove};
use super::{EntryList, ListedIn};
use crate::digest::{Checksum, Digest};
use crate::event::Timestamp;
use crate::files::{EntryKind, Folder, FreedSpace};
use crate::store::blob::blob_path;
use crate::store::collection::{CollectionMode, files_below};
use crate::store::{Store, StoreError};

/// What was given back.
#[derive(Debug, Default)]
pub struct ReleasedRoots {
    /// Packages that are in the store no more.
    pub packages: usize,
    /// Roots that are not.
    pub roots: usize,
    /// The files that went, or would.
    pub freed: FreedSpace,
}

impl Store {
    /// Removes packages of repositories, by name and checksum, with all that was made of them: what they unpack to, and the roots
    /// that they are in. What else needs their files keeps them.
    ///
    /// # Errors
    /// [`StoreError::InUse`] while anything is being built.
    pub fn release_packages(
        &self,
        packages: &[(String, Checksum)],
        mode: CollectionMode,
        now: Timestamp,
    ) -> Result<ReleasedRoots, StoreError> {
        let _lock = self.lock_alone("forge chroot clean")?;
        let mut released = ReleasedRoots::default();
        let results = self.blobs_of_results()?;
        let mut digests = HashSet::new();
        for (_, checksum) in packages {
            let Some(fetched) = self.fetched(checksum, now) else { continue };
            digests.insert(fetched.blob.digest);
            let path = blob_path(&fetched.blob.digest);
            if !results.contains(&path) {
                released.packages += 1;
                released.freed.add_file(&self.folder, &path);
                remove(&self.folder, &path, mode)?;
            }
        }
        if let Some(farms) = folder_if_there(&self.folder, FARMS)? {
            let names: HashSet<&str> = packages.iter().map(|(name, _)| name.as_str()).collect();
            release_farms(&farms, &names, mode, &mut released)?;
        }
        if let Some(trees) = folder_if_there(&self.folder, TREES)? {
            release_trees(&trees, &digests, mode, &mut released)?;
        }
        Ok(released)
    }
}

fn release_farms(
    farms: &Folder,
    names: &HashSet<&str>,
    mode: CollectionMode,
    released: &mut ReleasedRoots,
) -> Result<(), StoreError> {
    for entry in farms.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::Folder) {
        let Ok(bytes) = farms.read(Path::new(&entry.name).join("list")) else { continue };
        let Some(list) = EntryList::decode(ListedIn::Farm, &bytes) else { continue };
        if !list.packages.iter().any(|package| names.contains(package.as_str())) {
            continue;
        }
        released.roots += 1;
        // What can't be looked into is not counted.
        let _ = farms.folder(&entry.name).and_then(|folder| released.freed.add_folder(&folder));
        remove(farms, Path::new(&entry.name), mode)?;
    }
    Ok(())
}

fn release_trees(
    trees: &Folder,
    digests: &HashSet<Digest>,
    mode: CollectionMode,
    released: &mut ReleasedRoots,
) -> Result<(), StoreError> {
    let mut kept: HashSet<PathBuf> = HashSet::new();
    let mut candidates: HashSet<PathBuf> = HashSet::new();
    for path in files_below(trees, Path::new(PACKAGES))? {
        let is_released = package_digest(&path).is_some_and(|digest| digests.contains(&digest));
        let files = read_tree(trees, &path).map(|tree| tree.files).unwrap_or_default();
        let files = files.keys().map(stored_path);
        if is_released {
            candidates.extend(files);
            released.freed.add_file(trees, &path);
            remove(trees, &path, mode)?;
        } else {
            kept.extend(files);
        }
    }
    remove_copies(trees, |package| digests.contains(package), mode, &mut released.freed)?;
    for path in candidates.difference(&kept) {
        let path = Path::new(FILES).join(path);
        released.freed.add_file(trees, &path);
        remove(trees, &path, mode)?;
    }
    Ok(())
}
