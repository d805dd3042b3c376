//! How much of a repository is read, where others may have written. What is larger is damaged.

/// How large a record may be, in bytes. A file takes about 400, and is there up to three times while a publish goes on: 200,000
/// files, more than the largest distributions have.
pub(super) const LARGEST_RECORD: u64 = 256 << 20;

/// How large `repomd.xml` may be, in bytes: the largest of distributions have 10 KiB.
pub(super) const LARGEST_REPOMD: u64 = 16 << 20;

/// How large `primary.xml` may be, in bytes and unpacked: ten times that of the largest distributions.
pub(super) const LARGEST_PRIMARY: u64 = 2 << 30;

/// How large a file of groups or advisories may be, in bytes: the advisories of the largest distributions have 20 MiB.
pub(super) const LARGEST_DECLARED: u64 = 256 << 20;

/// How long the text of one element of `primary.xml` may be, in bytes: descriptions of packages have a few thousand.
pub(super) const LONGEST_TEXT: u64 = 4 << 20;

/// How many of its packages metadata may name: more than a record can hold.
pub(super) const MOST_NAMED: usize = 1_000_000;
