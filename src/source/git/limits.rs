//! How much is taken in of git repositories. Each limit has an error that says it.

/// What one answer of a server may hold, in bytes: the whole history of the Linux kernel has 4 GiB.
pub const PACK_BYTES: u64 = 16 << 30;

/// How large one object may be, in bytes.
pub const OBJECT_BYTES: usize = 2 << 30;

/// How many branches and tags a server may list.
pub const MOST_REFERENCES: usize = 2_000_000;

/// How many files and folders a commit may have; the Linux kernel has 95,000.
pub const TREE_ENTRIES: usize = 1_000_000;

/// What the files of a commit may have together, in bytes.
pub const TREE_BYTES: u64 = 8 << 30;

/// How deep folders may lie in each other.
pub const TREE_DEPTH: usize = 128;

/// How long the path that a link leads along may be, in bytes.
pub const LINK_BYTES: usize = 4095;

/// How large `.gitmodules`, `.gitattributes` and other files that forge reads itself may be, in bytes.
pub const CONFIG_BYTES: usize = 1 << 20;

/// How deep submodules may lie in each other, and how many there may be of them.
pub const SUBMODULE_DEPTH: usize = 8;

/// How many submodules a commit may have, with those of its submodules.
pub const MOST_SUBMODULES: usize = 1000;

/// How many tags are peeled one after the other.
pub const TAG_DEPTH: usize = 16;
