//! How much is read of a repository's metadata. Each limit has an error that says it. Fedora's, the largest that are known to
//! be in use, have 75,000 packages, 400 MB of `primary` and 1 GB of `filelists`, unpacked.

/// How large `repomd.xml`, its signature, a metalink, a list of mirrors or a key may be, in bytes.
pub(super) const LARGEST_SMALL_FILE: u64 = 8 << 20;

/// How large a packed file of metadata may be, in bytes.
pub(super) const LARGEST_PACKED: u64 = 1 << 30;

/// How large a file of metadata may be, unpacked, in bytes.
pub(super) const LARGEST_UNPACKED: u64 = 8 << 30;

/// How much memory a decoder may take, in bytes.
pub(super) const MOST_DECODER_MEMORY: u64 = 256 << 20;

/// The largest window of zstd, as a power of two: 128 MiB.
pub(super) const LARGEST_WINDOW_LOG: u32 = 27;

/// How long a tag, a comment or a text of XML may be, in bytes.
pub(super) const LONGEST_NODE: u64 = 4 << 20;

/// How deep elements may lie within each other.
pub(super) const DEEPEST_ELEMENT: usize = 24;

/// How long the name of a package, its version, the path of a file or a dependency may be, in bytes.
pub(super) const LONGEST_NAME: usize = 64 << 10;

/// How many packages a repository may have.
pub(super) const MOST_PACKAGES: u64 = 1_000_000;

/// How many dependencies and files a package may have.
pub(super) const MOST_ENTRIES: usize = 2_000_000;

/// How many files of metadata `repomd.xml` may name, and mirrors a metalink.
pub(super) const MOST_LISTED: usize = 10_000;

/// How many files of packages that were met out of order are kept until their package comes, in bytes of their paths.
pub(super) const MOST_OUT_OF_ORDER: usize = 512 << 20;

/// How large a package may be, in bytes.
pub(super) const LARGEST_PACKAGE: u64 = 32 << 30;

/// How deep packages may lie below a folder of packages.
pub(super) const DEEPEST_PACKAGE: usize = 16;
