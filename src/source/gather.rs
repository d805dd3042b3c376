//! The sources of all packages: those of the project are found, the others fetched or made.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rayon::prelude::*;

use super::lock::{LockedSource, SourceLock};
use super::made_in_root::{CustomRequest, gather_custom, gather_with_make};
use super::made_spec::ProjectRequest;
use super::neighbours::Neighbours;
use super::origin::Origin;
use super::rebuilt::{PublishedRequest, gather_past_build, gather_published};
use super::registry::{self, RegistryRequest};
use super::tools::{Gathered, SourceTools};
use super::{SourceError, distgit, git, svn, url};
use crate::files::Folder;
use crate::manifest::declaration::{MAKE_SRPM, SourceKind};
use crate::manifest::{ManifestPath, Package};
use crate::text::Spanned;

/// What sources are gathered with.
pub struct Gathering<'a> {
    /// The repository: paths of the manifest begin there.
    pub repository: &'a Folder,
    /// What they are fetched and made with.
    pub tools: SourceTools<'a>,
    /// What is locked.
    pub lock: &'a SourceLock,
}

/// What became of a package's source.
pub struct GatheredSource {
    /// Its spec, or why there is none.
    pub origin: Result<Origin, SourceError>,
    /// What is to be locked of it, where it is not a file of the project.
    pub locked: Option<LockedSource>,
}

/// How large a `Cargo.lock` may be.
const LARGEST_CARGO_LOCK: u64 = 16 << 20;

/// How many sources are fetched at once: what waits for a network needs no processor.
const AT_ONCE: usize = 32;

impl Gathering<'_> {
    /// Gathers the sources of packages, and gives them in the same order.
    pub fn gather_all(&self, packages: &[Package]) -> Vec<GatheredSource> {
        let neighbours = Neighbours::default();
        let is_of_project = |package: &Package| matches!(package.source.kind, SourceKind::Path(_));
        let from_elsewhere: Vec<usize> = (0..packages.len())
            .filter(|index| packages.get(*index).is_some_and(|one| !is_of_project(one)))
            .collect();
        let found = self.gather_from_elsewhere(packages, &from_elsewhere, &neighbours);
        let found = Mutex::new(found);
        let gather = |(index, package): (usize, &Package)| {
            let gathered = found.lock().unwrap_or_else(PoisonError::into_inner).remove(&index);
            gathered.unwrap_or_else(|| self.gather(package, &neighbours))
        };
        packages.par_iter().enumerate().map(gather).collect()
    }

    fn gather_from_elsewhere(
        &self,
        packages: &[Package],
        indices: &[usize],
        neighbours: &Neighbours,
    ) -> HashMap<usize, GatheredSource> {
        let (next, found) = (AtomicUsize::new(0), Mutex::new(HashMap::new()));
        let work = || {
            while let Some(index) = indices.get(next.fetch_add(1, Ordering::Relaxed)) {
                let Some(package) = packages.get(*index) else { continue };
                let gathered = self.gather(package, neighbours);
                found.lock().unwrap_or_else(PoisonError::into_inner).insert(*index, gathered);
            }
        };
        thread::scope(|scope| {
            for _ in 0..indices.len().min(AT_ONCE) {
                scope.spawn(work);
            }
        });
        found.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gathers the source of one package.
    pub fn gather(&self, package: &Package, neighbours: &Neighbours) -> GatheredSource {
        let locked = self.lock.sources.get(&package.name.value);
        let gathered = match &package.source.kind {
            SourceKind::Path(path) => {
                let origin =
                    super::origin::locate(&path.value, self.repository, self.tools.folders, neighbours);
                return GatheredSource { origin, locked: None };
            }
            SourceKind::Url { urls, sha256 } => {
                let request =
                    url::UrlRequest { package: &package.name.value, urls, sha256: sha256.as_deref() };
                url::gather(&request, &self.tools, locked)
            }
            SourceKind::Repository {
                system: "git",
                url,
                revision,
                folder,
                spec,
                method,
                submodules,
                large_files,
            } => {
                let options = git::CheckoutOptions {
                    submodules: *submodules,
                    large_files: *large_files,
                    ..git::CheckoutOptions::default()
                };
                let request = git::GitRequest { kind: "git", url, revision, folder, spec, method, options };
                match method.as_deref() {
                    Some(MAKE_SRPM) => gather_with_make((package, &request), &self.tools, locked),
                    Some(_) | None => git::gather(&request, &self.tools, locked),
                }
            }
            SourceKind::Repository { url, revision, folder, spec, .. } => {
                let (revision, folder) = (revision.as_deref(), folder.as_deref());
                let request = svn::SvnRequest { url, revision, folder, spec: spec.as_deref() };
                svn::gather(&request, &self.tools, locked)
            }
            SourceKind::Distgit { package, from, lookaside, revision } => {
                let (from, lookaside) = (from.as_deref(), lookaside.as_deref());
                let request = distgit::DistgitRequest { package, from, lookaside, revision };
                distgit::gather(&request, &self.tools, locked)
            }
            SourceKind::Registry { registry, project, version, index, extras, lock } => {
                let project = ProjectRequest {
                    project: project.clone(),
                    version: version.clone(),
                    index: index.clone(),
                };
                self.read_cargo_lock(lock.as_ref()).and_then(|cargo_lock| {
                    let extras = extras.iter().cloned().collect();
                    let package = &package.name.value;
                    let request =
                        RegistryRequest { package, registry: *registry, project, extras, cargo_lock };
                    registry::gather(&request, &self.tools, locked)
                })
            }
            SourceKind::Custom { script: Some(script), arguments, results, spec, refresh } => {
                let request = CustomRequest {
                    package,
                    repository: self.repository,
                    script: &script.value,
                    arguments,
                    results: results.as_deref(),
                    spec: spec.as_deref(),
                    refresh: *refresh,
                };
                gather_custom(&request, &self.tools, locked)
            }
            SourceKind::Published { repository, name, version } => {
                let name = name.as_deref().unwrap_or(&package.name.value);
                let request = PublishedRequest { package, repository, name, version: version.as_deref() };
                gather_published(&request, &self.tools, locked)
            }
            SourceKind::Build(number) => gather_past_build(*number, &self.tools, locked),
            kind @ (SourceKind::Custom { .. } | SourceKind::Named(_)) => {
                Err(SourceError::NotYet { kind: kind.word().to_owned() })
            }
        };
        match gathered {
            Ok(Gathered { folder, spec, locked }) => {
                let origin = Origin::in_folder(&folder, spec, neighbours);
                GatheredSource { origin, locked: Some(locked) }
            }
            // What is locked of it stays so.
            Err(error) => GatheredSource { origin: Err(error), locked: locked.cloned() },
        }
    }

    /// The text of the `Cargo.lock` that the manifest names.
    fn read_cargo_lock(&self, path: Option<&Spanned<ManifestPath>>) -> Result<Option<String>, SourceError> {
        let Some(path) = path else { return Ok(None) };
        let no_file = || SourceError::NoFile { pattern: path.value.to_string() };
        let ManifestPath::Repository(relative) = &path.value else { return Err(no_file()) };
        let text = self.repository.read_text_up_to(relative, LARGEST_CARGO_LOCK);
        text.map(Some).map_err(|_| no_file())
    }
}
