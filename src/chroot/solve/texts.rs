//! Many texts, one behind the other: what an index keeps its names in.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Texts by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Texts {
    pub(super) all: String,
    /// Where each ends, in bytes.
    pub(super) ends: Vec<u32>,
}

impl Texts {
    /// The text of a number; empty for one that there isn't.
    pub fn get(&self, number: u32) -> &str {
        let number = number as usize;
        let end = self.ends.get(number).copied().unwrap_or_default() as usize;
        let begin =
            number.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or_default();
        self.all.get(begin as usize..end).unwrap_or_default()
    }

    pub fn len(&self) -> usize {
        self.ends.len()
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let mut begin = 0;
        self.ends.iter().map(move |end| {
            let text = self.all.get(begin..*end as usize).unwrap_or_default();
            begin = *end as usize;
            text
        })
    }

    /// Adds a text; `None` where there is no room for its number or its bytes.
    pub fn push(&mut self, text: &str) -> Option<u32> {
        let end = u32::try_from(self.all.len() + text.len()).ok().filter(|end| *end < MOST_BYTES)?;
        let number = u32::try_from(self.ends.len()).ok().filter(|number| *number < MOST_TEXTS)?;
        self.all.push_str(text);
        self.ends.push(end);
        Some(number)
    }

    /// Whether every text is one, and ends where it may.
    pub fn is_sound(&self) -> bool {
        let ends = || self.ends.iter().map(|end| *end as usize);
        self.ends.is_sorted()
            && ends().all(|end| self.all.is_char_boundary(end))
            && ends().next_back().unwrap_or_default() == self.all.len()
            && self.all.len() < MOST_BYTES as usize
            && self.ends.len() < MOST_TEXTS as usize
    }

    /// The first place whose text isn't before `text`, in texts that are sorted.
    pub fn find_sorted(&self, text: &str) -> Option<u32> {
        let (mut low, mut high) = (0, u32::try_from(self.len()).ok()?);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle) < text { low = middle + 1 } else { high = middle }
        }
        Some(low).filter(|place| (*place as usize) < self.len() && self.get(*place) == text)
    }
}

/// libsolv counts the bytes of its strings in 31 bits, and those of all repositories together.
const MOST_BYTES: u32 = 1 << 30;
const MOST_TEXTS: u32 = 1 << 28;

/// Texts that get a number when they are first seen.
#[derive(Debug, Default)]
pub(super) struct TextNumbers {
    pub texts: Texts,
    /// Numbers by the hash of their text.
    numbers: HashMap<u64, Vec<u32>>,
    hashes: RandomState,
}

impl TextNumbers {
    /// The number of a text.
    pub fn number(&mut self, text: &str) -> Option<u32> {
        let known = self.numbers.entry(self.hashes.hash_one(text)).or_default();
        if let Some(number) = known.iter().find(|number| self.texts.get(**number) == text) {
            return Some(*number);
        }
        let number = self.texts.push(text)?;
        known.push(number);
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_a_number_its_text() {
        let mut numbers = TextNumbers::default();
        let found: Vec<Option<u32>> =
            ["a", "", "bc", "a", ""].iter().map(|text| numbers.number(text)).collect();
        assert_eq!(found, [Some(0), Some(1), Some(2), Some(0), Some(1)]);
        assert_eq!(numbers.texts.iter().collect::<Vec<_>>(), ["a", "", "bc"]);
        assert_eq!((numbers.texts.get(2), numbers.texts.get(3)), ("bc", ""));
        assert!(numbers.texts.is_sound());
    }

    #[test]
    fn sorted_texts_are_found_by_halves() {
        let mut texts = Texts::default();
        for text in ["", "/bin", "/usr", "/usr/bin"] {
            texts.push(text);
        }
        assert_eq!(texts.find_sorted("/usr"), Some(2));
        assert_eq!(texts.find_sorted(""), Some(0));
        assert_eq!(texts.find_sorted("/usr/sbin"), None);
    }
}
