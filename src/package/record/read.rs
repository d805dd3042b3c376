//! Header → record.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice};

use super::{ChangelogEntry, FileKind, PackageRecord, RecordDependency, RecordFile, Relation};
use crate::package::{Dependency, Header, Headers, PackageError, Tag, Value};

/// How many changelog entries metadata hold, as createrepo_c's default.
const CHANGELOG_LIMIT: usize = 10;

/// The tag of the signature header that says how long the payload is, uncompressed (`RPMSIGTAG_PAYLOADSIZE`).
const SIGNATURE_PAYLOAD_SIZE: u32 = 1007;

/// The tags of a relation's names, flags and versions.
const RELATIONS: [(Relation, Tag, Tag, Tag); 8] = [
    (Relation::Provides, Tag::PROVIDENAME, Tag::PROVIDEFLAGS, Tag::PROVIDEVERSION),
    (Relation::Requires, Tag::REQUIRENAME, Tag::REQUIREFLAGS, Tag::REQUIREVERSION),
    (Relation::Conflicts, Tag::CONFLICTNAME, Tag::CONFLICTFLAGS, Tag::CONFLICTVERSION),
    (Relation::Obsoletes, Tag::OBSOLETENAME, Tag::OBSOLETEFLAGS, Tag::OBSOLETEVERSION),
    (Relation::Suggests, Tag::SUGGESTNAME, Tag::SUGGESTFLAGS, Tag::SUGGESTVERSION),
    (Relation::Enhances, Tag::ENHANCENAME, Tag::ENHANCEFLAGS, Tag::ENHANCEVERSION),
    (Relation::Recommends, Tag::RECOMMENDNAME, Tag::RECOMMENDFLAGS, Tag::RECOMMENDVERSION),
    (Relation::Supplements, Tag::SUPPLEMENTNAME, Tag::SUPPLEMENTFLAGS, Tag::SUPPLEMENTVERSION),
];

/// `RPMSENSE_PREREQ` and what a scriptlet of an installation needs (`RPMSENSE_SCRIPT_PRE`, `_POST`), as createrepo_c reads them. What
/// one of a removal needs (`_PREUN`, `_POSTUN`) need not be there before.
const NEEDED_BEFORE: u64 = 1 << 6 | 1 << 9 | 1 << 10;

/// `RPMFILE_GHOST`.
const GHOST: u64 = 1 << 6;

const TYPE_MASK: u64 = 0o170_000;
const FOLDER: u64 = 0o040_000;

impl PackageRecord {
    /// The record of the package with these headers; `file` names it in errors.
    ///
    /// # Errors
    /// [`PackageError::Content`] where it has no name, or lists that belong together have different lengths.
    pub fn read(file: &str, headers: &Headers) -> Result<Self, PackageError> {
        let content = |reason| PackageError::Content { file: file.to_owned(), reason };
        Self::try_read(headers).map_err(content)
    }

    fn try_read(headers: &Headers) -> Result<Self, String> {
        let header = &headers.header;
        let needed = |tag| header.text(tag).map(text_of).ok_or_else(|| missing_tag(tag));
        let text = |tag| header.text(tag).map(text_of).unwrap_or_default();
        let files = files(header)?;
        // As rpm knows a source package: it was made from none.
        let is_source = !header.has(Tag::SOURCE_RPM);
        let sizes = [Tag::LONG_SIZE, Tag::SIZE];
        Ok(Self {
            name: needed(Tag::NAME)?,
            arch: if is_source { "src".to_owned() } else { needed(Tag::ARCH)? },
            epoch: first_number(header, Tag::EPOCH).and_then(|it| u32::try_from(it).ok()).unwrap_or_default(),
            version: needed(Tag::VERSION)?,
            release: needed(Tag::RELEASE)?,
            summary: text(Tag::SUMMARY),
            description: text(Tag::DESCRIPTION),
            url: text(Tag::URL),
            packager: text(Tag::PACKAGER),
            license: text(Tag::LICENSE),
            vendor: text(Tag::VENDOR),
            group: text(Tag::GROUP),
            build_host: text(Tag::BUILD_HOST),
            source_package: text(Tag::SOURCE_RPM),
            build_time: first_number(header, Tag::BUILD_TIME).unwrap_or_default(),
            installed_size: sizes.iter().find_map(|tag| first_number(header, *tag)).unwrap_or_default(),
            archive_size: archive_size(headers),
            header_range: header_range(headers),
            dependencies: dependencies(header, &files)?,
            files,
            changelog: changelog(header)?,
        })
    }
}

fn missing_tag(tag: Tag) -> String {
    format!("its header has no {}", tag.name().unwrap_or_default())
}

/// Metadata are UTF-8, whatever a header holds.
fn text_of(text: impl AsRef<[u8]>) -> String {
    text.as_ref().to_str_lossy().into_owned()
}

fn first_number(header: &Header, tag: Tag) -> Option<u64> {
    header.numbers(tag).first().copied()
}

fn archive_size(headers: &Headers) -> u64 {
    let tags = [Tag::ARCHIVESIZE, Tag::LONGARCHIVESIZE];
    let said = tags.iter().find_map(|tag| first_number(&headers.header, *tag));
    let signed = || {
        let is_size = |tag: u32| tag == SIGNATURE_PAYLOAD_SIZE || tag == Tag::LONGARCHIVESIZE.0;
        headers.signatures.iter().find_map(|(tag, value)| match value {
            Value::Numbers(numbers) if is_size(*tag) => numbers.first().copied(),
            Value::Numbers(_) | Value::Text(_) | Value::Texts(_) | Value::Localized(_) | Value::Bytes(_) => {
                None
            }
        })
    };
    said.or_else(signed).unwrap_or_default()
}

/// Where the header begins and ends in the file.
fn header_range(headers: &Headers) -> (u64, u64) {
    let end = headers.payload_offset;
    (end.saturating_sub(headers.header_bytes.len() as u64), end)
}

/// An error where lists that belong together have different lengths.
fn check_lengths(tags: &[(Tag, usize)]) -> Result<(), String> {
    let [(first, length), others @ ..] = tags else { return Ok(()) };
    match others.iter().find(|(_, other)| other != length) {
        None => Ok(()),
        Some((tag, other)) => {
            let name = |tag: &Tag| tag.name().unwrap_or_default();
            Err(format!("its header has {length} of {} and {other} of {}", name(first), name(tag)))
        }
    }
}

fn dependencies(
    header: &Header,
    files: &[RecordFile],
) -> Result<Vec<(Relation, Vec<RecordDependency>)>, String> {
    let own: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    let mut all = Vec::new();
    for (relation, names, flags, versions) in RELATIONS {
        all.push((relation, read_dependencies(header, (names, flags, versions))?));
    }
    let provided: BTreeSet<Dependency> = all
        .iter()
        .filter(|(relation, _)| *relation == Relation::Provides)
        .flat_map(|(_, list)| list.iter().map(|entry| entry.dependency.clone()))
        .collect();
    let is_own =
        |dependency: &Dependency| own.contains(dependency.name.as_str()) || provided.contains(dependency);
    for (_, list) in all.iter_mut().filter(|(relation, _)| *relation == Relation::Requires) {
        list.retain(|entry| !entry.dependency.is_rpmlib() && !is_own(&entry.dependency));
    }
    Ok(all)
}

/// Each dependency once, in the order of the header.
fn read_dependencies(
    header: &Header,
    (names, flags, versions): (Tag, Tag, Tag),
) -> Result<Vec<RecordDependency>, String> {
    let (name_list, flag_list, version_list) =
        (header.texts(names), header.numbers(flags), header.texts(versions));
    // Very old packages have provides without versions.
    if !flag_list.is_empty() || !version_list.is_empty() {
        let lengths = [(names, name_list.len()), (flags, flag_list.len()), (versions, version_list.len())];
        check_lengths(&lengths)?;
    }
    let empty = BString::default();
    let mut seen = BTreeSet::new();
    let entries = name_list.iter().enumerate().map(|(index, name)| {
        let flags = flag_list.get(index).copied().unwrap_or_default();
        let version = text_of(version_list.get(index).unwrap_or(&empty));
        let sense = u32::try_from(flags).unwrap_or_default();
        RecordDependency {
            dependency: Dependency::from_fields(&text_of(name), sense, &version),
            before: flags & NEEDED_BEFORE != 0,
        }
    });
    Ok(entries.filter(|entry| seen.insert(entry.clone())).collect())
}

fn files(header: &Header) -> Result<Vec<RecordFile>, String> {
    let (base, folder) = (Tag::BASENAMES, Tag::DIRNAMES);
    let (index, mode, flag) = (Tag::DIRINDEXES, Tag::FILEMODES, Tag::FILEFLAGS);
    let (names, folders) = (header.texts(base), header.texts(folder));
    let (indexes, modes, flags) = (header.numbers(index), header.numbers(mode), header.numbers(flag));
    let lengths = [(base, names.len()), (index, indexes.len()), (mode, modes.len()), (flag, flags.len())];
    check_lengths(&lengths)?;
    let numbers = indexes.iter().zip(modes).zip(flags);
    let record = |(name, ((index, mode), flags)): (&BString, ((&u64, &u64), &u64))| {
        let folder = usize::try_from(*index).ok().and_then(|index| folders.get(index));
        let folder =
            folder.ok_or_else(|| format!("its file `{name}` is in a folder that DIRNAMES has not"))?;
        let kind = match (mode & TYPE_MASK == FOLDER, flags & GHOST != 0) {
            (true, _) => FileKind::Folder,
            (false, true) => FileKind::Ghost,
            (false, false) => FileKind::File,
        };
        Ok(RecordFile { path: text_of(folder) + &text_of(name), kind })
    };
    names.iter().zip(numbers).map(record).collect()
}

/// The newest entries, the oldest of them first.
fn changelog(header: &Header) -> Result<Vec<ChangelogEntry>, String> {
    let (names, texts) = (header.texts(Tag::CHANGELOG_NAME), header.texts(Tag::CHANGELOG_TEXT));
    let times = header.numbers(Tag::CHANGELOG_TIME);
    check_lengths(&[
        (Tag::CHANGELOG_TIME, times.len()),
        (Tag::CHANGELOG_NAME, names.len()),
        (Tag::CHANGELOG_TEXT, texts.len()),
    ])?;
    let entries = times.iter().zip(names).zip(texts).take(CHANGELOG_LIMIT);
    let mut newest: Vec<ChangelogEntry> = entries
        .map(|((date, author), text)| ChangelogEntry {
            author: text_of(author),
            date: *date,
            text: text_of(text),
        })
        .collect();
    newest.reverse();
    Ok(newest)
}
