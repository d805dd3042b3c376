//! Writes the files of a commit, with its submodules and large files where these are asked for.

use std::path::{Path, PathBuf};

use gix_hash::ObjectId;

use super::address::GitAddress;
use super::commit_choice::{ChosenCommit, CommitChooser, CommitLock, CommitReach};
use super::connection::GitTools;
use super::error::GitError;
use super::large_files::LargeFiles;
use super::limits::{MOST_SUBMODULES, SUBMODULE_DEPTH};
use super::repository::Repository;
use super::revision::Revision;
use super::submodules::submodule_addresses;
use super::write_tree::{CaseClash, OpenLargeFile, Subfolders, TreeWriter, find_folder};
use crate::files::Folder;
use crate::store::LARGE_FILES;

/// What is written of a commit beside its own files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckoutOptions {
    /// Whether the files of submodules are.
    pub submodules: bool,
    /// Whether large files are, in the place of their pointers.
    pub large_files: bool,
    /// Whether two names may differ only by case.
    pub case: CaseClash,
}

/// Writes the files of commits.
pub struct Checkout<'a> {
    /// Where repositories are kept: those of submodules too.
    pub cache: &'a Folder,
    /// What they are reached with; nothing where nothing may be fetched.
    pub tools: Option<GitTools<'a>>,
    /// What is written.
    pub options: CheckoutOptions,
}

impl Checkout<'_> {
    /// Writes a commit into an empty folder: all of it, or the files of one folder of it.
    ///
    /// # Errors
    /// Something of it could do harm, or can't be had.
    pub fn write(
        &self,
        repository: &Repository,
        (address, commit): (&GitAddress, ObjectId),
        (below, subfolders): (&Path, Subfolders),
        into: &Folder,
    ) -> Result<(), GitError> {
        let mut count = 0;
        self.write_commit((repository, address, commit), (below, subfolders), into, (0, &mut count))
    }

    fn write_commit(
        &self,
        (repository, address, commit): (&Repository, &GitAddress, ObjectId),
        (below, subfolders): (&Path, Subfolders),
        into: &Folder,
        (depth, count): (usize, &mut usize),
    ) -> Result<(), GitError> {
        let root = repository.commit(commit)?.tree;
        if find_folder(repository, root, below)?.is_none() {
            return Err(GitError::NoPath {
                repository: address.to_string(),
                what: "folder",
                path: below.display().to_string(),
                commit: commit.to_string(),
            });
        }
        let kept = self.cache.create(LARGE_FILES)?;
        let large_files = LargeFiles { folder: &kept, address, tools: self.tools };
        let wants_large = self.options.large_files;
        let mut open = |path: &Path, pointer: &_| match wants_large {
            true => large_files.open(path, pointer).map(Some),
            false => Ok(None),
        };
        let open: &mut OpenLargeFile<'_> = &mut open;
        let writer = TreeWriter::new(repository, root, self.options.case, open);
        let submodules = writer.write(below, subfolders, into)?;
        if !self.options.submodules || submodules.is_empty() {
            return Ok(());
        }
        let addresses = submodule_addresses(repository, root, address)?;
        for (path, id) in submodules {
            let error = |reason: String| GitError::Submodule {
                repository: address.to_string(),
                path: path.display().to_string(),
                reason,
            };
            *count += 1;
            if depth >= SUBMODULE_DEPTH || *count > MOST_SUBMODULES {
                return Err(error(
                    "there are too many of them, or they lie too deep in each other".to_owned(),
                ));
            }
            let other = addresses
                .get(&path)
                .ok_or_else(|| error("`.gitmodules` doesn't say where it is".to_owned()))?;
            let inner = self.fetch_submodule(other, id)?;
            let relative = path.strip_prefix(below).map(PathBuf::from).unwrap_or_default();
            let folder = into.folder(relative)?;
            let whole = (Path::new(""), Subfolders::Written);
            self.write_commit((&inner, other, id), whole, &folder, (depth + 1, count))?;
        }
        Ok(())
    }

    /// The repository of a submodule, with its commit.
    pub(super) fn fetch_submodule(&self, address: &GitAddress, id: ObjectId) -> Result<Repository, GitError> {
        let repository = Repository::open(self.cache, address)?;
        let chooser =
            CommitChooser { repository: &repository, address, tools: self.tools, reach: CommitReach::Commit };
        let chosen = ChosenCommit { commit: id, reference: None };
        chooser.choose(&Revision::Commit(id), CommitLock::Locked(&chosen))?;
        Ok(repository)
    }
}
