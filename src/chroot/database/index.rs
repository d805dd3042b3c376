//! What packages are looked up by: rpm's secondary indices (its `tag2index`).

use super::rich_names::rich_names;
use crate::package::{Headers, Item, Tag};

/// What the keys of an index are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Texts.
    Text,
    /// Numbers or bytes.
    Bytes,
}

/// Whether a tag has one value or several: an index of several is also looked up by package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Values {
    One,
    Several,
}

/// An index.
pub(super) struct Index {
    /// The name of its table.
    pub table: &'static str,
    tag: Tag,
    pub keys: Keys,
    pub values: Values,
}

/// One row of an index: a key, and the place of its value in the tag.
pub(super) type IndexRow = (Vec<u8>, u32);

/// All indices, in the order in which rpm makes their tables.
pub(super) const INDICES: [Index; 18] = [
    Index { table: "Name", tag: Tag::NAME, keys: Keys::Text, values: Values::One },
    Index { table: "Basenames", tag: Tag::BASENAMES, keys: Keys::Text, values: Values::Several },
    Index { table: "Group", tag: Tag::GROUP, keys: Keys::Text, values: Values::One },
    Index { table: "Requirename", tag: Tag::REQUIRENAME, keys: Keys::Text, values: Values::Several },
    Index { table: "Providename", tag: Tag::PROVIDENAME, keys: Keys::Text, values: Values::Several },
    Index { table: "Conflictname", tag: Tag::CONFLICTNAME, keys: Keys::Text, values: Values::Several },
    Index { table: "Obsoletename", tag: Tag::OBSOLETENAME, keys: Keys::Text, values: Values::Several },
    Index { table: "Triggername", tag: Tag::TRIGGERNAME, keys: Keys::Text, values: Values::Several },
    Index { table: "Dirnames", tag: Tag::DIRNAMES, keys: Keys::Text, values: Values::Several },
    Index { table: "Installtid", tag: Tag::INSTALLTID, keys: Keys::Bytes, values: Values::One },
    Index { table: "Sigmd5", tag: Tag::SIGMD5, keys: Keys::Bytes, values: Values::One },
    Index { table: "Sha1header", tag: Tag::SHA1HEADER, keys: Keys::Text, values: Values::One },
    Index { table: "Filetriggername", tag: Tag::FILETRIGGERNAME, keys: Keys::Text, values: Values::Several },
    Index {
        table: "Transfiletriggername",
        tag: Tag::TRANSFILETRIGGERNAME,
        keys: Keys::Text,
        values: Values::Several,
    },
    Index { table: "Recommendname", tag: Tag::RECOMMENDNAME, keys: Keys::Text, values: Values::Several },
    Index { table: "Suggestname", tag: Tag::SUGGESTNAME, keys: Keys::Text, values: Values::Several },
    Index { table: "Supplementname", tag: Tag::SUPPLEMENTNAME, keys: Keys::Text, values: Values::Several },
    Index { table: "Enhancename", tag: Tag::ENHANCENAME, keys: Keys::Text, values: Values::Several },
];

/// The group of a package that has none.
const NO_GROUP: &[u8] = b"Unknown";

/// Indices whose names may be rich dependencies, which are found by each name in them as well.
const RICH: [Tag; 6] = [
    Tag::REQUIRENAME,
    Tag::CONFLICTNAME,
    Tag::SUGGESTNAME,
    Tag::SUPPLEMENTNAME,
    Tag::RECOMMENDNAME,
    Tag::ENHANCENAME,
];

impl Index {
    /// The rows of a package, which was installed in the transaction of that number.
    pub fn rows(&self, headers: &Headers, transaction: u32) -> Vec<IndexRow> {
        let header = &headers.header;
        match self.tag {
            // rpm writes numbers as the machine has them.
            Tag::INSTALLTID => vec![(transaction.to_ne_bytes().to_vec(), 0)],
            Tag::SIGMD5 | Tag::SHA1HEADER => {
                let merged = headers.merged_signatures().into_iter().find(|(tag, _)| *tag == self.tag);
                merged.and_then(|(_, value)| Some((bytes(value.item(0)?)?, 0))).into_iter().collect()
            }
            Tag::NAME => vec![(header.text(Tag::NAME).unwrap_or_default().to_vec(), 0)],
            Tag::GROUP => {
                let group = header.text(Tag::GROUP).map_or(NO_GROUP.to_vec(), |group| group.to_vec());
                vec![(group, 0)]
            }
            Tag::REQUIRENAME => {
                let flags = header.numbers(Tag::REQUIREFLAGS);
                let is_lasting = |at: usize| flags.get(at).is_none_or(|flags| !is_transient(*flags));
                with_rich_names(number_texts(headers, self.tag).filter(|(_, at)| is_lasting(*at)))
            }
            Tag::TRIGGERNAME => {
                let names = header.texts(Tag::TRIGGERNAME);
                let is_first =
                    |at: usize| names.iter().position(|name| Some(name) == names.get(at)) == Some(at);
                plain(number_texts(headers, self.tag).filter(|(_, at)| is_first(*at)))
            }
            Tag::FILETRIGGERNAME => with_triggers(headers, self.tag, Tag::FILETRIGGERINDEX),
            Tag::TRANSFILETRIGGERNAME => with_triggers(headers, self.tag, Tag::TRANSFILETRIGGERINDEX),
            tag if RICH.contains(&tag) => with_rich_names(number_texts(headers, tag)),
            tag => plain(number_texts(headers, tag)),
        }
    }
}

fn bytes(item: Item<'_>) -> Option<Vec<u8>> {
    match item {
        Item::Text(text) => Some(text.to_vec()),
        Item::Bytes(bytes) => Some(bytes.to_vec()),
        Item::Number(_) => None,
    }
}

/// The texts of a tag, with their places.
fn number_texts(headers: &Headers, tag: Tag) -> impl Iterator<Item = (&[u8], usize)> {
    headers.header.texts(tag).iter().enumerate().map(|(at, text)| (text.as_slice(), at))
}

/// A place among values, as it is stored: no header has more of them.
fn place(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn plain<'h>(texts: impl Iterator<Item = (&'h [u8], usize)>) -> Vec<IndexRow> {
    texts.map(|(text, at)| (text.to_vec(), place(at))).collect()
}

fn with_rich_names<'h>(texts: impl Iterator<Item = (&'h [u8], usize)>) -> Vec<IndexRow> {
    let mut rows = Vec::new();
    for (text, at) in texts {
        rows.push((text.to_vec(), place(at)));
        if text.starts_with(b"(") {
            rows.extend(rich_names(text).into_iter().map(|name| (name, place(at))));
        }
    }
    rows
}

/// File triggers are found by their numbers, of which one may have several prefixes.
fn with_triggers(headers: &Headers, tag: Tag, numbers: Tag) -> Vec<IndexRow> {
    let numbers = headers.header.numbers(numbers);
    number_texts(headers, tag)
        .map(|(text, at)| {
            (
                text.to_vec(),
                numbers.get(at).and_then(|number| u32::try_from(*number).ok()).unwrap_or_default(),
            )
        })
        .collect()
}

/// `%pre` and its like, rpm's own features, keys, `%pretrans` and `%posttrans` (`RPMSENSE_SCRIPT_PRE`, `_SCRIPT_POST`,
/// `_RPMLIB`, `_KEYRING`, `_PRETRANS`, `_POSTTRANS`).
const INSTALLING: u64 = 1 << 9 | 1 << 10 | 1 << 24 | 1 << 26 | 1 << 7 | 1 << 5;

/// `%preun` and its like (`RPMSENSE_SCRIPT_PREUN`, `_SCRIPT_POSTUN`, `_PREUNTRANS`, `_POSTUNTRANS`), and `meta`.
const REMOVING_OR_META: u64 = 1 << 11 | 1 << 12 | 1 << 20 | 1 << 21 | 1 << 29;

/// Whether a requirement counts while its package is installed, and not afterwards.
fn is_transient(flags: u64) -> bool {
    flags & INSTALLING != 0 && flags & REMOVING_OR_META == 0
}
