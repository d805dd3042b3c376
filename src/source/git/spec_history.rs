//! `%autorelease` and `%autochangelog` of a spec that lies in a repository.

use std::path::Path;

use super::commit_place::CommitPlace;
use super::history::GitHistory;
use crate::source::SourceError;
use crate::source::autospec::{SpecFeatures, process_spec, work_out};

/// The spec with the release and the changes that its history says; all that lies before the commit is there.
///
/// # Errors
/// The history can't be read.
pub(super) fn put_history_in(
    place: &CommitPlace,
    (below, spec): (&Path, &str),
    text: &[u8],
) -> Result<String, SourceError> {
    let text = String::from_utf8_lossy(text);
    let features = SpecFeatures::find(&text);
    let Some(wanted) = features.wanted() else { return Ok(text.into_owned()) };
    let history = GitHistory::new(&place.repository, below, spec);
    let found = work_out(&history, &place.commit, wanted)?;
    Ok(process_spec(&text, features, &found))
}
