//! What files of a buildroot hold.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use bstr::ByteSlice;
use cap_std::fs::{Dir, File};

use super::buildroot::{FoundFile, Unusual};

/// How much of a file is looked at together, in bytes.
const PIECE: usize = 256 * 1024;

/// Opens a file of a buildroot.
pub(super) fn open(folder: &Dir, file: &FoundFile) -> Result<File, Unusual> {
    folder.open(Path::new(OsStr::from_bytes(&file.path))).map_err(|_| Unusual)
}

/// What a file begins with, at most this many bytes.
pub(super) fn beginning(folder: &Dir, file: &FoundFile, most: u64) -> Result<Vec<u8>, Unusual> {
    let mut start = Vec::new();
    open(folder, file)?.take(most).read_to_end(&mut start).map_err(|_| Unusual)?;
    Ok(start)
}

/// Whether a file has some text, which stands in one line, anywhere.
pub(super) fn contains(folder: &Dir, file: &FoundFile, text: &[u8]) -> Result<bool, Unusual> {
    has_text(open(folder, file)?, text).map_err(|_| Unusual)
}

fn has_text(mut file: impl Read, text: &[u8]) -> io::Result<bool> {
    let finder = bstr::Finder::new(text);
    let mut held = Vec::new();
    loop {
        let length = file.by_ref().take(PIECE as u64).read_to_end(&mut held)?;
        if finder.find(&held).is_some() {
            return Ok(true);
        }
        if length == 0 {
            return Ok(false);
        }
        // The text may begin in this piece and end in the next one.
        let kept = held.len().min(text.len().saturating_sub(1));
        held.drain(..held.len().saturating_sub(kept));
    }
}

/// The first line of what a file begins with, if it is whole.
pub(super) fn first_line(start: &[u8]) -> Option<&[u8]> {
    start.split_once_str("\n").map(|(line, _)| line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_where_pieces_meet() {
        for before in [0, 1, PIECE - 3, PIECE - 1, PIECE, 2 * PIECE - 4] {
            let mut content = vec![b'x'; before];
            content.extend_from_slice(b"needle");
            assert!(has_text(content.as_slice(), b"needle").unwrap(), "{before}");
            content.pop();
            assert!(!has_text(content.as_slice(), b"needle").unwrap(), "{before}");
        }
    }
}
