//! Groups of entries: one of level 0 with all that follow it, and whether they may tell anything of a file.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use bstr::ByteSlice;

use super::entry::{Layout, Test};

/// A file, as tests look at it.
pub(super) struct Content<'c> {
    pub(super) bytes: &'c [u8],
    /// In lower case.
    pub(super) lower: Vec<u8>,
    /// With zero bytes as ends of lines.
    pub(super) lines: Cow<'c, [u8]>,
}

impl<'c> Content<'c> {
    pub(super) fn new(bytes: &'c [u8]) -> Self {
        let lines =
            if bytes.contains(&0) { Cow::Owned(bytes.replace(b"\0", b"\n")) } else { Cow::Borrowed(bytes) };
        Self { bytes, lower: bytes.to_ascii_lowercase(), lines }
    }

    /// Whether a test may hold.
    pub(super) fn may_hold(&self, test: &Test) -> bool {
        match test {
            Test::Open => true,
            Test::At(place, wanted) => holds(self.bytes, *place, wanted),
            Test::AtEnd(place, wanted) => {
                self.bytes.len().checked_sub(*place).is_some_and(|place| holds(self.bytes, place, wanted))
            }
            Test::Pointed(pointer, wanted) => {
                pointer.find_target(self.bytes).is_some_and(|place| holds(self.bytes, place, wanted))
            }
            Test::Compared(compared) => compared.holds(self.bytes),
            Test::Search(word) => {
                // One that overlaps another is passed over, so that where it stands does not count.
                self.lower.contains_str(&word.lower)
            }
            Test::Expression(expression) => expression.may_match(&self.lines),
        }
    }
}

/// Whether bytes stand at a place: masks and values.
pub(super) fn holds(content: &[u8], place: usize, wanted: &[(u8, u8)]) -> bool {
    let there = place.checked_add(wanted.len()).and_then(|end| content.get(place..end));
    let holds = |(byte, (mask, value)): (&u8, &(u8, u8))| byte & mask == *value;
    there.is_some_and(|there| there.iter().zip(wanted).all(holds))
}

/// A group of entries.
#[derive(Default)]
pub(super) struct Group {
    pub(super) entries: Range<usize>,
    /// Whether it is searched for, which takes file(1) long.
    pub(super) is_search: bool,
    /// Whether it tries all entries at other places of the file.
    pub(super) looks_elsewhere: bool,
    /// Whether it may tell a MIME type where it has no words of description.
    pub(super) is_wordless: bool,
    nodes: OnceLock<Vec<Node>>,
}

/// An entry of a group.
struct Node {
    level: u16,
    test: Test,
    /// Whether it tells something itself, or uses others that may.
    tells: bool,
}

impl Group {
    /// A group that begins at a place.
    pub(super) fn at(index: usize) -> Self {
        Self { entries: index..index, ..Self::default() }
    }

    /// Whether it may tell anything of a file for which its first test holds. file(1) goes on to the next group where this one
    /// tells nothing.
    pub(super) fn may_tell(&self, bytes: &[u8], layout: Layout, content: &Content<'_>) -> bool {
        may_tell(self.nodes.get_or_init(|| self.read_nodes(bytes, layout)), content)
    }

    fn read_nodes(&self, bytes: &[u8], layout: Layout) -> Vec<Node> {
        let mut nodes: Vec<Node> = Vec::new();
        let entries = self.entries.clone().filter_map(|index| layout.entry(bytes, index));
        let mut is_from_end = false;
        for entry in entries {
            is_from_end |= entry.level == 0 && entry.is_from_end();
            // What follows an entry that counts from the end counts from there.
            let test = if is_from_end { Test::Open } else { entry.test() };
            let tells = !entry.is_silent() || entry.is_indirect() || entry.uses().is_some();
            nodes.push(Node { level: entry.level, test, tells });
        }
        nodes
    }
}

/// Whether something may be told by an entry that holds with all that it belongs to; the first one holds.
fn may_tell(nodes: &[Node], content: &Content<'_>) -> bool {
    let mut nodes = nodes.iter();
    if nodes.next().is_none_or(|first| first.tells) {
        return true;
    }
    // The deepest level whose entry, and all that it belongs to, may hold.
    let mut held: u16 = 0;
    for node in nodes {
        if node.level > held.saturating_add(1) {
            continue;
        }
        held = node.level.saturating_sub(1);
        if content.may_hold(&node.test) {
            if node.tells {
                return true;
            }
            held = node.level;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::native::build::classify::magic::search::Word;

    fn node(level: u16, at: &[u8], tells: bool) -> Node {
        let wanted = at.iter().map(|byte| (0xff, *byte)).collect();
        Node { level, test: Test::At(usize::from(level), wanted), tells }
    }

    fn tells(nodes: &[Node], content: &[u8]) -> bool {
        may_tell(nodes, &Content::new(content))
    }

    #[test]
    fn a_group_tells_something_where_all_that_an_entry_belongs_to_holds() {
        let nodes = || {
            vec![
                node(0, b"a", false),
                node(1, b"b", false),
                node(2, b"c", true),
                node(1, b"x", false),
                node(2, b"y", true),
            ]
        };
        assert!(tells(&nodes(), b"abc") && tells(&nodes(), b"axy"));
        // Words below what does not hold; what holds, but has none.
        assert!(!tells(&nodes(), b"axc") && !tells(&nodes(), b"abz") && !tells(&nodes(), b"a"));
        assert!(tells(&[node(0, b"a", true)], b"a"));
    }

    #[test]
    fn tests_are_held_against_all_of_a_file() {
        let content = Content::new(b"\x02\0Word 1\0end");
        let word = |exact: &[u8]| Word { lower: b"word".to_vec(), exact: Some(exact.to_vec()), starts: None };
        assert!(content.may_hold(&Test::Search(word(b"Word"))));
        assert!(content.may_hold(&Test::AtEnd(3, vec![(0xff, b'e')])));
        assert!(!content.may_hold(&Test::AtEnd(2, vec![(0xff, b'e')])));
        assert!(!content.may_hold(&Test::AtEnd(99, vec![(0xff, b'e')])));
        assert!(!content.may_hold(&Test::At(usize::MAX, vec![(0xff, b'e')])));
    }
}
