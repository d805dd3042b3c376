//! The tags that a method looks at. A repository gets new ones, which must not change what is locked: those that had an effect
//! are locked with it, by name and object.

use std::collections::{BTreeMap, HashSet};

use gix_hash::ObjectId;

use super::error::MethodError;
use crate::source::SourceError;
use crate::source::git::error::GitError;
use crate::source::git::repository::Repository;

/// A tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct KnownTag {
    /// What it stands for: an object of its own, or the commit.
    pub id: ObjectId,
    /// The commit.
    pub commit: ObjectId,
}

impl KnownTag {
    /// Whether it is an object of its own, with who made it, when, and why.
    pub fn is_annotated(&self) -> bool {
        self.id != self.commit
    }
}

/// Tags, by their names.
pub(super) type KnownTags = BTreeMap<String, KnownTag>;

/// All tags that a commit has before it or at it.
///
/// # Errors
/// The history can't be read.
pub(super) fn read_merged_tags(
    repository: &Repository,
    before: &HashSet<ObjectId>,
) -> Result<KnownTags, GitError> {
    let mut tags = KnownTags::new();
    for (name, reference) in repository.tags()? {
        // A tag may stand for a file or a folder, too.
        let Ok(commit) = repository.peel(reference.id) else { continue };
        if before.contains(&commit) {
            tags.insert(name, KnownTag { id: reference.id, commit });
        }
    }
    Ok(tags)
}

/// The tags that are locked: `NAME@OBJECT NAME@OBJECT`.
///
/// # Errors
/// One of them isn't there any more, or stands for something else now.
pub(super) fn read_locked_tags(repository: &Repository, locked: &str) -> Result<KnownTags, SourceError> {
    let now = repository.tags()?;
    let mut tags = KnownTags::new();
    for (name, id) in locked.split(' ').filter_map(|word| word.rsplit_once('@')) {
        let gone = || MethodError::NoTag { repository: repository.shown().to_owned(), tag: name.to_owned() };
        let id = ObjectId::from_hex(id.as_bytes()).map_err(|_| gone())?;
        match now.get(name) {
            Some(reference) if reference.id != id => {
                return Err(GitError::MovedTag {
                    repository: repository.shown().to_owned(),
                    tag: name.to_owned(),
                    locked: id.to_string(),
                    now: reference.id.to_string(),
                }
                .into());
            }
            Some(_) => {}
            None if repository.has(id) => {}
            None => return Err(gone().into()),
        }
        tags.insert(name.to_owned(), KnownTag { id, commit: repository.peel(id)? });
    }
    Ok(tags)
}

/// Tags as the lock has them.
pub(super) fn write_locked_tags(tags: &KnownTags) -> String {
    tags.iter().map(|(name, tag)| format!("{name}@{}", tag.id)).collect::<Vec<_>>().join(" ")
}
