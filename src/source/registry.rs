//! `source pypi`, `rubygems`, `crates` and `npm`: a spec that is made from what a registry has.

use std::collections::{BTreeMap, BTreeSet};

use super::SourceError;
use super::crates::{self, CratesRequest};
use super::lock::{LockedFile, LockedSource};
use super::made_spec::{
    LockedRegistryFile, MadeLock, MadeSpec, MadeSpecError, ProjectRequest, RegistryAccess,
};
use super::npm;
use super::pypi::{self, PypiRequest};
use super::remote::KnownFrom;
use super::rubygems;
use super::tools::{Gathered, SourceTools};
use crate::chroot::making::LockRule;
use crate::digest::{Digest, Encoder};
use crate::manifest::declaration::Registry;

/// What the manifest says.
pub(super) struct RegistryRequest<'a> {
    /// The package.
    pub package: &'a str,
    /// Which registry.
    pub registry: Registry,
    /// The project there, which version, and at which index.
    pub project: ProjectRequest,
    /// Extras of Python's that become packages.
    pub extras: BTreeSet<String>,
    /// The text of a `Cargo.lock` that the project keeps.
    pub cargo_lock: Option<String>,
}

/// The name under which the lock has the version.
const VERSION: &str = "version";

/// Makes the spec of a project, with what lies beside it.
///
/// # Errors
/// It can't be had, or no spec can be made of it.
pub(super) fn gather(
    request: &RegistryRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    let asked = request.digest();
    let known = locked.filter(|locked| locked.kind == request.registry.word() && locked.asked == Some(asked));
    if known.is_none() && tools.rule != LockRule::MayChange {
        return Err(MadeSpecError::NotLocked { package: request.package.to_owned() }.into());
    }
    let lock = known.map(to_made_lock).transpose()?;
    let made = make(request, tools, lock.as_ref());
    let (made, lock) = made.map_err(|error| explain_change(error, request.package, lock.as_ref()))?;
    let mut encoder = Encoder::new("rpmforge made spec v1");
    encoder.text("spec", &made.text).list("files", made.sources.iter(), |encoder, source| {
        encoder.digest_field(&source.file, &source.blob.digest);
    });
    let (folder, spec) = tools.folders.make_once(encoder.digest(), |folder| {
        made.write_all(tools.store, folder)?;
        Ok(made.file_name())
    })?;
    Ok(Gathered { folder, spec, locked: to_locked(request.registry, asked, lock) })
}

/// An error in the words of what it means where a file is not what the lock says.
fn explain_change(error: MadeSpecError, package: &str, locked: Option<&MadeLock>) -> MadeSpecError {
    match (error, locked) {
        (MadeSpecError::File(error), Some(lock))
            if error.file().is_some_and(|name| lock.files.contains_key(name)) =>
        {
            MadeSpecError::File(Box::new(KnownFrom::Lock.explain_file(*error, package)))
        }
        (error, _) => error,
    }
}

/// The spec of a project, as it is locked or else as it is found now.
pub(super) fn make(
    request: &RegistryRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&MadeLock>,
) -> Result<(MadeSpec, MadeLock), MadeSpecError> {
    let downloads = tools.store.folder().create("downloads")?.without_sync();
    let access = RegistryAccess { tools, store: tools.store, downloads: &downloads };
    let (project, indexes) = (request.project.clone(), tools.indexes);
    match request.registry {
        Registry::Pypi => {
            let request = PypiRequest { project, extras: request.extras.clone() };
            pypi::gather(&access, indexes, &request, locked)
        }
        Registry::Rubygems => rubygems::gather(&access, indexes, &project, locked),
        Registry::Crates => {
            let request = CratesRequest { project, lock: request.cargo_lock.clone() };
            crates::gather(&access, indexes, &request, locked)
        }
        Registry::Npm => npm::gather(&access, indexes, &project, locked),
    }
}

impl RegistryRequest<'_> {
    /// What makes it another source.
    fn digest(&self) -> Digest {
        let mut encoder = Encoder::new("rpmforge registry source v1");
        let version = self.project.version.as_deref().unwrap_or_default();
        // A login is no part of what is asked for.
        let index = self.project.index.as_deref().map(crate::fetch::without_login).unwrap_or_default();
        encoder.text("registry", self.registry.word()).text("project", &self.project.project);
        encoder.text("version", version).text("index", &index);
        encoder.digest()
    }
}

fn to_locked(registry: Registry, asked: Digest, lock: MadeLock) -> LockedSource {
    let mut found = lock.found;
    found.insert(VERSION.to_owned(), lock.version);
    let files = lock.files.into_iter().map(|(name, file)| {
        let LockedRegistryFile { url, checksum, size } = file;
        (name, LockedFile { url, checksum, size })
    });
    LockedSource { kind: registry.word().to_owned(), asked: Some(asked), found, files: files.collect() }
}

fn to_made_lock(locked: &LockedSource) -> Result<MadeLock, MadeSpecError> {
    let mut found: BTreeMap<String, String> = locked.found.clone();
    let missing =
        || MadeSpecError::LockIncomplete { project: locked.kind.clone(), missing: VERSION.to_owned() };
    let version = found.remove(VERSION).ok_or_else(missing)?;
    let files = locked.files.iter().map(|(name, file)| {
        let LockedFile { url, checksum, size } = file.clone();
        (name.clone(), LockedRegistryFile { url, checksum, size })
    });
    Ok(MadeLock { version, found, files: files.collect() })
}
