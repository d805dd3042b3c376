//! What many references stand for now, asked at once.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::address::GitAddress;
use super::connection::GitTools;
use super::error::GitError;
use super::revision::Revision;
use super::server::{GitReference, Server};

/// How many are asked at once.
const AT_ONCE: usize = 32;

/// What each of these stands for now; nothing where there is no such branch or tag. One message to the server each, over
/// connections that are used again.
pub fn look_for_news(
    wanted: &[(GitAddress, Revision)],
    tools: GitTools<'_>,
) -> Vec<Result<Option<GitReference>, GitError>> {
    let next = AtomicUsize::new(0);
    let found = Mutex::new(Vec::with_capacity(wanted.len()));
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE.min(wanted.len()) {
            scope.spawn(|| {
                while let Some((index, (address, revision))) = take_next(&next, wanted) {
                    let news = look_at(address, revision, tools);
                    found.lock().unwrap_or_else(PoisonError::into_inner).push((index, news));
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    found.sort_by_key(|(index, _)| *index);
    found.into_iter().map(|(_, news)| news).collect()
}

fn take_next<'a, T>(next: &AtomicUsize, wanted: &'a [T]) -> Option<(usize, &'a T)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    wanted.get(index).map(|wanted| (index, wanted))
}

/// What a revision stands for now; nothing where there is no such branch or tag, or it is a commit.
///
/// # Errors
/// As [`list_references`].
pub(in crate::source) fn look_at(
    address: &GitAddress,
    revision: &Revision,
    tools: GitTools<'_>,
) -> Result<Option<GitReference>, GitError> {
    let candidates = revision.candidates();
    if candidates.is_empty() {
        // A commit has no news.
        return Ok(None);
    }
    let listed = list_references(address, &candidates, tools)?;
    Ok(candidates.iter().find_map(|name| listed.iter().find(|reference| reference.name == *name)).cloned())
}

/// The references of a repository whose names begin with one of these.
///
/// # Errors
/// It can't be reached, or is none.
pub(in crate::source) fn list_references(
    address: &GitAddress,
    prefixes: &[String],
    tools: GitTools<'_>,
) -> Result<Vec<GitReference>, GitError> {
    Server::connect(address, tools)?.list(prefixes)
}
