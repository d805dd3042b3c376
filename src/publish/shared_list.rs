//! Lists that their copies share: what a repository holds is passed from hand to hand, and hardly anything of it changes.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list whose copies cost nothing. What is changed is changed for the one who changes it.
pub(super) struct SharedList<T>(Arc<Vec<T>>);

impl<T> SharedList<T> {
    /// Whether both are copies of one list, which nobody has changed since: they are equal then.
    pub fn is_same_list(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl<T: Clone> SharedList<T> {
    /// The items, to be changed here and in no copy.
    pub fn make_mut(&mut self) -> &mut Vec<T> {
        Arc::make_mut(&mut self.0)
    }
}

impl<T> Clone for SharedList<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Default for SharedList<T> {
    fn default() -> Self {
        Self::from(Vec::new())
    }
}

impl<T> From<Vec<T>> for SharedList<T> {
    fn from(items: Vec<T>) -> Self {
        Self(Arc::new(items))
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
        &self.0
    }
}

impl<'a, T> IntoIterator for &'a SharedList<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: PartialEq> PartialEq for SharedList<T> {
    fn eq(&self, other: &Self) -> bool {
        self.is_same_list(other) || self.0 == other.0
    }
}

impl<T: Eq> Eq for SharedList<T> {}

impl<T: fmt::Debug> fmt::Debug for SharedList<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<T: Serialize> Serialize for SharedList<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for SharedList<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::deserialize(deserializer).map(Self::from)
    }
}

/// With how many equal items two lists begin, and with how many of the others they end.
pub(super) fn count_common_ends<T: PartialEq>(one: &[T], other: &[T]) -> (usize, usize) {
    let begin = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let (one, other) = (one.split_at(begin).1, other.split_at(begin).1);
    let end = one.iter().rev().zip(other.iter().rev()).take_while(|(one, other)| one == other).count();
    (begin, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_that_is_changed_leaves_the_other_as_it_was() {
        let list = SharedList::from(vec![1, 2]);
        let mut copy = list.clone();
        assert!(copy.is_same_list(&list) && copy == list);
        copy.make_mut().push(3);
        assert_eq!((&list[..], &copy[..]), (&[1, 2][..], &[1, 2, 3][..]));
        assert!(!copy.is_same_list(&list) && copy != list);
        assert_eq!(serde_json::to_string(&copy).unwrap(), "[1,2,3]");
        assert_eq!(serde_json::from_str::<SharedList<u8>>("[1,2,3]").unwrap(), copy);
    }

    #[test]
    fn what_two_lists_begin_and_end_with_is_counted_once() {
        for (one, other, common) in [
            (&[1, 2, 3][..], &[1, 4, 3][..], (1, 1)),
            (&[1, 1], &[1, 1, 1], (2, 0)),
            (&[1, 2], &[1, 2], (2, 0)),
            (&[2, 1], &[1], (0, 1)),
            (&[], &[1], (0, 0)),
        ] {
            assert_eq!(count_common_ends(one, other), common);
        }
    }
}
