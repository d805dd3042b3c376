//! How much is taken in of what others have made. Each limit has an error that says it.

/// What the files of a source package may have together, in bytes. The largest that distributions ship, of browsers and
/// games, unpack to 4 GiB.
pub const UNPACKED_BYTES: u64 = 8 << 30;

/// How many times the size of a source package its files may have together. Sources are mostly archives that are compressed
/// already: 1 to 3 is usual, plain texts come to 20, and only what was made for it to more than 200.
pub const UNPACKED_RATIO: u64 = 200;

/// What any source package may unpack to, in bytes, whatever its own size: so little is no harm.
pub const UNPACKED_BYTES_OF_ANY: u64 = 16 << 20;

/// How many files a source package may have: as many as a spec may name, and the spec.
pub const PACKAGE_FILES: usize = crate::spec::MOST_SOURCES + 1;

/// How long a name of a file in a source package may be, in bytes: no file system of Linux takes more.
pub const NAME_BYTES: usize = 255;

/// How large a spec may be, in bytes. The longest of Fedora's, texlive's, had 12 MiB.
pub const SPEC_BYTES: u64 = 32 << 20;

/// How many mistakes of one package's sources are told one by one.
pub const MISTAKES_TOLD: usize = 20;

/// How large one file may be that is fetched, in bytes: nothing that is packaged comes near, and an answer without end ends.
pub const SOURCE_BYTES: u64 = 32 << 30;
