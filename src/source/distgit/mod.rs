//! `source distgit`: a package of a distribution, as its package repository has it: spec and patches from git, archives by
//! their checksums from the lookaside cache.

mod error;

pub use error::DistgitError;

use std::collections::BTreeMap;

use md5::{Digest as _, Md5};

use super::SourceError;
use super::git::{AddedFile, BesideSpec, CheckoutOptions, GitRequest, gather_adding};
use super::lock::{LockedFile, LockedSource, is_file_name};
use super::remote::RemoteFile;
use super::tools::{Gathered, SourceTools};
use crate::digest::Checksum;
use crate::fetch::Address;
use crate::store::Blob;

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

/// A file of the lookaside cache.
#[derive(Clone, Debug, PartialEq, Eq)]
struct LookasideFile {
    name: String,
    algorithm: &'static str,
    checksum: String,
}

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
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._+".contains(c);
    if package.is_empty() || package.starts_with(['.', '-']) || !package.chars().all(is_plain) {
        return Err(DistgitError::Package { package: package.escape_debug().to_string() }.into());
    }
    let from = request.from.unwrap_or("fedora");
    let known = DISTRIBUTIONS.iter().find(|distribution| distribution.name == from);
    let repository = match known {
        Some(distribution) => distribution.repository,
        None if from.contains("{package}") => from,
        None => return Err(DistgitError::From { from: from.to_owned() }.into()),
    };
    let lookaside = request.lookaside.or(known.map(|distribution| distribution.lookaside));
    let url = repository.replace("{package}", package);
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
        let files = read_sources(&String::from_utf8_lossy(&text))
            .map_err(|line| SourceError::from(DistgitError::Sources { package: package.to_owned(), line }))?;
        fetch_files(request, (lookaside, locked), files, tools)
    })
}

fn fetch_files(
    request: &DistgitRequest<'_>,
    (lookaside, locked): (Option<&str>, Option<&LockedSource>),
    files: Vec<LookasideFile>,
    tools: &SourceTools<'_>,
) -> Result<BTreeMap<String, AddedFile>, SourceError> {
    let mut wanted = Vec::new();
    for LookasideFile { name, algorithm, checksum } in &files {
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
        wanted.push(RemoteFile { name: name.clone(), addresses: vec![address], checksum, size: None });
    }
    let urls: Vec<String> =
        wanted.iter().filter_map(|file| file.addresses.first()).map(ToString::to_string).collect();
    let mut added = BTreeMap::new();
    for ((file, url), result) in files.into_iter().zip(urls).zip(tools.fetch_files(wanted)) {
        let stored = result?;
        if file.algorithm == MD5 {
            check_md5(request.package, &file, &stored.blob, tools)?;
        }
        let locked = LockedFile { url, checksum: stored.checksum, size: stored.blob.size };
        added.insert(file.name, AddedFile { blob: stored.blob, locked });
    }
    Ok(added)
}

const MD5: &str = "md5";

fn check_md5(
    package: &str,
    file: &LookasideFile,
    blob: &Blob,
    tools: &SourceTools<'_>,
) -> Result<(), SourceError> {
    let mut hasher = Md5::new();
    std::io::copy(&mut tools.store.folder().open(blob.path())?, &mut hasher)?;
    let found: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    match found == file.checksum {
        true => Ok(()),
        false => Err(DistgitError::Md5 {
            package: package.to_owned(),
            file: file.name.clone(),
            wanted: file.checksum.clone(),
            found,
        }
        .into()),
    }
}

/// Reads a file `sources`; an error is the line that makes no sense, counted from 1.
fn read_sources(text: &str) -> Result<Vec<LookasideFile>, usize> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(index, line)| read_line(line.trim()).ok_or(index + 1)).collect()
}

/// `SHA512 (FILE) = CHECKSUM`, or `MD5  FILE`.
fn read_line(line: &str) -> Option<LookasideFile> {
    let (name, algorithm, checksum) = match line.split_once(" (") {
        Some((algorithm, rest)) => {
            let (name, checksum) = rest.rsplit_once(") = ")?;
            let algorithms = ["sha512", "sha384", "sha256", MD5];
            (name, *algorithms.iter().find(|known| algorithm.eq_ignore_ascii_case(known))?, checksum)
        }
        None => {
            let (checksum, name) = line.split_once(char::is_whitespace)?;
            (name.trim_start().trim_start_matches('*'), MD5, checksum)
        }
    };
    let checksum = checksum.to_ascii_lowercase();
    let is_md5 = checksum.len() == 32 && checksum.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_checksum = if algorithm == MD5 { is_md5 } else { Checksum::new(algorithm, &checksum).is_ok() };
    (is_checksum && is_file_name(name)).then(|| LookasideFile { name: name.to_owned(), algorithm, checksum })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_new_and_old_are_read_and_others_are_told_by_their_numbers() {
        let (long, short) = ("a1".repeat(64), "b2".repeat(16));
        let files = read_sources(&format!("SHA512 (a (1).tar.gz) = {long}\n\n{short}  b.tar.gz\n")).unwrap();
        let shown: Vec<_> = files.iter().map(|file| (file.name.as_str(), file.algorithm)).collect();
        assert_eq!(shown, [("a (1).tar.gz", "sha512"), ("b.tar.gz", "md5")]);
        for line in [
            format!("SHA512 (../a) = {long}"),
            format!("SHA512 (a) = {short}"),
            "x".to_owned(),
            format!("{short}  a/b"),
        ] {
            assert_eq!(read_sources(&format!("\n{line}")), Err(2), "{line}");
        }
    }
}
