//! Archives of registries: tar files, compressed or not, and zip files, looked through within limits. Nothing of them is unpacked here: builds do
//! that, in their sandbox. What is looked for is who would do harm there, and the few files that metadata are in.

use std::io::{self, BufRead, BufReader, Read};

use tar::{Archive, EntryType};

use super::archive_content::{
    ArchiveContent, LARGEST_WANTED, MOST_ENTRIES, safe_path, stays_inside, unsafe_entry,
};
use super::error::MadeSpecError;
use super::zip_archive::{ZIP_MAGIC, read_zip};
use crate::package::{Compression, decompressed};
use crate::source::limits::{UNPACKED_BYTES, UNPACKED_BYTES_OF_ANY, UNPACKED_RATIO};

/// How compressed files begin.
const MAGIC: [(&[u8], Compression); 4] = [
    (&[0x1f, 0x8b], Compression::Gzip),
    (b"BZh", Compression::Bzip2),
    (&[0xfd, b'7', b'z', b'X', b'Z', 0], Compression::Xz),
    (&[0x28, 0xb5, 0x2f, 0xfd], Compression::Zstd),
];

/// Looks through an archive of `packed` bytes, called `file`; `is_wanted` says by their paths which files are read.
///
/// # Errors
/// It is no archive, is too large, or has what leads out of it.
pub fn read_archive(
    file: &str,
    packed: u64,
    reader: impl Read,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<ArchiveContent, MadeSpecError> {
    let unreadable = |error: io::Error| MadeSpecError::unreadable(file, error);
    let most = packed.saturating_mul(UNPACKED_RATIO).clamp(UNPACKED_BYTES_OF_ANY, UNPACKED_BYTES);
    let mut packed = BufReader::with_capacity(256 * 1024, reader);
    if packed.fill_buf().map_err(unreadable)?.starts_with(ZIP_MAGIC) {
        return read_zip(file, packed, most, is_wanted);
    }
    let plain = decompressed_by_magic(packed).map_err(unreadable)?;
    let mut limited = Limited { plain, left: most };
    let looked = look_through(file, &mut limited, is_wanted);
    match looked {
        Err(_) if limited.left == 0 => {
            Err(MadeSpecError::TooMuch { file: file.to_owned(), most, unit: "bytes" })
        }
        looked => looked,
    }
}

fn look_through(
    file: &str,
    reader: &mut impl Read,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<ArchiveContent, MadeSpecError> {
    let unreadable = |error: io::Error| MadeSpecError::unreadable(file, error);
    let mut content = ArchiveContent::default();
    let mut archive = Archive::new(reader);
    for (count, entry) in archive.entries().map_err(unreadable)?.enumerate() {
        let mut entry = entry.map_err(unreadable)?;
        if count >= MOST_ENTRIES {
            let most = MOST_ENTRIES as u64;
            return Err(MadeSpecError::TooMuch { file: file.to_owned(), most, unit: "files" });
        }
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            continue;
        }
        let path = safe_path(file, &entry.path_bytes())?;
        let unsafe_entry = |reason| unsafe_entry(file, &path, reason);
        match kind {
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {}
            EntryType::Directory => continue,
            EntryType::Symlink => {
                let target = entry.link_name_bytes().unwrap_or_default();
                match stays_inside(&path, &target) {
                    true => {
                        content.links.push(path);
                        continue;
                    }
                    false => return Err(unsafe_entry("it is a link that leads out of the archive")),
                }
            }
            EntryType::Link => {
                safe_path(file, &entry.link_name_bytes().unwrap_or_default())?;
                content.links.push(path);
                continue;
            }
            _ => return Err(unsafe_entry("it is neither file, folder nor link")),
        }
        if is_wanted(&path) {
            if entry.size() > LARGEST_WANTED {
                return Err(MadeSpecError::TooMuch { file: path, most: LARGEST_WANTED, unit: "bytes" });
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(unreadable)?;
            content.texts.insert(path.clone(), bytes);
        }
        content.files.push(path);
    }
    Ok(content)
}

fn decompressed_by_magic<'r>(mut reader: impl BufRead + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let start = reader.fill_buf()?;
    let known = MAGIC.into_iter().find(|(magic, _)| start.starts_with(magic));
    decompressed(known.map_or(Compression::None, |(_, compression)| compression), reader)
}

/// Ends with an error where there is more than there may be.
struct Limited<R> {
    plain: R,
    left: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.plain.read(buffer)?;
        self.left = self.left.saturating_sub(read as u64);
        match self.left {
            0 if read > 0 => Err(io::ErrorKind::FileTooLarge.into()),
            _ => Ok(read),
        }
    }
}

/// A regular file of an archive.
pub struct ArchiveFile {
    /// Its path there.
    pub path: String,
    /// 0755 where its owner may execute it, or else 0644.
    pub mode: u32,
    /// Its content.
    pub content: Vec<u8>,
}

/// The regular files of a `.tar.gz` that [`read_archive`] has found to be harmless, in its order.
///
/// # Errors
/// It can't be read.
pub fn regular_files(file: &str, bytes: &[u8]) -> Result<Vec<ArchiveFile>, MadeSpecError> {
    let unreadable = |error: io::Error| MadeSpecError::unreadable(file, error);
    let mut archive = Archive::new(flate2::read::MultiGzDecoder::new(bytes));
    let mut files = Vec::new();
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        if entry.header().entry_type() != EntryType::Regular {
            continue;
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).trim_start_matches("./").to_owned();
        let mode = if entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0) { 0o755 } else { 0o644 };
        let mut content = Vec::new();
        entry.read_to_end(&mut content).map_err(unreadable)?;
        files.push(ArchiveFile { path, mode, content });
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(entries: &[(&str, EntryType, &str, &[u8])]) -> Vec<u8> {
        let mut builder = tar::Builder::new(Vec::new());
        for (path, kind, target, content) in entries {
            let mut header = tar::Header::new_gnu();
            // As it is: the checked way refuses what is tested here.
            let name = &mut header.as_old_mut().name;
            name[..path.len()].copy_from_slice(path.as_bytes());
            header.as_old_mut().linkname[..target.len()].copy_from_slice(target.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(content.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            builder.append(&header, *content).unwrap();
        }
        builder.into_inner().unwrap()
    }

    fn read(bytes: &[u8]) -> Result<ArchiveContent, MadeSpecError> {
        read_archive("x.tar", bytes.len() as u64, bytes, &|path| path.ends_with("PKG-INFO"))
    }

    #[test]
    fn wanted_files_are_read_and_others_are_listed() {
        let bytes = archive(&[
            ("x-1/PKG-INFO", EntryType::Regular, "", b"Name: x"),
            ("./x-1/a.c", EntryType::Regular, "", b"int"),
            ("x-1/doc/link", EntryType::Symlink, "../a.c", b""),
        ]);
        let content = read(&bytes).unwrap();
        assert_eq!((content.top(), content.files.len()), (Some("x-1"), 2));
        assert_eq!(content.below("x-1").text("PKG-INFO").as_deref(), Some("Name: x"));
    }

    #[test]
    fn what_leads_out_of_an_archive_is_refused() {
        for entry in [
            ("../x", EntryType::Regular, ""),
            ("x/../../y", EntryType::Regular, ""),
            ("/etc/passwd", EntryType::Regular, ""),
            ("x/a\nb", EntryType::Regular, ""),
            ("x/link", EntryType::Symlink, "/etc/passwd"),
            ("x/link", EntryType::Symlink, "../../etc"),
            ("x/link", EntryType::Symlink, "a/../../b"),
            ("x/hard", EntryType::Link, "../../etc/passwd"),
            ("x/device", EntryType::Block, ""),
            ("x/pipe", EntryType::Fifo, ""),
        ] {
            let error = read(&archive(&[(entry.0, entry.1, entry.2, b"")])).unwrap_err();
            assert!(matches!(error, MadeSpecError::UnsafeEntry { .. }), "{entry:?}: {error}");
        }
    }

    #[test]
    fn an_archive_that_unpacks_to_far_more_than_it_is_is_refused() {
        let bytes = archive(&[("x/a", EntryType::Regular, "", &vec![0; 32 << 20])]);
        let packed = zstd::encode_all(bytes.as_slice(), 3).unwrap();
        let error = read(&packed).unwrap_err();
        assert!(matches!(error, MadeSpecError::TooMuch { unit: "bytes", .. }), "{error}");
    }

    #[test]
    fn what_is_no_archive_is_refused() {
        for bytes in [b"hello".repeat(200), vec![0x1f, 0x8b, 8, 0]] {
            assert!(matches!(read(&bytes), Err(MadeSpecError::Unreadable { .. })));
        }
    }
}
