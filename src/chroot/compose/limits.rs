//! How far links are followed in a root that is composed, which has an error that says it; and into how many layers it is laid
//! out.

/// How many links one path may lead over, as in Linux (path_resolution(7)).
pub(super) const MOST_LINKS: usize = 40;

/// How many packages of a set have a layer for themselves. Each has to be found and mounted, a tenth of a millisecond.
pub(super) const MOST_APART: usize = 16;

/// How many files such a package has at least: fewer are linked in a few milliseconds.
pub(super) const FEWEST_FILES_APART: usize = 64;
