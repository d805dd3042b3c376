//! `source repo`: a source package that a repository of a chroot ships, checked as packages of roots are.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use super::error::RebuiltError;
use super::shelves::ChrootRepository;
use crate::chroot::making::LockRule;
use crate::chroot::{
    AvailablePackage, FileLists, LockedPackage, PackageFilter, Repository, RepositoryAccess, RepositoryError,
    RepositoryRequest, fetch_packages,
};
use crate::digest::{Digest, Encoder};
use crate::fetch::Progress;
use crate::manifest::Package;
use crate::package::Evr;
use crate::source::SourceError;
use crate::source::lock::{LockedFile, LockedSource};
use crate::source::tools::{Gathered, SourceProgress, SourceTools};
use crate::text::suggestion;

/// What the manifest says.
pub(in crate::source) struct PublishedRequest<'a> {
    /// The package.
    pub package: &'a Package,
    /// The repository.
    pub repository: &'a str,
    /// The source package there.
    pub name: &'a str,
    /// Its version, with or without release; the newest where it is left out.
    pub version: Option<&'a str>,
}

const KIND: &str = "repo";
/// What is locked beside the file: which package it is, and where it lies in the repository.
const NEVRA: &str = "nevra";
const HREF: &str = "href";

/// Takes a source package of a repository.
///
/// # Errors
/// There is none, it can't be had, or it is not locked where it has to be.
pub(in crate::source) fn gather(
    request: &PublishedRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    let repository = request.find_repository(tools.shelves.repositories)?;
    let asked = request.digest();
    let known = locked.filter(|locked| locked.kind == KIND && locked.asked == Some(asked));
    let known = known.and_then(|known| read_lock(known, request));
    let progress = |progress| (tools.progress)(SourceProgress::Fetching(progress));
    let access = access(tools, &progress);
    let (package, is_new) = match (known, tools.rule) {
        (Some(package), _) => (package, false),
        (None, LockRule::Frozen) => {
            return Err(RebuiltError::NotLocked { package: request.package.name.value.clone() }.into());
        }
        (None, LockRule::MayChange) => (request.choose(repository, &access)?, true),
    };
    let blobs = fetch_packages(std::slice::from_ref(&package), std::slice::from_ref(repository), &access)
        .map_err(RebuiltError::from)?;
    let blob = blobs.into_iter().next().ok_or_else(|| request.no_package(&BTreeSet::new()))?;
    if is_new {
        tools.say(format!("{} of {} is locked", package.nevra(), package.repository));
    }
    let name = package.href.rsplit('/').next().unwrap_or_default().to_owned();
    let (folder, spec) = tools.folders.unpack_once(tools.store.folder(), &blob.path(), &name)?;
    let found = [(NEVRA.to_owned(), package.nevra()), (HREF.to_owned(), package.href.clone())];
    let url = format!("repo {}", package.repository);
    let file = LockedFile { url, checksum: package.checksum, size: package.size };
    let locked = LockedSource {
        kind: KIND.to_owned(),
        asked: Some(asked),
        found: BTreeMap::from(found),
        files: BTreeMap::from([(name, file)]),
    };
    Ok(Gathered { folder, spec, locked })
}

/// What repositories are looked at with.
fn access<'a>(tools: &'a SourceTools<'_>, progress: &'a (dyn Fn(Progress) + Sync)) -> RepositoryAccess<'a> {
    let now = tools.clock.now();
    RepositoryAccess {
        store: tools.store,
        client: tools.client,
        connection: tools.connection,
        now,
        keys_at: now,
        cancel: tools.cancel,
        progress,
    }
}

/// The newest version of a source package that a repository has, whichever the manifest names. Nothing but metadata is fetched.
///
/// # Errors
/// It has none, or can't be read.
pub(in crate::source) fn find_newest(
    request: &PublishedRequest<'_>,
    tools: &SourceTools<'_>,
) -> Result<String, RebuiltError> {
    let repository = request.find_repository(tools.shelves.repositories)?;
    let progress = |progress| (tools.progress)(SourceProgress::Fetching(progress));
    let access = access(tools, &progress);
    let any = PublishedRequest { version: None, ..*request };
    Ok(any.choose(repository, &access)?.evr)
}

/// The version that is locked of it.
pub(in crate::source) fn locked_version(
    request: &PublishedRequest<'_>,
    locked: Option<&LockedSource>,
) -> Option<String> {
    let known = locked.filter(|locked| locked.kind == KIND && locked.asked == Some(request.digest()))?;
    Some(read_lock(known, request)?.evr)
}

/// Whether one version of a source package is newer than another, which may be said without epoch and release.
pub(in crate::source) fn is_newer_version(evr: &str, than: &str) -> bool {
    !is_version(evr, than) && Evr::parse(evr).compare(&Evr::parse(than)) == Ordering::Greater
}

impl PublishedRequest<'_> {
    /// The repository: of one of the package's chroots, or else of any.
    fn find_repository<'r>(
        &self,
        all: &'r [ChrootRepository],
    ) -> Result<&'r RepositoryRequest, RebuiltError> {
        let named = || all.iter().filter(|one| one.request.name == self.repository);
        let own = named().find(|one| self.package.chroots.contains(&one.chroot));
        own.or_else(|| named().next()).map(|one| &one.request).ok_or_else(|| {
            let known: BTreeSet<&str> = all.iter().map(|one| one.request.name.as_str()).collect();
            let help = match known.is_empty() {
                true => "declare it in a chroot: `repo NAME baseurl=\"…\"`".to_owned(),
                false => suggestion(self.repository, "repositories", known),
            };
            RebuiltError::NoRepository { name: self.repository.to_owned(), help }
        })
    }

    /// The newest source package that is asked for.
    fn choose(
        &self,
        repository: &RepositoryRequest,
        access: &RepositoryAccess<'_>,
    ) -> Result<LockedPackage, RebuiltError> {
        let loaded = Repository::load(repository, access)?;
        let filter = PackageFilter::new(&repository.name, &repository.exclude, &repository.include)?;
        let (mut newest, mut known): (Option<AvailablePackage>, _) = (None, BTreeSet::new());
        let take = |package: AvailablePackage| {
            let is_source = package.arch == "src" || package.arch == "nosrc";
            if !is_source || !filter.takes(&package.name, &package.evr.to_string(), &package.arch) {
                return;
            }
            if package.name != self.name {
                known.insert(package.name);
                return;
            }
            let is_meant = self.version.is_none_or(|wanted| is_version(&package.evr.to_string(), wanted));
            let is_newer =
                newest.as_ref().is_none_or(|best| package.evr.compare(&best.evr) == Ordering::Greater);
            if is_meant && is_newer {
                newest = Some(package);
            } else if !is_meant {
                known.insert(format!("{} {}", package.name, package.evr));
            }
        };
        let read: Result<(), RepositoryError> = loaded.read_packages(access, FileLists::OnlyPrimary, take);
        read?;
        let newest = newest.ok_or_else(|| self.no_package(&known))?;
        Ok(LockedPackage {
            evr: newest.evr.to_string(),
            name: newest.name,
            arch: newest.arch,
            repository: repository.name.clone(),
            href: newest.href,
            checksum: newest.checksum,
            size: newest.size,
        })
    }

    fn no_package(&self, known: &BTreeSet<String>) -> RebuiltError {
        let version = self.version.map(|version| format!(" {version}")).unwrap_or_default();
        let wanted = format!("{}{version}", self.name);
        let help = match known.is_empty() {
            true => "it has no source packages: many distributions have repositories of their own for them"
                .to_owned(),
            false => suggestion(&wanted, "source packages", known.iter().map(String::as_str)),
        };
        RebuiltError::NoPackage { repository: self.repository.to_owned(), wanted, help }
    }

    fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("rpmforge source of a repository v1");
        encoder.text("repository", self.repository).text("name", self.name).option("version", self.version);
        encoder.digest()
    }
}

/// Whether `[epoch:]version-release` is what somebody means who writes a version, with or without the rest.
fn is_version(evr: &str, wanted: &str) -> bool {
    let without_epoch = evr.split_once(':').map_or(evr, |(_, rest)| rest);
    let version = without_epoch.rsplit_once('-').map_or(without_epoch, |(version, _)| version);
    [evr, without_epoch, version].contains(&wanted)
}

fn read_lock(known: &LockedSource, request: &PublishedRequest<'_>) -> Option<LockedPackage> {
    let (nevra, href) = (known.found.get(NEVRA)?, known.found.get(HREF)?);
    let (rest, arch) = nevra.rsplit_once('.')?;
    let evr = rest.strip_prefix(request.name)?.strip_prefix('-')?;
    let name = href.rsplit('/').next()?;
    let file = known.files.get(name)?;
    Some(LockedPackage {
        name: request.name.to_owned(),
        evr: evr.to_owned(),
        arch: arch.to_owned(),
        repository: request.repository.to_owned(),
        href: href.clone(),
        checksum: file.checksum.clone(),
        size: file.size,
    })
}

impl From<RebuiltError> for SourceError {
    fn from(error: RebuiltError) -> Self {
        Self::Rebuilt(Box::new(error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_meant_with_and_without_epoch_and_release() {
        for wanted in ["5.2", "5.2-1", "1:5.2-1"] {
            assert!(is_version("1:5.2-1", wanted), "{wanted}");
        }
        assert!(is_newer_version("5.2-2", "5.2-1") && is_newer_version("5.10-1", "5.2"));
        assert!(!is_newer_version("5.2-2", "5.2") && !is_newer_version("5.2-1", "5.2-1"));
        assert!(!is_version("1:5.2-1", "5") && !is_version("5.2-1", "5.2-2"));
    }
}
