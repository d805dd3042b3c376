//! The files of two packages, compared by their paths.

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::header::{Header, Value};
use super::super::tag::Tag;
use super::contents::ContentChange;

/// Files that differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileChanges {
    /// Those that only the first package has.
    pub removed: Vec<String>,
    /// Those that only the second one has.
    pub added: Vec<String>,
    /// Those that both have, each of them otherwise.
    pub changed: Vec<FileChange>,
}

/// A file that both packages have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FileChange {
    /// Its path.
    pub path: String,
    /// What differs.
    pub attributes: Vec<AttributeChange>,
    /// What differs within, where that was looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contents: Vec<ContentChange>,
}

/// What differs of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AttributeChange {
    /// `mode`, `digest` …
    pub attribute: String,
    /// Whether it only tells when the file was made.
    pub volatile: bool,
    /// The first package's.
    pub before: String,
    /// The second one's.
    pub after: String,
}

/// When a file was made.
const MODIFIED: &str = "modified";

impl FileChanges {
    /// Whether only times differ.
    pub fn is_volatile(&self) -> bool {
        let mut attributes = self.changed.iter().flat_map(|change| &change.attributes);
        self.removed.is_empty() && self.added.is_empty() && attributes.all(|change| change.volatile)
    }

    /// Whether times differ.
    pub fn has_other_times(&self) -> bool {
        let mut attributes = self.changed.iter().flat_map(|change| &change.attributes);
        attributes.any(|change| change.attribute == MODIFIED)
    }
}

/// What is said of each file: the attribute's name, and the tag that has it.
const ATTRIBUTES: [(&str, Tag); 13] = [
    ("mode", Tag::FILEMODES),
    ("user", Tag::FILEUSERNAME),
    ("group", Tag::FILEGROUPNAME),
    ("size", Tag::FILESIZES),
    ("size", Tag::LONGFILESIZES),
    ("digest", Tag::FILEDIGESTS),
    ("link", Tag::FILELINKTOS),
    ("flags", Tag::FILEFLAGS),
    ("verified", Tag::FILEVERIFYFLAGS),
    ("device", Tag::FILERDEVS),
    ("languages", Tag::FILELANGS),
    ("capabilities", Tag::FILECAPS),
    ("color", Tag::FILECOLORS),
];

/// Tags that say together what a file is, by numbers of a list.
const LISTED: [(&str, Tag, Tag); 2] =
    [("class", Tag::FILECLASS, Tag::CLASSDICT), ("type", Tag::FILEMIMEINDEX, Tag::MIMEDICT)];

/// Tags whose numbers mean nothing alone.
const OTHERS: [Tag; 10] = [
    Tag::DIRNAMES,
    Tag::BASENAMES,
    Tag::DIRINDEXES,
    Tag::OLDFILENAMES,
    Tag::FILEMTIMES,
    Tag::FILEINODES,
    Tag::FILEDEVICES,
    Tag::FILEDEPENDSX,
    Tag::FILEDEPENDSN,
    Tag::DEPENDSDICT,
];

type Files = BTreeMap<String, BTreeMap<&'static str, String>>;

/// Compares the files of two headers, and notes the tags that this deals with.
pub(super) fn changes(old: &Header, new: &Header, seen: &mut BTreeSet<Tag>) -> FileChanges {
    let tags = ATTRIBUTES.iter().map(|(_, tag)| *tag).chain(OTHERS);
    let tags = tags.chain(LISTED.iter().flat_map(|(_, index, list)| [*index, *list]));
    seen.extend(tags);
    let (before, after) = (files(old), files(new));
    let removed = before.keys().filter(|path| !after.contains_key(*path)).cloned().collect();
    let added = after.keys().filter(|path| !before.contains_key(*path)).cloned().collect();
    let both = before.iter().filter_map(|(path, old)| Some((path, old, after.get(path)?)));
    let changed = both.filter_map(|(path, old, new)| file_change(path, old, new)).collect();
    FileChanges { removed, added, changed }
}

fn file_change(
    path: &str,
    old: &BTreeMap<&'static str, String>,
    new: &BTreeMap<&'static str, String>,
) -> Option<FileChange> {
    let names: BTreeSet<&str> = old.keys().chain(new.keys()).copied().collect();
    let change = |name: &str| {
        let (before, after) = (old.get(name).cloned(), new.get(name).cloned());
        (before != after).then(|| AttributeChange {
            attribute: name.to_owned(),
            volatile: name == MODIFIED,
            before: before.unwrap_or_default(),
            after: after.unwrap_or_default(),
        })
    };
    let attributes: Vec<AttributeChange> = names.into_iter().filter_map(change).collect();
    (!attributes.is_empty()).then(|| FileChange { path: path.to_owned(), attributes, contents: Vec::new() })
}

/// All files with what is said of them.
fn files(header: &Header) -> Files {
    let paths = paths(header);
    let mut files: Files = paths.iter().map(|path| (path.clone(), BTreeMap::new())).collect();
    let mut set = |name: &'static str, values: &dyn Fn(usize) -> Option<String>| {
        for (index, path) in paths.iter().enumerate() {
            if let (Some(file), Some(value)) = (files.get_mut(path), values(index)) {
                file.insert(name, value);
            }
        }
    };
    for (name, tag) in ATTRIBUTES {
        if let Some(value) = header.get(tag) {
            set(name, &|index| item(name, value, index));
        }
    }
    for (name, index_tag, list_tag) in LISTED {
        let (numbers, words) = (header.numbers(index_tag), header.texts(list_tag));
        set(name, &|index| {
            let number = usize::try_from(*numbers.get(index)?).ok()?;
            words.get(number).map(|word| word.to_str_lossy().into_owned())
        });
    }
    let times = header.numbers(Tag::FILEMTIMES);
    set(MODIFIED, &|index| times.get(index).map(u64::to_string));
    // Inodes are only numbers: which files are one says more.
    let inodes = header.numbers(Tag::FILEINODES);
    set("linked", &|index| {
        let inode = inodes.get(index)?;
        let first = inodes.iter().position(|other| other == inode)?;
        let is_link = inodes.iter().filter(|other| *other == inode).count() > 1;
        is_link.then(|| paths.get(first).cloned()).flatten()
    });
    set("depends", &|index| depends(header, index));
    files
}

fn paths(header: &Header) -> Vec<String> {
    let folders = header.texts(Tag::DIRNAMES);
    let names = header.texts(Tag::BASENAMES).iter().zip(header.numbers(Tag::DIRINDEXES));
    let path = |(name, folder): (&bstr::BString, &u64)| {
        let folder = usize::try_from(*folder).ok().and_then(|folder| folders.get(folder));
        let folder = folder.map(|folder| folder.to_str_lossy().into_owned()).unwrap_or_default();
        format!("{folder}{}", name.to_str_lossy())
    };
    names.map(path).collect()
}

fn item(name: &str, value: &Value, index: usize) -> Option<String> {
    match value {
        Value::Numbers(numbers) => numbers.get(index).map(|number| match name {
            "mode" => format!("{number:06o}"),
            "flags" | "verified" => format!("{number:#x}"),
            _ => number.to_string(),
        }),
        Value::Texts(texts) | Value::Localized(texts) => {
            texts.get(index).map(|text| text.to_str_lossy().into_owned())
        }
        Value::Text(text) => (index == 0).then(|| text.to_str_lossy().into_owned()),
        Value::Bytes(_) => None,
    }
}

/// What a file depends on and provides, by the header's dictionary.
fn depends(header: &Header, index: usize) -> Option<String> {
    let start = usize::try_from(*header.numbers(Tag::FILEDEPENDSX).get(index)?).ok()?;
    let count = usize::try_from(*header.numbers(Tag::FILEDEPENDSN).get(index)?).ok()?;
    let entries = header.numbers(Tag::DEPENDSDICT).get(start..start.checked_add(count)?)?;
    let mut words: Vec<String> = entries.iter().filter_map(|entry| entry_words(header, *entry)).collect();
    words.sort();
    words.dedup();
    Some(words.join(", "))
}

fn entry_words(header: &Header, entry: u64) -> Option<String> {
    let (letter, names) = match u8::try_from(entry >> 24).ok()? {
        b'P' => ("provides", Tag::PROVIDENAME),
        b'R' => ("requires", Tag::REQUIRENAME),
        b'r' => ("recommends", Tag::RECOMMENDNAME),
        b's' => ("suggests", Tag::SUGGESTNAME),
        b'S' => ("supplements", Tag::SUPPLEMENTNAME),
        b'e' => ("enhances", Tag::ENHANCENAME),
        b'C' => ("conflicts", Tag::CONFLICTNAME),
        b'O' => ("obsoletes", Tag::OBSOLETENAME),
        b'o' => ("order", Tag::ORDERNAME),
        _ => return None,
    };
    let name = header.texts(names).get(usize::try_from(entry & 0x00ff_ffff).ok()?)?;
    Some(format!("{letter} {name}"))
}
