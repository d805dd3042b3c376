//! How far links are followed in a root that is composed, which has an error that says it; and into how many layers it is laid
//! out.

/// How many links one path may lead over, as in Linux (path_resolution(7)).
pub(super) const MOST_LINKS: usize = 40;

/// How many packages of a set have a layer for themselves. Each costs whoever looks for what is not there.
pub(super) const MOST_APART: usize = 3;

/// How many files such a package has at least: fewer are linked in the time that a layer takes.
pub(super) const FEWEST_FILES_APART: usize = 256;
