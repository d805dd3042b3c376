//! The good builds of a package in a chroot, and which of them made what.

use super::context::Failure;
use super::planning::Planned;
use super::result_record::read_record;
use crate::digest::{Digest, Key};
use crate::event::{BuildName, State, Timestamp};
use crate::store::{BuildRow, Store};

/// The good builds of a package in a chroot.
pub struct GoodBuilds {
    /// The newest first, with the keys of their results where their folders are there still.
    builds: Vec<(BuildRow, Option<Key>)>,
}

impl GoodBuilds {
    /// Reads them.
    pub fn read(planned: &Planned, build: &BuildName) -> Result<Self, Failure> {
        let rows = planned.history.builds(Some(&build.package), usize::MAX)?;
        let is_good = |row: &BuildRow| matches!(row.state, State::Succeeded | State::Cached);
        let rows = rows.into_iter().filter(|row| row.build == *build && is_good(row));
        let with_key = |row: BuildRow| {
            let key = read_record(&planned.state, &row).map(|record| record.key);
            (row, key)
        };
        Ok(Self { builds: rows.map(with_key).collect() })
    }

    /// The newest build with this result, whether it made it or found it in the store.
    pub fn newest_of(&self, key: Key) -> Option<&BuildRow> {
        self.builds.iter().find(|(_, known)| *known == Some(key)).map(|(row, _)| row)
    }

    /// The build that has made the result which `found` has found in the store.
    pub fn maker_of(&self, found: &BuildRow) -> Option<&BuildRow> {
        if found.state != State::Cached {
            return None;
        }
        let (_, key) = self.builds.iter().find(|(row, _)| row.number == found.number)?;
        let key = (*key)?;
        let is_maker = |(row, known): &&(BuildRow, Option<Key>)| {
            row.number < found.number && row.state == State::Succeeded && *known == Some(key)
        };
        self.builds.iter().find(is_maker).map(|(row, _)| row)
    }

    /// The build by which `package` came to be as `content` says, of those that ended `until` then: not one that made the same
    /// once more. Where the store can't tell any more what builds made, the newest.
    pub fn bringer_of(
        &self,
        package: &str,
        content: Option<Digest>,
        until: Option<Timestamp>,
        store: &Store,
    ) -> Option<&BuildRow> {
        let is_before = |row: &BuildRow| until.is_none_or(|until| row.ended.is_some_and(|at| at <= until));
        let mut candidates = self.builds.iter().filter(|(row, _)| is_before(row)).peekable();
        let newest = candidates.peek().map(|(row, _)| row);
        let (mut found, mut is_all_known) = (None, true);
        for (row, key) in candidates {
            let result = key.and_then(|key| store.result(&key));
            let made = result.map(|result| {
                let mut files = result.files.iter().map(|file| &file.package);
                files.find(|made| made.nevra == package).map(|made| made.content)
            });
            match made {
                Some(made) if made == content => found = Some(row),
                Some(_) if found.is_some() => break,
                Some(_) => {}
                None if found.is_some() => break,
                None => is_all_known = false,
            }
        }
        found.or(newest.filter(|_| !is_all_known))
    }
}
