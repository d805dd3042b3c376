//! The headers of a package file, read: what `check` has found sound, made values.

use std::collections::BTreeMap;
use std::io::Read;

use bstr::BString;

use super::check::value_length;
use super::header::Value;
use super::tag::Tag;
use super::{Header, HeaderError, check};

/// What stands before the payload of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The major version in its lead: 3 of format 4, 4 of format 6.
    pub lead_major: u8,
    /// Whether the lead says that it is a source package.
    pub is_source: bool,
    /// The entries of the signature header, which have tags of their own.
    pub signatures: Vec<(u32, Value)>,
    /// What the package says of itself.
    pub header: Header,
    /// The types that its values are stored as (rpm's `rpmTagType`), by their tags. The last entry of a tag is its value.
    pub types: BTreeMap<u32, u32>,
    /// The bytes of that header, which its digests are of.
    pub header_bytes: Vec<u8>,
    /// How many bytes stand before the payload.
    pub payload_offset: u64,
}

const LEAD_SIZE: usize = 96;
const INTRODUCTION_SIZE: usize = 16;
const ENTRY_SIZE: usize = 16;

/// Reads the headers of a package; `reader` stands at the payload afterwards.
///
/// # Errors
/// They break rpm's limits, or can't be read.
pub fn read_headers(reader: &mut impl Read) -> Result<Headers, HeaderError> {
    let bytes = check(reader)?;
    let mut at = LEAD_SIZE;
    let (signatures, length) = entries(bytes.get(at..).unwrap_or_default());
    at = at.saturating_add(length).next_multiple_of(8);
    let header_bytes = bytes.get(at..).unwrap_or_default();
    let (main, _) = entries(header_bytes);
    let mut header = Header::default();
    for (tag, value) in main {
        header.set(Tag(tag), value);
    }
    Ok(Headers {
        lead_major: bytes.get(4).copied().unwrap_or_default(),
        is_source: bytes.get(7) == Some(&1),
        signatures,
        header,
        types: types(header_bytes),
        header_bytes: header_bytes.to_vec(),
        payload_offset: bytes.len() as u64,
    })
}

/// The tags of a header with the types of their values, its region aside.
fn types(bytes: &[u8]) -> BTreeMap<u32, u32> {
    let data_at = INTRODUCTION_SIZE.saturating_add(number(bytes, 8).saturating_mul(ENTRY_SIZE));
    let index = bytes.get(INTRODUCTION_SIZE..data_at).unwrap_or_default();
    let field = |entry: &[u8], at| u32::try_from(number(entry, at)).unwrap_or_default();
    let entries = index.chunks_exact(ENTRY_SIZE).map(|entry| (field(entry, 0), field(entry, 4)));
    entries.filter(|(tag, _)| !(61..=63).contains(tag)).collect()
}

/// A header as rpm's database holds it: without the first 8 bytes. Nothing where it is none.
pub fn decode_header(bytes: &[u8]) -> Option<Header> {
    let whole = [[0; 8].as_slice(), bytes].concat();
    let (all, length) = entries(&whole);
    if length > whole.len() {
        return None;
    }
    let mut header = Header::default();
    all.into_iter().for_each(|(tag, value)| header.set(Tag(tag), value));
    Some(header)
}

/// The entries of a header, its region aside, and its length.
fn entries(bytes: &[u8]) -> (Vec<(u32, Value)>, usize) {
    let count = number(bytes, 8);
    let size = number(bytes, 12);
    let data_at = INTRODUCTION_SIZE.saturating_add(count.saturating_mul(ENTRY_SIZE));
    let index = bytes.get(INTRODUCTION_SIZE..data_at).unwrap_or_default();
    let data = bytes.get(data_at..).unwrap_or_default();
    // Entries that share bytes could ask for any amount of memory.
    let mut left = data.len();
    let entries = index.chunks_exact(ENTRY_SIZE).filter_map(|entry| {
        let tag = u32::try_from(number(entry, 0)).ok()?;
        let kind = u32::try_from(number(entry, 4)).ok()?;
        let (offset, count) = (number(entry, 8), number(entry, 12));
        let is_region = (61..=63).contains(&tag);
        let data = data.get(offset..)?;
        left = left.checked_sub(value_length(data, kind, count)?)?;
        let value = value(data, kind, count)?;
        (!is_region).then_some((tag, value))
    });
    (entries.collect(), data_at.saturating_add(size))
}

fn number(bytes: &[u8], at: usize) -> usize {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    field.map_or(0, |field| usize::try_from(u32::from_be_bytes(*field)).unwrap_or(usize::MAX))
}

fn value(data: &[u8], kind: u32, count: usize) -> Option<Value> {
    let numbers = |width: usize| {
        let bytes = data.get(..count.checked_mul(width)?)?;
        let number = |chunk: &[u8]| chunk.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Some(Value::Numbers(bytes.chunks_exact(width).map(number).collect()))
    };
    let texts = || data.split(|byte| *byte == 0).take(count).map(BString::from).collect::<Vec<_>>();
    match kind {
        1 | 2 => numbers(1),
        3 => numbers(2),
        4 => numbers(4),
        5 => numbers(8),
        6 => texts().pop().map(Value::Text),
        7 => Some(Value::Bytes(data.get(..count)?.to_vec())),
        8 => Some(Value::Texts(texts())),
        9 => Some(Value::Localized(texts())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(entries: &[[u32; 4]], store: &[u8]) -> Vec<u8> {
        let lengths = [entries.len(), store.len()].map(|length| u32::try_from(length).unwrap().to_be_bytes());
        let index = entries.iter().flatten().flat_map(|field| field.to_be_bytes());
        [0; 8].into_iter().chain(lengths.concat()).chain(index).chain(store.iter().copied()).collect()
    }

    #[test]
    fn a_tag_given_twice_has_the_value_and_the_type_of_its_last_entry() {
        let bytes = header(&[[1000, 6, 0, 1], [1000, 8, 2, 1]], b"a\0b\0");
        assert_eq!(types(&bytes), BTreeMap::from([(1000, 8)]));
        let header = decode_header(&bytes[8..]).unwrap();
        assert_eq!(header.get(Tag(1000)), Some(&Value::Texts(vec!["b".into()])));
    }

    #[test]
    fn entries_that_share_bytes_cost_no_memory() {
        let bytes = header(&[[1000, 8, 0, 2], [1001, 8, 0, 2]], b"a\0b\0");
        let header = decode_header(&bytes[8..]).unwrap();
        assert!(header.get(Tag(1000)).is_some());
        assert_eq!(header.get(Tag(1001)), None);
    }
}
