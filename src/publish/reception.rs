//! What is known of a repository before packages come into it.

use std::collections::{BTreeMap, HashMap};

use super::holding::HeldPackage;
use super::record::PublishedPackage;
use crate::event::Timestamp;

/// What is known of a repository that packages come into.
#[derive(Default)]
pub(super) struct Reception {
    /// Those that would wait.
    pub held: Vec<HeldPackage>,
    /// What is on record: the newest build of each package, by name.
    pub published: HashMap<String, PublishedPackage>,
    /// Those that have left it for their age and don't come back, with when they had come.
    pub away: BTreeMap<String, Timestamp>,
    /// Those that leave it now for their age, with when they had come.
    pub aged: BTreeMap<String, Timestamp>,
    /// The builds there that are pinned.
    pub pinned: Vec<PublishedPackage>,
}
