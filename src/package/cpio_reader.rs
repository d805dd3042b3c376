//! The archive in a package, read: see [`cpio`](super::cpio) for its forms.

#![deny(clippy::arithmetic_side_effects)]

use std::io::{self, Read};

use super::limits::LONGEST_ARCHIVE_NAME;

/// What stands before the content of a file in an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveHead {
    /// All that cpio says of it.
    Whole {
        /// The path as it stands there: `./usr/bin/x`.
        path: Vec<u8>,
        /// How many bytes follow.
        size: u64,
    },
    /// Its number in the header, which says the rest.
    Stripped(u32),
}

/// Reads an archive, file by file.
#[derive(Debug)]
pub struct ArchiveReader<R> {
    input: R,
    position: u64,
    left: u64,
}

const TRAILER: &[u8] = b"TRAILER!!!";
const WHOLE_MAGIC: [&[u8]; 2] = [b"070701", b"070702"];
const STRIPPED_MAGIC: &[u8] = b"07070X";

impl<R: Read> ArchiveReader<R> {
    /// The archive that `input` begins with.
    pub fn new(input: R) -> Self {
        Self { input, position: 0, left: 0 }
    }

    /// What stands before the next file; nothing at the archive's end. What is left of the file before is skipped.
    ///
    /// # Errors
    /// It can't be read, or is no archive.
    pub fn next_head(&mut self) -> io::Result<Option<ArchiveHead>> {
        io::copy(&mut self.content(), &mut io::sink())?;
        if self.left > 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.skip_padding()?;
        let magic = self.take::<6>()?;
        if magic == STRIPPED_MAGIC {
            let index = number(&self.take::<8>()?)?;
            self.skip_padding()?;
            return Ok(Some(ArchiveHead::Stripped(index)));
        }
        if !WHOLE_MAGIC.contains(&magic.as_slice()) {
            return Err(damaged("the archive has something else where a file begins"));
        }
        let fields = self.take::<104>()?;
        let field = |index: usize| {
            let at = index.saturating_mul(8);
            number(fields.get(at..at.saturating_add(8)).unwrap_or_default())
        };
        let (size, name_length) = (field(6)?, field(11)?);
        let path = self.name(name_length)?;
        self.skip_padding()?;
        if path == TRAILER {
            return Ok(None);
        }
        self.left = u64::from(size);
        Ok(Some(ArchiveHead::Whole { path, size: u64::from(size) }))
    }

    /// Says how much content follows a stripped head.
    pub fn expect_content(&mut self, size: u64) {
        self.left = size;
    }

    /// The content of the file whose head was read last.
    pub fn content(&mut self) -> impl Read + '_ {
        ArchivedContent { archive: self }
    }

    fn name(&mut self, length: u32) -> io::Result<Vec<u8>> {
        if length == 0 || length > LONGEST_ARCHIVE_NAME {
            return Err(damaged("the archive has a name that is longer than any path can be"));
        }
        let mut name = Vec::new();
        let read = (&mut self.input).take(u64::from(length)).read_to_end(&mut name)?;
        self.advance(read);
        match name.pop() {
            Some(0) if read == usize::try_from(length).unwrap_or_default() && !name.contains(&0) => Ok(name),
            _ => Err(damaged("the archive has a name with a NUL in it, or without one at its end")),
        }
    }

    fn take<const SIZE: usize>(&mut self) -> io::Result<[u8; SIZE]> {
        let mut bytes = [0; SIZE];
        self.input.read_exact(&mut bytes)?;
        self.advance(SIZE);
        Ok(bytes)
    }

    fn skip_padding(&mut self) -> io::Result<()> {
        let padding = usize::try_from(self.position.wrapping_neg() & 3).unwrap_or_default();
        let mut bytes = [0; 3];
        self.input.read_exact(bytes.get_mut(..padding).unwrap_or_default())?;
        self.advance(padding);
        Ok(())
    }

    fn advance(&mut self, bytes: usize) {
        self.position = self.position.wrapping_add(bytes as u64);
    }
}

struct ArchivedContent<'a, R> {
    archive: &'a mut ArchiveReader<R>,
}

impl<R: Read> Read for ArchivedContent<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = (&mut self.archive.input).take(self.archive.left).read(buffer)?;
        self.archive.left = self.archive.left.saturating_sub(read as u64);
        self.archive.advance(read);
        Ok(read)
    }
}

fn number(digits: &[u8]) -> io::Result<u32> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
    let number = text.and_then(|text| u32::from_str_radix(text, 16).ok());
    number.ok_or_else(|| damaged("the archive has a number that is none"))
}

fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::package::{ArchiveEntry, ArchiveWriter};

    fn written() -> Vec<u8> {
        let mut writer = ArchiveWriter::new(Vec::new());
        let entry = ArchiveEntry { path: b"./a".to_vec(), links: 1, size: 5, ..ArchiveEntry::default() };
        writer.entry(&entry).unwrap();
        writer.content(&mut b"hello".as_slice(), 5).unwrap();
        writer.stripped_entry(7).unwrap();
        writer.content(&mut b"xy".as_slice(), 2).unwrap();
        writer.finish().unwrap().0
    }

    #[test]
    fn what_was_written_is_read() {
        let bytes = written();
        let mut reader = ArchiveReader::new(bytes.as_slice());
        let head = ArchiveHead::Whole { path: b"./a".to_vec(), size: 5 };
        assert_eq!(reader.next_head().unwrap(), Some(head));
        assert_eq!(io::read_to_string(reader.content()).unwrap(), "hello");
        assert_eq!(reader.next_head().unwrap(), Some(ArchiveHead::Stripped(7)));
        reader.expect_content(2);
        assert_eq!(reader.next_head().unwrap(), None);
    }

    #[test]
    fn an_archive_that_ends_early_is_no_end() {
        let bytes = written();
        for end in 0..bytes.len() {
            let mut reader = ArchiveReader::new(&bytes[..end]);
            let ended = loop {
                match reader.next_head() {
                    Ok(Some(ArchiveHead::Stripped(_))) => reader.expect_content(2),
                    Ok(Some(ArchiveHead::Whole { .. })) => {}
                    Ok(None) => break true,
                    Err(_) => break false,
                }
            };
            // The trailer itself is followed by padding only.
            assert!(!ended || bytes[end..].iter().all(|byte| *byte == 0), "{end}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered_without_a_panic(
            at in 0_usize..200,
            change in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let mut bytes = written();
            let at = at.min(bytes.len());
            let end = at.saturating_add(change.len()).min(bytes.len());
            bytes.splice(at..end, change);
            let mut reader = ArchiveReader::new(bytes.as_slice());
            while let Ok(Some(_)) = reader.next_head() {}
        }
    }
}
