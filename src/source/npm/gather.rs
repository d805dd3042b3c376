//! From a package's name to its spec.

use std::collections::BTreeMap;

use super::bundle::{PlacedPackage, write_bundle};
use super::package::{NpmPackage, check_package, is_wanted};
use super::registry::{NpmRegistry, OnlineRegistry, file_name, file_of, file_url, is_package_name};
use super::resolve::{Resolved, choose, resolve};
use super::spec::{NpmSpecSettings, package_name, write_spec};
use crate::source::made_spec::{
    Indexes, LockedRegistryFile, MadeLock, MadeSource, MadeSpec, MadeSpecError, NPM, ProjectRequest,
    RegistryAccess, RegistryFile, license_list_name, read_archive, write_license_list,
};
use crate::store::Blob;

/// A package with what it is built with, as the registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedPackage {
    /// The package's own version.
    pub version: String,
    /// Its file.
    pub file: RegistryFile,
    /// By their folders, the packages that are built in.
    pub placed: BTreeMap<String, Resolved>,
    /// The files of those.
    pub files: BTreeMap<Resolved, RegistryFile>,
}

/// Resolves a package with all that it needs.
///
/// # Errors
/// Something of it is not to be had.
pub fn resolve_package(
    access: RegistryAccess<'_>,
    index: &str,
    request: &ProjectRequest,
) -> Result<ResolvedPackage, MadeSpecError> {
    let name = &request.project;
    let mut registry = OnlineRegistry::new(access, index);
    let version = choose(registry.document(name)?, name, request.version.as_deref())?;
    let placed = resolve(&mut registry, name, &version)?;
    let file = registry_file(&mut registry, name, &version)?;
    let mut files = BTreeMap::new();
    for found in placed.values() {
        files.insert(found.clone(), registry_file(&mut registry, &found.name, &found.version)?);
    }
    Ok(ResolvedPackage { version, file, placed, files })
}

fn registry_file(
    registry: &mut OnlineRegistry<'_>,
    name: &str,
    version: &str,
) -> Result<RegistryFile, MadeSpecError> {
    let document = registry.document(name)?;
    let facts = document.versions.get(version);
    facts.map(|facts| file_of(name, version, &facts.dist)).ok_or_else(|| MadeSpecError::NoVersion {
        registry: "npm",
        project: name.to_owned(),
        wanted: format!("version {version}"),
        help: "the registry names a version that it does not have".to_owned(),
    })
}

/// The spec of a package: of what is locked, or else of what the registry has now.
///
/// # Errors
/// It can't be had, or no spec can be made of it.
pub fn gather(
    access: &RegistryAccess<'_>,
    indexes: &Indexes,
    request: &ProjectRequest,
    locked: Option<&MadeLock>,
) -> Result<(MadeSpec, MadeLock), MadeSpecError> {
    let index = request.index.as_deref().unwrap_or(&indexes.npm);
    let lock = match locked {
        Some(lock) => lock.clone(),
        None => fetch_resolved(access, request, &resolve_package(*access, index, request)?)?,
    };
    let own = Resolved { name: request.project.clone(), version: lock.version.clone() };
    let (file, blob) = locked_package(access, index, &lock, &own)?;
    let mut packages = Vec::new();
    let tree = lock.found.get(TREE).map(String::as_str).unwrap_or_default();
    for line in tree.split("; ").filter(|line| !line.is_empty()) {
        let (folder, text) = line
            .split_once(' ')
            .filter(|(folder, _)| is_folder(folder))
            .ok_or_else(|| incomplete(request, line))?;
        let package = text.rsplit_once('@').filter(|(name, _)| is_package_name(name));
        let (name, version) = package.ok_or_else(|| incomplete(request, folder))?;
        let package = Resolved { name: name.to_owned(), version: version.to_owned() };
        let (file, blob) = locked_package(access, index, &lock, &package)?;
        packages.push(PlacedPackage { folder: folder.to_owned(), package, file, blob });
    }
    Ok((make_spec(access, (&file, blob), &own, &packages)?, lock))
}

/// The name under which the lock has which package lies in which folder: `node_modules/a a@1.0.0; …`.
const TREE: &str = "tree";

fn write_tree(placed: &BTreeMap<String, Resolved>) -> String {
    let lines =
        placed.iter().map(|(folder, package)| format!("{folder} {}@{}", package.name, package.version));
    lines.collect::<Vec<String>>().join("; ")
}

/// Whether it is a folder that packages of npm's lie in: a lock may have been written by hand.
fn is_folder(folder: &str) -> bool {
    let names = folder.strip_prefix("node_modules/").map(|rest| rest.split("/node_modules/"));
    names.is_some_and(|mut names| names.all(is_package_name))
}

fn incomplete(request: &ProjectRequest, missing: &str) -> MadeSpecError {
    MadeSpecError::LockIncomplete { project: request.project.clone(), missing: format!("`{missing}`") }
}

/// Fetches all files of a package that was resolved, several at once.
fn fetch_resolved(
    access: &RegistryAccess<'_>,
    request: &ProjectRequest,
    resolved: &ResolvedPackage,
) -> Result<MadeLock, MadeSpecError> {
    let own = Resolved { name: request.project.clone(), version: resolved.version.clone() };
    let all: Vec<(&Resolved, &RegistryFile)> =
        std::iter::once((&own, &resolved.file)).chain(&resolved.files).collect();
    let files: Vec<RegistryFile> = all.iter().map(|(_, file)| (*file).clone()).collect();
    let fetched = access.files(&files)?;
    let public = request.index.as_deref().unwrap_or(NPM);
    let locked = all.iter().zip(fetched).map(|((package, file), (blob, checksum))| {
        let url = file_url(public, &package.name, &package.version);
        (file.name.clone(), LockedRegistryFile { url, checksum, size: blob.size })
    });
    Ok(MadeLock {
        version: resolved.version.clone(),
        files: locked.collect(),
        found: [(TREE.to_owned(), write_tree(&resolved.placed))].into(),
    })
}

/// A package that the lock has, in the store, with the name of its file.
fn locked_package(
    access: &RegistryAccess<'_>,
    index: &str,
    lock: &MadeLock,
    package: &Resolved,
) -> Result<(String, Blob), MadeSpecError> {
    let name = file_name(&package.name, &package.version);
    let missing =
        || MadeSpecError::LockIncomplete { project: package.name.clone(), missing: format!("`{name}`") };
    let locked = lock.files.get(&name).ok_or_else(missing)?;
    let url = file_url(index, &package.name, &package.version);
    let blob = access.locked_file_at((&name, locked), url)?;
    Ok((name, blob))
}

/// The spec of a package that is in the store, with what it is built with.
///
/// # Errors
/// It is none, or something of it has to be compiled.
pub fn make_spec(
    access: &RegistryAccess<'_>,
    (file, blob): (&str, Blob),
    asked: &Resolved,
    packages: &[PlacedPackage],
) -> Result<MadeSpec, MadeSpecError> {
    let content =
        access.store.read_blob(&blob, |reader| read_archive(file, blob.size, reader, &is_wanted))?;
    let package = NpmPackage::read(file, content)?;
    check_package(file, asked, &package)?;
    if package.is_native {
        return Err(MadeSpecError::NpmNative { project: package.name });
    }
    let name = package_name(&package.name);
    let mut sources = vec![MadeSource { file: file.to_owned(), blob }];
    let mut settings = NpmSpecSettings::default();
    if !packages.is_empty() {
        let bundle = access.take_in_made(|out| {
            settings.bundled = write_bundle(access, packages, out)?;
            Ok(())
        })?;
        let archive = format!("{name}-{}-bundled.tar.zst", package.version);
        settings.bundle = Some(archive.clone());
        sources.push(MadeSource { file: archive, blob: bundle });
        let list = write_license_list(access, &settings.bundled)?;
        sources.push(MadeSource { file: license_list_name(&name), blob: list });
    }
    Ok(MadeSpec { text: write_spec(&package, &settings), name, sources })
}
