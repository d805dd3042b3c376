//! Strings put together in one section, one that another ends with within that, as binutils does it: they stand in the order in which they
//! were named.

use std::collections::{HashMap, HashSet};

/// A section of strings, and where in it each string begins.
pub(super) type MergedStrings<'s> = (Vec<u8>, HashMap<&'s [u8], u64>);

/// Puts strings together; the section begins with an empty one.
pub(super) fn merge_strings<'s>(strings: impl IntoIterator<Item = &'s [u8]>) -> MergedStrings<'s> {
    let mut known = HashSet::from([b"".as_slice()]);
    let named: Vec<&[u8]> = strings.into_iter().filter(|string| known.insert(string)).collect();
    let whole = find_whole_strings(&named);
    let (mut bytes, mut offsets) = (vec![0], HashMap::from([(b"".as_slice(), 0)]));
    for string in named.iter().filter(|string| !whole.contains_key(*string)) {
        offsets.insert(*string, bytes.len() as u64);
        bytes.extend_from_slice(string);
        bytes.push(0);
    }
    for (string, whole) in whole {
        let shorter = (whole.len() - string.len()) as u64;
        let offset = offsets.get(whole).copied().unwrap_or_default();
        offsets.insert(string, offset + shorter);
    }
    (bytes, offsets)
}

/// For strings that others end with: one of these that is itself no other's end.
fn find_whole_strings<'s>(strings: &[&'s [u8]]) -> HashMap<&'s [u8], &'s [u8]> {
    let mut by_end = strings.to_vec();
    by_end.sort_unstable_by(|a, b| b.iter().rev().cmp(a.iter().rev()));
    let mut whole: &[u8] = b"";
    let mut found = HashMap::new();
    for string in by_end {
        if whole.ends_with(string) {
            found.insert(string, whole);
        } else {
            whole = string;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_merged(strings: &[&str], section: &str, places: &[u64]) {
        let (bytes, offsets) = merge_strings(strings.iter().map(|string| string.as_bytes()));
        assert_eq!(String::from_utf8(bytes).unwrap(), section);
        let found: Vec<u64> = strings.iter().map(|string| offsets[string.as_bytes()]).collect();
        assert_eq!(found, places);
    }

    #[test]
    fn strings_stand_as_they_were_named_and_ends_within_others() {
        assert_merged(&[".b", ".a", ".b", ""], "\0.b\0.a\0", &[1, 4, 1, 0]);
        assert_merged(&[".got", ".plt", ".plt.got"], "\0.plt\0.plt.got\0", &[10, 1, 6]);
        assert_merged(&["d", "bcd", "abcd"], "\0abcd\0", &[4, 2, 1]);
        assert_merged(&[], "\0", &[]);
    }
}
