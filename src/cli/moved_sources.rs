//! Sources that are found anew, and locked: those that can't be had keep what was locked of them.

use std::collections::BTreeSet;

use super::context::{Context, Failure};
use super::planning::{plan, runtime};
use super::project::Project;
use super::selection_arguments::Selection;
use super::source_lock_screen::describe_source_changes;
use super::tools_here::read_source_lock;
use crate::process::Cancel;
use crate::source::SourceLock;

/// What became of sources that were to be found anew.
pub struct MovedSources {
    /// What has changed, for people.
    pub changes: String,
    /// The packages whose sources could not be had.
    pub failed: BTreeSet<String>,
}

/// Finds the sources of packages anew, and writes the lock.
pub fn move_sources(
    (project, context): (&Project, &Context),
    names: &BTreeSet<String>,
    profile: &[String],
    cancel: &Cancel,
) -> Result<MovedSources, Failure> {
    let before = read_source_lock(&project.repository)?;
    let mut start = before.clone();
    start.reopen(|name| names.contains(name));
    let selection = Selection {
        packages: names.iter().cloned().collect(),
        profile: profile.to_vec(),
        sources_locked_before: Some(start),
        ..Selection::default()
    };
    let mut planned = runtime()?.block_on(plan(project, &selection, cancel, context))?;
    let failed = keep_unmoved((&mut planned.source_lock, &planned.incomplete), &before, names);
    if !failed.is_empty() {
        planned.show_impossible(context);
    }
    planned.write_lock(&project.repository)?;
    let changes = describe_source_changes(&before, &planned.source_lock);
    planned.leave();
    Ok(MovedSources { changes, failed })
}

/// Puts back what was locked of packages for which nothing new was found, or that lack a file of what was found: with a checksum
/// gone from the lock, whatever comes the next time would be taken. Gives these packages.
pub fn keep_unmoved(
    (lock, incomplete): (&mut SourceLock, &BTreeSet<String>),
    before: &SourceLock,
    names: &BTreeSet<String>,
) -> BTreeSet<String> {
    let mut failed = BTreeSet::new();
    for name in names {
        let is_found = lock.sources.get(name).is_some_and(|now| !now.is_reopened());
        if is_found && !incomplete.contains(name) {
            continue;
        }
        failed.insert(name.clone());
        if let Some(old) = before.sources.get(name) {
            lock.sources.insert(name.clone(), old.clone());
        }
    }
    failed
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::digest::Digest;
    use crate::source::LockedSource;

    fn source(kind: &str, asked: bool, found: &str) -> LockedSource {
        LockedSource {
            kind: kind.to_owned(),
            asked: asked.then(|| Digest::compute(b"asked")),
            found: BTreeMap::from([(found.to_owned(), "1".to_owned())]),
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn what_can_not_be_had_stays_locked_as_it_was() {
        let lock = |sources: Vec<(&str, LockedSource)>| SourceLock {
            sources: sources.into_iter().map(|(name, source)| (name.to_owned(), source)).collect(),
        };
        let before = lock(vec![
            ("a", source("git", true, "commit")),
            ("b", source("pypi", true, "version")),
            ("c", source("git", true, "commit")),
            ("d", source("svn", true, "revision")),
            ("e", source("custom", true, "made-of")),
            ("f", source("git", true, "commit")),
        ]);
        let mut now = before.clone();
        now.reopen(|name| name != "c");
        now.sources.insert("f".to_owned(), source("git", true, "commit"));
        let names = ["a", "b", "c", "d", "e", "f"].map(str::to_owned).into();
        let incomplete = ["f".to_owned()].into();
        let failed = keep_unmoved((&mut now, &incomplete), &before, &names);
        assert_eq!(failed, ["a", "b", "d", "e", "f"].map(str::to_owned).into());
        assert_eq!(now, before);
    }
}
