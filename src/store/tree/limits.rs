//! How much of packages and images is unpacked. Each limit has an error that says it.

/// How long a path may be, in bytes: Linux takes none that is longer (`PATH_MAX`, with the NUL at its end).
pub(super) const LONGEST_PATH: usize = 4095;

/// How long a name may be, in bytes (`NAME_MAX`).
pub(super) const LONGEST_NAME: usize = 255;

/// How many folders may lie within each other: Linux sets no bound but the length of a path, roots of distributions have about
/// twenty.
pub(super) const DEEPEST_PATH: usize = 128;

/// How much one package or image may unpack to, in bytes.
pub(super) const MOST_UNPACKED: u64 = 64 << 30;

/// How large a file is read into memory whole, in bytes: what is there already need not be written then.
pub(super) const READ_WHOLE: u64 = 4 << 20;

/// How large an index or a manifest of an OCI image is read, in bytes: its specification asks registries for 4 MiB.
pub(super) const LARGEST_OCI_DOCUMENT: u64 = 4 << 20;

/// How many layers an OCI image may have: overlayfs takes 128 in most container engines.
pub(super) const MOST_OCI_LAYERS: usize = 512;
