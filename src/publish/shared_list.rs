//! Lists that their copies share: what a repository holds is passed from hand to hand, and hardly anything of it changes.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;

/// A list whose copies cost nothing. What is changed is changed for the one who changes it.
pub(super) struct SharedList<T>(Arc<Shared<T>>);

struct Shared<T> {
    items: Vec<T>,
    /// What was worked out of the items.
    digests: OnceLock<Vec<Option<Digest>>>,
}

impl<T> SharedList<T> {
    /// What `compute` works out of the items, which is done once for all copies.
    pub fn digests(&self, compute: impl FnOnce(&[T]) -> Vec<Option<Digest>>) -> &[Option<Digest>] {
        self.0.digests.get_or_init(|| compute(&self.0.items))
    }
}

impl<T: Clone> SharedList<T> {
    /// The items, to be changed here and in no copy.
    pub fn make_mut(&mut self) -> &mut Vec<T> {
        let shared = Arc::make_mut(&mut self.0);
        shared.digests = OnceLock::new();
        &mut shared.items
    }
}

impl<T: Clone> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self { items: self.items.clone(), digests: OnceLock::new() }
    }
}

impl<T> Clone for SharedList<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> From<Vec<T>> for SharedList<T> {
    fn from(items: Vec<T>) -> Self {
        Self(Arc::new(Shared { items, digests: OnceLock::new() }))
    }
}

impl<T> FromIterator<T> for SharedList<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Vec::from_iter(items).into()
    }
}

impl<T> Deref for SharedList<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0.items
    }
}

impl<'a, T> IntoIterator for &'a SharedList<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.items.iter()
    }
}

impl<T: PartialEq> PartialEq for SharedList<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.items == other.0.items
    }
}

impl<T: Eq> Eq for SharedList<T> {}

impl<T: fmt::Debug> fmt::Debug for SharedList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.items.fmt(f)
    }
}

impl<T: Serialize> Serialize for SharedList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.items.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for SharedList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_is_changed_leaves_the_other_as_it_was() {
        let digests =
            |list: &SharedList<u8>| list.digests(|items| vec![Some(Digest::compute(items))]).to_vec();
        let list = SharedList::from(vec![1, 2]);
        let before = digests(&list);
        let mut copy = list.clone();
        assert_eq!((&copy, digests(&copy)), (&list, before.clone()));
        copy.make_mut().push(3);
        assert_eq!((&list[..], &copy[..]), (&[1, 2][..], &[1, 2, 3][..]));
        assert_eq!(digests(&list), before);
        assert_ne!(digests(&copy), before);
        assert_eq!(serde_json::to_string(&copy).unwrap(), "[1,2,3]");
        assert_eq!(serde_json::from_str::<SharedList<u8>>("[1,2,3]").unwrap(), copy);
    }
}
