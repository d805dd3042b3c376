//! A record, written as what distinguishes it from another: of ten thousand packages, an update changes a few.
//!
//! Its long lists are written as runs: so many items of the other's list from this one on, or an item that is not in it.

use std::borrow::Cow;

use hashbrown::HashMap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::owner::Owner;
use super::record::{
    Incoming, PublishedFile, PublishedPackage, RepositoryRecord, Retired, SignedMetadata, Superseded,
};
use super::shared_list::{SharedList, count_common_ends};

/// How many items of a list a thread copies at the least: for fewer it is not worth while to ask another.
const COPIED_AT_ONCE: usize = 512;

/// The lists that changes refer to.
#[derive(Default)]
pub(super) struct RecordBase {
    pub packages: SharedList<PublishedPackage>,
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
                packages: join_packages(packages, &base.packages)?,
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
            packages: join_packages(self.packages, &base.packages)?,
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
    let (begin, end) = count_common_ends(list, base);
    let (list_end, base_end) = (list.len().saturating_sub(end), base.len().saturating_sub(end));
    let mut places: Option<HashMap<&str, usize>> = None;
    let mut runs = Vec::new();
    add_same(&mut runs, 0, begin);
    let mut next = begin;
    for item in list.get(begin..list_end).unwrap_or_default() {
        let is_next = base.get(next).is_some_and(|expected| expected == item);
        let place = if is_next {
            Some(next)
        } else {
            let places = places.get_or_insert_with(|| {
                let between = base.iter().enumerate().take(base_end).skip(begin);
                between.map(|(place, item)| (item.name(), place)).collect()
            });
            places.get(item.name()).copied().filter(|place| base.get(*place) == Some(item))
        };
        match place {
            Some(place) => add_same(&mut runs, place, 1),
            None => runs.push(Run::New(Cow::Borrowed(item))),
        }
        // Where one was replaced, the one behind it comes next.
        next = place.unwrap_or(next).saturating_add(1);
    }
    add_same(&mut runs, base_end, end);
    runs
}

/// Adds so many items from `place` on, to the last run where that ends there.
fn add_same<T: Clone>(runs: &mut Vec<Run<'_, T>>, place: usize, more: usize) {
    match runs.last_mut() {
        _ if more == 0 => {}
        Some(Run::Same(from, count)) if from.saturating_add(*count) == place => {
            *count = count.saturating_add(more);
        }
        Some(_) | None => runs.push(Run::Same(place, more)),
    }
}

/// The packages of some runs. Where that is all of the other list, they are shared with it.
fn join_packages(
    runs: Vec<Run<'_, PublishedPackage>>,
    base: &SharedList<PublishedPackage>,
) -> Option<SharedList<PublishedPackage>> {
    match runs.as_slice() {
        [Run::Same(0, count)] if *count == base.len() => Some(base.clone()),
        _ => Some(join_runs(runs, base)?.into()),
    }
}

fn join_runs<T: ListItem + Send + Sync>(runs: Vec<Run<'_, T>>, base: &[T]) -> Option<Vec<T>> {
    let mut list = Vec::new();
    // Nothing is twice in a list: a short text must not stand for a list without end.
    let mut left = base.len();
    for run in runs {
        match run {
            Run::Same(from, count) => {
                left = left.checked_sub(count)?;
                let same = base.get(from..from.checked_add(count)?)?;
                list.par_extend(same.par_iter().with_min_len(COPIED_AT_ONCE).cloned());
            }
            Run::New(item) => list.push(item.into_owned()),
        }
    }
    Some(list)
}
