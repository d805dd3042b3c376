//! What a source package says that is in it, checked before anything of it is written.

use std::collections::BTreeSet;

use bstr::ByteSlice;

use super::SourceError;
use super::limits::{NAME_BYTES, PACKAGE_FILES, UNPACKED_BYTES, UNPACKED_BYTES_OF_ANY, UNPACKED_RATIO};
use crate::package::{Header, Tag};

/// `RPMFILE_SPECFILE`: the file is the spec.
const IS_SPEC: u64 = 1 << 5;
/// `RPMFILE_GHOST`: the file is not in the package (`NoSource`).
const IS_GHOST: u64 = 1 << 6;

const TYPE_BITS: u64 = 0o170_000;
const REGULAR: u64 = 0o100_000;

/// What is in a source package.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Listing {
    /// The name of its spec.
    pub spec: String,
    /// What its files have together, in bytes.
    pub bytes: u64,
}

/// What the header of a source package lists, if it is sound and within the limits.
pub(super) fn list_files(file: &str, header: &Header, packed_bytes: u64) -> Result<Listing, SourceError> {
    let names = header.texts(Tag::BASENAMES);
    if names.len() > PACKAGE_FILES {
        return Err(SourceError::TooManyFiles {
            file: file.to_owned(),
            files: names.len(),
            most: PACKAGE_FILES,
        });
    }
    let numbers = |short, long| match header.numbers(long) {
        [] => header.numbers(short),
        numbers => numbers,
    };
    let (flags, modes) = (numbers(Tag::FILEFLAGS, Tag::FILEFLAGS), numbers(Tag::FILEMODES, Tag::FILEMODES));
    let sizes = numbers(Tag::FILESIZES, Tag::LONGFILESIZES);
    if header.texts(Tag::DIRNAMES).iter().any(|folder| !folder.is_empty()) {
        let name = header.texts(Tag::DIRNAMES).join(&b' ').to_str_lossy().into_owned();
        return Err(unsafe_file(file, name, "a source package has no folders"));
    }
    let (mut seen, mut specs, mut bytes) = (BTreeSet::new(), Vec::new(), 0_u64);
    for (index, name) in names.iter().enumerate() {
        let number = |list: &[u64]| list.get(index).copied().unwrap_or_default();
        let (flags, mode) = (number(flags), number(modes));
        let name = safe_name(file, name)?;
        if mode & TYPE_BITS != REGULAR {
            return Err(unsafe_file(file, name, "it is no regular file"));
        }
        if !seen.insert(name.clone()) {
            return Err(unsafe_file(file, name, "it is listed twice"));
        }
        if flags & IS_GHOST == 0 {
            bytes = bytes.saturating_add(number(sizes));
        }
        if flags & IS_SPEC != 0 || name.ends_with(".spec") {
            specs.push(name);
        }
    }
    let spec = only_spec(file, specs)?;
    check_size(file, bytes, packed_bytes)?;
    Ok(Listing { spec, bytes })
}

/// The one spec of a source package or a folder.
pub(super) fn only_spec(file: &str, mut specs: Vec<String>) -> Result<String, SourceError> {
    match (specs.pop(), specs.is_empty()) {
        (None, _) => Err(SourceError::NoSpec { file: file.to_owned() }),
        (Some(spec), true) => Ok(spec),
        (Some(spec), false) => {
            specs.push(spec);
            specs.sort();
            let names = specs.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
            Err(SourceError::ManySpecs { file: file.to_owned(), count: specs.len(), names })
        }
    }
}

fn check_size(file: &str, bytes: u64, packed_bytes: u64) -> Result<(), SourceError> {
    let file = file.to_owned();
    if bytes > UNPACKED_BYTES {
        return Err(SourceError::TooLarge { file, bytes, most: UNPACKED_BYTES });
    }
    let most = UNPACKED_BYTES_OF_ANY.max(packed_bytes.saturating_mul(UNPACKED_RATIO));
    if bytes > most {
        return Err(SourceError::TooCompressed { file, bytes, packed_bytes, ratio: UNPACKED_RATIO });
    }
    Ok(())
}

/// A name of a file as sources have it, or why it could do harm.
pub(super) fn safe_name(file: &str, name: &[u8]) -> Result<String, SourceError> {
    let shown = || name.to_str_lossy().into_owned();
    if name.len() > NAME_BYTES {
        let shown: String = shown().chars().take(40).collect();
        return Err(unsafe_file(file, format!("{shown}…"), "its name is longer than 255 bytes"));
    }
    match name.to_str() {
        Ok("" | "." | "..") => Err(unsafe_file(file, shown(), "that is no name of a file")),
        Ok(name) if name.contains('/') => Err(unsafe_file(file, shown(), "its name has a `/`")),
        Ok(name) if name.contains(char::is_control) => {
            Err(unsafe_file(file, name.escape_debug().to_string(), "its name has control characters"))
        }
        Ok(name) => Ok(name.to_owned()),
        Err(_) => Err(unsafe_file(file, shown(), "its name is not UTF-8")),
    }
}

pub(super) fn unsafe_file(file: &str, name: String, reason: &'static str) -> SourceError {
    SourceError::UnsafeFile { file: file.to_owned(), name, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::Value;

    fn header(files: &[(&str, u64, u64)]) -> Header {
        let mut header = Header::default();
        let names = files.iter().map(|(name, _, _)| (*name).into()).collect();
        header.set(Tag::BASENAMES, Value::Texts(names));
        header.set(Tag::DIRNAMES, Value::Texts(vec!["".into()]));
        let numbers =
            |number: fn(&(&str, u64, u64)) -> u64| Value::Numbers(files.iter().map(number).collect());
        header.set(Tag::FILEMODES, numbers(|file| file.1));
        header.set(Tag::LONGFILESIZES, numbers(|file| file.2));
        header
    }

    fn refused(files: &[(&str, u64, u64)]) -> String {
        list_files("a.src.rpm", &header(files), 1000).unwrap_err().to_string()
    }

    const SPEC: (&str, u64, u64) = ("a.spec", 0o100_644, 10);

    #[test]
    fn a_sound_package_is_listed() {
        let listed = list_files("a.src.rpm", &header(&[SPEC, ("a.tar", 0o100_755, 90)]), 1000).unwrap();
        assert_eq!(listed, Listing { spec: "a.spec".to_owned(), bytes: 100 });
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in ["../up", "/etc/passwd", "..", ".", "", "a\nb"] {
            let error = list_files("a.src.rpm", &header(&[SPEC, (name, 0o100_644, 1)]), 1000).unwrap_err();
            assert!(matches!(error, SourceError::UnsafeFile { .. }), "{name}: {error}");
        }
        let long = "x".repeat(NAME_BYTES + 1);
        assert!(refused(&[SPEC, (&long, 0o100_644, 1)]).contains("longer than 255 bytes"));
        let mut header = header(&[SPEC]);
        header.set(Tag::DIRNAMES, Value::Texts(vec!["/etc/".into()]));
        assert!(matches!(list_files("a.src.rpm", &header, 1000), Err(SourceError::UnsafeFile { .. })));
    }

    #[test]
    fn links_folders_and_devices_are_refused() {
        for mode in [0o120_777, 0o040_755, 0o060_644, 0o010_644] {
            assert!(refused(&[SPEC, ("x", mode, 1)]).contains("no regular file"));
        }
        assert!(refused(&[SPEC, SPEC]).contains("listed twice"));
    }

    #[test]
    fn a_second_spec_is_refused_by_name() {
        let text = refused(&[SPEC, ("b.spec", 0o100_644, 1)]);
        assert_eq!(text, "`a.src.rpm` holds 2 specs: `a.spec`, `b.spec`");
        assert!(refused(&[("a.tar", 0o100_644, 1)]).contains("holds no spec"));
    }

    #[test]
    fn every_limit_says_itself() {
        let file = ("x", 0o100_644, UNPACKED_BYTES + 1);
        assert!(refused(&[SPEC, file]).contains("more than the 8 GiB"), "{}", refused(&[SPEC, file]));
        let file = ("x", 0o100_644, UNPACKED_BYTES_OF_ANY);
        assert!(refused(&[SPEC, file]).contains("200 times"), "{}", refused(&[SPEC, file]));
        let names: Vec<String> = (0..=PACKAGE_FILES).map(|number| format!("f{number}")).collect();
        let files: Vec<_> = names.iter().map(|name| (name.as_str(), 0o100_644, 1)).collect();
        assert!(refused(&files).contains("20002 files"), "{}", refused(&files));
        let sizes = [("x", 0o100_644, u64::MAX), SPEC];
        assert!(refused(&sizes).contains("8 GiB"));
    }
}
