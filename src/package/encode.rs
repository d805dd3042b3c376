//! Headers as bytes: how they stand in packages.
//!
//! A header is 16 bytes of introduction (magic `8e ad e8 01`, 4 reserved bytes, the number of entries, the size of the data),
//! 16 bytes an entry (tag, type, offset, count; 32 bits each, big endian) and the data, numbers aligned to their size. The
//! first entry is the region: it spans all others, and its 16 bytes stand last among the data (rpm's
//! docs/manual/format_header.md).

use super::header::Value;
use super::tag::{Kind, Tag};
use super::{Header, header};

/// Which header of a package it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Region {
    /// The one that says what the package is: nothing in it changes any more.
    Immutable,
    /// The one before it, with digests and signatures of it.
    Signatures,
}

impl Region {
    /// The tag of its region.
    pub(super) fn tag(self) -> u32 {
        match self {
            Self::Signatures => 62,
            Self::Immutable => 63,
        }
    }
}

/// An entry: its tag, its kind, its value. The tags of signature headers have a meaning of their own.
pub(super) type HeaderEntry<'v> = (u32, Kind, &'v Value);

/// The type of a region: bytes.
const REGION_TYPE: u32 = 7;

/// The size of what describes an entry.
const ENTRY_SIZE: u32 = 16;

impl Header {
    /// Its bytes, as the immutable region of a package.
    pub fn encode(&self) -> Vec<u8> {
        encode(Region::Immutable, self.iter().map(|(tag, value)| (tag.0, stored_kind(tag, value), value)))
    }
}

/// The kind that a value is stored as: a tag that has texts may hold one as such.
fn stored_kind(tag: Tag, value: &Value) -> Kind {
    match (tag.kind(), value) {
        (Kind::Localized, Value::Localized(_)) => Kind::Localized,
        (Kind::Texts, value) if value.len() == 1 && is_program(tag) => Kind::Text,
        (Kind::Texts | Kind::Localized, _) => Kind::Texts,
        (Kind::Text, Value::Texts(_) | Value::Localized(_)) => Kind::Texts,
        (kind, _) => kind,
    }
}

/// Whether a tag is the program of a script, with its options: without any, it is a mere text.
fn is_program(tag: Tag) -> bool {
    tag.name().is_some_and(|name| name.ends_with("PROG") && !name.contains("TRIGGER"))
}

/// The bytes of a header; entries come in the order of their tags.
pub(super) fn encode<'v>(region: Region, entries: impl Iterator<Item = HeaderEntry<'v>>) -> Vec<u8> {
    let (mut index, mut data, mut count) = (Vec::new(), Vec::new(), 1_u32);
    for (tag, kind, value) in entries {
        pad(&mut data, width(kind));
        let entry = [tag, type_number(kind), length(&data), items(value)];
        index.extend(entry.into_iter().flat_map(u32::to_be_bytes));
        put(&mut data, kind, value);
        count = count.saturating_add(1);
    }
    let trailer_at = length(&data);
    let back = count.saturating_mul(ENTRY_SIZE).wrapping_neg();
    data.extend([region.tag(), REGION_TYPE, back, ENTRY_SIZE].into_iter().flat_map(u32::to_be_bytes));
    let first = [region.tag(), REGION_TYPE, trailer_at, ENTRY_SIZE].into_iter().flat_map(u32::to_be_bytes);
    let mut bytes = vec![0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];
    bytes.extend([count, length(&data)].into_iter().flat_map(u32::to_be_bytes));
    bytes.extend(first);
    bytes.extend(index);
    bytes.extend(data);
    bytes
}

pub(super) fn length(data: &[u8]) -> u32 {
    u32::try_from(data.len()).unwrap_or(u32::MAX)
}

pub(super) fn items(value: &Value) -> u32 {
    let items = match value {
        header::Value::Bytes(bytes) => bytes.len(),
        header::Value::Text(_)
        | header::Value::Texts(_)
        | header::Value::Localized(_)
        | header::Value::Numbers(_) => value.len(),
    };
    u32::try_from(items).unwrap_or(u32::MAX)
}

/// The number of a type in a header.
pub(super) fn type_number(kind: Kind) -> u32 {
    match kind {
        Kind::Int8 => 2,
        Kind::Int16 => 3,
        Kind::Int32 => 4,
        Kind::Int64 => 5,
        Kind::Text => 6,
        Kind::Bytes => 7,
        Kind::Texts => 8,
        Kind::Localized => 9,
    }
}

/// How many bytes a number has; 1 for what is no number.
pub(super) fn width(kind: Kind) -> usize {
    match kind {
        Kind::Int16 => 2,
        Kind::Int32 => 4,
        Kind::Int64 => 8,
        Kind::Int8 | Kind::Text | Kind::Bytes | Kind::Texts | Kind::Localized => 1,
    }
}

pub(super) fn pad(data: &mut Vec<u8>, to: usize) {
    data.resize(data.len().next_multiple_of(to), 0);
}

pub(super) fn put(data: &mut Vec<u8>, kind: Kind, value: &Value) {
    match value {
        Value::Bytes(bytes) => data.extend_from_slice(bytes),
        Value::Text(text) => put_text(data, text),
        Value::Texts(texts) | Value::Localized(texts) => texts.iter().for_each(|text| put_text(data, text)),
        Value::Numbers(numbers) => {
            let skipped = 8_usize.saturating_sub(width(kind));
            for number in numbers {
                data.extend(number.to_be_bytes().into_iter().skip(skipped));
            }
        }
    }
}

/// A text ends with a zero byte, and can't hold one.
fn put_text(data: &mut Vec<u8>, text: &[u8]) {
    data.extend(text.iter().copied().take_while(|byte| *byte != 0));
    data.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_aligned_and_the_region_spans_all() {
        let mut header = Header::default();
        header.set_text(Tag::NAME, "ab");
        header.set_number(Tag::EPOCH, 7);
        let bytes = header.encode();
        // Name at 0, three bytes; epoch aligned to 4.
        assert_eq!(bytes.get(32..36), Some(1000_u32.to_be_bytes().as_slice()));
        assert_eq!(bytes.get(56..60), Some(4_u32.to_be_bytes().as_slice()));
        assert_eq!(bytes.get(64..72), Some(b"ab\0\0\0\0\0\x07".as_slice()));
        assert_eq!(bytes.get(72..80), Some([0, 0, 0, 63, 0, 0, 0, 7].as_slice()));
        assert_eq!(bytes.get(80..84), Some((-48_i32).to_be_bytes().as_slice()));
    }
}
