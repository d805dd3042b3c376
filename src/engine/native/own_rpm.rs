//! The version of the rpm that a root has of its own.

use crate::macros::{Host, RpmVersion};
use crate::spec::check_dialect;

/// Where systems keep the library that reads specs for rpm's own programs.
const LIBRARIES: [&[u8]; 3] =
    [b"/usr/lib64/librpmbuild.so.*", b"/usr/lib/librpmbuild.so.*", b"/usr/lib/*-linux-*/librpmbuild.so.*"];

/// More than any of these libraries has.
const LARGEST_LIBRARY: usize = 16 << 20;

/// Reads the newest language that the root's own rpm and forge both speak; forge's own where the root has no rpm. The library is
/// read, and nothing is run: the root may be one of another architecture.
pub fn read_own_version(host: &dyn Host) -> RpmVersion {
    let libraries = LIBRARIES.iter().flat_map(|pattern| host.glob(pattern).unwrap_or_default());
    let texts = libraries.filter_map(|path| host.read_start(&path, LARGEST_LIBRARY).ok());
    let found = texts.filter_map(|library| find_version(&library)).max();
    let oldest = check_dialect("4.14").unwrap_or(RpmVersion::NEWEST);
    found.unwrap_or(RpmVersion::NEWEST).clamp(oldest, RpmVersion::NEWEST)
}

/// Finds the one version that stands in a library as a text of its own.
fn find_version(library: &[u8]) -> Option<RpmVersion> {
    let texts = library.split(|byte| *byte == 0).filter(|text| (5..=32).contains(&text.len()));
    let versions = texts.filter(|text| is_version(text));
    let mut found = versions.filter_map(|text| RpmVersion::read(std::str::from_utf8(text).ok()?));
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

/// Three numbers at least, and perhaps the name of a version before the final one: `6.0.0-beta1`. With a number behind the
/// hyphen it is the version of a feature of packages.
fn is_version(text: &[u8]) -> bool {
    let end = text.iter().position(|byte| matches!(byte, b'-' | b'~')).unwrap_or(text.len());
    let (numbers, rest) = text.split_at(end);
    let mut parts = numbers.split(|byte| *byte == b'.');
    let is_number = |part: &[u8]| !part.is_empty() && part.iter().all(u8::is_ascii_digit);
    let is_named = rest.get(1..).is_none_or(|name| name.first().is_some_and(u8::is_ascii_alphabetic));
    parts.clone().count() >= 3 && parts.all(is_number) && (rest.is_empty() || is_named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_says_its_version_in_a_text_of_its_own() {
        let read = |library: &[u8]| find_version(library).map(|version| version.to_string());
        assert_eq!(
            read(b"\x7fELF\0GLIBC_2.34\0%s 1.2.3\x004.12.0-1\x004.18.0\0build\0").as_deref(),
            Some("4.18.0")
        );
        assert_eq!(read(b"\x006.0.0-beta1\0").as_deref(), Some("6.0.0"));
        assert_eq!(read(b"\x004.18.0\x004.18.0\0").as_deref(), Some("4.18.0"));
        assert_eq!(read(b"\x004.18.0\x005.4.6\0"), None, "which of them is it?");
        assert_eq!(read(b"\x004.18\0no version\0"), None);
    }
}
