//! The sources of packages, gathered before their specs are read, and the files that specs name by URL, fetched after.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::PlanError;
use super::draft::{Draft, DraftState};
use super::inspector::{Inspector, LocatedOrigin};
use crate::engine::{Read, Reading};
use crate::manifest::PackageId;
use crate::source::{
    FetchedSource, GatheredSource, Gathering, LockedSource, NamedSources, RemoteSource, SourceLock,
    fetch_remote_sources,
};
use crate::text::Located;

/// The files that specs name by URL, brought into the store, or why they could not be; by package and name.
#[derive(Debug, Default)]
pub(super) struct RemoteSources {
    found: HashMap<(PackageId, String), FoundSource>,
}

/// A file, or why it could not be had; said of all builds that need it.
pub(super) type FoundSource = Result<RemoteSource, Arc<Located<PlanError>>>;

impl RemoteSources {
    /// What became of a file of a package's spec; nothing where it is not from elsewhere.
    pub fn get(&self, package: PackageId, name: &str) -> Option<&FoundSource> {
        // A key is made for each look: most specs have no such files.
        if self.found.is_empty() { None } else { self.found.get(&(package, name.to_owned())) }
    }
}

impl Inspector<'_> {
    /// Where the manifest's packages come from, in its order, and what is to be locked of that.
    pub(super) fn gather_sources(&self) -> (Vec<LocatedOrigin>, SourceLock) {
        let (repository, lock) = (self.repository, self.source_lock);
        let gathering = Gathering { repository, tools: self.sources, lock };
        let gathered = gathering.gather_all(&self.manifest.packages);
        let mut sources = BTreeMap::new();
        let origins = gathered.into_iter().zip(&self.manifest.packages).map(|(gathered, package)| {
            let GatheredSource { origin, locked } = gathered;
            sources.extend(locked.map(|locked| (package.name.value.clone(), locked)));
            origin.map_err(|error| {
                Arc::new(Located::new(error.into(), "this source", package.source.place.clone()))
            })
        });
        let origins = origins.collect();
        (origins, SourceLock { sources })
    }

    /// Brings the files that specs name by URL into the store.
    pub(super) fn fetch_remote_sources(&self, drafts: &[Draft], origins: &[LocatedOrigin]) -> RemoteSources {
        let named: Vec<NamedSources<'_>> = drafts
            .iter()
            .filter_map(|draft| {
                let facts = match &draft.state {
                    DraftState::Read(_, Read { reading: Reading::Facts(facts), .. }) => facts,
                    DraftState::Read(..) | DraftState::Settled(_) | DraftState::Unread(_) => return None,
                };
                let package = self.manifest.package(draft.package);
                Some(NamedSources {
                    id: draft.package,
                    package,
                    origin: origins.get(draft.package.0)?.as_ref().ok()?,
                    references: &facts.sources,
                    locked: self.source_lock.sources.get(&package.name.value),
                })
            })
            .collect();
        let fetched = fetch_remote_sources(&named, self.repository, &self.sources);
        let found = fetched.into_iter().map(|FetchedSource { package, name, result }| {
            ((package, name), result.map_err(|error| Arc::new(error.map(PlanError::Source))))
        });
        RemoteSources { found: found.collect() }
    }

    /// Adds the files that specs name by URL to what is to be locked. What could not be read or fetched stays locked as it was; the
    /// packages that lack a file are given.
    pub(super) fn lock_files(&self, remote: &RemoteSources, lock: &mut SourceLock) -> BTreeSet<String> {
        let mut incomplete = BTreeSet::new();
        for ((id, name), source) in &remote.found {
            let Ok(RemoteSource { locked: file, .. }) = source else { continue };
            let package = self.manifest.package(*id);
            let source = lock.sources.entry(package.name.value.clone()).or_insert_with(|| LockedSource {
                kind: package.source.kind.word().to_owned(),
                ..LockedSource::default()
            });
            source.files.insert(name.clone(), file.clone());
        }
        for ((package, _), _) in remote.found.iter().filter(|(_, source)| source.is_err()) {
            let name = &self.manifest.package(*package).name.value;
            incomplete.insert(name.clone());
            let Some(before) = self.source_lock.sources.get(name) else { continue };
            let now = lock.sources.entry(name.clone()).or_insert_with(|| before.clone());
            for (name, file) in &before.files {
                now.files.entry(name.clone()).or_insert_with(|| file.clone());
            }
        }
        incomplete
    }
}
