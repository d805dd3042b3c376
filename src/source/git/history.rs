//! The history of a package that lies in a repository.

use std::path::{Path, PathBuf};

use gix_hash::ObjectId;

use super::commit_place::is_file;
use super::error::GitError;
use super::repository::Repository;
use super::write_tree::{find_entry, find_folder};
use crate::source::autospec::{HistoryCommit, PackageHistory, SpecVersion, read_spec_version};

/// The history of a package.
pub struct GitHistory<'a> {
    repository: &'a Repository,
    folder: PathBuf,
    spec: String,
}

impl<'a> GitHistory<'a> {
    /// Of the spec of that name in a folder of the repository.
    pub fn new(repository: &'a Repository, folder: &Path, spec: &str) -> Self {
        Self { repository, folder: folder.to_owned(), spec: spec.to_owned() }
    }

    /// What has that name beside the spec, if it is a file.
    fn file(&self, commit: ObjectId, name: &str) -> Result<Option<ObjectId>, GitError> {
        let root = self.repository.commit(commit)?.tree;
        let entry = find_entry(self.repository, root, &self.folder.join(name))?;
        Ok(entry.filter(|entry| is_file(entry.kind)).map(|entry| entry.id))
    }

    fn text(&self, commit: ObjectId, name: &str) -> Result<Option<Vec<u8>>, GitError> {
        self.file(commit, name)?.map(|id| self.repository.blob(id)).transpose()
    }
}

impl PackageHistory for GitHistory<'_> {
    type Id = ObjectId;
    type Error = GitError;

    fn commit(&self, id: &ObjectId) -> Result<HistoryCommit<ObjectId>, GitError> {
        let commit = self.repository.commit(*id)?;
        let folder = find_folder(self.repository, commit.tree, &self.folder)?;
        let entries = folder.map(|folder| self.repository.tree(folder)).transpose()?.unwrap_or_default();
        let file = |name: &str| entries.iter().find(|entry| entry.name == name && is_file(entry.kind));
        Ok(HistoryCommit {
            parents: commit.parents,
            tree: commit.tree.to_string(),
            author: format!("{} <{}>", commit.author.name, commit.author.email),
            seconds: commit.committer.seconds,
            message: commit.message,
            has_spec: file(&self.spec).is_some(),
            changelog: file("changelog").map(|entry| entry.id.to_string()),
        })
    }

    fn spec_version(&self, id: &ObjectId) -> Result<Option<SpecVersion>, GitError> {
        let text = self.text(*id, &self.spec)?;
        Ok(text.and_then(|text| read_spec_version(&self.spec, &text)))
    }

    fn changelog(&self, id: &ObjectId) -> Result<String, GitError> {
        let text = self.text(*id, "changelog")?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&text).into_owned())
    }
}
