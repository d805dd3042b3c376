//! A commit of a repository, and what lies at the paths of it: in the repository itself or in its submodules.

use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use gix_hash::ObjectId;

use super::address::GitAddress;
use super::checkout::Checkout;
use super::error::GitError;
use super::repository::{CommitEntryKind, Repository};
use super::submodules::submodule_addresses;
use super::write_tree::{find_entry, find_folder};

/// A commit that was fetched, in its repository.
pub(super) struct CommitPlace {
    /// The repository.
    pub repository: Rc<Repository>,
    /// Where it comes from.
    pub address: GitAddress,
    /// The commit.
    pub commit: ObjectId,
}

impl CommitPlace {
    /// Another commit of the same repository.
    pub fn at(&self, commit: ObjectId) -> Self {
        Self { repository: Rc::clone(&self.repository), address: self.address.clone(), commit }
    }

    /// The folder of all its files.
    pub fn root(&self) -> Result<ObjectId, GitError> {
        Ok(self.repository.commit(self.commit)?.tree)
    }

    /// What there is at a path of the commit; links are not followed.
    pub fn entry(&self, path: &Path) -> Result<Option<super::repository::CommitEntry>, GitError> {
        find_entry(&self.repository, self.root()?, path)
    }

    /// The folder at a path of the commit.
    pub fn folder(&self, path: &Path) -> Result<Option<ObjectId>, GitError> {
        find_folder(&self.repository, self.root()?, path)
    }

    /// The names of the files in a folder of the commit; nothing where there is no such folder.
    pub fn file_names(&self, folder: &Path) -> Result<Option<Vec<String>>, GitError> {
        let Some(folder) = self.folder(folder)? else { return Ok(None) };
        let entries = self.repository.tree(folder)?.into_iter();
        Ok(Some(entries.filter(|entry| is_file(entry.kind)).map(|entry| entry.name).collect()))
    }

    /// That nothing is at a path.
    pub fn no_path(&self, what: &'static str, path: &Path) -> GitError {
        GitError::NoPath {
            repository: self.address.to_string(),
            what,
            path: path.display().to_string(),
            commit: self.commit.to_string(),
        }
    }

    /// The submodule that a path leads into, fetched, and the path from there; nothing where the path stays in this
    /// repository.
    ///
    /// # Errors
    /// The submodule can't be had.
    pub fn submodule_on_the_way(
        &self,
        path: &Path,
        checkout: &Checkout<'_>,
    ) -> Result<Option<(Self, PathBuf)>, GitError> {
        let mut above = PathBuf::new();
        for part in path.components() {
            let Component::Normal(name) = part else { return Ok(None) };
            above.push(name);
            let Some(entry) = self.entry(&above)? else { return Ok(None) };
            match entry.kind {
                CommitEntryKind::Folder => {}
                CommitEntryKind::Submodule => {
                    let rest = path.strip_prefix(&above).unwrap_or(path).to_owned();
                    return Ok(Some((self.open_submodule(&above, entry.id, checkout)?, rest)));
                }
                CommitEntryKind::File | CommitEntryKind::Executable | CommitEntryKind::Link => {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    fn open_submodule(
        &self,
        path: &Path,
        commit: ObjectId,
        checkout: &Checkout<'_>,
    ) -> Result<Self, GitError> {
        let addresses = submodule_addresses(&self.repository, self.root()?, &self.address)?;
        let address = addresses.get(path).cloned().ok_or_else(|| GitError::Submodule {
            repository: self.address.to_string(),
            path: path.display().to_string(),
            reason: "`.gitmodules` doesn't say where it is".to_owned(),
        })?;
        let repository = Rc::new(checkout.fetch_submodule(&address, commit)?);
        Ok(Self { repository, address, commit })
    }
}

/// Whether that is a regular file.
pub(super) fn is_file(kind: CommitEntryKind) -> bool {
    match kind {
        CommitEntryKind::File | CommitEntryKind::Executable => true,
        CommitEntryKind::Link | CommitEntryKind::Folder | CommitEntryKind::Submodule => false,
    }
}
