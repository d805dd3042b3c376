//! The headers of packages, with all that is known of their files.

use bstr::{BString, ByteSlice};

use super::classify::Class;
use super::files::PackagedFile;
use super::files::packaged_file::{flag, kind};
use super::generators::Generated;
use super::settings::Settings;
use crate::package::{
    Archive, ArchiveEntry, Format, Header, PayloadContent, PayloadFile, PayloadFlags, Tag, Value,
};
use crate::spec::{DependencyKind, DependencyRow, add_dependencies, mentioned};

/// rpm's bit of what only rpm itself meets, and the comparison `<=`.
const RPMLIB: u32 = 1 << 24 | 2 | 8;

/// A file that is too large for 32 bits.
const LARGE: u64 = u32::MAX as u64;

/// What rpm must be able to do to install a package.
pub(super) fn rpmlib(feature: &str, version: &str) -> DependencyRow {
    DependencyRow { name: format!("rpmlib({feature})").into(), version: version.into(), flags: RPMLIB }
}

/// As [`rpmlib`], but a package without it can be used all the same.
pub(super) fn rpmlib_if_there(feature: &str, version: &str) -> DependencyRow {
    const MISSING_OK: u32 = 1 << 19;
    let row = rpmlib(feature, version);
    DependencyRow { flags: row.flags | MISSING_OK, ..row }
}

/// What the archive's form asks of rpm.
pub(super) fn features(entries: &[PackagedFile], settings: &Settings, is_source: bool) -> Vec<DependencyRow> {
    let mut rows = Vec::new();
    let is_large = entries.iter().any(|entry| entry.size > LARGE);
    match settings.format {
        Format::V4 => {
            rows.push(rpmlib("CompressedFileNames", "3.0.4-1"));
            if settings.digests(is_source) != DigestAlgorithm::Md5 {
                rows.push(rpmlib("FileDigests", "4.6.0-1"));
            }
            if !is_source {
                rows.push(rpmlib("PayloadFilesHavePrefix", "4.0-1"));
            }
            if entries.iter().any(|entry| entry.links > 1) {
                rows.push(rpmlib("PartialHardlinkSets", "4.0.4-1"));
            }
            if is_large {
                rows.push(rpmlib("LargeFiles", "4.12.0-1"));
            }
        }
        Format::V6 if !entries.is_empty() => rows.push(rpmlib("LargeFiles", "4.12.0-1")),
        Format::V6 => {}
    }
    if entries.iter().any(|entry| !entry.capabilities.is_empty()) {
        rows.push(rpmlib("FileCaps", "4.6.1-1"));
    }
    rows
}

/// What the dependencies themselves ask of rpm. Of source packages, what they are built with counts.
pub(super) fn of_dependencies(header: &Header, is_source: bool) -> Vec<DependencyRow> {
    let is_own = |kind: &DependencyKind| !is_source || *kind != DependencyKind::Provides;
    let kinds = DependencyKind::ALL.into_iter().filter(is_own);
    let rows: Vec<DependencyRow> = kinds.flat_map(|kind| DependencyRow::in_header(header, kind)).collect();
    let any = |holds: &dyn Fn(&DependencyRow) -> bool| rows.iter().any(holds);
    let of_triggers = ["TRIGGERVERSION", "FILETRIGGERVERSION", "TRANSFILETRIGGERVERSION"];
    let fires_with = |sign: &str| {
        of_triggers
            .iter()
            .any(|name| header.texts(tag(name)).iter().any(|version| version.contains_str(sign)))
    };
    let has = |sign: &'static str| fires_with(sign) || any(&|row| versions(row).contains_str(sign));
    let features = [
        (any(&|row| row.name.starts_with(b"(")), "RichDependencies", "4.12.0-1"),
        (has("~"), "TildeInVersions", "4.10.0-1"),
        (has("^"), "CaretInVersions", "4.15.0-1"),
    ];
    features.iter().filter(|(is_used, ..)| *is_used).map(|(_, name, version)| rpmlib(name, version)).collect()
}

/// The versions that a dependency asks for: one, or those that a rich one mentions.
fn versions(row: &DependencyRow) -> BString {
    if !row.name.starts_with(b"(") {
        return row.version.clone();
    }
    let mentioned = mentioned(&row.name.to_str_lossy());
    let versions = mentioned.iter().filter_map(|dependency| dependency.version.as_ref());
    versions.flat_map(|(_, version)| [version.as_bytes(), b" "].concat()).collect::<Vec<u8>>().into()
}

/// What the payload's compression asks of rpm.
pub(super) fn compression_feature(flags: &PayloadFlags) -> Option<DependencyRow> {
    use crate::package::Compression as C;
    Some(match flags.compression {
        C::None | C::Gzip => return None,
        C::Bzip2 => rpmlib("PayloadIsBzip2", "3.0.5-1"),
        C::Xz => rpmlib("PayloadIsXz", "5.2-1"),
        C::Lzma => rpmlib("PayloadIsLzma", "4.4.6-1"),
        C::Zstd => rpmlib("PayloadIsZstd", "5.4.18-1"),
    })
}

/// How files are digested, by the numbers that rpm has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DigestAlgorithm {
    Md5 = 1,
    Sha1 = 2,
    Sha256 = 8,
    Sha384 = 9,
    Sha512 = 10,
    Sha224 = 11,
    Sha3_256 = 12,
    Sha3_512 = 14,
}

impl DigestAlgorithm {
    /// The algorithm of a number.
    pub(super) fn numbered(number: i64) -> Option<Self> {
        let all = [
            Self::Md5,
            Self::Sha1,
            Self::Sha256,
            Self::Sha384,
            Self::Sha512,
            Self::Sha224,
            Self::Sha3_256,
            Self::Sha3_512,
        ];
        all.into_iter().find(|algorithm| *algorithm as i64 == number)
    }
}

fn tag(name: &str) -> Tag {
    Tag::named(name.as_bytes()).unwrap_or(Tag(0))
}

/// Sets what a header says of files.
pub(super) fn set_files(header: &mut Header, entries: &[PackagedFile], settings: &Settings, is_source: bool) {
    let mut inodes = std::collections::HashSet::new();
    let counts = |entry: &&PackagedFile| inodes.insert(entry.inode);
    let total: u64 = entries.iter().filter(counts).map(|entry| entry.size).sum();
    let is_six = settings.format == Format::V6;
    if is_six || total > LARGE {
        header.set_number(Tag::LONG_SIZE, total);
    } else {
        header.set_number(Tag::SIZE, total);
    }
    let algorithm = settings.digests(is_source);
    if algorithm != DigestAlgorithm::Md5 {
        header.set_number(tag("FILEDIGESTALGO"), algorithm as u64);
    }
    if entries.is_empty() {
        return;
    }
    let mut numbers = |name: &str, of: &dyn Fn(&PackagedFile) -> u64| {
        header.set(tag(name), Value::Numbers(entries.iter().map(of).collect()));
    };
    let is_large = is_six || entries.iter().any(|entry| entry.size > LARGE);
    numbers(if is_large { "LONGFILESIZES" } else { "FILESIZES" }, &|entry| entry.size);
    numbers("FILEMODES", &|entry| u64::from(entry.mode & 0xffff));
    numbers("FILERDEVS", &|entry| entry.device_number() & 0xffff);
    numbers("FILEMTIMES", &|entry| u64::from(u32::try_from(entry.modified.max(0)).unwrap_or(u32::MAX)));
    numbers("FILEFLAGS", &|entry| entry.flags.into());
    numbers("FILEVERIFYFLAGS", &|entry| entry.verifies.0.into());
    numbers("FILEDEVICES", &|entry| u64::from(entry.identity.is_some()));
    numbers("FILEINODES", &|entry| entry.inode.into());
    let mut texts = |name: &str, of: &dyn Fn(&PackagedFile) -> BString| {
        header.set(tag(name), Value::Texts(entries.iter().map(of).collect()));
    };
    texts("FILEDIGESTS", &|entry| entry.digest.clone().into());
    texts("FILELINKTOS", &|entry| entry.target.clone());
    texts("FILEUSERNAME", &|entry| entry.user.0.clone());
    texts("FILEGROUPNAME", &|entry| entry.group.0.clone());
    texts("FILELANGS", &|entry| bstr::join("|", &entry.languages).into());
    if entries.iter().any(|entry| !entry.capabilities.is_empty()) {
        texts("FILECAPS", &|entry| entry.capabilities.clone());
    }
    set_paths(header, entries);
}

/// Names, their folders, and which name lies in which folder.
fn set_paths(header: &mut Header, entries: &[PackagedFile]) {
    let (mut folders, mut indexes, mut names) = (Dictionary::default(), Vec::new(), Vec::new());
    for entry in entries {
        let (folder, name) = entry.split();
        indexes.push(folders.number(folder));
        names.push(name);
    }
    header.set(tag("DIRINDEXES"), Value::Numbers(indexes));
    header.set(tag("BASENAMES"), Value::Texts(names));
    header.set(tag("DIRNAMES"), Value::Texts(folders.words));
}

/// Words by their numbers, in the order in which they came.
#[derive(Default)]
struct Dictionary {
    words: Vec<BString>,
    known: std::collections::HashMap<BString, u64>,
}

impl Dictionary {
    fn number(&mut self, word: BString) -> u64 {
        let next = self.words.len() as u64;
        *self.known.entry(word).or_insert_with_key(|word| {
            self.words.push(word.clone());
            next
        })
    }
}

/// Sets what files are.
pub(super) fn set_classes(header: &mut Header, classes: &[Class], format: Format) {
    if classes.is_empty() {
        return;
    }
    header.set(tag("FILECOLORS"), Value::Numbers(classes.iter().map(|class| class.color.into()).collect()));
    let (of, index, words): (fn(&Class) -> BString, _, _) = match format {
        Format::V4 => (Class::kept, "FILECLASS", "CLASSDICT"),
        Format::V6 => (|class| class.mime.clone(), "FILEMIMEINDEX", "MIMEDICT"),
    };
    let mut dictionary = Dictionary::default();
    let indexes = classes.iter().map(|class| dictionary.number(of(class))).collect();
    header.set(tag(index), Value::Numbers(indexes));
    header.set(tag(words), Value::Texts(dictionary.words));
}

/// The letters of dependencies in the dictionary that files point into.
const LETTERS: [(DependencyKind, u8); 9] = [
    (DependencyKind::Provides, b'P'),
    (DependencyKind::Requires, b'R'),
    (DependencyKind::Recommends, b'r'),
    (DependencyKind::Suggests, b's'),
    (DependencyKind::Supplements, b'S'),
    (DependencyKind::Enhances, b'e'),
    (DependencyKind::Conflicts, b'C'),
    (DependencyKind::Obsoletes, b'O'),
    (DependencyKind::OrderWithRequires, b'o'),
];

/// The letter of a kind of dependencies there.
pub(super) fn letter(kind: DependencyKind) -> u8 {
    LETTERS.iter().find(|(known, _)| *known == kind).map_or(b' ', |(_, letter)| *letter)
}

/// Adds what generators found, to the package and to its files. All other dependencies must be in the header already: they
/// are pointed at by their places.
pub(super) fn set_generated(header: &mut Header, entries: &[PackagedFile], generated: &[Generated]) {
    if generated.is_empty() {
        return;
    }
    let mut dictionary: Vec<u64> = Vec::new();
    let (mut starts, mut counts) = (Vec::new(), Vec::new());
    let places: Vec<(DependencyKind, u8, Vec<DependencyRow>)> = LETTERS
        .iter()
        .map(|(kind, letter)| (*kind, *letter, DependencyRow::in_header(header, *kind)))
        .collect();
    let mut left = generated.iter().peekable();
    for index in 0..entries.len() {
        let mut of_file: Vec<u64> = Vec::new();
        while let Some(found) = left.next_if(|found| found.file == index) {
            let place = places.iter().find(|(kind, ..)| *kind == found.kind);
            let number = place.and_then(|(_, letter, rows)| {
                let at = rows.binary_search(&found.row).ok()?;
                Some(u64::from(*letter) << 24 | at as u64 & 0x00ff_ffff)
            });
            of_file.extend(number);
        }
        starts.push(if of_file.is_empty() { 0 } else { dictionary.len() as u64 });
        counts.push(of_file.len() as u64);
        dictionary.extend(of_file);
    }
    if dictionary.is_empty() {
        return;
    }
    header.set(tag("FILEDEPENDSX"), Value::Numbers(starts));
    header.set(tag("FILEDEPENDSN"), Value::Numbers(counts));
    header.set(tag("DEPENDSDICT"), Value::Numbers(dictionary));
}

/// Adds dependencies of one kind each to a header.
pub(super) fn add_generated(header: &mut Header, generated: &[Generated]) {
    for (kind, _) in LETTERS {
        let rows = generated.iter().filter(|found| found.kind == kind).map(|found| found.row.clone());
        add_dependencies(header, kind, rows);
    }
}

/// The archive of files: hard links come last, and only the last of them has content.
pub(super) fn payload(entries: &[PackagedFile], archive: Archive, prefix: &[u8]) -> Vec<PayloadFile> {
    let archived = |(_, entry): &(u32, &PackagedFile)| !entry.is_ghost();
    let all: Vec<(u32, &PackagedFile)> = (0..).zip(entries).filter(archived).collect();
    let mut files: Vec<PayloadFile> = Vec::with_capacity(all.len());
    let single = all.iter().filter(|(_, entry)| entry.links < 2);
    files.extend(single.map(|(index, entry)| payload_file(*index, entry, archive, prefix, true)));
    let mut linked: Vec<(u32, &PackagedFile)> =
        all.into_iter().filter(|(_, entry)| entry.links > 1).collect();
    linked.sort_by_key(|(index, entry)| (entry.inode, *index));
    for (at, (index, entry)) in linked.iter().enumerate() {
        let is_last = linked.get(at + 1).is_none_or(|(_, next)| next.inode != entry.inode);
        files.push(payload_file(*index, entry, archive, prefix, is_last));
    }
    files
}

fn payload_file(
    index: u32,
    entry: &PackagedFile,
    archive: Archive,
    prefix: &[u8],
    has_content: bool,
) -> PayloadFile {
    let content = match entry.kind() {
        kind::REGULAR if has_content => PayloadContent::File(entry.size),
        kind::LINK => PayloadContent::Link(entry.target.to_vec()),
        _ => PayloadContent::Nothing,
    };
    let size = match (&content, archive) {
        (PayloadContent::Nothing, _) | (_, Archive::Stripped) => 0,
        _ => u32::try_from(entry.size).unwrap_or(u32::MAX),
    };
    let head = ArchiveEntry {
        path: [prefix, entry.path.as_slice()].concat(),
        inode: entry.inode,
        mode: entry.mode,
        links: entry.links.max(1),
        modified: u32::try_from(entry.modified.max(0)).unwrap_or(u32::MAX),
        size,
        device: entry.device,
    };
    PayloadFile { index, entry: head, content }
}

/// Whether files are archived without what the header says of them.
pub(super) fn archive(entries: &[PackagedFile], format: Format) -> Archive {
    let is_large = entries.iter().any(|entry| entry.size > LARGE);
    if format == Format::V6 || is_large { Archive::Stripped } else { Archive::Whole }
}

/// Users and groups that own files: they must be there before the files are.
pub(super) fn owners(entries: &[PackagedFile]) -> Vec<DependencyRow> {
    const PRE_AND_POSTUN: u32 = 1 << 9 | 1 << 12;
    let mut rows = Vec::new();
    for entry in entries {
        for (what, name) in [("user", &entry.user.0), ("group", &entry.group.0)] {
            if *name != "root" {
                let name = format!("{what}({})", name.to_str_lossy()).into();
                rows.push(DependencyRow { name, version: BString::default(), flags: PRE_AND_POSTUN });
            }
        }
    }
    rows.sort();
    rows.dedup();
    rows
}

/// Whether some file is a configuration file.
pub(super) fn has_config(entries: &[PackagedFile]) -> bool {
    entries.iter().any(|entry| entry.flags & flag::CONFIG != 0)
}
