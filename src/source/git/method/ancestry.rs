//! Which commits lie before which, as `git rev-list` counts them.

use std::collections::HashSet;
use std::path::Path;

use gix_hash::ObjectId;

use crate::source::git::error::GitError;
use crate::source::git::repository::Repository;
use crate::source::git::write_tree::find_entry;

/// A commit and all that lie before it.
///
/// # Errors
/// The history can't be read.
pub(super) fn read_ancestors(
    repository: &Repository,
    start: ObjectId,
) -> Result<HashSet<ObjectId>, GitError> {
    let (mut open, mut seen) = (vec![start], HashSet::new());
    while let Some(id) = open.pop() {
        if seen.insert(id) {
            open.extend(repository.commit(id)?.parents);
        }
    }
    Ok(seen)
}

/// How many commits lie before `end` or at it, and not before `start` or at that: `git rev-list --count START..END`.
///
/// # Errors
/// The history can't be read.
pub(super) fn count_commits(
    repository: &Repository,
    start: Option<ObjectId>,
    end: &HashSet<ObjectId>,
) -> Result<usize, GitError> {
    let before = start.map(|start| read_ancestors(repository, start)).transpose()?.unwrap_or_default();
    Ok(end.difference(&before).count())
}

/// The newest commit, along the first that changed anything, that changed a folder: `git log -1 -- FOLDER`.
///
/// # Errors
/// The history can't be read.
pub(super) fn last_change(
    repository: &Repository,
    start: ObjectId,
    folder: &Path,
) -> Result<ObjectId, GitError> {
    if folder.as_os_str().is_empty() {
        return Ok(start);
    }
    let content = |id: ObjectId| -> Result<Option<ObjectId>, GitError> {
        let entry = find_entry(repository, repository.commit(id)?.tree, folder)?;
        Ok(entry.map(|entry| entry.id))
    };
    let (mut id, mut now) = (start, content(start)?);
    'commits: loop {
        for parent in repository.commit(id)?.parents {
            let before = content(parent)?;
            // What has come unchanged from one side comes from there.
            if before == now {
                (id, now) = (parent, before);
                continue 'commits;
            }
        }
        return Ok(id);
    }
}
