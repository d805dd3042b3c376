//! How an index is written: 16 bytes that say what it is, the BLAKE3 digest of what follows, and that: the parts, each after
//! its length in eight bytes. Other numbers have four, all the lowest byte first.
//!
//! The digest finds what a disk or a killed program did to it. That the parts belong together is checked as well, since
//! whoever can write a file can write its digest: an index that was read leads nowhere but into itself.

use super::file_table::FileTable;
use super::index::{IndexedPackage, PackageIndex, Reference, Referent, Relation, RelationKind};
use super::texts::Texts;
use crate::digest::Digest;
use crate::package::{Comparison, Operator};

const HEADING: &[u8; 16] = b"forge packages 1";
const DIGEST_LENGTH: usize = 32;

/// Bytes that are no index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IndexFormError {
    /// They begin otherwise: another version of forge wrote them, or somebody else.
    #[error("this is no index of packages, or one of another version of forge")]
    Heading,
    /// They are not what was written.
    #[error("the index of packages was damaged: its digest differs")]
    Digest,
    /// Their parts don't belong together.
    #[error("the index of packages contradicts itself")]
    Contents,
}

impl PackageIndex {
    /// Its written form.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut form = FormWriter::default();
        for texts in [&self.names, &self.texts, &self.searched, &self.files.folders, &self.files.names] {
            form.texts(texts);
        }
        form.numbers(self.relations.len(), self.relations.iter().flat_map(relation_numbers));
        form.numbers(self.packages.len(), self.packages.iter().flat_map(package_numbers));
        form.numbers(self.lists.len(), self.lists.iter().map(|reference| reference.0));
        form.numbers(self.files.folder_ends.len(), self.files.folder_ends.iter().copied());
        form.numbers(self.files.packages.len(), self.files.packages.iter().copied());
        let digest = Digest::compute(&form.bytes);
        [HEADING.as_slice(), digest.as_bytes(), &form.bytes].concat()
    }

    /// The index that was written.
    ///
    /// # Errors
    /// The bytes are no index, or a damaged one.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, IndexFormError> {
        let rest = bytes.strip_prefix(HEADING).ok_or(IndexFormError::Heading)?;
        let (digest, rest) = rest.split_at_checked(DIGEST_LENGTH).ok_or(IndexFormError::Digest)?;
        // What is read does no harm, whatever it is: nothing has to wait for the digest.
        let (computed, index) = rayon::join(
            || Digest::compute(rest),
            || FormReader { rest }.index().filter(PackageIndex::is_sound),
        );
        if computed.as_bytes() != digest {
            return Err(IndexFormError::Digest);
        }
        index.ok_or(IndexFormError::Contents)
    }

    /// Whether all numbers in it lead to something, and relations only to earlier ones.
    fn is_sound(&self) -> bool {
        let (names, texts) = (self.names.len(), self.texts.len());
        let is_text = |number: u32| (number as usize) < texts;
        let is_name = |number: u32| (number as usize) < names;
        let leads = |reference: Reference, relations: usize| match reference.referent() {
            Referent::Name(number) => is_name(number),
            Referent::Relation(number) => (number as usize) < relations,
        };
        let is_package_sound = |package: &IndexedPackage| {
            [package.name, package.evr, package.arch].into_iter().all(is_name)
                && [package.href, package.checksum].into_iter().all(is_text)
        };
        let ends = || self.packages.iter().flat_map(|package| package.list_ends);
        let relates = |(place, relation): (usize, &Relation)| match relation.kind {
            RelationKind::Rich(_) => leads(relation.left, place) && leads(relation.right, place),
            RelationKind::Version(_) => leads(relation.left, 0) && leads(relation.right, 0),
        };
        let are_texts_sound = || {
            [&self.names, &self.texts, &self.searched].into_iter().all(Texts::is_sound)
                && self.files.is_sound(self.packages.len())
        };
        let do_numbers_lead = || {
            self.relations.iter().enumerate().all(relates)
                && self.has_bounded_relations()
                && self.packages.iter().all(is_package_sound)
                && self.lists.iter().all(|reference| leads(*reference, self.relations.len()))
                && ends().is_sorted()
                && ends().last().map_or(0, |end| end as usize) == self.lists.len()
        };
        let (texts, numbers) = rayon::join(are_texts_sound, do_numbers_lead);
        texts && numbers
    }

    /// Whether no rich dependency is deeper or larger than one that was read from a text: functions here call themselves for
    /// its parts, and one whose two parts are the same, which have two parts that are the same, would never end.
    fn has_bounded_relations(&self) -> bool {
        let mut sizes: Vec<(usize, usize)> = Vec::with_capacity(self.relations.len());
        let size = |reference: Reference, sizes: &[(usize, usize)]| match reference.referent() {
            Referent::Name(_) => (0, 1),
            Referent::Relation(number) => sizes.get(number as usize).copied().unwrap_or((0, 1)),
        };
        self.relations.iter().all(|relation| {
            let ((depth, terms), (other, further)) =
                (size(relation.left, &sizes), size(relation.right, &sizes));
            let (depth, terms) = (depth.max(other) + 1, terms + further);
            sizes.push((depth, terms));
            depth <= DEEPEST_RELATION && terms <= MOST_TERMS
        })
    }
}

/// As deep as a rich dependency may be, where each of its parts may be a chain.
const DEEPEST_RELATION: usize = 1000;
const MOST_TERMS: usize = 10_000;

const RELATION_NUMBERS: usize = 3;
const PACKAGE_NUMBERS: usize = 17;

fn relation_numbers(relation: &Relation) -> [u32; RELATION_NUMBERS] {
    let kind = match relation.kind {
        RelationKind::Version(comparison) => u32::from(comparison),
        RelationKind::Rich(operator) => RICH + operator_number(operator),
    };
    [relation.left.0, kind, relation.right.0]
}

/// What the number of a rich relation is more than that of its operator; versions have smaller ones.
const RICH: u32 = 256;

fn operator_number(operator: Operator) -> u32 {
    match operator {
        Operator::And => 0,
        Operator::Or => 1,
        Operator::If => 2,
        Operator::Unless => 3,
        Operator::Else => 4,
        Operator::With => 5,
        Operator::Without => 6,
    }
}

fn relation([left, kind, right]: [u32; RELATION_NUMBERS]) -> Option<Relation> {
    const OPERATORS: [Operator; 7] = [
        Operator::And,
        Operator::Or,
        Operator::If,
        Operator::Unless,
        Operator::Else,
        Operator::With,
        Operator::Without,
    ];
    let kind = match kind.checked_sub(RICH) {
        Some(operator) => RelationKind::Rich(*OPERATORS.get(operator as usize)?),
        None => {
            RelationKind::Version(Comparison::from_flags(kind).filter(|known| u32::from(*known) == kind)?)
        }
    };
    Some(Relation { left: Reference(left), kind, right: Reference(right) })
}

fn package_numbers(package: &IndexedPackage) -> [u32; PACKAGE_NUMBERS] {
    let IndexedPackage { name, evr, arch, list_ends, href, checksum, size, installed_size } = *package;
    let [a, b, c, d, e, f, g, h] = list_ends;
    let ([size, size_high], [installed, installed_high]) = (halves(size), halves(installed_size));
    [name, evr, arch, a, b, c, d, e, f, g, h, href, checksum, size, size_high, installed, installed_high]
}

fn indexed_package(numbers: [u32; PACKAGE_NUMBERS]) -> IndexedPackage {
    let [name, evr, arch, a, b, c, d, e, f, g, h, href, checksum, size, size_high, installed, installed_high] =
        numbers;
    IndexedPackage {
        name,
        evr,
        arch,
        list_ends: [a, b, c, d, e, f, g, h],
        href,
        checksum,
        size: whole(size, size_high),
        installed_size: whole(installed, installed_high),
    }
}

fn halves(number: u64) -> [u32; 2] {
    let [a, b, c, d, e, f, g, h] = number.to_le_bytes();
    [u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h])]
}

fn whole(low: u32, high: u32) -> u64 {
    u64::from(high) << 32 | u64::from(low)
}

#[derive(Default)]
struct FormWriter {
    bytes: Vec<u8>,
}

impl FormWriter {
    fn length(&mut self, length: usize) {
        self.bytes.extend(u64::try_from(length).unwrap_or(u64::MAX).to_le_bytes());
    }

    fn numbers(&mut self, count: usize, numbers: impl Iterator<Item = u32>) {
        self.length(count);
        numbers.for_each(|number| self.bytes.extend(number.to_le_bytes()));
    }

    fn texts(&mut self, texts: &Texts) {
        self.numbers(texts.ends.len(), texts.ends.iter().copied());
        self.length(texts.all.len());
        self.bytes.extend(texts.all.as_bytes());
    }
}

struct FormReader<'b> {
    rest: &'b [u8],
}

impl<'b> FormReader<'b> {
    fn index(mut self) -> Option<PackageIndex> {
        let (names, texts, searched) = (self.texts()?, self.texts()?, self.texts()?);
        let (folders, file_names) = (self.texts()?, self.texts()?);
        let relations = self.entries()?.map(relation).collect::<Option<Vec<_>>>()?;
        let packages = self.entries()?.map(indexed_package).collect();
        let lists = self.numbers()?.map(Reference).collect();
        let (folder_ends, with) = (self.numbers()?.collect(), self.numbers()?.collect());
        let files = FileTable { folders, folder_ends, names: file_names, packages: with };
        let index = PackageIndex { names, relations, packages, lists, texts, files, searched };
        self.rest.is_empty().then_some(index)
    }

    fn take(&mut self, length: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }

    fn length(&mut self) -> Option<usize> {
        let length = self.take(8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(length)).ok()
    }

    fn numbers(&mut self) -> Option<impl Iterator<Item = u32> + use<'b>> {
        Some(self.entries()?.map(|[number]: [u32; 1]| number))
    }

    /// Entries of some numbers each.
    fn entries<const COUNT: usize>(&mut self) -> Option<impl Iterator<Item = [u32; COUNT]> + use<'b, COUNT>> {
        let length = self.length()?.checked_mul(4)?.checked_mul(COUNT)?;
        let (numbers, _) = self.take(length)?.as_chunks::<4>();
        let (entries, _) = numbers.as_chunks::<COUNT>();
        Some(entries.iter().map(|entry| entry.map(u32::from_le_bytes)))
    }

    fn texts(&mut self) -> Option<Texts> {
        let ends = self.numbers()?.collect();
        let length = self.length()?;
        let all = std::str::from_utf8(self.take(length)?).ok()?.to_owned();
        Some(Texts { all, ends })
    }
}
