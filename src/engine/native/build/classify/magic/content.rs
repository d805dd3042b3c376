//! What content is, as file(1) sees it before it tries an entry: packed, a text in some encoding, or no text.

use std::io::Read;

use bstr::ByteSlice;

/// The longest content of a packed file that is looked at: not longer than what file(1) tells an encoding by.
pub(super) const LONGEST: usize = 64 * 1024;

/// How gzip's files begin.
pub(super) const GZIP: &[u8] = b"\x1f\x8b";

/// How files begin that file(1) would unpack before it looks (file's `compress.c`).
const PACKED: [&[u8]; 9] = [
    b"\x1f",
    b"PK\x03\x04",
    b"BZh",
    b"LZIP",
    b"\xfd7zXZ",
    b"LRZI",
    b"\x04\"M\x18",
    b"\x28\xb5\x2f\xfd",
    b"\x5d\0",
];

/// What stands before texts that are read otherwise than as they are: the marks of UTF-8, UTF-16, UTF-32 and UTF-7.
const MARKS: [&[u8]; 5] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff", b"+/v"];

/// How file(1) describes texts that it knows nothing else of.
const PLAIN: [&str; 3] = ["ASCII text", "Unicode text, UTF-8 text", "UTF-8 Unicode text"];

/// Unpacks a file of gzip; `None` where file(1) may see more or less of it.
pub(super) fn unpack_gzip(content: &[u8]) -> Option<Vec<u8>> {
    let mut decoder = flate2::bufread::GzDecoder::new(content);
    let mut inside = Vec::new();
    decoder.by_ref().take(LONGEST as u64 + 1).read_to_end(&mut inside).ok()?;
    let is_whole = inside.len() <= LONGEST && decoder.into_inner().is_empty();
    is_whole.then_some(inside)
}

/// Whether file(1) may unpack it before it looks.
pub(super) fn is_packed(content: &[u8]) -> bool {
    let is_zlib =
        |first: u8, second: u8| first & 15 == 8 && u16::from_be_bytes([first, second]).is_multiple_of(31);
    match content {
        [first, second, ..] if is_zlib(*first, *second) => true,
        _ => PACKED.iter().any(|packed| content.starts_with(packed)),
    }
}

/// Whether a mark before it says in which encoding it is.
fn is_marked(content: &[u8]) -> bool {
    MARKS.iter().any(|mark| content.starts_with(mark))
}

/// Whether file(1) reads it as ASCII or UTF-8 without a mark: there are no control characters but those of texts.
pub(super) fn is_text(content: &[u8]) -> bool {
    let is_of_text = |byte: &u8| matches!(byte, 7..=10 | 12 | 13 | 27 | 32..=126 | 128..);
    !is_marked(content) && content.iter().all(is_of_text) && content.to_str().is_ok()
}

/// Whether a text that no entry tells anything of has lines, if that is all that file(1) says of it: it is ASCII, its lines
/// end as Unix has it and are no longer than 300 bytes, and nothing in it may be JSON, CSV or tar (file's `ascmagic.c`,
/// `is_json.c`, `is_csv.c`, `is_tar.c`).
pub(super) fn is_plain_with_lines(content: &[u8]) -> Option<bool> {
    let is_plain = |byte: &u8| matches!(byte, b'\t' | b'\n' | b' '..=b'~') && !b"{[,".contains(byte);
    let has_checksum = || content.get(148..156).is_some_and(|field| field.iter().any(u8::is_ascii_digit));
    let is_short = |line: &[u8]| line.len() < 300;
    let is_known = content.len() > 1
        && !is_marked(content)
        && !is_packed(content)
        && content.iter().all(is_plain)
        && content.split(|byte| *byte == b'\n').all(is_short)
        && (content.len() < 512 || !has_checksum());
    is_known.then(|| content.contains(&b'\n'))
}

/// Whether file(1) reads it as no text in any encoding: it has control characters that are none of ASCII's texts, nor of
/// EBCDIC's.
pub(super) fn is_binary(content: &[u8]) -> bool {
    !is_marked(content) && content.iter().any(|byte| matches!(byte, 0..=3 | 14..=19 | 24 | 25 | 28..=31))
}

/// Whether a description says nothing of a text but its encoding and its lines.
pub(crate) fn is_plain_text(description: impl AsRef<[u8]>) -> bool {
    // What is packed as well has another type.
    let tells_lines =
        |rest: &[u8]| rest.is_empty() || rest.starts_with(b", with ") && !rest.contains_str("compressed");
    PLAIN.iter().any(|plain| description.as_ref().strip_prefix(plain.as_bytes()).is_some_and(tells_lines))
}
