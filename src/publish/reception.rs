//! What is known of a repository before packages come into it.

use std::collections::{HashMap, HashSet};

use super::holding::HeldPackage;
use super::record::PublishedPackage;
use crate::digest::Key;

/// What is known of a repository that packages come into.
#[derive(Default)]
pub(super) struct Reception {
    /// Those that would wait.
    pub held: Vec<HeldPackage>,
    /// What is on record: the newest build of each package, by name.
    pub published: HashMap<String, PublishedPackage>,
    /// Those that have left it for their age and don't come back.
    pub away: HashSet<String>,
    /// The results that are pinned there.
    pub pinned: HashSet<Key>,
}
