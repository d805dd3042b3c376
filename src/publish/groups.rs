//! Packages that stand beside each other in metadata, and what is kept of them: the pieces of the metadata files that are theirs, packed,
//! and what they give and need.
//!
//! Where a group ends follows from the names of its packages alone. So a package that comes, changes or leaves changes one group, the
//! others' pieces are taken as they are, and the same packages give the same metadata, whatever was published before.
//!
//! Groups are kept in the store under the digests of their files, and made anew where they are gone or damaged.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;

use super::PublishError;
use super::kept_group::{KeptGroup, KeptShares};
use super::package_share::{PackageShare, listed_files};
use super::record::{PublishedFile, PublishedPackage, RepositoryRecord};
use super::section::Section;
use crate::digest::{Digest, Encoder, Key};
use crate::engine::FORGE_SOURCES;
use crate::files::Folder;
use crate::manifest::declaration::MetadataPacking;
use crate::store::{RecordKind, Store};

/// A name ends a group where the first byte of its digest is below this: one in 16 does. A smaller group is made anew sooner, and
/// packs less well.
const ENDING_BYTES: u8 = 16;

/// How many packages of the manifest a group has at the most.
const MOST_PACKAGES: usize = 64;

/// Packages that stand beside each other.
pub(super) struct PackageGroup<'a> {
    /// What its pieces are kept under.
    key: Key,
    packages: &'a [PublishedPackage],
    pub section: Section,
    packing: MetadataPacking,
}

/// The groups of what is on record, worked out when they are first asked for.
pub(super) struct RecordGroups<'a> {
    pub record: &'a RepositoryRecord,
    packing: MetadataPacking,
    groups: OnceLock<Vec<PackageGroup<'a>>>,
}

/// Where groups are kept.
pub(super) struct Groups<'a> {
    store: &'a Store,
    /// Those that were asked for.
    read: Mutex<HashMap<Key, Arc<KeptGroup>>>,
}

/// The groups of all sections. The keys of those that are among `known` groups need not be worked out.
pub(super) fn split_all<'a>(
    packages: &'a [PublishedPackage],
    packing: MetadataPacking,
    known: &[PackageGroup<'_>],
) -> Vec<PackageGroup<'a>> {
    let parts = part_packages(packages);
    let known: HashMap<(Section, &str), &PackageGroup<'_>> =
        known.iter().filter_map(|group| Some(((group.section, group.first_name()?), group))).collect();
    let in_section = |section: Section| {
        let group = |packages: &&'a [PublishedPackage]| {
            let name = packages.first().map(|package| package.package.as_str())?;
            let same = known.get(&(section, name)).filter(|known| known.is_of(packages, packing));
            let key = same.map(|known| known.key).or_else(|| group_key(packages, section, packing))?;
            Some(PackageGroup { key, packages, section, packing })
        };
        parts.par_iter().filter_map(group).collect::<Vec<_>>()
    };
    Section::ALL.into_iter().flat_map(in_section).collect()
}

/// Parts packages where groups end. Several that have one name are not parted.
fn part_packages(packages: &[PublishedPackage]) -> Vec<&[PublishedPackage]> {
    let (mut parts, mut rest) = (Vec::new(), packages);
    while !rest.is_empty() {
        let (part, later) = rest.split_at(group_length(rest).min(rest.len()));
        parts.push(part);
        rest = later;
    }
    parts
}

/// How many of these packages are the first group.
fn group_length(packages: &[PublishedPackage]) -> usize {
    let pairs = packages.iter().zip(packages.iter().skip(1)).enumerate();
    let is_end = |(index, (last, next)): (usize, (&PublishedPackage, &PublishedPackage))| {
        let is_end = last.package != next.package && (index >= MOST_PACKAGES || ends_group(&last.package));
        is_end.then_some(index.saturating_add(1))
    };
    pairs.into_iter().find_map(is_end).unwrap_or(packages.len())
}

fn ends_group(package: &str) -> bool {
    Digest::compute(package.as_bytes()).as_bytes().first().is_some_and(|byte| *byte < ENDING_BYTES)
}

/// What the pieces of these packages are kept under; nothing where a section has none of their files.
fn group_key(packages: &[PublishedPackage], section: Section, packing: MetadataPacking) -> Option<Key> {
    packages.iter().find_map(|package| listed_files(package, section).next())?;
    let mut encoder = Encoder::new("rpmforge metadata group v4");
    encoder.text("forge", FORGE_SOURCES);
    encoder.text("packing", super::packing::ending(packing)).text("section", section.prefix());
    encoder.list("packages", packages.iter(), |encoder, package| encode_package(encoder, package, section));
    Some(encoder.key())
}

/// What a package's share of a group is known by among others of that section.
fn share_digest(package: &PublishedPackage, section: Section) -> Digest {
    let mut encoder = Encoder::new("rpmforge share of a metadata group v1");
    encode_package(&mut encoder, package, section);
    encoder.digest()
}

fn encode_package(encoder: &mut Encoder, package: &PublishedPackage, section: Section) {
    encoder.text("package", &package.package);
    let listed: Vec<&PublishedFile> = listed_files(package, section).collect();
    encoder.list("files", listed.into_iter(), |encoder, file| {
        encoder.text("path", &file.path).text("sha256", &file.sha256);
        encoder.text("size", &file.size.to_string()).digest_field("blake3", &file.blake3);
    });
}

impl<'a> RecordGroups<'a> {
    /// Those of `record`, for metadata that are packed so.
    pub fn new(record: &'a RepositoryRecord, packing: MetadataPacking) -> Self {
        Self { record, packing, groups: OnceLock::new() }
    }

    /// The groups of all sections.
    pub fn groups(&self) -> &[PackageGroup<'a>] {
        self.groups.get_or_init(|| split_all(&self.record.packages, self.packing, &[]))
    }
}

impl PackageGroup<'_> {
    fn first_name(&self) -> Option<&str> {
        self.packages.first().map(|package| package.package.as_str())
    }

    fn last_name(&self) -> Option<&str> {
        self.packages.last().map(|package| package.package.as_str())
    }

    /// Whether it consists of these packages.
    fn is_of(&self, packages: &[PublishedPackage], packing: MetadataPacking) -> bool {
        self.packing == packing && self.packages == packages
    }

    /// What its pieces are kept under.
    pub fn key(&self) -> Key {
        self.key
    }

    /// Whether a package may be in both.
    fn may_share(&self, other: &PackageGroup<'_>) -> bool {
        self.section == other.section
            && self.packing == other.packing
            && self.first_name() <= other.last_name()
            && other.first_name() <= self.last_name()
    }

    /// How many files the metadata name of it.
    pub fn count_files(&self) -> usize {
        self.packages.iter().flat_map(|package| listed_files(package, self.section)).count()
    }
}

impl<'a> Groups<'a> {
    /// Those of a store.
    pub fn new(store: &'a Store) -> Self {
        Self { store, read: Mutex::default() }
    }

    /// The store that they are kept in.
    pub fn store(&self) -> &'a Store {
        self.store
    }

    /// What is kept of a group of the repository's; it is made where it is not there. What its packages had in `published` groups is
    /// taken from there.
    ///
    /// # Errors
    /// [`PublishError::Package`] where one of its files is no package, [`PublishError::Unlistable`] where XML can't hold what one says.
    pub fn get(
        &self,
        repository: &Folder,
        group: &PackageGroup<'_>,
        published: &[PackageGroup<'_>],
    ) -> Result<Arc<KeptGroup>, PublishError> {
        if let Some(kept) = self.find(group) {
            return Ok(kept);
        }
        let kept = self.make(repository, group, published)?;
        // Where the store can't be written to, it is made again the next time.
        let _ = self.store.remember_bytes(RecordKind::Metadata, &group.key, kept.content());
        Ok(self.note(group, kept))
    }

    /// What is kept of a group, where that is there.
    fn find(&self, group: &PackageGroup<'_>) -> Option<Arc<KeptGroup>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(&group.key).map(Arc::clone);
        read.or_else(|| {
            let content = self.store.record_bytes(RecordKind::Metadata, &group.key)?;
            Some(self.note(group, KeptGroup::decode(content, group.packing)?))
        })
    }

    fn note(&self, group: &PackageGroup<'_>, kept: KeptGroup) -> Arc<KeptGroup> {
        let kept = Arc::new(kept);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.insert(group.key, Arc::clone(&kept));
        kept
    }

    fn make(
        &self,
        repository: &Folder,
        group: &PackageGroup<'_>,
        published: &[PackageGroup<'_>],
    ) -> Result<KeptGroup, PublishError> {
        let published = published.iter().filter(|published| published.may_share(group));
        // What can't be read is made anew.
        let before = published.filter_map(|published| self.find(published)?.shares().ok());
        let before: Vec<KeptShares> = before.collect();
        let has_files = |package: &&PublishedPackage| listed_files(package, group.section).next().is_some();
        let share = |package: &PublishedPackage| {
            let digest = share_digest(package, group.section);
            let share = match before.iter().find_map(|before| before.get(&digest)) {
                Some(share) => share,
                None => PackageShare::make(repository, self.store, package, group.section)?,
            };
            Ok::<_, PublishError>((digest, share))
        };
        let shares: Vec<(Digest, PackageShare<'_>)> =
            group.packages.iter().filter(has_files).map(share).collect::<Result<_, _>>()?;
        Ok(KeptGroup::join(&shares, group.packing)?)
    }

    /// Forgets those of `before` that are not of `now`. Whoever publishes them elsewhere makes them again.
    pub fn forget(&self, before: &[PackageGroup<'_>], now: &[PackageGroup<'_>]) {
        let now: HashSet<&Key> = now.iter().map(|group| &group.key).collect();
        for group in before.iter().filter(|group| !now.contains(&group.key)) {
            // What can't be removed is removed by `forge gc`.
            let _ = self.store.forget(RecordKind::Metadata, &group.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::publish::record::{FileTimes, Keeping};

    fn package(number: usize) -> PublishedPackage {
        let name = format!("package{number:04}");
        let file = PublishedFile {
            path: format!("{name}-0123456789ab/a.rpm"),
            size: 1,
            sha256: "0".repeat(64),
            blake3: Digest::compute(name.as_bytes()),
            nevra: Some("a-1-1.noarch".to_owned()),
            times: Some(FileTimes::default()),
        };
        PublishedPackage {
            package: name,
            key: None,
            files: vec![file].into(),
            signed: None,
            keeping: Keeping::default(),
        }
    }

    fn keys(packages: &[PublishedPackage]) -> HashSet<Key> {
        let groups = split_all(packages, MetadataPacking::Zstd, &[]);
        assert_eq!(groups.iter().map(|group| group.packages.len()).sum::<usize>(), packages.len());
        groups.into_iter().map(|group| group.key).collect()
    }

    #[test]
    fn a_package_that_comes_changes_or_leaves_changes_at_most_two_groups() {
        let packages: Vec<PublishedPackage> = (0..1000).map(package).collect();
        let before = keys(&packages);
        assert!((10..100).contains(&before.len()), "{}", before.len());
        for number in (0..1000).step_by(37) {
            let mut fewer = packages.clone();
            fewer.remove(number);
            assert!(before.difference(&keys(&fewer)).count() <= 2, "{number}");
            let mut changed = packages.clone();
            changed[number].files.make_mut()[0].blake3 = Digest::compute(b"other");
            assert_eq!(before.difference(&keys(&changed)).count(), 1, "{number}");
        }
    }

    #[test]
    fn what_is_no_longer_there_and_how_it_is_packed_make_another_group() {
        let packages = [package(1)];
        let key = |packages: &[PublishedPackage], packing| {
            split_all(packages, packing, &[]).first().map(|group| group.key)
        };
        let mut lost = packages.clone();
        lost[0].files.make_mut()[0].times = None;
        assert_eq!(key(&lost, MetadataPacking::Zstd), None);
        let other = PublishedFile { path: "b".to_owned(), ..packages[0].files[0].clone() };
        lost[0].files.make_mut().push(other);
        assert_ne!(key(&packages, MetadataPacking::Zstd), key(&lost, MetadataPacking::Zstd));
        assert_ne!(key(&packages, MetadataPacking::Zstd), key(&packages, MetadataPacking::Gzip));
    }
}
