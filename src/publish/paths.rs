//! The paths that forge publishes at.
//!
//! A record lies where others may write. It is believed only where all that it names are such paths: whoever forges one can have
//! nothing else removed or replaced.

use super::section::Section;
use crate::digest::Digest;

/// The folder of the metadata.
pub(super) const REPODATA: &str = "repodata";

/// The file that names the others.
pub(super) const REPOMD: &str = "repodata/repomd.xml";

/// The signatures of [`REPOMD`].
pub(super) const REPOMD_SIGNATURE: &str = "repodata/repomd.xml.asc";

/// The public keys of those signatures, where zypper looks for them.
pub(super) const REPOMD_KEY: &str = "repodata/repomd.xml.key";

/// The ending of the file that tells clients of a repository.
const REPO_FILE: &str = ".repo";

/// The name of the file that tells clients of the repository that they know as `id`.
pub(super) fn repo_file(id: &str) -> String {
    format!("{id}{REPO_FILE}")
}

/// Whether a file of such a name stands beside signed metadata.
pub(super) fn is_signing_path(path: &str) -> bool {
    match Section::of_path(path) {
        (_, REPOMD_SIGNATURE | REPOMD_KEY) => true,
        (Section::Main, path) => is_plain_name(path) && path.ends_with(REPO_FILE),
        (Section::Debuginfo | Section::Source, path) => path == REPOMD,
    }
}

/// How many hexadecimal digits a package's folder ends with.
const DIGITS: usize = 12;

/// The folder of a result of a package.
pub(super) fn package_folder(package: &str, result: &Digest) -> String {
    format!("{package}-{}", result.short(DIGITS))
}

/// The folder of the packages of a plain layout.
const PACKAGES: &str = "Packages/";

/// The ending of packages.
const PACKAGE_ENDING: &str = ".rpm";

/// Where a package file lies in a plain layout: by the first letter, as mirrors have it.
pub(super) fn plain_path(name: &str) -> String {
    format!("{PACKAGES}{}/{name}", initial(name))
}

/// Where a package file lies in a plain layout whose path another has: in a folder of its own.
pub(super) fn plain_path_beside(package: &str, content: &Digest, name: &str) -> String {
    format!("{PACKAGES}{}/{}/{name}", initial(name), package_folder(package, content))
}

/// Whether a path is one that [`plain_path`] gives.
pub(super) fn is_plain_path(path: &str) -> bool {
    let name = in_plain_folder(Section::of_path(path).1);
    name.is_some_and(|name| is_plain_name(name) && name.ends_with(PACKAGE_ENDING))
}

/// Whether a path of a package lies as in a plain layout, in a folder of its own or not.
pub(super) fn is_in_plain_layout(path: &str) -> bool {
    in_plain_folder(Section::of_path(path).1).is_some()
}

/// What stands behind `Packages/x/`.
fn in_plain_folder(path: &str) -> Option<&str> {
    let (letter, below) = path.strip_prefix(PACKAGES)?.split_once('/')?;
    let name = below.rsplit('/').next().unwrap_or(below);
    (letter.chars().eq([initial(name)])).then_some(below)
}

fn initial(name: &str) -> char {
    let first = name.chars().next().filter(char::is_ascii_alphanumeric);
    first.map_or('_', |first| first.to_ascii_lowercase())
}

/// Whether forge publishes packages at such paths.
pub(super) fn is_package_path(path: &str) -> bool {
    package_of_path(path).is_some() || is_plain_path(path)
}

/// The package in whose folder `path` is a file. That alone does not make it forge's.
pub(super) fn package_of_path(path: &str) -> Option<&str> {
    let path = Section::of_path(path).1;
    let (folder, name) = in_plain_folder(path).unwrap_or(path).split_once('/')?;
    let (package, digits) = folder.rsplit_once('-')?;
    let is_folder = is_plain_name(package) && is_hexadecimal(digits, DIGITS);
    Some(package).filter(|_| is_folder && is_plain_name(name))
}

/// How the names of metadata files end: packed with zstd, with gzip, and not at all.
const METADATA_ENDINGS: [&str; 3] = [".xml.zst", ".xml.gz", ".xml"];

/// Whether metadata files of such names are written.
pub(super) fn is_metadata_path(path: &str) -> bool {
    let name = Section::of_path(path).1.strip_prefix(REPODATA).and_then(|rest| rest.strip_prefix('/'));
    let parts = name.and_then(|name| METADATA_ENDINGS.iter().find_map(|end| name.strip_suffix(end)));
    let parts = parts.and_then(|name| name.split_once('-'));
    parts.is_some_and(|(checksum, kind)| is_sha256(checksum) && is_plain_name(kind))
}

/// Whether a text is a SHA-256 as it is written everywhere.
pub(super) fn is_sha256(text: &str) -> bool {
    is_hexadecimal(text, 64)
}

/// Whether a text can be a name in a folder, and be shown.
pub(super) fn is_plain_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(|c: char| c == '/' || c.is_control())
}

fn is_hexadecimal(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_in_a_folder_of_a_package_is_recognised() {
        let folder = package_folder("lib-b", &Digest::compute(b"result"));
        for section in ["", "debug/", "source/"] {
            assert_eq!(package_of_path(&format!("{section}{folder}/b-1-1.noarch.rpm")), Some("lib-b"));
        }
    }

    #[test]
    fn a_file_of_a_plain_layout_is_recognised() {
        assert_eq!(plain_path("Hello-1-1.noarch.rpm"), "Packages/h/Hello-1-1.noarch.rpm");
        assert_eq!(plain_path("_a.rpm"), "Packages/_/_a.rpm");
        for section in ["", "debug/", "source/"] {
            let plain = format!("{section}{}", plain_path("b-1-1.noarch.rpm"));
            assert!(is_plain_path(&plain) && package_of_path(&plain).is_none(), "{plain}");
            let beside = plain_path_beside("lib-b", &Digest::compute(b"content"), "b-1-1.noarch.rpm");
            let beside = format!("{section}{beside}");
            assert!(package_of_path(&beside) == Some("lib-b") && !is_plain_path(&beside), "{beside}");
        }
        for path in [
            "Packages/b.rpm",
            "Packages/a/b.rpm",
            "Packages/b/b",
            "Packages/B/B.rpm",
            "Packages/./.b.rpm",
            "Packages/b/../b.rpm",
            "Packages/b/b/b.rpm",
            "Packages/b/c-0123456789ab/d.rpm",
            "packages/b/b.rpm",
            "/Packages/b/b.rpm",
            "Packages//b.rpm",
        ] {
            assert!(!is_package_path(path), "{path}");
        }
    }

    #[test]
    fn other_paths_are_none_of_a_package() {
        let others = [
            "",
            "a.rpm",
            "a-0123456789ab",
            "a-0123456789ab/",
            "a-0123456789ab/..",
            "a-0123456789ab/b/c.rpm",
            "a-0123456789ab/../../c.rpm",
            "../a-0123456789ab/a.rpm",
            "/a-0123456789ab/a.rpm",
            "./a-0123456789ab/a.rpm",
            "a-0123456789ab//a.rpm",
            "a-0123456789ab/a\u{1b}[2J.rpm",
            "a-0123456789ab/a\0.rpm",
            "a-0123456789AB/a.rpm",
            "a-01234567/a.rpm",
            "-0123456789ab/a.rpm",
            "debug/source/a-0123456789ab/a.rpm",
            "other/a-0123456789ab/a.rpm",
            ".git/hooks",
            ".forge-repository",
            ".forge-publishing/0",
        ];
        assert_eq!(others.map(package_of_path), [None; 21]);
    }

    #[test]
    fn only_what_is_named_by_its_checksum_is_a_metadata_file() {
        let sum = "0123456789abcdef".repeat(4);
        for name in ["primary.xml.zst", "primary.xml.gz", "comps.xml"] {
            assert!(is_metadata_path(&format!("repodata/{sum}-{name}")));
            assert!(is_metadata_path(&format!("debug/repodata/{sum}-{name}")));
        }
        for other in [
            REPOMD,
            "repodata/primary.xml.gz",
            &format!("repodata/{sum}-../../x.xml.gz"),
            &format!("../repodata/{sum}-primary.xml.gz"),
            &format!("/repodata/{sum}-primary.xml.gz"),
            &format!("repodatax/{sum}-primary.xml.gz"),
        ] {
            assert!(!is_metadata_path(other), "{other}");
        }
    }
}
