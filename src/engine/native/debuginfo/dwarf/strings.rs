//! A section of strings of which some are changed. New strings go to its end, so that all others stay where they are.

use std::collections::{BTreeMap, HashMap};

use super::super::elf::{Encoding, Unsplit};
use super::super::string_table::StringTable;
use super::paths::PathChange;
use super::sections::DebugSection;

/// A place in some section that holds the offset of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OffsetPlace {
    pub(super) at: usize,
    /// How many bytes the offset has.
    pub(super) size: usize,
    /// Where the string begins.
    pub(super) offset: usize,
}

/// Strings that have changed, by where they begin.
#[derive(Debug, Default)]
pub(super) struct ChangedStrings {
    /// Where the new one begins.
    new: BTreeMap<usize, usize>,
    known: HashMap<Vec<u8>, usize>,
    /// How large the section may become.
    most: Option<usize>,
    /// What old ones begin with that must not stay in the file, by where they begin: where that ends.
    old: BTreeMap<usize, usize>,
}

/// How large a section of strings may become that has so many bytes.
fn most_bytes(now: usize) -> usize {
    now.saturating_mul(4).saturating_add(16 << 20)
}

/// The string at an offset.
pub(super) fn string_at(strings: &[u8], offset: usize) -> Option<&[u8]> {
    let rest = strings.get(offset..)?;
    let end = rest.iter().position(|byte| *byte == 0)?;
    rest.get(..end)
}

impl ChangedStrings {
    /// Changes the string that a place names, if it is a path to be changed: then gives where the new one is.
    pub(super) fn change(
        &mut self,
        strings: &mut DebugSection,
        offset: usize,
        change: &PathChange,
    ) -> Option<usize> {
        if let Some(new) = self.new.get(&offset) {
            return Some(*new);
        }
        let old = string_at(&strings.bytes, offset)?;
        let length = change.changed_length(old)?;
        let path = change.change(old)?;
        let end = strings.bytes.len();
        // Strings that lie in each other would grow without end.
        let most = *self.most.get_or_insert(most_bytes(end));
        if end.saturating_add(path.len()) > most {
            return None;
        }
        let new = *self.known.entry(path).or_insert_with_key(|path| {
            strings.bytes.extend_from_slice(path);
            strings.bytes.push(0);
            end
        });
        strings.is_changed = true;
        self.new.insert(offset, new);
        self.old.insert(offset, offset + length);
        Some(new)
    }

    /// Whether nothing has changed.
    pub(super) fn is_empty(&self) -> bool {
        self.new.is_empty()
    }

    /// Hears of an offset that something else names: what it needs of an old string stays.
    pub(super) fn keep(&mut self, offset: usize) {
        let before = self.old.range(..=offset).next_back().map(|(start, end)| (*start, *end));
        if let Some((start, _)) = before.filter(|(_, end)| offset < *end) {
            self.old.remove(&start);
        }
    }

    /// As [`ChangedStrings::keep`], for whatever a section holds that is not taken apart: each of its bytes may begin an offset.
    pub(super) fn keep_all_in(&mut self, encoding: Encoding, bytes: &[u8]) {
        if self.old.is_empty() {
            return;
        }
        for at in 0..bytes.len() {
            let offset = encoding.get(bytes, at, 4).and_then(|offset| usize::try_from(offset).ok());
            offset.into_iter().for_each(|offset| self.keep(offset));
        }
    }

    /// Takes away what nothing names any more: where a program was built is nobody's business, and differs from one build to the next.
    pub(super) fn wipe(&self, strings: &mut DebugSection) {
        for (start, end) in &self.old {
            // The end of a longer string, which is that string's as well.
            let is_end = start.checked_sub(1).is_some_and(|before| strings.bytes.get(before) != Some(&0));
            if !is_end && let Some(old) = strings.bytes.get_mut(*start..*end) {
                old.fill(0);
            }
        }
    }
}

/// Puts the new offsets of changed strings where a section names the old ones.
pub(super) fn follow(
    section: &mut DebugSection,
    encoding: Encoding,
    moved: &[(OffsetPlace, usize)],
) -> Result<(), Unsplit> {
    moved.iter().try_for_each(|(place, new)| section.put(encoding, place.at, place.size, *new as u64))
}

/// A place that names a string in some section, and where it finds the string now.
pub(super) type Moved<S> = (S, OffsetPlace, usize);

/// Puts strings together anew: those that are named, in the order in which they are; gives where each place finds its own.
pub(super) fn rebuild<S: Copy>(
    strings: &[u8],
    places: &[(S, OffsetPlace)],
) -> Result<(Vec<u8>, Vec<Moved<S>>), Unsplit> {
    let tangled = || Unsplit::because("its strings lie in each other, or in an order that was made up");
    let mut table = StringTable::default();
    let mut size = 0_usize;
    for text in places.iter().filter_map(|(_, place)| string_at(strings, place.offset)) {
        if table.add(text).ok_or_else(tangled)? {
            size = size.saturating_add(text.len());
        }
        if size > most_bytes(strings.len()) {
            return Err(tangled());
        }
    }
    let (new, known) = table.arrange();
    let moved = places.iter().filter_map(|(named_in, place)| {
        let offset = known.get(string_at(strings, place.offset)?)?;
        Some((*named_in, *place, *offset))
    });
    let moved = moved.collect();
    Ok((new, moved))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODING: Encoding = Encoding { is_64: true, is_big: false };

    fn place(offset: usize) -> OffsetPlace {
        OffsetPlace { at: 0, size: 4, offset }
    }

    #[test]
    fn the_end_of_a_string_that_something_else_names_stays() {
        let mut strings = DebugSection::default();
        strings.bytes = b"\0/b/hello\0/b/x.c\0".to_vec();
        let change = PathChange::new(b"/b/hello", b"/usr/src/debug/h");
        let mut changed = ChangedStrings::default();
        let new = changed.change(&mut strings, 1, &change).unwrap();
        assert_eq!(changed.change(&mut strings, 10, &change), None);
        assert_eq!(string_at(&strings.bytes, new).unwrap(), b"/usr/src/debug/h");
        // A function of that name, whose string is the end of the path.
        changed.keep_all_in(ENCODING, &4_u32.to_le_bytes());
        changed.wipe(&mut strings);
        assert_eq!(string_at(&strings.bytes, 4).unwrap(), b"hello");
        changed.old.insert(1, 9);
        changed.wipe(&mut strings);
        assert_eq!(string_at(&strings.bytes, 4).unwrap(), b"");
    }

    #[test]
    fn strings_that_end_others_are_within_them() {
        let old = b"\0b.c\0/a/b.c\0gone\0x\0";
        let places: Vec<_> = [1, 5, 17, 0].map(|offset| ((), place(offset))).into();
        let (new, moved) = rebuild(old, &places).unwrap();
        let found: Vec<&[u8]> =
            moved.iter().map(|(_, _, offset)| string_at(&new, *offset).unwrap()).collect();
        assert_eq!(found, [b"b.c".as_slice(), b"/a/b.c", b"x", b""]);
        assert_eq!(new.len(), b"/a/b.c\0x\0".len(), "{new:?}");
    }
}
