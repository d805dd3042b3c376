//! Whether a list of paths makes sense as a tree.

use std::collections::HashMap;

use bstr::{BStr, BString, ByteSlice};

use super::limits::{DEEPEST_PATH, LONGEST_NAME, LONGEST_PATH};
use super::{EntryContent, EntryFault, TreeEntry};

/// A path of a tree, from one that begins at the root.
pub(super) fn check_path(path: &[u8]) -> Result<BString, EntryFault> {
    let below = path.strip_prefix(b"/").ok_or(EntryFault::Relative)?;
    check_relative_path(below)
}

/// A path of a tree, from one without a `/` at its beginning.
pub(super) fn check_relative_path(path: &[u8]) -> Result<BString, EntryFault> {
    if path.is_empty() {
        return Ok(BString::default());
    }
    if has_control_characters(path) {
        return Err(EntryFault::ControlCharacter);
    }
    let mut depth = 0;
    for part in path.split_str("/") {
        if matches!(part, b"" | b"." | b"..") {
            return Err(EntryFault::OddPart(String::from_utf8_lossy(part).into_owned()));
        }
        depth += 1;
        if part.len() > LONGEST_NAME || depth > DEEPEST_PATH {
            return Err(EntryFault::TooLong);
        }
    }
    if path.len() > LONGEST_PATH - 1 { Err(EntryFault::TooLong) } else { Ok(path.into()) }
}

/// What a link may point to: anything that is a path, for it is never followed here.
pub(super) fn check_link(target: &[u8]) -> Result<(), EntryFault> {
    match target.is_empty() || has_control_characters(target) {
        true => Err(EntryFault::OddLink),
        false if target.len() > LONGEST_PATH => Err(EntryFault::TooLong),
        false => Ok(()),
    }
}

fn has_control_characters(text: &[u8]) -> bool {
    // Those beyond ASCII (U+0080 to U+009F) are two bytes in UTF-8, and whole letters in older encodings.
    let is_control = |byte: &u8| byte.is_ascii_control();
    text.iter().any(is_control) || text.chars().any(|letter| letter.is_control())
}

/// Sorts entries by path, and checks that none is there twice or lies below something that is no folder.
///
/// # Errors
/// The path that is wrong, and why.
pub(super) fn sort_and_check(entries: &mut [TreeEntry]) -> Result<(), (BString, EntryFault)> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let pairs = entries.iter().zip(entries.iter().skip(1));
    if let Some((twice, _)) = pairs.into_iter().find(|(one, next)| one.path == next.path) {
        return Err((twice.path.clone(), EntryFault::Twice));
    }
    let no_folders: HashMap<&BStr, &EntryContent> = entries
        .iter()
        .filter(|entry| entry.content != EntryContent::Folder)
        .map(|entry| (entry.path.as_ref(), &entry.content))
        .collect();
    for entry in entries.iter() {
        for above in folders_above(entry.path.as_ref()) {
            let shown = || above.to_string().escape_debug().to_string();
            let fault = match no_folders.get(above) {
                None | Some(EntryContent::Folder) => continue,
                Some(EntryContent::Link(_)) => EntryFault::BelowLink(shown()),
                Some(EntryContent::File(_)) => EntryFault::BelowFile(shown()),
            };
            return Err((entry.path.clone(), fault));
        }
    }
    Ok(())
}

/// The folders that a path leads through.
fn folders_above(path: &BStr) -> impl Iterator<Item = &BStr> {
    path.find_iter("/").filter_map(|end| path.get(..end)).map(BStr::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_elsewhere_or_deceive_are_refused() {
        let fault = |path: &[u8]| check_path(path).unwrap_err();
        assert_eq!(fault(b"etc/passwd"), EntryFault::Relative);
        assert_eq!(fault(b""), EntryFault::Relative);
        assert_eq!(fault(b"/usr/../etc"), EntryFault::OddPart("..".to_owned()));
        assert_eq!(fault(b"/usr//bin"), EntryFault::OddPart(String::new()));
        assert_eq!(fault(b"//etc"), EntryFault::OddPart(String::new()));
        assert_eq!(fault(b"/usr/./bin"), EntryFault::OddPart(".".to_owned()));
        assert_eq!(fault(b"/usr/"), EntryFault::OddPart(String::new()));
        assert_eq!(fault(b"/usr/a\nb"), EntryFault::ControlCharacter);
        assert_eq!(fault(b"/usr/a\x1b[2Jb"), EntryFault::ControlCharacter);
        assert_eq!(fault("/usr/a\u{9b}2Jb".as_bytes()), EntryFault::ControlCharacter);
        assert_eq!(fault(b"/usr/a\0b"), EntryFault::ControlCharacter);
        assert_eq!(fault(["/".to_owned(), "a".repeat(256)].concat().as_bytes()), EntryFault::TooLong);
        assert_eq!(fault("/a".repeat(129).as_bytes()), EntryFault::TooLong);
        assert_eq!(fault(format!("/{}", "a".repeat(200)).repeat(21).as_bytes()), EntryFault::TooLong);
    }

    #[test]
    fn paths_of_packages_are_taken_without_their_beginning() {
        assert_eq!(check_path(b"/usr/share/a b/..c").unwrap(), "usr/share/a b/..c");
        assert_eq!(check_path(b"/").unwrap(), "");
        assert_eq!(check_path(b"/usr/\xe9t\xe9").unwrap(), b"usr/\xe9t\xe9".as_slice());
    }

    #[test]
    fn links_are_kept_wherever_they_point_if_that_is_a_path() {
        assert_eq!(check_link(b"/../../etc/passwd"), Ok(()));
        assert_eq!(check_link(b""), Err(EntryFault::OddLink));
        assert_eq!(check_link(b"a\nb"), Err(EntryFault::OddLink));
    }
}
