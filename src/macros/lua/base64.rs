//! Base64 as rpm writes and reads it: in lines, with or without them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// How many characters a line has where nobody says otherwise.
const LINE: usize = 64;

/// Encodes; each line of `length` characters ends with a line feed, with a `length` of 0 there are no lines.
pub(super) fn encode(text: &[u8], length: Option<i64>) -> Vec<u8> {
    let encoded = STANDARD.encode(text);
    let length = match length {
        None => LINE,
        Some(length) => usize::try_from(length).unwrap_or(LINE) / 4 * 4,
    };
    if length == 0 {
        return encoded.into_bytes();
    }
    let lines = encoded.as_bytes().chunks(length);
    lines.flat_map(|line| line.iter().copied().chain([b'\n'])).collect()
}

/// Decodes; nothing where it is no base64.
pub(super) fn decode(text: &[u8]) -> Option<Vec<u8>> {
    let written: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    STANDARD.decode(written).ok()
}
