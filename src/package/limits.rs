//! How much of a package is read. Each limit has an error that says it.

/// How many entries a header may have: rpm reads no header with more (`HEADER_TAGS_MAX` in its lib/header.cc).
pub(super) const MOST_ENTRIES: usize = 0xffff;

/// How large the store of a header may be, in bytes: rpm reads none that is larger (`HEADER_DATA_MAX`, 256 MB).
pub(super) const LARGEST_STORE: usize = 0x0fff_ffff;

/// How large a signature header may be, in bytes (64 MB, `rpmpkgRead` in rpm).
pub(super) const LARGEST_SIGNATURE: usize = 64 * 1024 * 1024;

/// How deep iterators and conditions of a query format may lie within each other; rpm sets no bound.
pub(super) const DEEPEST_QUERY: usize = 100;

/// How long a name in an archive may be, in bytes, with the NUL at its end: Linux takes no longer path (`PATH_MAX`), and rpm puts
/// a point before it.
pub(super) const LONGEST_ARCHIVE_NAME: u32 = 4096 + 1;
