//! The patterns of `%files` (rpm-spec(5)): glob(7) with braces, and backslashes before what is meant literally.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use cap_std::fs::Dir;
use globset::GlobBuilder;

use crate::engine::limits::MOST_ALTERNATIVES;

/// The paths below a folder that a text names as a pattern; none where it is no pattern or where nothing matches it. Then
/// it stands for itself, as it is written: `a\b` is `ab` if that is there, and `a\b` otherwise.
pub(super) fn find_paths(folder: &Dir, text: &[u8]) -> Vec<PathBuf> {
    if !is_pattern(text) {
        return Vec::new();
    }
    expand_braces(text).iter().flat_map(|choice| find_matches(folder, choice)).collect()
}

/// Whether a text may name something else than itself.
fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| b"*?[{\\".contains(byte))
}

/// Whether a part of a pattern can name more than one thing.
fn has_wildcard(part: &[u8]) -> bool {
    find_unescaped(part, 0, b"*?[{").is_some()
}

/// A text without its backslashes; nothing where one escapes nothing: no name matches that.
fn remove_escapes(text: &[u8]) -> Option<BString> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        plain.push(if *byte == b'\\' { *bytes.next()? } else { *byte });
    }
    Some(plain.into())
}

/// The texts that braces stand for: `a{b,c}` is `ab` and `ac`. Braces that do not close stand for themselves.
fn expand_braces(text: &[u8]) -> Vec<BString> {
    let mut done = Vec::new();
    let mut open = vec![BString::from(text)];
    while let Some(next) = open.pop() {
        match find_braces(&next) {
            Some((before, choices, after)) if done.len() + open.len() < MOST_ALTERNATIVES => {
                let whole = choices.iter().rev().map(|choice| [before, choice, after].concat().into());
                open.extend(whole);
            }
            _ => done.push(next),
        }
    }
    done
}

/// A text with braces: what stands before them, their choices, what stands after them.
type Braces<'t> = (&'t [u8], Vec<&'t [u8]>, &'t [u8]);

/// The first braces of a text: what stands before them, their choices, and what stands after them.
fn find_braces(text: &[u8]) -> Option<Braces<'_>> {
    let begin = find_unescaped(text, 0, b"{")?;
    let (mut at, mut depth, mut from) = (begin + 1, 0_usize, begin + 1);
    let mut choices = Vec::new();
    while let Some(next) = find_unescaped(text, at, b"{},") {
        match text.get(next) {
            Some(b'{') => depth += 1,
            Some(b'}') if depth > 0 => depth -= 1,
            Some(b',') if depth == 0 => {
                choices.push(text.get(from..next)?);
                from = next + 1;
            }
            Some(b'}') => {
                choices.push(text.get(from..next)?);
                return Some((text.get(..begin)?, choices, text.get(next + 1..)?));
            }
            _ => {}
        }
        at = next + 1;
    }
    None
}

/// Where one of some bytes stands without a backslash before it.
fn find_unescaped(text: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let mut at = from;
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' => at += 1,
            byte if wanted.contains(byte) => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

/// The paths below a folder that a pattern without braces names, sorted. What begins with a dot is found only where the
/// pattern has the dot.
fn find_matches(folder: &Dir, pattern: &[u8]) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    let parts = pattern.split_str("/").filter(|part| !part.is_empty() && *part != b".");
    for part in parts {
        found = found.iter().flat_map(|path| find_part(folder, path, part)).collect();
    }
    found
}

/// The paths behind `path` whose last part is named by a part of a pattern.
fn find_part(folder: &Dir, path: &Path, part: &[u8]) -> Vec<PathBuf> {
    if part == b".." {
        return path.parent().map(Path::to_owned).into_iter().collect();
    }
    if !has_wildcard(part) {
        let next = remove_escapes(part).map(|name| path.join(OsStr::from_bytes(&name)));
        return next.filter(|next| folder.symlink_metadata(next).is_ok()).into_iter().collect();
    }
    let text = part.to_str_lossy();
    let Ok(glob) = GlobBuilder::new(&text).backslash_escape(true).literal_separator(true).build() else {
        return Vec::new();
    };
    let matcher = glob.compile_matcher();
    let here = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let names = folder.read_dir(here).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.file_name()));
    let is_hidden = |name: &OsStr| name.as_bytes().starts_with(b".") && !part.starts_with(b".");
    let mut found: Vec<PathBuf> = names
        .filter(|name| !is_hidden(name) && matcher.is_match(Path::new(name)))
        .map(|name| path.join(name))
        .collect();
    found.sort_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_stand_for_their_choices() {
        assert_eq!(expand_braces(b"/a/{x,y{1,2}}/z"), ["/a/x/z", "/a/y1/z", "/a/y2/z"]);
        assert_eq!(expand_braces(b"/a/\\{x,y}"), ["/a/\\{x,y}"]);
        assert_eq!(expand_braces(b"/a/{x"), ["/a/{x"]);
    }

    #[test]
    fn a_backslash_makes_a_letter_of_a_star() {
        assert!(!has_wildcard(b"a\\*"));
        assert!(has_wildcard(b"a\\\\*"));
        assert_eq!(remove_escapes(b"/a\\*b\\\\").unwrap(), "/a*b\\");
        assert_eq!(remove_escapes(b"/a\\"), None);
    }

    #[test]
    fn stars_find_names_but_no_hidden_ones() {
        let temp = tempfile::tempdir().unwrap();
        let folder = Dir::open_ambient_dir(temp.path(), cap_std::ambient_authority()).unwrap();
        folder.create_dir_all("a/b").unwrap();
        for name in ["a/x", "a/.x", "a/b/y", "a/[z]"] {
            folder.write(name, "").unwrap();
        }
        let found = |pattern: &str| {
            let paths = find_matches(&folder, pattern.as_bytes()).into_iter();
            paths.map(|path| path.display().to_string()).collect::<Vec<_>>()
        };
        assert_eq!(found("/a/*"), ["a/[z]", "a/b", "a/x"]);
        assert_eq!(found("/a/.*"), ["a/.x"]);
        assert_eq!(found("/*/**/y"), ["a/b/y"]);
        assert_eq!(found("/a/\\[z\\]"), ["a/[z]"]);
        assert_eq!(found("/a/[x-z]"), ["a/x"]);
        assert_eq!(found("/nosuch/*"), Vec::<String>::new());
    }
}
