//! Zip files, which some projects of Python's are packed in. What is in one is listed at its end, so that it is read as a whole.

use std::collections::BTreeSet;
use std::io::{self, Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::archive_content::{
    ArchiveContent, LARGEST_WANTED, MOST_ENTRIES, safe_path, stays_inside, unsafe_entry,
};
use super::error::MadeSpecError;

/// How zip files begin.
pub(super) const ZIP_MAGIC: &[u8] = b"PK\x03\x04";

/// How large a zip file may be: source distributions that are packed so have some megabytes.
const LARGEST_ZIP: u64 = 256 << 20;

/// What an entry is, in its mode: the bits of the type of a file, of a link and of a folder.
const TYPE_BITS: u32 = 0o170_000;
const REGULAR: u32 = 0o100_000;
const LINK: u32 = 0o120_000;
const FOLDER: u32 = 0o040_000;

/// Looks through a zip file called `file` that may unpack to `most` bytes.
///
/// # Errors
/// It is none, is too large, or has what leads out of it.
pub(super) fn read_zip(
    file: &str,
    reader: impl Read,
    most: u64,
    is_wanted: &dyn Fn(&str) -> bool,
) -> Result<ArchiveContent, MadeSpecError> {
    let mut bytes = Vec::new();
    reader
        .take(LARGEST_ZIP + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| MadeSpecError::unreadable(file, error))?;
    let too_much = |most, unit| MadeSpecError::TooMuch { file: file.to_owned(), most, unit };
    if bytes.len() as u64 > LARGEST_ZIP {
        return Err(too_much(LARGEST_ZIP, "packed bytes"));
    }
    let unreadable = |error: ZipError| MadeSpecError::unreadable(file, error);
    let mut archive = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if archive.len() > MOST_ENTRIES {
        return Err(too_much(MOST_ENTRIES as u64, "files"));
    }
    // Programs that unpack go by either list of names.
    archive.validate_header_consistency().map_err(unreadable)?;
    let mut looked =
        LookedThrough { file, left: most, content: ArchiveContent::default(), paths: BTreeSet::new() };
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(unreadable)?;
        let (name, mode) = (entry.name_raw().to_owned(), entry.unix_mode().unwrap_or(REGULAR));
        match looked.take(&name, mode, entry, is_wanted) {
            Err(_) if looked.left == 0 => return Err(too_much(most, "bytes")),
            taken => taken?,
        }
    }
    Ok(looked.content)
}

/// What was found so far.
struct LookedThrough<'a> {
    file: &'a str,
    /// How many bytes it may unpack to yet.
    left: u64,
    content: ArchiveContent,
    paths: BTreeSet<String>,
}

impl LookedThrough<'_> {
    fn take(
        &mut self,
        name: &[u8],
        mode: u32,
        entry: impl Read,
        is_wanted: &dyn Fn(&str) -> bool,
    ) -> Result<(), MadeSpecError> {
        let path = safe_path(self.file, name)?;
        let refuse = |reason| Err(unsafe_entry(self.file, &path, reason));
        if name.contains(&b'\\') {
            return refuse("its name has a backslash, which some programs take for a `/`");
        }
        if !self.paths.insert(path.clone()) {
            return refuse("there are two of that name");
        }
        let is_folder = name.ends_with(b"/") || mode & TYPE_BITS == FOLDER;
        let is_link = mode & TYPE_BITS == LINK;
        if !is_folder && !is_link && !matches!(mode & TYPE_BITS, REGULAR | 0) {
            return refuse("it is neither file, folder nor link");
        }
        let is_read = is_link || (!is_folder && is_wanted(&path));
        let bytes = self.read(&path, entry, is_read)?;
        if is_link && !stays_inside(&path, &bytes) {
            return Err(unsafe_entry(self.file, &path, "it is a link that leads out of the archive"));
        }
        if is_folder || is_link {
            return Ok(());
        }
        if is_read {
            self.content.texts.insert(path.clone(), bytes);
        }
        self.content.files.push(path);
        Ok(())
    }

    /// Reads an entry to its end, whatever the archive says of its size, and keeps it where that is wanted.
    fn read(&mut self, path: &str, mut entry: impl Read, is_kept: bool) -> Result<Vec<u8>, MadeSpecError> {
        let unreadable = |error: io::Error| MadeSpecError::unreadable(self.file, error);
        let (mut kept, mut buffer) = (Vec::new(), vec![0; 64 * 1024]);
        loop {
            let read = entry.read(&mut buffer).map_err(unreadable)?;
            let chunk = buffer.get(..read).unwrap_or_default();
            if chunk.is_empty() {
                return Ok(kept);
            }
            self.left = self.left.saturating_sub(read as u64);
            if self.left == 0 {
                return Err(unreadable(io::ErrorKind::FileTooLarge.into()));
            }
            if is_kept {
                kept.extend_from_slice(chunk);
                if kept.len() as u64 > LARGEST_WANTED {
                    return Err(MadeSpecError::TooMuch {
                        file: path.to_owned(),
                        most: LARGEST_WANTED,
                        unit: "bytes",
                    });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    /// A zip file of entries with these modes.
    fn zip(entries: &[(&str, u32, &[u8])]) -> Vec<u8> {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, mode, content) in entries {
            let options = SimpleFileOptions::default().unix_permissions(mode & 0o777);
            match mode & TYPE_BITS {
                LINK => writer.add_symlink(*name, std::str::from_utf8(content).unwrap(), options).unwrap(),
                _ => {
                    writer.start_file(*name, options).unwrap();
                    writer.write_all(content).unwrap();
                }
            }
        }
        writer.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> Result<ArchiveContent, MadeSpecError> {
        read_zip("x.zip", bytes, 16 << 20, &|path| path.ends_with("PKG-INFO"))
    }

    #[test]
    fn wanted_files_are_read_and_others_are_listed() {
        let bytes = zip(&[
            ("x-1/PKG-INFO", REGULAR | 0o644, b"Name: x"),
            ("x-1/a.py", REGULAR | 0o644, b"pass"),
            ("x-1/link", LINK | 0o777, b"a.py"),
        ]);
        let content = read(&bytes).unwrap();
        assert_eq!((content.top(), content.files.len()), (Some("x-1"), 2));
        assert_eq!(content.below("x-1").text("PKG-INFO").as_deref(), Some("Name: x"));
    }

    #[test]
    fn what_leads_out_of_an_archive_is_refused() {
        for (name, mode, content) in [
            ("../x", REGULAR, "".as_bytes()),
            ("x/../../y", REGULAR, b""),
            ("/etc/passwd", REGULAR, b""),
            ("x\\..\\y", REGULAR, b""),
            ("x/link", LINK, b"../../etc/passwd"),
            ("x/link", LINK, b"/etc/passwd"),
        ] {
            let error = read(&zip(&[(name, mode | 0o644, content)])).unwrap_err();
            assert!(matches!(error, MadeSpecError::UnsafeEntry { .. }), "{name}: {error}");
        }
    }

    #[test]
    fn two_lists_of_names_that_differ_are_refused() {
        let mut bytes = zip(&[("x-1/PKG-INFO", REGULAR | 0o644, b"Name: x")]);
        let first = bytes.windows(12).position(|window| window == b"x-1/PKG-INFO").unwrap();
        bytes[first..first + 12].copy_from_slice(b"x-1/../../yy");
        assert!(matches!(read(&bytes), Err(MadeSpecError::Unreadable { .. })));
    }

    #[test]
    fn one_that_unpacks_to_far_more_than_it_is_or_is_cut_off_is_refused() {
        let error = read(&zip(&[("x/a", REGULAR | 0o644, &vec![0; 17 << 20])])).unwrap_err();
        assert!(matches!(error, MadeSpecError::TooMuch { unit: "bytes", .. }), "{error}");
        let whole = zip(&[("x/a", REGULAR | 0o644, b"hello")]);
        assert!(matches!(read(&whole[..whole.len() - 10]), Err(MadeSpecError::Unreadable { .. })));
    }
}
