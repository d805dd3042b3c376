//! What a method is given.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use gix_hash::ObjectId;

use super::tags::KnownTags;
use crate::source::git::commit_place::{CommitPlace, is_file};
use crate::source::git::error::GitError;
use crate::source::git::limits::CONFIG_BYTES;

/// What a method is given: a commit, what lies before it, and where the spec is.
pub(super) struct MethodInput<'a> {
    /// The commit.
    pub place: &'a CommitPlace,
    /// The commits before it, and it.
    pub before: &'a HashSet<ObjectId>,
    /// The tags on them.
    pub tags: &'a KnownTags,
    /// The whole name of the branch or tag that stood for the commit.
    pub reference: Option<&'a str>,
    /// Whether submodules are there too.
    pub has_submodules: bool,
    /// The folder that the manifest says.
    pub folder: PathBuf,
    /// The spec's folder.
    pub below: PathBuf,
    /// The spec's name.
    pub spec: String,
    /// Its text.
    pub text: String,
}

impl MethodInput<'_> {
    /// The text of a file of the commit, if it is there.
    ///
    /// # Errors
    /// It is too long, or can't be read.
    pub fn read(&self, path: &Path) -> Result<Option<String>, GitError> {
        read_text(self.place, path)
    }

    /// The first digits of the commit's id.
    pub fn short_id(&self, digits: usize) -> String {
        self.place.commit.to_string().chars().take(digits).collect()
    }

    /// The name of the repository: the end of its address, without `.git`.
    pub fn repository_name(&self) -> String {
        let address = self.place.address.to_string();
        let name = address.trim_end_matches('/').rsplit(['/', ':']).next().unwrap_or_default();
        name.strip_suffix(".git").unwrap_or(name).to_owned()
    }
}

/// The text of a file of a commit, if it is there.
///
/// # Errors
/// It is too long, or can't be read.
pub(super) fn read_text(place: &CommitPlace, path: &Path) -> Result<Option<String>, GitError> {
    let entry = place.entry(path)?.filter(|entry| is_file(entry.kind));
    let Some(entry) = entry else { return Ok(None) };
    match place.repository.blob_size(entry.id)? {
        size if size <= CONFIG_BYTES as u64 => {
            let text = place.repository.blob(entry.id)?;
            Ok(Some(String::from_utf8_lossy(&text).into_owned()))
        }
        size => Err(GitError::TooLarge {
            repository: place.repository.shown().to_owned(),
            what: format!("its `{}` has {size} bytes", path.display()),
        }),
    }
}
