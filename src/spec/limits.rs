//! How much of a spec is read, and what it may ask for. Each limit has an error that says it.

/// How long a line of a spec may be, in bytes, before and after its macros are expanded: some tags take apart a line word by
/// word, which takes some 50 times as much memory.
pub(super) const LONGEST_LINE: usize = 1 << 20;

/// How deep files may include each other.
pub(super) const DEEPEST_INCLUDE: usize = 64;

/// How many files a spec may include in all: one that includes itself twice would never end.
pub(super) const MOST_INCLUDES: usize = 1_000;

/// How deep rich dependencies may lie within each other; rpm sets no bound, and its reader, as ours, calls itself.
pub(super) const DEEPEST_RICH: usize = 100;

/// How many mistakes of a spec are reported in one go. With more of them it is hardly a spec.
pub(super) const MOST_MISTAKES: usize = 20;

/// How long the word in the parentheses of a tag may be, in bytes: with a longer one it is no tag to rpm.
pub(super) const LONGEST_QUALIFIER: usize = 8191;

/// How many sources and patches a spec may have together. The longest list of a distribution's, texlive's, had 12,000; and a
/// source package of more files is not unpacked again.
pub const MOST_SOURCES: usize = 20_000;
