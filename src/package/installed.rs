//! A package's header as rpm's database holds it.
//!
//! It is the header of the package file without its magic, the immutable region untouched, so that its digests and
//! signatures can be checked for as long as the package is installed. What comes with installation stands after the
//! region, in the order of the tags: the entries of the signature header under tags of the main one, and when and how the
//! package was installed (rpm's `headerMergeLegacySigs`, `dbAdd`, `headerExport`).

use std::collections::BTreeMap;

use super::decode::{Headers, decode_header};
use super::encode::{items, length, pad, put, type_number, width};
use super::header::Value;
use super::tag::{Kind, Tag};

/// The tag of an immutable region.
const REGION: u32 = 63;

/// What a header begins with in a package file.
const HEADER_MAGIC: [u8; 8] = [0x8e, 0xad, 0xe8, 0x01, 0, 0, 0, 0];

/// How long the numbers of entries and of bytes are.
const INTRODUCTION_SIZE: usize = 8;

/// How long an entry is.
const ENTRY_SIZE: usize = 16;

/// The type of characters, which nothing but the states of files has (`RPM_CHAR_TYPE`); to anything else they are numbers of
/// 8 bits.
const CHARACTERS: u32 = 1;

/// Tags of signature headers that have another number in the main one (`RPMSIGTAG_*`). All others from
/// [`FIRST_SIGNATURE`] on keep theirs.
const TRANSLATED: [(u32, Tag); 7] = [
    (274, Tag::FILESIGNATURES),
    (275, Tag::FILESIGNATURELENGTH),
    (1000, Tag::SIGSIZE),
    (1002, Tag::SIGPGP),
    (1004, Tag::SIGMD5),
    (1005, Tag::SIGGPG),
    (1007, Tag::ARCHIVESIZE),
];

/// Tags of signature headers that mean the same in the main one.
const KEPT: [Tag; 10] = [
    Tag::DSAHEADER,
    Tag::RSAHEADER,
    Tag::SHA1HEADER,
    Tag::LONGSIGSIZE,
    Tag::LONGARCHIVESIZE,
    Tag::SHA256HEADER,
    Tag::VERITYSIGNATURES,
    Tag::VERITYSIGNATUREALGO,
    Tag::OPENPGP,
    Tag::SHA3_256HEADER,
];

/// The first tag that only packages of format 4 have in their signature header: rpm leaves it out with newer ones.
const FIRST_OLD_SIGNATURE: u32 = 1000;

impl Headers {
    /// What its signature header becomes in the main one of an installed package, in the order of the tags.
    pub fn merged_signatures(&self) -> Vec<(Tag, &Value)> {
        let is_new = self.header.numbers(Tag::RPM_FORMAT).first().is_some_and(|format| *format >= 6);
        let merged = |(number, value): &'_ (u32, Value)| -> Option<Tag> {
            if is_new && *number >= FIRST_OLD_SIGNATURE {
                return None;
            }
            let translated = TRANSLATED.iter().find(|(from, _)| from == number).map(|(_, tag)| *tag);
            let tag = translated.or_else(|| KEPT.into_iter().find(|tag| tag.0 == *number))?;
            (has_kind(value, tag.kind()) && !self.header.has(tag)).then_some(tag)
        };
        let entries = self.signatures.iter();
        let mut all: Vec<_> = entries.filter_map(|entry| Some((merged(entry)?, &entry.1))).collect();
        all.sort_by_key(|(tag, _)| *tag);
        all.dedup_by_key(|(tag, _)| *tag);
        all
    }

    /// What a header in rpm's database says. Which of its tags its package brought in the signature header is not known any
    /// more. Nothing where it is none.
    pub fn from_installed(bytes: &[u8]) -> Option<Self> {
        Some(Self {
            lead_major: 3,
            is_source: false,
            signatures: Vec::new(),
            header: decode_header(bytes)?,
            types: BTreeMap::new(),
            header_bytes: [HEADER_MAGIC.as_slice(), bytes].concat(),
            payload_offset: 0,
        })
    }

    /// The bytes of its header in rpm's database, with `added` for what comes with installation. Nothing where it has no
    /// immutable region, as packages of format 3: their headers would have to be made anew.
    pub fn encode_installed(&self, added: &[(Tag, Value)]) -> Option<Vec<u8>> {
        let mut entries = self.merged_signatures();
        entries.extend(added.iter().map(|(tag, value)| (*tag, value)));
        entries.sort_by_key(|(tag, _)| *tag);
        let header = self.header_bytes.get(HEADER_MAGIC.len()..)?;
        let [count, size] = [number(header, 0)?, number(header, 4)?];
        let data_at = INTRODUCTION_SIZE.checked_add(count.checked_mul(ENTRY_SIZE)?)?;
        let (index, data) = (header.get(INTRODUCTION_SIZE..data_at)?, header.get(data_at..)?);
        if number(index, 0) != usize::try_from(REGION).ok() || data.len() < size {
            return None;
        }
        let (mut index, mut data) = (index.to_vec(), data.get(..size)?.to_vec());
        for (tag, value) in &entries {
            let kind = tag.kind();
            pad(&mut data, width(kind));
            let number = if *tag == Tag::FILESTATES { CHARACTERS } else { type_number(kind) };
            let entry = [tag.0, number, length(&data), items(value)];
            index.extend(entry.into_iter().flat_map(u32::to_be_bytes));
            put(&mut data, kind, value);
        }
        let lengths = [count.checked_add(entries.len())?, data.len()];
        let lengths = lengths.map(|length| u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        Some([lengths.concat(), index, data].concat())
    }
}

/// Whether a value is of a kind: rpm takes no other one.
fn has_kind(value: &Value, kind: Kind) -> bool {
    match (value, kind) {
        (Value::Text(_), Kind::Text)
        | (Value::Texts(_), Kind::Texts)
        | (Value::Localized(_), Kind::Localized)
        | (Value::Bytes(_), Kind::Bytes)
        | (Value::Numbers(_), Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64) => !value.is_empty(),
        (
            Value::Text(_) | Value::Texts(_) | Value::Localized(_) | Value::Bytes(_) | Value::Numbers(_),
            Kind::Text
            | Kind::Texts
            | Kind::Localized
            | Kind::Bytes
            | Kind::Int8
            | Kind::Int16
            | Kind::Int32
            | Kind::Int64,
        ) => false,
    }
}

fn number(bytes: &[u8], at: usize) -> Option<usize> {
    let field = bytes.get(at..)?.first_chunk::<4>()?;
    usize::try_from(u32::from_be_bytes(*field)).ok()
}

#[cfg(test)]
mod tests {
    use super::super::Header;
    use super::*;

    fn headers(header: &Header, signatures: Vec<(u32, Value)>) -> Headers {
        Headers {
            lead_major: 3,
            is_source: false,
            signatures,
            header: header.clone(),
            types: Default::default(),
            header_bytes: header.encode(),
            payload_offset: 0,
        }
    }

    #[test]
    fn what_comes_with_installation_stands_after_the_region_in_the_order_of_tags() {
        let mut header = Header::default();
        header.set_text(Tag::NAME, "a");
        let signatures = vec![(1004, Value::Bytes(vec![1; 16])), (1000, Value::Numbers(vec![7]))];
        let added = [(Tag::INSTALLTIME, Value::Numbers(vec![5])), (Tag::FILESTATES, Value::Numbers(vec![0]))];
        let bytes = headers(&header, signatures).encode_installed(&added).unwrap();
        // The region and the name; then size, MD5 sum, time, states.
        assert_eq!(bytes.get(..4), Some(6_u32.to_be_bytes().as_slice()));
        let tags: Vec<_> = (0..6).filter_map(|at| number(&bytes, 8 + 16 * at)).collect();
        assert_eq!(tags, [63, 1000, 257, 261, 1008, 1029]);
        let read = decode_header(&bytes).unwrap();
        assert_eq!(read.numbers(Tag::SIGSIZE), [7]);
        assert_eq!(read.numbers(Tag::INSTALLTIME), [5]);
        assert_eq!(read.text(Tag::NAME), Some("a".into()));
        // Read, it is what was written.
        let read = Headers::from_installed(&bytes).unwrap();
        assert_eq!(read.encode_installed(&[]), Some(bytes));
        assert_eq!(Headers::from_installed(b"none"), None);
    }

    #[test]
    fn a_signature_of_another_kind_and_what_the_header_has_itself_are_left_out() {
        let mut header = Header::default();
        header.set_text(Tag::NAME, "a");
        header.set_number(Tag::ARCHIVESIZE, 3);
        let signatures = vec![
            (1007, Value::Numbers(vec![9])),
            (269, Value::Bytes(vec![1])),
            (999, Value::Numbers(vec![1])),
        ];
        assert_eq!(headers(&header, signatures).merged_signatures(), []);
    }

    #[test]
    fn a_package_of_format_6_brings_no_tags_of_older_signatures() {
        let mut header = Header::default();
        header.set_number(Tag::RPM_FORMAT, 6);
        let value = Value::Text("00".into());
        let signatures = vec![(273, value.clone()), (1004, Value::Bytes(vec![1; 16]))];
        assert_eq!(headers(&header, signatures).merged_signatures(), [(Tag::SHA256HEADER, &value)]);
    }
}
