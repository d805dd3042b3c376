//! Packages that stand beside each other in metadata, and what is kept of them: the pieces of the metadata files that are theirs, packed,
//! and what they give and need.
//!
//! Where a group ends follows from the names of its packages alone. So a package that comes, changes or leaves changes one group, the
//! others' pieces are taken as they are, and the same packages give the same metadata, whatever was published before.
//!
//! Groups are kept in the store under the digests of their files, and made anew where they are gone or damaged.

use std::collections::{HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::PublishError;
use super::closure::Needs;
use super::kept_needs::{DependencyQuery, FoundDependencies, encode_needs, find_dependencies, name_needs};
use super::name_hashes::NameHashes;
use super::package_record::record_of;
use super::packing::{pack, unpack, unpack_into};
use super::record::{PublishedFile, PublishedPackage, RepositoryRecord};
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
    pub section: Section,
    packing: MetadataPacking,
}

/// The groups of what is on record, worked out when they are first asked for.
pub(super) struct RecordGroups<'a> {
    pub record: &'a RepositoryRecord,
    packing: MetadataPacking,
    groups: OnceLock<Vec<PackageGroup<'a>>>,
}

/// What is kept of a group.
pub(super) struct KeptGroup {
    /// When the newest of its packages was built: seconds since 1970.
    pub newest: u64,
    packing: MetadataPacking,
    /// The file that it is kept in, where the pieces are.
    content: Vec<u8>,
    primary: PiecePlace,
    filelists: PiecePlace,
    other: PiecePlace,
    requires: PiecePlace,
    provides: PiecePlace,
    /// What its binary packages require and what they provide.
    names: [NameHashes; 2],
}

/// Where a piece is, and how many bytes it has unpacked.
struct PiecePlace {
    packed: Range<usize>,
    open_size: usize,
}

/// A text, packed.
pub(super) struct Piece<'a> {
    pub packed: &'a [u8],
    packing: MetadataPacking,
    /// How many bytes it has unpacked.
    pub open_size: usize,
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
fn listed_files(package: &PublishedPackage, section: Section) -> impl Iterator<Item = &PublishedFile> {
    let is_shown = !package.keeping.hidden;
    package.files.iter().filter(move |file| is_shown && is_listed(file, section))
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
    let mut encoder = Encoder::new("rpmforge metadata group v3");
    encoder.text("forge", FORGE_SOURCES);
    encoder.text("packing", super::packing::ending(packing)).text("section", section.prefix());
    encoder.list("packages", packages.iter(), |encoder, package| {
        encoder.text("package", &package.package);
        let listed: Vec<&PublishedFile> = listed_files(package, section).collect();
        encoder.list("files", listed.into_iter(), |encoder, file| {
            encoder.text("path", &file.path).text("sha256", &file.sha256);
            encoder.text("size", &file.size.to_string()).digest_field("blake3", &file.blake3);
        });
    });
    Some(encoder.key())
}

fn is_listed(file: &PublishedFile, section: Section) -> bool {
    file.times.is_some() && Section::of_path(&file.path).0 == section
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

    /// Whether it consists of these packages.
    fn is_of(&self, packages: &[PublishedPackage], packing: MetadataPacking) -> bool {
        self.packing == packing && self.packages == packages
    }

    /// What its pieces are kept under.
    pub fn key(&self) -> Key {
        self.key
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
        let kept = match content.and_then(|content| KeptGroup::decode(content, group.packing)) {
            Some(kept) => kept,
            None => {
                let kept = KeptGroup::make(repository, self.store, group)?;
                // Where the store can't be written to, it is made again the next time.
                let _ = self.store.remember_bytes(RecordKind::Metadata, &group.key, &kept.content);
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

impl Piece<'_> {
    /// The text.
    pub fn unpack(&self) -> io::Result<Vec<u8>> {
        unpack(self.packing, self.packed, self.open_size)
    }

    /// The text, in the place of what `text` held.
    pub fn unpack_into(&self, text: &mut Vec<u8>) -> io::Result<()> {
        unpack_into(self.packing, self.packed, self.open_size, text)
    }
}

impl KeptGroup {
    /// Its piece of a metadata file.
    pub fn piece(&self, kind: RepositoryKind) -> Piece<'_> {
        self.piece_at(match kind {
            RepositoryKind::Primary => &self.primary,
            RepositoryKind::Filelists => &self.filelists,
            RepositoryKind::Other => &self.other,
        })
    }

    fn piece_at(&self, PiecePlace { packed, open_size }: &PiecePlace) -> Piece<'_> {
        let packed = self.content.get(packed.clone()).unwrap_or_default();
        Piece { packed, packing: self.packing, open_size: *open_size }
    }

    /// The requirements of its binary packages that are asked for.
    pub fn requirements(&self, asked: &DependencyQuery<'_>) -> io::Result<Vec<FoundDependencies>> {
        let [required, _] = &self.names;
        match required.shares_one_with(&asked.names) {
            true => find_dependencies(&self.piece_at(&self.requires).unpack()?, asked),
            false => Ok(Vec::new()),
        }
    }

    /// What is asked for of what its binary packages provide, their files among it.
    pub fn provided(&self, asked: &DependencyQuery<'_>) -> io::Result<Vec<FoundDependencies>> {
        let [_, provided] = &self.names;
        match provided.shares_one_with(&asked.names) {
            true => find_dependencies(&self.piece_at(&self.provides).unpack()?, asked),
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
        let texts = [&primary, &filelists, &other, &requires, &provides].map(Vec::as_slice);
        let content = encode_group(newest, texts, packing, &name_needs(&needs))?;
        Self::decode(content, packing).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData).into())
    }

    fn decode(content: Vec<u8>, packing: MetadataPacking) -> Option<Self> {
        let mut end = content.iter().position(|byte| *byte == b'\n')?;
        let PieceSizes { newest, pieces, names } = serde_json::from_slice(content.get(..end)?).ok()?;
        end = end.checked_add(1)?;
        let mut next = |size: u64| {
            let begin = end;
            end = begin.checked_add(usize::try_from(size).ok()?)?;
            Some(begin..end).filter(|place| place.end <= content.len())
        };
        let mut piece = |(packed, open_size): (u64, u64)| {
            Some(PiecePlace { packed: next(packed)?, open_size: usize::try_from(open_size).ok()? })
        };
        let [primary, filelists, other, requires, provides] = pieces;
        let [primary, filelists, other] = [piece(primary)?, piece(filelists)?, piece(other)?];
        let [requires, provides] = [piece(requires)?, piece(provides)?];
        let [required, provided] = names;
        let [required, provided] = [next(required)?, next(provided)?];
        let names = [
            NameHashes::from_bytes(content.get(required)?)?,
            NameHashes::from_bytes(content.get(provided)?)?,
        ];
        let is_whole = end == content.len();
        let kept = Self { newest, packing, content, primary, filelists, other, requires, provides, names };
        is_whole.then_some(kept)
    }
}

/// The file that a group is kept in.
fn encode_group(
    newest: u64,
    texts: [&[u8]; 5],
    packing: MetadataPacking,
    names: &[NameHashes; 2],
) -> io::Result<Vec<u8>> {
    let packed: Vec<Vec<u8>> =
        texts.into_par_iter().map(|text| pack(packing, text)).collect::<Result<_, _>>()?;
    let names = names.each_ref().map(NameHashes::to_bytes);
    let mut sizes = packed.iter().zip(texts).map(|(packed, text)| (packed.len() as u64, text.len() as u64));
    let pieces = texts.map(|_| sizes.next().unwrap_or_default());
    let head = PieceSizes { newest, pieces, names: names.each_ref().map(|names| names.len() as u64) };
    let mut content = serde_json::to_vec(&head).map_err(io::Error::other)?;
    content.push(b'\n');
    packed.iter().for_each(|packed| content.extend(packed));
    content.extend(names.concat());
    Ok(content)
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

    #[test]
    fn a_group_is_read_as_it_was_kept_and_a_damaged_one_is_none() {
        let packing = MetadataPacking::Zstd;
        let texts = ["primary", "filelists", "", "[]", "[]"].map(str::as_bytes);
        let names = [["a", "b"].into_iter().collect(), NameHashes::default()];
        let content = encode_group(7, texts, packing, &names).unwrap();
        let read = KeptGroup::decode(content.clone(), packing).unwrap();
        assert_eq!((read.newest, &read.names), (7, &names));
        for (kind, text) in RepositoryKind::ALL.into_iter().zip(texts) {
            assert_eq!(read.piece(kind).unpack().unwrap(), text);
        }
        for length in 0..content.len() {
            assert!(KeptGroup::decode(content[..length].to_vec(), packing).is_none(), "{length}");
        }
    }
}
