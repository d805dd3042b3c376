//! How much of a file system is gone through.

/// How many folders within each other are emptied by a function that calls itself.
pub(super) const DEEPEST_EMPTIED: usize = 100;

/// How deep files are searched for: folders nested deeper are not searched; no repository is laid out like that.
pub(super) const DEEPEST_SEARCHED: usize = 32;

/// How much is read of what the holder of a lock has left there, in bytes.
pub(super) const LONGEST_HOLDER: u64 = 1 << 10;

/// How long a text of a tree may be, in bytes: a device has no end.
pub(super) const LARGEST_TEXT: u64 = 256 << 20;

/// How many names a pattern may make one look at, where nobody trusts it: `*/../*/..` has no end in sight.
pub(super) const MOST_NAMES_OF_A_PATTERN: usize = 100_000;

/// How many links one path may lead over, as in Linux (path_resolution(7)).
pub(super) const MOST_LINKS: usize = 40;
