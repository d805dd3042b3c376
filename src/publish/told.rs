//! What is told of a publish.

use hashbrown::{HashMap, HashSet};
use miette::Diagnostic;

use super::PublishError;
use super::known::{PublishTarget, RecordOrigin};
use super::record::{
    PublishedFile, PublishedPackage, RepositoryRecord, changed_parts, have_same_listing, listed_files,
};
use super::retention::{Verdict, WhyGoes, WhyStays};
use crate::event::{DamagedFile, What};

/// What was not as it should be.
#[derive(Default)]
pub(super) struct Damaged {
    pub repaired: Vec<DamagedFile>,
    pub lost: Vec<DamagedFile>,
    /// Files of packages that could not be had whole: they are of no use.
    pub abandoned: Vec<PublishedFile>,
}

/// Tells that a repository is not written, or that one package does not come into it.
pub(super) fn not_published(chroot: &str, package: Option<String>, error: &PublishError) -> What {
    let (code, help) = (error.code().map(|code| code.to_string()), error.help().map(|help| help.to_string()));
    What::NotPublished { chroot: chroot.to_owned(), package, cause: error.to_string(), code, help }
}

/// The events of an update.
pub(super) fn tell(
    target: &PublishTarget<'_>,
    before: &RepositoryRecord,
    now: &RepositoryRecord,
    (origin, damaged): (RecordOrigin, Damaged),
) -> Vec<What> {
    let (chroot, folder) = (target.chroot.to_owned(), target.shown.clone());
    let mut told = Vec::new();
    if let RecordOrigin::Adopted(from) = &origin {
        told.push(What::Noted { text: format!("the repository `{folder}` was taken over from {from}") });
    }
    let Damaged { repaired, lost, .. } = damaged;
    if !repaired.is_empty() || !lost.is_empty() {
        told.push(What::RepositoryDamaged { chroot: chroot.clone(), folder: folder.clone(), repaired, lost });
    }
    let signed_by = now.signed.iter().flat_map(|signed| signed.by.clone()).collect();
    let signers = |record: &RepositoryRecord| {
        record.signed.as_ref().map(|signed| signed.by.clone()).unwrap_or_default()
    };
    let is_the_same = before.repomd.is_some()
        && signers(before) == signers(now)
        && have_same_listing(&before.packages, &now.packages);
    if !is_the_same {
        let packages = listed_files(&now.packages).count();
        let (added, removed) = changes(&before.packages, &now.packages);
        told.push(What::Published { chroot, folder, packages, added, removed, signed_by });
    }
    told
}

/// The packages that came in or changed, and those that left.
fn changes(before: &[PublishedPackage], now: &[PublishedPackage]) -> (Vec<String>, Vec<String>) {
    let (were_there, are_there) = changed_parts(before, now);
    let were = by_name(were_there);
    let has_same_paths = |one: &PublishedPackage, other: &PublishedPackage| {
        one.files.iter().map(|file| &file.path).eq(other.files.iter().map(|file| &file.path))
    };
    let was_there = |package: &PublishedPackage| {
        let earlier = were.get(package.package.as_str()).into_iter().flatten();
        earlier.into_iter().any(|before| has_same_paths(before, package))
    };
    let mut added: Vec<String> = are_there
        .iter()
        .filter(|package| !was_there(package))
        .map(|package| package.package.clone())
        .collect();
    let mut gone: HashSet<&str> = were.into_keys().collect();
    for package in now {
        gone.remove(package.package.as_str());
    }
    let mut removed: Vec<String> = gone.into_iter().map(str::to_owned).collect();
    added.sort();
    removed.sort();
    (added, removed)
}

fn by_name(packages: &[PublishedPackage]) -> HashMap<&str, Vec<&PublishedPackage>> {
    let mut by_name: HashMap<&str, Vec<&PublishedPackage>> = HashMap::with_capacity(packages.len());
    for package in packages {
        by_name.entry(&package.package).or_default().push(package);
    }
    by_name
}

/// What `keep` has packages leave for, and what stays only because another package requires it: each when it comes to be so.
pub(super) fn tell_retained(
    target: &PublishTarget<'_>,
    before: &RepositoryRecord,
    judged: &[(PublishedPackage, Verdict)],
) -> Vec<String> {
    let chroot = target.chroot;
    let was_required = |package: &PublishedPackage| {
        let same = before.packages.iter().find(|before| before.has_same_files(package));
        same.is_some_and(|before| before.keeping.required_by.is_some())
    };
    let told = judged.iter().filter_map(|(build, verdict)| match verdict {
        Verdict::Stays(why @ WhyStays::Required { .. }) if !was_required(build) => {
            let though = match judged.iter().find(|(other, _)| other.package == build.package) {
                _ if !target.declared.contains(build.package.as_str()) => {
                    "the manifest no longer declares it"
                }
                Some((newest, verdict)) if newest.is_newest() && verdict.stays() && newest != build => {
                    "a newer build is there"
                }
                Some(_) | None => "it was not built for as long as `keep newest=` says",
            };
            Some(format!("{} stays in the repository of {chroot}, though {though}: {why}", build.title()))
        }
        Verdict::Goes(why @ WhyGoes::Newest { .. }) if build.is_newest() => {
            let package = &build.package;
            Some(format!(
                "{package} leaves the repository of {chroot}: {why}, and `keep newest=` says for how long"
            ))
        }
        Verdict::Goes(why @ WhyGoes::Broken { .. }) => {
            Some(format!("{} leaves the repository of {chroot}: {why}", build.title()))
        }
        Verdict::Stays(_) | Verdict::Goes(_) => None,
    });
    told.collect()
}
