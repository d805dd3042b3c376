//! Looks at the sources of packages, many at a time.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::error::UpstreamError;
use super::pages::KnownPages;
use super::registry::{compare, newest_version};
use super::releases::ReleasePattern;
use super::tags::{compare_versions, newest_tag, split_tag, version_of_tag};
use super::{NewsMover, NewsVerdict, SourceNews};
use crate::fetch::without_login;
use crate::files::Folder;
use crate::manifest::Package;
use crate::manifest::declaration::{Registry, SourceKind, UpstreamDecl};
use crate::source::SourceError;
use crate::source::distgit::{DistgitRequest, find_repository};
use crate::source::git::{GitAddress, GitError, GitReference, GitTools, Revision, list_references, look_at};
use crate::source::lock::{LockedSource, SourceLock};
use crate::source::made_spec::RegistryAccess;
use crate::source::neighbours::Neighbours;
use crate::source::origin::locate;
use crate::source::rebuilt::{PublishedRequest, find_newest, is_newer_version, locked_version};
use crate::source::svn::{self, SvnNews, SvnRequest};
use crate::source::tools::SourceTools;

/// Looks for what is newer.
pub struct NewsFinder<'a> {
    /// The repository: paths of the manifest begin there.
    pub repository: &'a Folder,
    /// What sources are reached with.
    pub tools: SourceTools<'a>,
    /// What is locked.
    pub lock: &'a SourceLock,
    /// What pages said before.
    pub pages: &'a KnownPages,
    /// What is looked for.
    pub scope: NewsScope,
}

/// What is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewsScope {
    /// Whatever is newer.
    All,
    /// What `forge update` would take: branches that have moved, and projects of which the manifest names no version.
    Updates,
}

/// How many are looked at at once: what waits for a network needs no processor.
const AT_ONCE: usize = 32;

/// What was found: what is built from now, the newest, and what follows.
type Found = (Option<String>, Option<String>, NewsVerdict);

impl NewsFinder<'_> {
    /// Looks at the sources of packages, and gives what was found in the same order.
    pub fn look_at_all(&self, packages: &[&Package]) -> Vec<SourceNews> {
        let (next, found) = (AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
        let work = || {
            while let Some((index, package)) = take_next(&next, packages) {
                let news = self.look_at(package);
                found.lock().unwrap_or_else(PoisonError::into_inner).insert(index, news);
            }
        };
        thread::scope(|scope| {
            for _ in 0..packages.len().min(AT_ONCE) {
                scope.spawn(work);
            }
        });
        found.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }

    /// Looks at the source of one package.
    pub fn look_at(&self, package: &Package) -> SourceNews {
        let (name, kind) = (package.name.value.clone(), package.source.kind.word().to_owned());
        let found = self.find(package);
        let (current, newest, verdict) =
            found.unwrap_or_else(|error| (None, None, NewsVerdict::Failed(Box::new(error))));
        SourceNews { package: name, kind, current, newest, verdict }
    }

    fn find(&self, package: &Package) -> Result<Found, SourceError> {
        let locked = self.lock.sources.get(&package.name.value);
        if let Some(upstream) = package.upstream.as_ref().filter(|_| self.scope == NewsScope::All) {
            return self.look_at_page(package, upstream, locked);
        }
        let not_looked = |why| Ok((None, None, NewsVerdict::NotLooked(why)));
        match &package.source.kind {
            SourceKind::Path(_) | SourceKind::Url { .. } => not_looked("no `upstream` says where to look"),
            SourceKind::Repository { system: "git", url, revision, .. } => {
                self.look_at_git(url, revision.as_deref(), locked)
            }
            SourceKind::Distgit { package, from, lookaside, revision } => {
                let (from, lookaside) = (from.as_deref(), lookaside.as_deref());
                let (url, _) = find_repository(&DistgitRequest { package, from, lookaside, revision })?;
                self.look_at_git(&url, revision.as_deref(), locked)
            }
            SourceKind::Registry { registry, project, version, index, .. } => {
                let place = (*registry, project.as_str(), index.as_deref());
                self.look_at_registry(place, version.as_deref(), locked)
            }
            SourceKind::Repository { url, revision, folder, spec, .. } => {
                let (revision, folder) = (revision.as_deref(), folder.as_deref());
                let request = SvnRequest { url, revision, folder, spec: spec.as_deref() };
                self.look_at_svn(&request, locked)
            }
            SourceKind::Published { repository, name, version } => {
                let name = name.as_deref().unwrap_or(&package.name.value);
                let request = PublishedRequest { package, repository, name, version: version.as_deref() };
                self.look_at_repository(&request, locked)
            }
            SourceKind::Build(_) => not_looked("an earlier build stays what it was"),
            SourceKind::Custom { .. } | SourceKind::Named(_) => {
                not_looked("forge does not know how to look there")
            }
        }
    }

    fn look_at_git(
        &self,
        url: &str,
        revision: Option<&str>,
        locked: Option<&LockedSource>,
    ) -> Result<Found, SourceError> {
        let address = GitAddress::parse(url)?;
        let environment: BTreeMap<OsString, OsString> = self.tools.environment.iter().cloned().collect();
        let tools =
            GitTools { client: self.tools.client, environment: &environment, cancel: self.tools.cancel };
        let asked = Revision::parse(revision)?;
        if let Revision::Commit(id) = asked {
            return Ok((Some(id.to_string()), None, NewsVerdict::NotLooked("the manifest names a commit")));
        }
        let Some(now) = look_at(&address, &asked, tools)? else {
            let locked = locked.and_then(|locked| locked.found.get("commit"));
            if let (Some(digits), Some(commit)) = (asked.abbreviation(), locked)
                && commit.starts_with(&digits)
            {
                let verdict = NewsVerdict::NotLooked("the manifest names a commit");
                return Ok((Some(commit.clone()), None, verdict));
            }
            let (repository, revision) = (address.to_string(), asked.to_string());
            return Err(GitError::NotFound { repository, revision }.into());
        };
        let before = locked.and_then(|locked| locked.found.get("commit"));
        let Some(tag) = now.name.strip_prefix("refs/tags/") else {
            let newest = now.commit().to_string();
            return Ok(match before {
                None => (None, Some(newest), NewsVerdict::NotLocked),
                Some(before) if *before == newest => {
                    (Some(newest.clone()), Some(newest), NewsVerdict::Current)
                }
                Some(before) => (Some(before.clone()), Some(newest), NewsVerdict::Newer(NewsMover::Update)),
            });
        };
        check_tag(&address, tag, &now, locked)?;
        if self.scope == NewsScope::Updates {
            return Ok((Some(tag.to_owned()), None, NewsVerdict::NotLooked("the manifest names a tag")));
        }
        if split_tag(tag).is_none() {
            return Ok((Some(tag.to_owned()), None, NewsVerdict::NotLooked("its tag has no version")));
        }
        let listed = list_references(&address, &["refs/tags/".to_owned()], tools)?;
        let tags = listed.iter().filter_map(|reference| reference.name.strip_prefix("refs/tags/"));
        let newest = newest_tag(tag, tags).unwrap_or(tag);
        let is_newer = compare_versions(version_of_tag(newest), version_of_tag(tag)).is_gt();
        Ok((Some(tag.to_owned()), Some(newest.to_owned()), decide(is_newer, NewsMover::Edit)))
    }

    fn look_at_svn(
        &self,
        request: &SvnRequest<'_>,
        locked: Option<&LockedSource>,
    ) -> Result<Found, SourceError> {
        Ok(match svn::look_at(request, &self.tools)? {
            SvnNews::Fixed(revision) => {
                (Some(revision), None, NewsVerdict::NotLooked("the manifest names a revision"))
            }
            SvnNews::Revision(now) => {
                let before = locked.and_then(svn::locked_revision);
                let verdict = match before {
                    None => NewsVerdict::NotLocked,
                    Some(before) => decide(now > before, NewsMover::Update),
                };
                (before.map(|revision| revision.to_string()), Some(now.to_string()), verdict)
            }
            SvnNews::Tag { current, .. } if self.scope == NewsScope::Updates => {
                (Some(current), None, NewsVerdict::NotLooked("the manifest names a tag"))
            }
            SvnNews::Tag { current, .. } if split_tag(&current).is_none() => {
                (Some(current), None, NewsVerdict::NotLooked("its tag has no version"))
            }
            SvnNews::Tag { current, all } => {
                let newest =
                    newest_tag(&current, all.iter().map(String::as_str)).unwrap_or(&current).to_owned();
                let order = compare_versions(version_of_tag(&newest), version_of_tag(&current));
                (Some(current), Some(newest), decide(order.is_gt(), NewsMover::Edit))
            }
        })
    }

    fn look_at_repository(
        &self,
        request: &PublishedRequest<'_>,
        locked: Option<&LockedSource>,
    ) -> Result<Found, SourceError> {
        let named = request.version.map(str::to_owned);
        if named.is_some() && self.scope == NewsScope::Updates {
            return Ok((named, None, NewsVerdict::NotLooked("the manifest names a version")));
        }
        let newest = find_newest(request, &self.tools)?;
        let mover = if named.is_some() { NewsMover::Edit } else { NewsMover::Update };
        let Some(current) = named.or_else(|| locked_version(request, locked)) else {
            return Ok((None, Some(newest), NewsVerdict::NotLocked));
        };
        let is_newer = is_newer_version(&newest, &current);
        Ok((Some(current), Some(newest), decide(is_newer, mover)))
    }

    fn look_at_registry(
        &self,
        place: (Registry, &str, Option<&str>),
        version: Option<&str>,
        locked: Option<&LockedSource>,
    ) -> Result<Found, SourceError> {
        if version.is_some() && self.scope == NewsScope::Updates {
            let current = version.map(str::to_owned);
            return Ok((current, None, NewsVerdict::NotLooked("the manifest names a version")));
        }
        let newest = self.with_access(|access| Ok(newest_version(access, self.pages, place)?))?;
        let of_lock = locked.and_then(|locked| locked.found.get("version")).map(String::as_str);
        let mover = if version.is_some() { NewsMover::Edit } else { NewsMover::Update };
        let Some(current) = version.or(of_lock) else {
            return Ok((None, Some(newest), NewsVerdict::NotLocked));
        };
        let is_newer = compare(place.0, &newest, current).is_gt();
        Ok((Some(current.to_owned()), Some(newest), decide(is_newer, mover)))
    }

    fn look_at_page(
        &self,
        package: &Package,
        upstream: &UpstreamDecl,
        locked: Option<&LockedSource>,
    ) -> Result<Found, SourceError> {
        let (url, pattern) = (upstream.page.value.as_str(), upstream.pattern.value.as_str());
        let page = || without_login(url);
        let no_release = || UpstreamError::NoRelease { page: page(), pattern: pattern.to_owned() };
        let releases = ReleasePattern::new(pattern).ok_or_else(no_release)?;
        let read = |content: &[u8]| {
            releases.newest(&String::from_utf8_lossy(content)).ok_or_else(|| SourceError::from(no_release()))
        };
        let newest = self.with_access(|access| self.pages.newest(access, ((url, None), pattern), read));
        let newest = newest.map_err(|error| match error {
            SourceError::MadeSpec(error) => {
                UpstreamError::Page { page: page(), source: Box::new(error) }.into()
            }
            error => error,
        })?;
        let newest = newest.ok_or_else(|| UpstreamError::NoPage { page: page() })?;
        Ok(match self.current_version(package, &releases, locked)? {
            None => (None, Some(newest), NewsVerdict::NotLocked),
            Some(current) => {
                let is_newer = compare_versions(&newest, &current).is_gt();
                (Some(current), Some(newest), decide(is_newer, NewsMover::Edit))
            }
        })
    }

    /// The version that a package is built from: what the pattern finds in the addresses of its files, what is locked, or
    /// what its spec says outright.
    fn current_version(
        &self,
        package: &Package,
        releases: &ReleasePattern,
        locked: Option<&LockedSource>,
    ) -> Result<Option<String>, SourceError> {
        let source = &package.source;
        let urls = match &source.kind {
            SourceKind::Url { urls, .. } => urls.as_slice(),
            _ => &[],
        };
        let files = locked.iter().flat_map(|locked| &locked.files);
        let addresses = files.flat_map(|(name, file)| [name.as_str(), file.url.as_str()]);
        let mut named = urls.iter().map(String::as_str).chain(addresses);
        if let Some(version) = named.find_map(|text| releases.version_in(text)) {
            return Ok(Some(version));
        }
        let found = |name: &str| locked.and_then(|locked| locked.found.get(name));
        if let Some(version) = found("version") {
            return Ok(Some(version.clone()));
        }
        let tag = found("ref").and_then(|name| name.strip_prefix("refs/tags/"));
        if let Some((_, version)) = tag.and_then(split_tag) {
            return Ok(Some(version.to_owned()));
        }
        let SourceKind::Path(path) = &source.kind else { return Ok(None) };
        let origin = locate(&path.value, self.repository, self.tools.folders, &Neighbours::default())?;
        let text = origin.read_spec()?;
        Ok(version_in_spec(&String::from_utf8_lossy(&text)))
    }

    fn with_access<T>(
        &self,
        act: impl FnOnce(&RegistryAccess<'_>) -> Result<T, SourceError>,
    ) -> Result<T, SourceError> {
        let downloads = self.tools.store.folder().create("downloads")?.without_sync();
        act(&RegistryAccess { tools: &self.tools, store: self.tools.store, downloads: &downloads })
    }
}

fn take_next<'a>(next: &AtomicUsize, packages: &[&'a Package]) -> Option<(usize, &'a Package)> {
    let index = next.fetch_add(1, Ordering::Relaxed);
    packages.get(index).map(|package| (index, *package))
}

fn decide(is_newer: bool, mover: NewsMover) -> NewsVerdict {
    if is_newer { NewsVerdict::Newer(mover) } else { NewsVerdict::Current }
}

/// A release doesn't change.
fn check_tag(
    address: &GitAddress,
    tag: &str,
    now: &GitReference,
    locked: Option<&LockedSource>,
) -> Result<(), GitError> {
    let found = |name: &str| locked.and_then(|locked| locked.found.get(name));
    let commit_now = now.commit().to_string();
    match (found("ref"), found("commit")) {
        (Some(reference), Some(commit)) if *reference == now.name && *commit != commit_now => {
            Err(GitError::MovedTag {
                repository: address.to_string(),
                tag: tag.to_owned(),
                locked: commit.clone(),
                now: commit_now,
            })
        }
        _ => Ok(()),
    }
}

/// The `Version` of a spec, where it is said without macros: nothing of a spec is run here.
fn version_in_spec(text: &str) -> Option<String> {
    let is_version_tag = |line: &&str| line.get(..8).is_some_and(|tag| tag.eq_ignore_ascii_case("version:"));
    let line = text.lines().map(str::trim).find(is_version_tag)?;
    let version = line.get(8..)?.trim();
    (!version.is_empty() && !version.contains('%')).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_read_where_it_is_said_without_macros() {
        assert_eq!(version_in_spec("Name: a\nversion:  1.2 \n"), Some("1.2".to_owned()));
        assert_eq!(version_in_spec("Name: a\nVersion: %{v}\n"), None);
        assert_eq!(version_in_spec("Name: é\n"), None);
    }
}
