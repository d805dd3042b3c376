//! A record, written as what distinguishes it from another: of ten thousand packages, an update changes a few.
//!
//! Its long lists are written as runs: so many items of the other's list from this one on, or an item that is not in it.

use std::borrow::Cow;

use hashbrown::HashMap;
use serde::{Deserialize, Serialize};

use super::owner::Owner;
use super::record::{
    Incoming, PublishedFile, PublishedPackage, RepositoryRecord, Retired, SignedMetadata, Superseded,
};

/// The lists that changes refer to.
#[derive(Default)]
pub(super) struct RecordBase {
    pub packages: Vec<PublishedPackage>,
    pub superseded: Vec<Superseded>,
}

/// See the [module](self).
#[derive(Serialize, Deserialize)]
pub(super) struct RecordChanges<'a> {
    owner: Cow<'a, Owner>,
    chroot: Cow<'a, str>,
    links: bool,
    packages: Vec<Run<'a, PublishedPackage>>,
    retired: Cow<'a, [Retired]>,
    metadata: Cow<'a, [PublishedFile]>,
    repomd: Cow<'a, Option<PublishedFile>>,
    signed: Cow<'a, Option<SignedMetadata>>,
    revision: u64,
    incoming: Option<IncomingChanges<'a>>,
    superseded: Vec<Run<'a, Superseded>>,
}

/// What comes in, where the packages that stay are not written again.
#[derive(Serialize, Deserialize)]
struct IncomingChanges<'a> {
    packages: Vec<Run<'a, PublishedPackage>>,
    metadata: Cow<'a, [PublishedFile]>,
    repomd: Cow<'a, Option<PublishedFile>>,
    signed: Cow<'a, Option<SignedMetadata>>,
    revision: u64,
}

#[derive(Serialize, Deserialize)]
enum Run<'a, T: Clone> {
    /// From this item of the other list on, so many.
    #[serde(rename = "same")]
    Same(usize, usize),
    #[serde(rename = "new")]
    New(Cow<'a, T>),
}

/// What can stand in such lists.
trait ListItem: Clone + PartialEq {
    /// What distinguishes it from most others.
    fn name(&self) -> &str;
}

impl ListItem for PublishedPackage {
    fn name(&self) -> &str {
        self.files.first().map_or(&self.package, |file| &file.path)
    }
}

impl ListItem for Superseded {
    fn name(&self) -> &str {
        &self.file.path
    }
}

impl<'a> RecordChanges<'a> {
    /// What `record` has that is not in `base`.
    pub fn new(record: &'a RepositoryRecord, base: &RecordBase) -> Self {
        let RepositoryRecord {
            owner,
            chroot,
            links,
            packages,
            retired,
            metadata,
            repomd,
            signed,
            revision,
            incoming,
            superseded,
        } = record;
        let incoming = incoming.as_ref().map(|incoming| {
            let Incoming { packages, metadata, repomd, signed, revision } = incoming;
            IncomingChanges {
                packages: find_runs(packages, &base.packages),
                metadata: Cow::Borrowed(metadata),
                repomd: Cow::Borrowed(repomd),
                signed: Cow::Borrowed(signed),
                revision: *revision,
            }
        });
        Self {
            owner: Cow::Borrowed(owner),
            chroot: Cow::Borrowed(chroot),
            links: *links,
            packages: find_runs(packages, &base.packages),
            retired: Cow::Borrowed(retired),
            metadata: Cow::Borrowed(metadata),
            repomd: Cow::Borrowed(repomd),
            signed: Cow::Borrowed(signed),
            revision: *revision,
            incoming,
            superseded: find_runs(superseded, &base.superseded),
        }
    }

    /// The record that has them; none where they are of no such `base`.
    pub fn apply(self, base: &RecordBase) -> Option<RepositoryRecord> {
        let incoming = match self.incoming {
            None => None,
            Some(IncomingChanges { packages, metadata, repomd, signed, revision }) => Some(Incoming {
                packages: join_runs(packages, &base.packages)?,
                metadata: metadata.into_owned(),
                repomd: repomd.into_owned(),
                signed: signed.into_owned(),
                revision,
            }),
        };
        Some(RepositoryRecord {
            owner: self.owner.into_owned(),
            chroot: self.chroot.into_owned(),
            links: self.links,
            packages: join_runs(self.packages, &base.packages)?,
            retired: self.retired.into_owned(),
            metadata: self.metadata.into_owned(),
            repomd: self.repomd.into_owned(),
            signed: self.signed.into_owned(),
            revision: self.revision,
            incoming,
            superseded: join_runs(self.superseded, &base.superseded)?,
        })
    }
}

fn find_runs<'a, T: ListItem>(list: &'a [T], base: &[T]) -> Vec<Run<'a, T>> {
    let mut places: Option<HashMap<&str, usize>> = None;
    let mut runs = Vec::new();
    let mut next = 0;
    for item in list {
        let is_next = base.get(next).is_some_and(|expected| expected == item);
        let place = if is_next {
            Some(next)
        } else {
            let places = places.get_or_insert_with(|| {
                base.iter().enumerate().map(|(place, item)| (item.name(), place)).collect()
            });
            places.get(item.name()).copied().filter(|place| base.get(*place) == Some(item))
        };
        match (place, runs.last_mut()) {
            (Some(place), Some(Run::Same(from, count))) if from.saturating_add(*count) == place => {
                *count = count.saturating_add(1);
            }
            (Some(place), _) => runs.push(Run::Same(place, 1)),
            (None, _) => runs.push(Run::New(Cow::Borrowed(item))),
        }
        // Where one was replaced, the one behind it comes next.
        next = place.unwrap_or(next).saturating_add(1);
    }
    runs
}

fn join_runs<T: ListItem>(runs: Vec<Run<'_, T>>, base: &[T]) -> Option<Vec<T>> {
    let mut list = Vec::new();
    // Nothing is twice in a list: a short text must not stand for a list without end.
    let mut left = base.len();
    for run in runs {
        match run {
            Run::Same(from, count) => {
                left = left.checked_sub(count)?;
                list.extend_from_slice(base.get(from..from.checked_add(count)?)?);
            }
            Run::New(item) => list.push(item.into_owned()),
        }
    }
    Some(list)
}
