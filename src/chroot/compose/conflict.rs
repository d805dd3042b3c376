//! What two packages have at the same place.

use crate::store::{EntryContent, TreeEntry};

/// Something that two packages have, each of them otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`/{path}` is in both {first} and {second}, and {difference}")]
pub struct FileConflict {
    /// Where.
    pub path: String,
    /// The package that comes first.
    pub first: String,
    /// The package that comes later.
    pub second: String,
    /// What differs.
    pub difference: FileDifference,
}

/// What differs of what two packages have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FileDifference {
    /// A folder here, a file or link there.
    #[error("is of another kind in each")]
    Kind,
    /// Permissions.
    #[error("has other permissions in each")]
    Mode,
    /// Owner or group.
    #[error("has another owner in each")]
    Owner,
    /// What it holds.
    #[error("has other content in each")]
    Content,
    /// What it points to.
    #[error("points elsewhere in each")]
    Link,
}

/// What differs to rpm (`rpmfilesCompare` in its lib/rpmfi.cc): times don't, and neither do permissions of links.
pub(super) fn difference(one: &TreeEntry, other: &TreeEntry) -> Option<FileDifference> {
    let differs = match (&one.content, &other.content) {
        (EntryContent::Folder, EntryContent::Folder) => None,
        (EntryContent::File(one), EntryContent::File(other)) => {
            (one.digest != other.digest).then_some(FileDifference::Content)
        }
        (EntryContent::Link(one), EntryContent::Link(other)) => {
            (one != other).then_some(FileDifference::Link)
        }
        (EntryContent::Folder | EntryContent::File(_) | EntryContent::Link(_), _) => {
            Some(FileDifference::Kind)
        }
    };
    if differs == Some(FileDifference::Kind) {
        return differs;
    }
    let names = |entry: &TreeEntry| (entry.ownership.owner.clone(), entry.ownership.group.clone());
    if one.mode != other.mode && one.link().is_none() {
        Some(FileDifference::Mode)
    } else if names(one) != names(other) {
        Some(FileDifference::Owner)
    } else {
        differs
    }
}

/// Which of two that differ is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preferred {
    First,
    Second,
    Neither,
}

/// Which one rpm prefers (`handleColorConflict` in its lib/transaction.cc, with `%_transaction_color` 3 and `%_prefer_color` 2): of two
/// programs for other word lengths the one for 64 bits.
pub(super) fn preferred(first: &TreeEntry, second: &TreeEntry) -> Preferred {
    const ALL: u8 = 3;
    const LONG: u8 = 2;
    let (first, second) = (first.color & ALL, second.color & ALL);
    match first != 0 && second != 0 && first != second {
        true if second & LONG != 0 => Preferred::Second,
        true if first & LONG != 0 => Preferred::First,
        true | false => Preferred::Neither,
    }
}
