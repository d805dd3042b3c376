//! How far links are followed in a root that is composed. Each limit has an error that says it.

/// How many links one path may lead over, as in Linux (path_resolution(7)).
pub(super) const MOST_LINKS: usize = 40;
