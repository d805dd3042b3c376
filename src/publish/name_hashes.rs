//! Sets of names as numbers, to see in which of many places a name can be without reading any of them.

use serde::{Deserialize, Serialize};

/// A set of names. Two that differ may count as the same.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct NameHashes(Vec<u32>);

impl<'a> FromIterator<&'a str> for NameHashes {
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        let mut hashes: Vec<u32> = names.into_iter().map(hash).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }
}

impl NameHashes {
    /// All names of all sets.
    pub fn union<'a>(sets: impl Iterator<Item = &'a Self>) -> Self {
        let mut hashes: Vec<u32> = sets.flat_map(|set| set.0.iter().copied()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// Whether a name may be in both.
    pub fn shares_one_with(&self, other: &Self) -> bool {
        let (few, many) = if self.0.len() < other.0.len() { (self, other) } else { (other, self) };
        few.0.iter().any(|hash| many.0.binary_search(hash).is_ok())
    }

    /// As bytes, four for each.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|hash| hash.to_le_bytes()).collect()
    }

    /// Those of these bytes; nothing where they are none.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks();
        let hashes: Vec<u32> = hashes.iter().map(|hash| u32::from_le_bytes(*hash)).collect();
        (rest.is_empty() && hashes.is_sorted()).then_some(Self(hashes))
    }
}

/// CRC-32: the same in every release, and quick. Who makes names that count as the same makes one more place be read.
fn hash(name: &str) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(name.as_bytes());
    crc.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_that_have_a_name_in_common_are_recognised() {
        let set = |names: &[&'static str]| names.iter().copied().collect::<NameHashes>();
        let many = set(&["libc.so.6", "/usr/bin/sh", "a", "a"]);
        assert!(many.shares_one_with(&set(&["b", "a"])) && set(&["/usr/bin/sh"]).shares_one_with(&many));
        assert!(!many.shares_one_with(&set(&["b"])) && !many.shares_one_with(&set(&[])));
        assert_eq!(NameHashes::from_bytes(&many.to_bytes()), Some(many.clone()));
        assert_eq!(many.to_bytes().len(), 12);
        assert_eq!(NameHashes::from_bytes(b"abc"), None);
    }
}
