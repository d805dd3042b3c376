//! The bytes of a package before its payload, checked before any other code trusts them.
//!
//! On disk a package is a lead of 96 bytes, the signature header, padding to 8 bytes, the header, the payload
//! (rpm's docs/manual/format.md). A header is 16 bytes of introduction (magic `8e ad e8 01`, 4 reserved bytes, the
//! number of entries, the size of the data store, both 32-bit big endian), 16 bytes an entry (tag, type, offset,
//! count) and the store.

use std::io::{self, Read};

use super::limits::{LARGEST_SIGNATURE, LARGEST_STORE, MOST_ENTRIES};

const LEAD_SIZE: usize = 96;
const LEAD_MAGIC: [u8; 4] = [0xed, 0xab, 0xee, 0xdb];
const HEADER_MAGIC: [u8; 4] = [0x8e, 0xad, 0xe8, 0x01];
const INTRODUCTION_SIZE: usize = 16;
const ENTRY_SIZE: usize = 16;

/// What is wrong with a package's headers.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// It ends before its headers do.
    #[error("it ends within its headers")]
    Truncated,
    /// It does not begin as a package does.
    #[error("it is not an RPM package")]
    NotAPackage,
    /// A header does not begin with the header magic.
    #[error("its {0} header does not begin as a header does")]
    Magic(&'static str),
    /// More entries or a larger store than rpm takes.
    #[error("its {0} header has {1} entries and {2} bytes, more than rpm takes")]
    TooLarge(&'static str, usize, usize),
    /// An entry has a type that does not exist, or reaches outside the store.
    #[error("tag {tag} of its {header} header, of type {kind}, reaches outside the header's data")]
    Entry {
        /// Which header.
        header: &'static str,
        /// The tag.
        tag: u32,
        /// Its type.
        kind: u32,
    },
    /// Entries share bytes of the store. A header of rpm's has none, and values would take more memory than it has bytes.
    #[error("entries of its {0} header lie upon each other")]
    Overlap(&'static str),
    /// It can't be read.
    #[error("{}", crate::files::reason(.0))]
    Io(io::Error),
}

/// Reads lead and headers and gives their bytes once every entry is known to lie within its store.
pub fn check(reader: &mut impl Read) -> Result<Vec<u8>, HeaderError> {
    let mut bytes = Vec::new();
    let lead = take(reader, &mut bytes, LEAD_SIZE)?;
    if bytes.get(lead..lead.saturating_add(LEAD_MAGIC.len())) != Some(&LEAD_MAGIC) {
        return Err(HeaderError::NotAPackage);
    }
    let store = read_header(reader, &mut bytes, "signature", LARGEST_SIGNATURE)?;
    take(reader, &mut bytes, padding(store))?;
    read_header(reader, &mut bytes, "main", LARGEST_STORE)?;
    Ok(bytes)
}

/// Reads one header, checks it, and gives the size of its store.
fn read_header(
    reader: &mut impl Read,
    bytes: &mut Vec<u8>,
    which: &'static str,
    largest: usize,
) -> Result<usize, HeaderError> {
    let introduction = take(reader, bytes, INTRODUCTION_SIZE)?;
    let intro = bytes.get(introduction..).unwrap_or_default();
    if intro.get(..4) != Some(&HEADER_MAGIC) {
        return Err(HeaderError::Magic(which));
    }
    let entries = number(intro, 8);
    let store_size = number(intro, 12);
    if entries > MOST_ENTRIES || store_size > largest {
        return Err(HeaderError::TooLarge(which, entries, store_size));
    }
    let index = take(reader, bytes, entries.saturating_mul(ENTRY_SIZE))?;
    let store = take(reader, bytes, store_size)?;
    let index = bytes.get(index..store).unwrap_or_default();
    let store = bytes.get(store..).unwrap_or_default();
    let mut left = store.len();
    for entry in index.chunks_exact(ENTRY_SIZE) {
        let length = entry_length(which, entry, store)?;
        left = left.checked_sub(length).ok_or(HeaderError::Overlap(which))?;
    }
    Ok(store_size)
}

fn entry_length(header: &'static str, entry: &[u8], store: &[u8]) -> Result<usize, HeaderError> {
    let (tag, kind) = (number32(entry, 0), number32(entry, 4));
    let (offset, count) = (number(entry, 8), number(entry, 12));
    let data = store.get(offset..).filter(|_| count > 0);
    let length = data.and_then(|data| value_length(data, kind, count));
    length.ok_or(HeaderError::Entry { header, tag, kind })
}

/// How many bytes of `data` the `count` values of the type `kind` take that it begins with, if it does (rpm's tag
/// types: 1 char, 2 int8, 3 int16, 4 int32, 5 int64, 6 string, 7 binary, 8 string array, 9 translated string).
pub(super) fn value_length(data: &[u8], kind: u32, count: usize) -> Option<usize> {
    let fixed = |size: usize| count.checked_mul(size).filter(|size| *size <= data.len());
    let mut ends = (1_usize..).zip(data).filter(|(_, byte)| **byte == 0).map(|(end, _)| end);
    match kind {
        1 | 2 | 7 => fixed(1),
        3 => fixed(2),
        4 => fixed(4),
        5 => fixed(8),
        6 if count == 1 => ends.next(),
        8 | 9 => ends.nth(count.checked_sub(1)?),
        _ => None,
    }
}

/// Appends `size` bytes and gives where they begin. Reads in steps, so that a size that lies costs no memory.
fn take(reader: &mut impl Read, bytes: &mut Vec<u8>, size: usize) -> Result<usize, HeaderError> {
    let start = bytes.len();
    let read = reader.take(size as u64).read_to_end(bytes).map_err(HeaderError::Io)?;
    if read == size { Ok(start) } else { Err(HeaderError::Truncated) }
}

fn padding(store: usize) -> usize {
    store.wrapping_neg() & 7
}

fn number(bytes: &[u8], at: usize) -> usize {
    usize::try_from(number32(bytes, at)).unwrap_or(usize::MAX)
}

fn number32(bytes: &[u8], at: usize) -> u32 {
    let field = bytes.get(at..).and_then(|rest| rest.first_chunk::<4>());
    field.map_or(u32::MAX, |field| u32::from_be_bytes(*field))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn header(entries: &[[u32; 4]], store: &[u8]) -> Vec<u8> {
        let mut bytes = HEADER_MAGIC.to_vec();
        bytes.extend([0; 4]);
        bytes.extend(u32::try_from(entries.len()).unwrap().to_be_bytes());
        bytes.extend(u32::try_from(store.len()).unwrap().to_be_bytes());
        bytes.extend(entries.iter().flatten().flat_map(|field| field.to_be_bytes()));
        bytes.extend(store);
        bytes
    }

    fn package(main: &[u8]) -> Vec<u8> {
        let mut bytes = LEAD_MAGIC.to_vec();
        bytes.resize(LEAD_SIZE, 0);
        bytes.extend(header(&[], &[]));
        bytes.extend(main);
        bytes
    }

    #[test]
    fn a_sound_header_is_taken() {
        let bytes = package(&header(&[[1000, 6, 0, 1]], b"hello\0"));
        assert_eq!(check(&mut bytes.as_slice()).unwrap(), bytes);
    }

    #[test]
    fn an_offset_past_the_store_is_refused() {
        let bytes = package(&header(&[[1000, 6, 7, 1]], b"hello\0"));
        assert!(matches!(check(&mut bytes.as_slice()), Err(HeaderError::Entry { tag: 1000, .. })));
    }

    #[test]
    fn a_string_without_end_is_refused() {
        let bytes = package(&header(&[[1000, 6, 0, 1]], b"hello"));
        assert!(matches!(check(&mut bytes.as_slice()), Err(HeaderError::Entry { .. })));
    }

    #[test]
    fn entries_that_share_bytes_are_refused() {
        let bytes = package(&header(&[[1000, 6, 0, 1], [1001, 6, 0, 1]], b"hello\0"));
        assert!(matches!(check(&mut bytes.as_slice()), Err(HeaderError::Overlap("main"))));
    }

    #[test]
    fn a_size_that_lies_costs_no_memory() {
        let mut main = header(&[], &[]);
        main.splice(12..16, 0x0fff_ffff_u32.to_be_bytes());
        assert!(matches!(check(&mut package(&main).as_slice()), Err(HeaderError::Truncated)));
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_without_a_panic(main in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut bytes = header(&[], &[]);
            bytes.truncate(8);
            bytes.extend(main);
            let _ = check(&mut package(&bytes).as_slice());
        }
    }
}
