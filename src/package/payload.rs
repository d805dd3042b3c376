//! The content of a package's files, in the order of its archive.

#![deny(clippy::arithmetic_side_effects)]

use std::collections::{HashMap, HashSet};
use std::io::{self, BufRead, Read};

use super::compress::decompressed;
use super::cpio_reader::{ArchiveHead, ArchiveReader};
use super::files::{PackageFile, package_files};
use super::{Compression, Headers, Tag};

/// The files of a package, and what its archive has of them.
pub struct PayloadReader<'r> {
    archive: ArchiveReader<Box<dyn Read + 'r>>,
    files: Vec<PackageFile>,
    by_path: HashMap<Vec<u8>, usize>,
    without_content: HashSet<usize>,
}

/// A file that an archive has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArchivedFile {
    /// Its number in the header.
    pub index: usize,
    /// How many bytes the archive has of it: none of all but the last of some hard links.
    pub size: u64,
}

/// Why a payload can't be read.
#[derive(Debug, thiserror::Error)]
pub enum PayloadError {
    /// The header can't be made sense of.
    #[error("its header {0}")]
    Header(&'static str),
    /// There is a file that the header doesn't list.
    #[error("its archive has a file `{0}` that its header doesn't list")]
    Unlisted(String),
    /// It can't be read.
    #[error("its archive can't be read: {}", crate::files::reason(.0))]
    Io(#[from] io::Error),
}

/// How what gzip has compressed begins (RFC 1952).
const GZIP: &[u8] = &[0x1f, 0x8b];

impl<'r> PayloadReader<'r> {
    /// The payload that `reader` stands at, of the package with these headers.
    ///
    /// # Errors
    /// The headers contradict themselves, or the payload can't be read.
    pub fn open(headers: &Headers, mut reader: impl BufRead + 'r) -> Result<Self, PayloadError> {
        let header = &headers.header;
        let files = package_files(header);
        let files = files.ok_or(PayloadError::Header("lists more names of files than files, or fewer"))?;
        let compressor = header.text(Tag::PAYLOAD_COMPRESSOR).map_or(&b""[..], |name| name);
        // Packages without files may have no compressor, those of rpm before 3.0 and those that are not compressed neither.
        let compression = if header.has(Tag::PAYLOAD_COMPRESSOR) || files.is_empty() {
            Compression::named(compressor)
        } else {
            Some(Compression::Gzip)
        };
        let compression = compression
            .ok_or(PayloadError::Header("names a way of compression that there is not for packages"))?;
        // As gzread(3), through which rpm reads it, takes what is no gzip for what it is.
        let is_plain = compression == Compression::Gzip && !reader.fill_buf()?.starts_with(GZIP);
        let compression = if is_plain { Compression::None } else { compression };
        let archive = ArchiveReader::new(decompressed(compression, reader)?);
        let by_path = files.iter().enumerate().map(|(index, file)| (file.path.to_vec(), index)).collect();
        let without_content = without_content(&files);
        Ok(Self { archive, files, by_path, without_content })
    }

    /// All files that the header lists.
    pub fn files(&self) -> &[PackageFile] {
        &self.files
    }

    /// The next file of the archive; nothing at its end.
    ///
    /// # Errors
    /// The archive can't be read, or has a file that the header doesn't list.
    pub fn next_file(&mut self) -> Result<Option<ArchivedFile>, PayloadError> {
        match self.archive.next_head()? {
            None => Ok(None),
            Some(ArchiveHead::Whole { path, size }) => {
                // Rpm writes `./usr/bin/x`, and plain names in source packages.
                let listed = self.by_path.get(&path).or_else(|| self.by_path.get(path.strip_prefix(b".")?));
                let index = listed.copied().ok_or_else(|| unlisted(&path))?;
                Ok(Some(ArchivedFile { index, size }))
            }
            Some(ArchiveHead::Stripped(number)) => {
                let index = usize::try_from(number).unwrap_or(usize::MAX);
                let file = self.files.get(index).ok_or_else(|| unlisted(format!("№ {number}").as_bytes()))?;
                let has_content =
                    (file.is_regular() && !self.without_content.contains(&index)) || file.is_link();
                let size = if has_content { file.size } else { 0 };
                self.archive.expect_content(size);
                Ok(Some(ArchivedFile { index, size }))
            }
        }
    }

    /// The content of the file that was come to last.
    pub fn content(&mut self) -> impl Read + '_ {
        self.archive.content()
    }
}

fn unlisted(path: &[u8]) -> PayloadError {
    PayloadError::Unlisted(String::from_utf8_lossy(path).escape_debug().to_string())
}

/// The files of which stripped archives have no content, as it comes with the last of their hard links.
fn without_content(files: &[PackageFile]) -> HashSet<usize> {
    let mut last: HashMap<(u64, u64), usize> = HashMap::new();
    let is_there = |file: &PackageFile| file.is_regular() && !file.is_ghost();
    let mut earlier = HashSet::new();
    for (index, file) in files.iter().enumerate().filter(|(_, file)| is_there(file)) {
        earlier.extend(last.insert(file.inode, index));
    }
    earlier
}
