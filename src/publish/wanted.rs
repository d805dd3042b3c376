//! What a repository should hold: the newest good result of every package that the manifest declares for its chroot.

use std::cell::LazyCell;
use std::path::Path;

use hashbrown::{HashMap, HashSet};
use rayon::prelude::*;

use super::known::PublishTarget;
use super::paths::package_folder;
use super::plain_layout::PlainLayout;
use super::record::{
    FileTimes, Keeping, PublishedFile, PublishedPackage, RepositoryRecord, SignedResult, files,
};
use super::section::Parting;
use crate::digest::{Digest, Key};
use crate::event::Timestamp;
use crate::files::Folder;
use crate::manifest::declaration::RepositoryLayout;
use crate::store::{ResultFile, StepResult};

/// How many packages on record a thread looks at, at the least.
const LOOKED_AT_ONCE: usize = 512;

/// A package with its result.
pub struct Built<'a> {
    /// Its name in the manifest.
    pub package: &'a str,
    /// The key of the result.
    pub key: Key,
    /// The result.
    pub result: &'a StepResult,
}

impl Built<'_> {
    /// Whether the repository holds the signed copies of it, by those keys, as far as can be seen without reading them.
    pub(super) fn is_published(
        &self,
        published: &PublishedPackage,
        by: &[String],
        folder: Option<&Folder>,
    ) -> bool {
        let is_there = |file: &PublishedFile| {
            let size = folder.and_then(|folder| folder.own_file_size(Path::new(&file.path)));
            file.times.is_some() && size == Some(file.size)
        };
        published.is_signed_copy(&self.result.digest(), by) && published.files.iter().all(is_there)
    }
}

/// A result as it is to be published.
/// `signed` says what it is the signed copy of, where it is one; with the result stands which sections the repository has.
pub(super) fn package_from_result(
    package: &str,
    key: Key,
    (result, parting): (&StepResult, Parting),
    signed: Option<SignedResult>,
) -> PublishedPackage {
    let folder = package_folder(package, &result.digest());
    let path = |file: &ResultFile| {
        let section = parting.section_of(&file.package.name, &file.package.arch);
        format!("{}{folder}/{}", section.prefix(), file.name)
    };
    let files = result.files.iter().map(|file| PublishedFile {
        path: path(file),
        size: file.blob.size,
        sha256: file.sha256.clone(),
        blake3: file.blob.digest,
        nevra: Some(file.package.nevra.clone()),
        times: None,
    });
    PublishedPackage {
        package: package.to_owned(),
        key: Some(key),
        files: files.collect(),
        signed,
        keeping: Keeping::default(),
    }
}

/// What stays of what is on record, and in its place what was built: all packages, by name. What has no result now (it
/// failed, was skipped or not chosen) stays as it is; what the manifest no longer declares leaves, and what has left for its age
/// does not come back.
pub(super) fn wanted_packages(
    target: &PublishTarget<'_>,
    record: &RepositoryRecord,
    results: &[PublishedPackage],
    now: Timestamp,
) -> Vec<PublishedPackage> {
    let stays = |package: &&PublishedPackage| {
        package.is_newest() && target.declared.contains(package.package.as_str())
    };
    let recorded = record.packages.par_iter().with_min_len(LOOKED_AT_ONCE).filter(stays);
    let mut wanted: Vec<PublishedPackage> = recorded.cloned().collect();
    sort_by_name(&mut wanted);
    let results = results.iter().filter(|result| !target.keep.stays_away(record, result, now));
    let mut layout = match target.layout {
        RepositoryLayout::Builds => None,
        RepositoryLayout::Plain => Some(PlainLayout::new(record)),
    };
    let mut results: Vec<PublishedPackage> = results.cloned().collect();
    if let Some(layout) = &mut layout {
        results.iter_mut().for_each(|result| layout.place(result));
    }
    let asked: HashSet<&str> = files(&results).map(|file| file.path.as_str()).collect();
    let times = LazyCell::new(|| times_on_record(record, &asked));
    let mut added = Vec::new();
    for mut result in results.iter().cloned() {
        let place = wanted.binary_search_by(|package| package.package.cmp(&result.package)).ok();
        let before = place.and_then(|place| wanted.get(place));
        result.files = match before.filter(|before| is_same_but_for_times(before, &result)) {
            Some(before) => before.files.clone(),
            None => {
                let of = |file: &PublishedFile| times.get(&(file.path.as_str(), file.blake3)).copied();
                result.files.iter().map(|file| PublishedFile { times: of(file), ..file.clone() }).collect()
            }
        };
        match place.and_then(|place| wanted.get_mut(place)) {
            Some(before) => *before = result,
            None => added.push(result),
        }
    }
    wanted.extend(added);
    sort_by_name(&mut wanted);
    wanted
}

/// Sorts packages by their names; of several of one name the last one stays.
fn sort_by_name(packages: &mut Vec<PublishedPackage>) {
    packages.sort_by(|one, other| one.package.cmp(&other.package));
    packages.dedup_by(|later, earlier| {
        let is_same = later.package == earlier.package;
        if is_same {
            std::mem::swap(later, earlier);
        }
        is_same
    });
}

fn is_same_but_for_times(before: &PublishedPackage, result: &PublishedPackage) -> bool {
    let is_same = |(before, file): (&PublishedFile, &PublishedFile)| {
        let PublishedFile { path, size, sha256, blake3, nevra, times: _ } = before;
        let same = (&file.path, &file.size, &file.sha256, &file.blake3, &file.nevra);
        (path, size, sha256, blake3, nevra) == same
    };
    before.files.len() == result.files.len() && before.files.iter().zip(&result.files).all(is_same)
}

/// The times on record of files at these paths.
fn times_on_record<'a>(
    record: &'a RepositoryRecord,
    asked: &HashSet<&str>,
) -> HashMap<(&'a str, Digest), FileTimes> {
    let superseded = record.superseded.iter().map(|superseded| &superseded.file);
    let all = superseded.chain(files(&record.packages)).filter(|file| asked.contains(file.path.as_str()));
    all.filter_map(|file| Some(((file.path.as_str(), file.blake3), file.times?))).collect()
}
