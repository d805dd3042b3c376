//! What an archive of a registry has, and which entries it may have, whatever it is packed with.

use std::collections::BTreeMap;

use super::error::MadeSpecError;

/// How many files an archive may have. The largest of PyPI and npm have some ten thousand.
pub(super) const MOST_ENTRIES: usize = 200_000;
/// How large a file of metadata may be.
pub(super) const LARGEST_WANTED: u64 = 8 << 20;
/// How much of an archive may be metadata of its entries: long names, attributes.
pub(super) const LONGEST_PATH: usize = 4096;

/// What an archive has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveContent {
    /// The paths of regular files.
    pub files: Vec<String>,
    /// The paths of links, hard ones too.
    pub links: Vec<String>,
    /// What those hold that were wanted.
    pub texts: BTreeMap<String, Vec<u8>>,
}

impl ArchiveContent {
    /// The text of a file that was wanted; bytes that are no UTF-8 are replaced.
    pub fn text(&self, path: &str) -> Option<String> {
        self.texts.get(path).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The folder that all files are in, if they are in one.
    pub fn top(&self) -> Option<&str> {
        let (first, _) = self.files.first()?.split_once('/')?;
        let is_below = |path: &String| path.split_once('/').is_some_and(|(top, _)| top == first);
        self.files.iter().all(is_below).then_some(first)
    }

    /// The same, with paths from that folder on.
    #[must_use]
    pub fn below(self, top: &str) -> Self {
        let strip = |path: &str| path.strip_prefix(top)?.strip_prefix('/').map(str::to_owned);
        Self {
            files: self.files.iter().filter_map(|path| strip(path)).collect(),
            links: self.links.iter().filter_map(|path| strip(path)).collect(),
            texts: self.texts.into_iter().filter_map(|(path, text)| Some((strip(&path)?, text))).collect(),
        }
    }
}

/// How it is said that an entry is not unpacked.
pub(super) fn unsafe_entry(file: &str, name: &str, reason: &'static str) -> MadeSpecError {
    let name = name.chars().flat_map(char::escape_debug).take(LONGEST_SHOWN).collect();
    MadeSpecError::UnsafeEntry { file: file.to_owned(), name, reason }
}

pub(super) const LONGEST_SHOWN: usize = 200;

/// A path that stays in the folder that it is unpacked into, without `./`.
pub(super) fn safe_path(file: &str, path: &[u8]) -> Result<String, MadeSpecError> {
    let shown = String::from_utf8_lossy(path);
    let refuse = |reason| Err(unsafe_entry(file, &shown, reason));
    if path.len() > LONGEST_PATH {
        return refuse("its name is too long");
    }
    if path.starts_with(b"/") {
        return refuse("its path begins at the root");
    }
    if shown.chars().any(char::is_control) {
        return refuse("its name has control characters");
    }
    let parts: Vec<&str> = shown.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    match parts.contains(&"..") {
        true => refuse("its path leads out of the archive"),
        false => Ok(parts.join("/")),
    }
}

/// Whether a symbolic link leads to something in the archive.
pub(super) fn stays_inside(link: &str, target: &[u8]) -> bool {
    let target = String::from_utf8_lossy(target);
    let mut depth = link.split('/').count().saturating_sub(1);
    for part in target.split('/') {
        match part {
            "" | "." => {}
            // The topmost folder is the project's own.
            ".." if depth <= 1 => return false,
            ".." => depth -= 1,
            _ => depth += 1,
        }
    }
    !target.starts_with('/') && !target.is_empty()
}
