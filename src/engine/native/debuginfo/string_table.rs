//! Strings put together in one section, one that another ends with within that. They are arranged as elfutils arranges them, from
//! which debugedit(1) has them: build-ids depend on it.

use std::collections::HashMap;

/// How long a search for the place of a string may be.
const DEEPEST: usize = 4_000;

/// No node.
const NONE: usize = usize::MAX;

/// A string that no other ends with, so far, in a tree that is sorted by the strings' ends.
struct StringNode<'s> {
    text: &'s [u8],
    /// What it ends with.
    ends: Vec<&'s [u8]>,
    before: usize,
    after: usize,
}

/// Strings that are being put together.
#[derive(Default)]
pub(super) struct StringTable<'s> {
    nodes: Vec<StringNode<'s>>,
    known: std::collections::HashSet<&'s [u8]>,
}

/// A section, and where in it each string begins.
pub(super) type Arranged<'s> = (Vec<u8>, HashMap<&'s [u8], usize>);

impl<'s> StringTable<'s> {
    /// Adds a string; gives whether it is a new one, and nothing where the search for its place takes too long: it would for strings that were
    /// made to that end.
    pub(super) fn add(&mut self, text: &'s [u8]) -> Option<bool> {
        if !self.known.insert(text) {
            return Some(false);
        }
        let number = self.nodes.len();
        let mut at = if number == 0 { NONE } else { 0 };
        for _ in 0..DEEPEST {
            let Some(node) = self.nodes.get_mut(at) else {
                break;
            };
            let common = node.text.len().min(text.len());
            let order = text.iter().rev().take(common).cmp(node.text.iter().rev().take(common));
            let next = match order {
                std::cmp::Ordering::Equal => {
                    let end = if text.len() > node.text.len() {
                        std::mem::replace(&mut node.text, text)
                    } else {
                        text
                    };
                    node.ends.push(end);
                    return Some(true);
                }
                std::cmp::Ordering::Less => &mut node.before,
                std::cmp::Ordering::Greater => &mut node.after,
            };
            if *next == NONE {
                *next = number;
            }
            at = *next;
            if at == number {
                self.nodes.push(StringNode { text, ends: Vec::new(), before: NONE, after: NONE });
                return Some(true);
            }
        }
        if number > 0 {
            return None;
        }
        self.nodes.push(StringNode { text, ends: Vec::new(), before: NONE, after: NONE });
        Some(true)
    }

    /// Puts them together, sorted by their ends.
    pub(super) fn arrange(self) -> Arranged<'s> {
        let (mut bytes, mut offsets) = (Vec::new(), HashMap::with_capacity(self.known.len()));
        let (mut open, mut at) = (Vec::new(), if self.nodes.is_empty() { NONE } else { 0 });
        loop {
            while let Some(node) = self.nodes.get(at) {
                open.push(node);
                at = node.before;
            }
            let Some(node) = open.pop() else {
                return (bytes, offsets);
            };
            bytes.extend_from_slice(node.text);
            for text in node.ends.iter().chain([&node.text]) {
                offsets.insert(*text, bytes.len() - text.len());
            }
            bytes.push(0);
            at = node.after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrange(texts: &[&str]) -> (String, Vec<usize>) {
        let mut table = StringTable::default();
        for text in texts {
            table.add(text.as_bytes()).unwrap();
        }
        let (bytes, offsets) = table.arrange();
        (String::from_utf8(bytes).unwrap(), texts.iter().map(|text| offsets[text.as_bytes()]).collect())
    }

    #[test]
    fn an_end_is_within_the_first_string_that_has_it() {
        let texts = ["al.h", "new_al.h", "c++al.h", "", "x", "al.h"];
        assert_eq!(arrange(&texts), ("c++al.h\0new_al.h\0x\0".to_owned(), vec![12, 8, 0, 16, 17, 12]));
        assert_eq!(arrange(&["x"]), ("x\0".to_owned(), vec![0]));
        assert_eq!(arrange(&[]).0, "");
    }

    #[test]
    fn strings_that_make_a_list_of_the_tree_are_refused() {
        let texts: Vec<String> =
            (0..5_000).map(|number| format!("{:08}", number).chars().rev().collect()).collect();
        let mut table = StringTable::default();
        assert!(texts.iter().any(|text| table.add(text.as_bytes()).is_none()));
    }
}
