//! A plain folder of packages: a repository without metadata, which their headers make up for.

use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::RepositoryError;
use super::folder_checksums::{ChecksummedFile, FolderChecksums};
use super::limits::{DEEPEST_PACKAGE, MOST_PACKAGES};
use super::names::check_href;
use super::problem::{FileOf, MetadataProblem};
use super::repomd::REPOMD;
use super::request::{RepositoryAccess, RepositoryState};
use crate::chroot::{AvailablePackage, Relations, Requirement};
use crate::digest::{Checksum, ChecksumAlgorithm, ChecksumHasher};
use crate::fetch::Address;
use crate::files::{EntryKind, Folder, HostPath};
use crate::package::{Evr, PackageError, PackageRecord, Relation, read_headers_of};

/// What the folder has; nothing where it has metadata that say so.
///
/// # Errors
/// It, or a package in it, can't be read.
pub(super) fn read(
    repository: &str,
    path: &HostPath,
    access: &RepositoryAccess<'_>,
) -> Result<Option<(Vec<AvailablePackage>, RepositoryState)>, RepositoryError> {
    let error = |source| RepositoryError::Folder { repository: repository.to_owned(), source };
    let folder = Folder::open_ambient(path).map_err(error)?;
    if folder.exists(REPOMD) {
        return Ok(None);
    }
    let files = packages_below(&folder).map_err(error)?;
    if files.len() as u64 > MOST_PACKAGES {
        let place = FileOf { repository, file: &path.to_string() };
        let what = "it has more packages".to_owned();
        return Err(MetadataProblem::TooLarge { what, most: MOST_PACKAGES }.of(place));
    }
    let known = FolderChecksums::recall(path, access);
    let read = |file: &PathBuf| read_package(repository, (&folder, file), &known);
    let (packages, checksums): (Vec<AvailablePackage>, Vec<ChecksummedFile>) =
        files.par_iter().map(read).collect::<Result<Vec<_>, _>>()?.into_iter().unzip();
    let checksummed = packages.iter().map(|package| package.href.as_str()).zip(&checksums);
    known.remember(path, checksummed, access)?;
    let packages = without_copies(repository, packages)?;
    let state = state(path, &packages);
    Ok(Some((packages, state)))
}

/// The package files, sorted by path.
fn packages_below(folder: &Folder) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![(PathBuf::new(), 0)];
    while let Some((path, depth)) = open.pop() {
        let current = if depth == 0 { folder.again()? } else { folder.folder(&path)? };
        for entry in current.entries()? {
            let below = path.join(&entry.name);
            match entry.kind {
                EntryKind::Folder if depth < DEEPEST_PACKAGE => open.push((below, depth + 1)),
                EntryKind::File if entry.name.ends_with(".rpm") => found.push(below),
                EntryKind::Folder | EntryKind::File | EntryKind::Other => {}
            }
        }
    }
    found.sort();
    Ok(found)
}

fn read_package(
    repository: &str,
    (folder, path): (&Folder, &Path),
    known: &FolderChecksums,
) -> Result<(AvailablePackage, ChecksummedFile), RepositoryError> {
    let href = path.to_string_lossy().into_owned();
    let place = FileOf { repository, file: &href };
    check_href(href.clone()).map_err(|problem| problem.of(place))?;
    let broken = |source: PackageError| RepositoryError::BrokenPackage {
        repository: repository.to_owned(),
        file: href.clone(),
        source,
    };
    let unreadable = |source: io::Error| broken(PackageError::Io { file: href.clone(), source });
    let checksummed = known.find(folder, path).map_err(unreadable)?;
    let file = folder.open_regular(path).map_err(unreadable)?;
    let headers = read_headers_of(&href, &mut BufReader::new(file)).map_err(broken)?;
    let record = PackageRecord::read(&href, &headers).map_err(broken)?;
    let package = available(&record, (href, checksummed.checksum.clone(), checksummed.size));
    Ok((package, checksummed))
}

pub(in crate::chroot) fn available(
    record: &PackageRecord,
    (href, checksum, size): (String, Checksum, u64),
) -> AvailablePackage {
    let epoch = Some(record.epoch).filter(|epoch| *epoch > 0);
    AvailablePackage {
        name: record.name.clone(),
        evr: Evr { epoch, version: record.version.clone(), release: Some(record.release.clone()) },
        arch: record.arch.clone(),
        relations: relations(record),
        files: record.primary_files().chain(record.other_files()).map(str::to_owned).collect(),
        href,
        checksum,
        size,
        installed_size: record.installed_size(),
        build_time: record.build_time,
        vendor: record.vendor().to_owned(),
        source_package: record.source_package().to_owned(),
    }
}

fn relations(record: &PackageRecord) -> Relations {
    let mut relations = Relations::default();
    for (relation, dependency, before) in record.relations() {
        let dependency = dependency.clone();
        match relation {
            Relation::Provides => relations.provides.push(dependency),
            Relation::Requires => relations.requires.push(Requirement { dependency, before }),
            Relation::Conflicts => relations.conflicts.push(dependency),
            Relation::Obsoletes => relations.obsoletes.push(dependency),
            Relation::Suggests => relations.suggests.push(dependency),
            Relation::Enhances => relations.enhances.push(dependency),
            Relation::Recommends => relations.recommends.push(dependency),
            Relation::Supplements => relations.supplements.push(dependency),
        }
    }
    relations
}

/// Each package once; an error where two files claim to be the same one.
fn without_copies(
    repository: &str,
    packages: Vec<AvailablePackage>,
) -> Result<Vec<AvailablePackage>, RepositoryError> {
    let mut seen = std::collections::HashMap::new();
    let mut kept = Vec::new();
    for package in packages {
        let nevra = format!("{}-{}.{}", package.name, package.evr, package.arch);
        match seen.insert(nevra.clone(), package.checksum.clone()) {
            None => kept.push(package),
            Some(checksum) if checksum == package.checksum => {}
            Some(_) => return Err(RepositoryError::Twice { repository: repository.to_owned(), nevra }),
        }
    }
    Ok(kept)
}

fn state(path: &HostPath, packages: &[AvailablePackage]) -> RepositoryState {
    let mut hasher = ChecksumHasher::new(ChecksumAlgorithm::Sha256);
    for package in packages {
        hasher.update(format!("{}\0{}\n", package.href, package.checksum).as_bytes());
    }
    RepositoryState {
        url: Address::from_path(path).map_or_else(|| path.to_string(), |address| address.to_string()),
        checksum: hasher.finish(),
        revision: String::new(),
        time: packages.iter().map(|package| package.build_time).max().unwrap_or_default(),
    }
}
