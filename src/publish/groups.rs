//! Packages that stand beside each other in metadata, and what is kept of them: the pieces of the metadata files that are theirs, packed,
//! and what they give and need.
//!
//! Where a group ends follows from the names of its packages alone. So a package that comes, changes or leaves changes one group, the
//! others' pieces are taken as they are, and the same packages give the same metadata, whatever was published before.
//!
//! Groups are kept in the store under the digests of their files, and made anew where they are gone or damaged.

use std::collections::{HashMap, HashSet};
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::PublishError;
use super::closure::Needs;
use super::kept_needs::{DependencyQuery, FoundDependencies, encode_needs, find_dependencies, name_needs};
use super::name_hashes::NameHashes;
use super::package_record::record_of;
use super::packing::{pack, unpack};
use super::record::{PublishedFile, PublishedPackage};
use super::section::Section;
use crate::digest::{Digest, Encoder, Key};
use crate::engine::FORGE_SOURCES;
use crate::files::Folder;
use crate::manifest::declaration::MetadataPacking;
use crate::package::{Location, PackageRecord, RepositoryKind};
use crate::store::{RecordKind, Store};

/// A name ends a group where the first byte of its digest is below this: one in 32 does. A smaller group is made anew sooner, and
/// packs less well.
const ENDING_BYTES: u8 = 8;

/// How many packages of the manifest a group has at the most.
const MOST_PACKAGES: usize = 128;

/// Packages that stand beside each other.
pub(super) struct PackageGroup<'a> {
    /// What its pieces are kept under.
    key: Key,
    packages: &'a [PublishedPackage],
    section: Section,
    packing: MetadataPacking,
}

/// What is kept of a group.
pub(super) struct KeptGroup {
    /// When the newest of its packages was built: seconds since 1970.
    pub newest: u64,
    packing: MetadataPacking,
    primary: Piece,
    filelists: Piece,
    other: Piece,
    requires: Piece,
    provides: Piece,
    /// What its binary packages require and what they provide.
    names: [NameHashes; 2],
}

/// A text, packed.
pub(super) struct Piece {
    pub packed: Vec<u8>,
    /// How many bytes it has unpacked.
    pub open_size: u64,
}

/// The first line of what is kept: sizes of the pieces that follow it, packed and unpacked.
#[derive(Serialize, Deserialize)]
struct PieceSizes {
    newest: u64,
    pieces: [(u64, u64); 5],
    /// The same of the names behind them.
    names: [u64; 2],
}

/// Where groups are kept.
pub(super) struct Groups<'a> {
    store: &'a Store,
    /// Those that were asked for.
    read: Mutex<HashMap<Key, Arc<KeptGroup>>>,
}

/// The files of a package that the metadata of a section name.
pub(super) fn listed_files(
    package: &PublishedPackage,
    section: Section,
) -> impl Iterator<Item = &PublishedFile> {
    let is_shown = !package.keeping.hidden;
    package.files.iter().filter(move |file| is_shown && is_listed(file, section))
}

/// The groups of all sections.
pub(super) fn split_all(packages: &[PublishedPackage], packing: MetadataPacking) -> Vec<PackageGroup<'_>> {
    let parts = part_packages(packages);
    Section::ALL.into_iter().flat_map(|section| groups_of(&parts, section, packing)).collect()
}

/// The groups that have packages in a section, in their order.
pub(super) fn split_into_groups(
    packages: &[PublishedPackage],
    section: Section,
    packing: MetadataPacking,
) -> Vec<PackageGroup<'_>> {
    groups_of(&part_packages(packages), section, packing)
}

fn groups_of<'a>(
    parts: &[&'a [PublishedPackage]],
    section: Section,
    packing: MetadataPacking,
) -> Vec<PackageGroup<'a>> {
    let group = |packages: &&'a [PublishedPackage]| {
        let key = group_key(packages, section, packing)?;
        Some(PackageGroup { key, packages, section, packing })
    };
    parts.par_iter().filter_map(group).collect()
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
    let listings: Vec<Option<Digest>> =
        packages.iter().map(|package| listing_digest(package, section)).collect();
    listings.iter().find_map(Option::as_ref)?;
    let mut encoder = Encoder::new("rpmforge metadata group v2");
    encoder.text("forge", FORGE_SOURCES);
    encoder.text("packing", super::packing::ending(packing)).text("section", section.prefix());
    encoder.list("packages", packages.iter().zip(listings), |encoder, (package, listing)| {
        encoder.text("package", &package.package);
        encoder.list("files", listing.iter(), |encoder, listing| {
            encoder.digest_field("listing", listing);
        });
    });
    Some(encoder.key())
}

/// The digest of all that is listed of a package in a section; none where that is nothing.
fn listing_digest(package: &PublishedPackage, section: Section) -> Option<Digest> {
    if package.keeping.hidden {
        return None;
    }
    let place = Section::ALL.iter().position(|it| *it == section)?;
    let of_all = package
        .files
        .digests(|files| Section::ALL.into_iter().map(|section| digest_listing(files, section)).collect());
    of_all.get(place).copied().flatten()
}

fn digest_listing(files: &[PublishedFile], section: Section) -> Option<Digest> {
    let listed: Vec<&PublishedFile> = files.iter().filter(|file| is_listed(file, section)).collect();
    if listed.is_empty() {
        return None;
    }
    let mut encoder = Encoder::new("rpmforge listing v1");
    encoder.list("files", listed.into_iter(), |encoder, file| {
        encoder.text("path", &file.path).text("sha256", &file.sha256);
        encoder.text("size", &file.size.to_string()).digest_field("blake3", &file.blake3);
    });
    Some(encoder.digest())
}

fn is_listed(file: &PublishedFile, section: Section) -> bool {
    file.times.is_some() && Section::of_path(&file.path).0 == section
}

impl<'a> Groups<'a> {
    /// Those of a store.
    pub fn new(store: &'a Store) -> Self {
        Self { store, read: Mutex::default() }
    }

    /// What is kept of a group of the repository's; it is made where it is not there.
    ///
    /// # Errors
    /// [`PublishError::Package`] where one of its files is no package, [`PublishError::Unlistable`] where XML can't hold what one says.
    pub fn get(&self, repository: &Folder, group: &PackageGroup<'_>) -> Result<Arc<KeptGroup>, PublishError> {
        let read = || self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(kept) = read().get(&group.key) {
            return Ok(Arc::clone(kept));
        }
        let content = self.store.record_bytes(RecordKind::Metadata, &group.key);
        let kept = match content.and_then(|content| KeptGroup::decode(&content, group.packing)) {
            Some(kept) => kept,
            None => {
                let kept = KeptGroup::make(repository, self.store, group)?;
                // Where the store can't be written to, it is made again the next time.
                let _ = self.store.remember_bytes(RecordKind::Metadata, &group.key, &kept.encode()?);
                kept
            }
        };
        let kept = Arc::new(kept);
        read().insert(group.key, Arc::clone(&kept));
        Ok(kept)
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

impl Piece {
    fn new(packing: MetadataPacking, content: &[u8]) -> io::Result<Self> {
        Ok(Self { packed: pack(packing, content)?, open_size: content.len() as u64 })
    }

    /// The text.
    pub fn unpack(&self, packing: MetadataPacking) -> io::Result<Vec<u8>> {
        let open_size = usize::try_from(self.open_size).map_err(io::Error::other)?;
        unpack(packing, &self.packed, open_size)
    }

    fn sizes(&self) -> (u64, u64) {
        (self.packed.len() as u64, self.open_size)
    }
}

impl KeptGroup {
    /// Its piece of a metadata file.
    pub fn piece(&self, kind: RepositoryKind) -> &Piece {
        match kind {
            RepositoryKind::Primary => &self.primary,
            RepositoryKind::Filelists => &self.filelists,
            RepositoryKind::Other => &self.other,
        }
    }

    /// The requirements of its binary packages that are asked for.
    pub fn requirements(&self, asked: &DependencyQuery<'_>) -> io::Result<Vec<FoundDependencies>> {
        let [required, _] = &self.names;
        match required.shares_one_with(&asked.names) {
            true => find_dependencies(&self.requires.unpack(self.packing)?, asked),
            false => Ok(Vec::new()),
        }
    }

    /// What is asked for of what its binary packages provide, their files among it.
    pub fn provided(&self, asked: &DependencyQuery<'_>) -> io::Result<Vec<FoundDependencies>> {
        let [_, provided] = &self.names;
        match provided.shares_one_with(&asked.names) {
            true => find_dependencies(&self.provides.unpack(self.packing)?, asked),
            false => Ok(Vec::new()),
        }
    }

    fn make(repository: &Folder, store: &Store, group: &PackageGroup<'_>) -> Result<Self, PublishError> {
        let packing = group.packing;
        let (mut primary, mut filelists, mut other) = (Vec::new(), Vec::new(), Vec::new());
        let (mut needs, mut newest) = (Vec::new(), 0);
        for package in group.packages {
            for file in listed_files(package, group.section) {
                let record = listable_record(repository, store, file)?;
                let href = Section::of_path(&file.path).1;
                let location = Location { href, sha256: &file.sha256, size: file.size };
                record.write(RepositoryKind::Primary, location, &mut primary)?;
                record.write(RepositoryKind::Filelists, location, &mut filelists)?;
                record.write(RepositoryKind::Other, location, &mut other)?;
                newest = record.build_time.max(newest);
                if record.arch != "src" {
                    needs.push((package.package.as_str(), Needs::of(&record)));
                }
            }
        }
        let [requires, provides] = encode_needs(&needs)?;
        let names = name_needs(&needs);
        Ok(Self {
            newest,
            packing,
            primary: Piece::new(packing, &primary)?,
            filelists: Piece::new(packing, &filelists)?,
            other: Piece::new(packing, &other)?,
            requires: Piece::new(packing, &requires)?,
            provides: Piece::new(packing, &provides)?,
            names,
        })
    }

    fn pieces(&self) -> [&Piece; 5] {
        [&self.primary, &self.filelists, &self.other, &self.requires, &self.provides]
    }

    fn encode(&self) -> io::Result<Vec<u8>> {
        let names = self.names.each_ref().map(NameHashes::to_bytes);
        let head = PieceSizes {
            newest: self.newest,
            pieces: self.pieces().map(Piece::sizes),
            names: names.each_ref().map(|names| names.len() as u64),
        };
        let mut content = serde_json::to_vec(&head).map_err(io::Error::other)?;
        content.push(b'\n');
        for piece in self.pieces() {
            content.extend(&piece.packed);
        }
        content.extend(names.concat());
        Ok(content)
    }

    fn decode(content: &[u8], packing: MetadataPacking) -> Option<Self> {
        let end = content.iter().position(|byte| *byte == b'\n')?;
        let (head, rest) = content.split_at_checked(end)?;
        let PieceSizes { newest, pieces, names } = serde_json::from_slice(head).ok()?;
        let mut rest = rest.get(1..)?;
        let mut next = |size: u64| {
            let (next, later) = rest.split_at_checked(usize::try_from(size).ok()?)?;
            rest = later;
            Some(next)
        };
        let mut piece =
            |(packed, open_size): (u64, u64)| Some(Piece { packed: next(packed)?.to_vec(), open_size });
        let [primary, filelists, other, requires, provides] = pieces;
        let [primary, filelists, other] = [piece(primary)?, piece(filelists)?, piece(other)?];
        let [requires, provides] = [piece(requires)?, piece(provides)?];
        let [required, provided] = names;
        let names = [NameHashes::from_bytes(next(required)?)?, NameHashes::from_bytes(next(provided)?)?];
        let kept = Self { newest, packing, primary, filelists, other, requires, provides, names };
        rest.is_empty().then_some(kept)
    }
}

fn listable_record(
    repository: &Folder,
    store: &Store,
    file: &PublishedFile,
) -> Result<PackageRecord, PublishError> {
    let record = record_of(repository, store, file)?;
    match record.forbidden_character() {
        Some(character) => {
            Err(PublishError::Unlistable { file: file.path.clone(), what: character.to_string() })
        }
        None => Ok(record),
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
        let groups = split_into_groups(packages, Section::Main, MetadataPacking::Zstd);
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
            split_into_groups(packages, Section::Main, packing).first().map(|group| group.key)
        };
        let mut lost = packages.clone();
        lost[0].files.make_mut()[0].times = None;
        assert_eq!(key(&lost, MetadataPacking::Zstd), None);
        let other = PublishedFile { path: "b".to_owned(), ..packages[0].files[0].clone() };
        lost[0].files.make_mut().push(other);
        assert_ne!(key(&packages, MetadataPacking::Zstd), key(&lost, MetadataPacking::Zstd));
        assert_ne!(key(&packages, MetadataPacking::Zstd), key(&packages, MetadataPacking::Gzip));
    }

    #[test]
    fn a_group_is_read_as_it_was_kept_and_a_damaged_one_is_none() {
        let packing = MetadataPacking::Zstd;
        let piece = |text: &str| Piece::new(packing, text.as_bytes()).unwrap();
        let kept = KeptGroup {
            newest: 7,
            packing,
            primary: piece("primary"),
            filelists: piece("filelists"),
            other: piece(""),
            requires: piece("[]"),
            provides: piece("[]"),
            names: [["a", "b"].into_iter().collect(), NameHashes::default()],
        };
        let content = kept.encode().unwrap();
        let read = KeptGroup::decode(&content, packing).unwrap();
        assert_eq!((read.newest, &read.names), (7, &kept.names));
        for kind in RepositoryKind::ALL {
            assert_eq!(read.piece(kind).unpack(packing).unwrap(), kept.piece(kind).unpack(packing).unwrap());
        }
        for length in 0..content.len() {
            assert!(KeptGroup::decode(&content[..length], packing).is_none(), "{length}");
        }
    }
}
