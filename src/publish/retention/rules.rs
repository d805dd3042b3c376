//! How long builds stay, as the manifest says and pins do.

use crate::event::Timestamp;
use crate::manifest::{Age, KeepDecl};
use crate::publish::record::{PublishedPackage, RepositoryRecord, Retired};
use crate::store::{Pin, Pins};

/// How long builds stay in a repository.
#[derive(Clone, Copy, Debug)]
pub(in crate::publish) struct KeepRules {
    /// How long a newest build does.
    pub newest: Age,
    /// How many of a package do.
    pub builds: u32,
    /// How long the others do, since a newer one has their place; none: they go then.
    pub superseded: Option<Age>,
}

/// What is kept of a repository.
#[derive(Clone, Debug, Default)]
pub(in crate::publish) struct Keep {
    /// None where the manifest doesn't say how long builds stay.
    pub rules: Option<KeepRules>,
    /// What is pinned of its chroot.
    pub pins: Pins,
}

impl KeepRules {
    /// What `keep` says; nothing where it says nothing of repositories.
    pub fn new(keep: &KeepDecl) -> Option<Self> {
        keep.is_of_repositories().then(|| Self {
            newest: keep.newest,
            builds: keep.builds.unwrap_or(1),
            superseded: keep.superseded,
        })
    }
}

impl Keep {
    /// Whether anything but newest builds may stay.
    pub fn keeps_builds(&self) -> bool {
        self.rules.is_some() || !self.pins.is_empty()
    }

    /// How long the files stay of builds that another of the same version has replaced.
    pub fn replaced(&self) -> Option<Age> {
        self.rules.and_then(|rules| rules.superseded)
    }

    /// Whether a build is pinned. Of one that was taken over, only its files say which it is.
    pub fn pins(&self, package: &PublishedPackage) -> bool {
        let is_named = |pin: &&Pin| pin.build.package == package.package;
        self.pins.iter().filter(is_named).any(|pin| match package.key {
            Some(key) => pin.key == key && pin.may_be(Some(package.result())),
            None => pin.result.is_some() && pin.may_be(Some(package.result())),
        })
    }

    /// The results that have left for their age and would have to leave again.
    pub fn stays_away(&self, record: &RepositoryRecord, package: &PublishedPackage, now: Timestamp) -> bool {
        let is_there = record.newest().any(|it| it.package == package.package && it.key == package.key);
        let is_over =
            |retired: &Retired| self.rules.is_some_and(|rules| rules.newest.is_over(now.since(retired.came)));
        !is_there && retired_as(record, package).is_some_and(is_over)
    }
}

/// The build among those that have left for their age.
pub(super) fn retired_as<'r>(
    record: &'r RepositoryRecord,
    package: &PublishedPackage,
) -> Option<&'r Retired> {
    record.retired.iter().find(|it| it.package == package.package && Some(it.key) == package.key)
}
