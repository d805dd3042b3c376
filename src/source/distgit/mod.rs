//! `source distgit`: a package of a distribution, as its package repository has it: spec and patches from git, archives by
//! their checksums from the lookaside cache.

mod error;

pub use error::DistgitError;

use std::collections::BTreeMap;

use super::SourceError;
use super::checksum_lines::{ListedFile, MD5, read_checksum_lines};
use super::git::{AddedFile, BesideSpec, CheckoutOptions, GitRequest, gather_adding};
use super::limits::SOURCE_BYTES;
use super::lock::{LockedFile, LockedSource};
use super::remote::{RemoteFile, check_md5};
use super::tools::{Gathered, SourceTools};
use crate::digest::Checksum;
use crate::fetch::Address;

/// What the manifest says.
pub(super) struct DistgitRequest<'a> {
    /// The package there.
    pub package: &'a str,
    /// `fedora`, `centos-stream`, or the address of the repository with `{package}` in it.
    pub from: Option<&'a str>,
    /// The address of a file in the lookaside cache, with `{package}`, `{file}`, `{algorithm}` and `{checksum}` in it.
    pub lookaside: Option<&'a str>,
    /// The branch or commit.
    pub revision: &'a Option<String>,
}

/// A distribution's repositories and lookaside cache.
struct Distribution {
    name: &'static str,
    repository: &'static str,
    lookaside: &'static str,
}

const DISTRIBUTIONS: [Distribution; 2] = [
    Distribution {
        name: "fedora",
        repository: "https://src.fedoraproject.org/rpms/{package}.git",
        lookaside: "https://src.fedoraproject.org/repo/pkgs/rpms/{package}/{file}/{algorithm}/{checksum}/{file}",
    },
    Distribution {
        name: "centos-stream",
        repository: "https://gitlab.com/redhat/centos-stream/rpms/{package}.git",
        lookaside: "https://sources.stream.centos.org/sources/rpms/{package}/{file}/{algorithm}/{checksum}/{file}",
    },
];

/// Fetches a package of a distribution.
///
/// # Errors
/// It can't be had.
pub(super) fn gather(
    request: &DistgitRequest<'_>,
    tools: &SourceTools<'_>,
    locked: Option<&LockedSource>,
) -> Result<Gathered, SourceError> {
    let package = request.package;
    let (url, lookaside) = find_repository(request)?;
    let nothing = None;
    let git = GitRequest {
        kind: "distgit",
        url: &url,
        revision: request.revision,
        folder: &nothing,
        spec: &nothing,
        method: &nothing,
        options: CheckoutOptions::default(),
    };
    gather_adding(&git, tools, locked, &|beside: &BesideSpec<'_>| {
        let text = beside.read("sources")?.unwrap_or_default();
        let files = read_checksum_lines(&String::from_utf8_lossy(&text))
            .map_err(|line| SourceError::from(DistgitError::Sources { package: package.to_owned(), line }))?;
        fetch_files(request, (lookaside, locked), files, tools)
    })
}

/// The address of a package's repository, and the pattern of addresses in the lookaside cache, where there is one.
///
/// # Errors
/// There is no such distribution, or no such name.
pub(super) fn find_repository<'a>(
    request: &DistgitRequest<'a>,
) -> Result<(String, Option<&'a str>), DistgitError> {
    let package = request.package;
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._+".contains(c);
    if package.is_empty() || package.starts_with(['.', '-']) || !package.chars().all(is_plain) {
        return Err(DistgitError::Package { package: package.escape_debug().to_string() });
    }
    let from = request.from.unwrap_or("fedora");
    let known = DISTRIBUTIONS.iter().find(|distribution| distribution.name == from);
    let repository = match known {
        Some(distribution) => distribution.repository,
        None if from.contains("{package}") => from,
        None => return Err(DistgitError::From { from: from.to_owned() }),
    };
    let lookaside = request.lookaside.or(known.map(|distribution| distribution.lookaside));
    Ok((repository.replace("{package}", package), lookaside))
}

fn fetch_files(
    request: &DistgitRequest<'_>,
    (lookaside, locked): (Option<&str>, Option<&LockedSource>),
    files: Vec<ListedFile>,
    tools: &SourceTools<'_>,
) -> Result<BTreeMap<String, AddedFile>, SourceError> {
    let mut wanted = Vec::new();
    for ListedFile { name, algorithm, checksum } in &files {
        let pattern = lookaside.ok_or_else(|| DistgitError::NoLookaside {
            package: request.package.to_owned(),
            file: name.clone(),
        })?;
        let url = pattern
            .replace("{package}", request.package)
            .replace("{file}", name)
            .replace("{algorithm}", algorithm)
            .replace("{checksum}", checksum);
        let not_fetched = |source| super::remote::RemoteError::NotFetched { file: name.clone(), source };
        let address = Address::parse(&url).map_err(not_fetched)?;
        // An MD5 is looked at below; what it was the first time is locked by a better checksum.
        let of_lock = || locked?.files.get(name).filter(|file| file.url == address.to_string());
        let checksum = Checksum::new(algorithm, checksum).ok();
        let checksum = checksum.or_else(|| of_lock().map(|file| file.checksum.clone()));
        wanted.push(RemoteFile {
            name: name.clone(),
            addresses: vec![address],
            checksum,
            size: None,
            most: SOURCE_BYTES,
        });
    }
    let urls: Vec<String> =
        wanted.iter().filter_map(|file| file.addresses.first()).map(ToString::to_string).collect();
    let mut added = BTreeMap::new();
    for ((file, url), result) in files.into_iter().zip(urls).zip(tools.fetch_files(wanted)) {
        let stored = result?;
        if file.algorithm == MD5 {
            check_md5(request.package, (&file.name, &file.checksum), &stored.blob, tools)?;
        }
        let locked = LockedFile { url, checksum: stored.checksum, size: stored.blob.size };
        added.insert(file.name, AddedFile { blob: stored.blob, locked });
    }
    Ok(added)
}
