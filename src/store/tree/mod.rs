//! Package trees: what packages unpack to, each of them once.
//!
//! A tree is a [list](TreeEntry) of all that a package has, by its blob's digest (`trees/packages/`), and the files that
//! the list names, by content and all that is said of them (`trees/files/`): whoever composes a root from trees links
//! them there, and links share both. The path is part of that, so that two files of a root are one file only where a
//! package says that they are. The list is written last: a tree whose list is there is whole.
//!
//! Nothing of it is synced, which would take longer than unpacking. So a list says in which boot of the machine it was
//! written, and after another boot, which may have begun with a power cut, it is believed once every file of the tree was
//! read and found to be what the list says.
//!
//! On disk all files belong to whoever runs forge, whose own folder `trees/` is: nobody else of the machine can reach the
//! programs in it that give other rights. Owners stand in the list by name, as packages say them, and so do
//! capabilities: whoever makes users in a root makes files theirs there. So trees are the same for all users.

mod boot;
mod collect;
mod entry;
mod error;
mod fault;
mod file;
mod file_digest;
mod header_copy;
mod image;
mod image_choice;
mod image_entries;
mod image_folder;
mod kept_list;
mod limits;
mod list;
mod list_check;
mod oci;
mod oci_platform;
mod package;
mod release;
mod tarball;
mod verify;

use super::{Blob, Store, StoreError};
use crate::digest::Digest;
use crate::files::Folder;

pub use boot::Boot;
pub use collect::CollectedRoots;
pub(crate) use collect::{EFFECTS, INDEXES, UNFINISHED};
pub use entry::{EntryContent, Ownership, PackageTree, StoredFile, TreeEntry};
pub use error::TreeError;
pub use fault::EntryFault;
pub use file::LinkedFrom;
pub use image::ImageSource;
pub use image_choice::ImageChoice;
pub use list::{EntryList, ListedIn};
pub use release::ReleasedRoots;

use file::TreeFiles;
use kept_list::{FARMS, TREES, list_path, private_folder, sound_list, write_list};
use package::unpack_package;

/// What packages unpack to, to be looked up, and unpacked where that wasn't done yet.
pub struct PackageTrees<'s> {
    store: &'s Store,
    boot: &'s Boot,
    trees: Folder,
    files: TreeFiles,
}

impl PackageTrees<'_> {
    /// What a package unpacks to; unpacked now where that wasn't done yet. `name` is the package's, for errors.
    ///
    /// # Errors
    /// The package is not what it should be, has files that don't belong into a root, or the store can't be used.
    pub fn get(&self, name: &str, blob: &Blob) -> Result<PackageTree, TreeError> {
        let path = list_path(&blob.digest);
        if let Some(entries) = sound_list(&self.trees, &path, &self.files, self.boot) {
            return Ok(PackageTree { entries, is_new: false });
        }
        let entries = self.store.read_blob(blob, |reader| unpack_package(name, reader, &self.files))?;
        let entries = write_list(&self.trees, &path, entries, self.boot)?;
        Ok(PackageTree { entries, is_new: true })
    }
}

impl Store {
    /// The folder of all trees: nobody else may look into it.
    pub(super) fn trees(&self) -> Result<Folder, StoreError> {
        private_folder(&self.folder, TREES)
    }

    /// What packages unpack to, since the machine runs.
    ///
    /// # Errors
    /// The store can't be used.
    pub fn package_trees<'s>(&'s self, boot: &'s Boot) -> Result<PackageTrees<'s>, StoreError> {
        let trees = self.trees()?;
        Ok(PackageTrees { store: self, boot, files: TreeFiles::open(&trees)?, trees })
    }

    /// Forgets what a package or an image unpacks to, so that it is unpacked again.
    ///
    /// # Errors
    /// The store can't be used.
    pub fn forget_tree(&self, digest: &Digest) -> Result<(), StoreError> {
        Ok(self.trees()?.remove_file(list_path(digest))?)
    }

    /// The folder of what roots are composed to: nobody else may look into it.
    ///
    /// # Errors
    /// The store can't be used.
    pub fn farms(&self) -> Result<Folder, StoreError> {
        private_folder(&self.folder, FARMS)
    }

    /// Where the files of trees are, for whoever links them into a root.
    ///
    /// # Errors
    /// The store can't be used.
    pub fn tree_files(&self) -> Result<LinkedFrom, StoreError> {
        Ok(LinkedFrom::open(&self.trees()?)?)
    }
}
