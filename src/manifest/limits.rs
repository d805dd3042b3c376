//! How much of a manifest is read. Each limit has an error that says it.

/// How deep blocks, and comments, may lie within each other. The language itself goes 4 deep.
pub(super) const DEEPEST: usize = 64;

/// How deep blocks may lie within each other that `/-` takes out: the kdl crate reads such a block twice, so its time doubles
/// with each in another. 16 take seconds.
pub(super) const DEEPEST_TAKEN_OUT: usize = 8;

/// How long one file may be, in bytes: what the parser does with a text of mistakes takes [`STACK_A_BYTE`] of stack for each.
pub(super) const LARGEST_FILE: u64 = 1 << 20;

/// How many braces one file may have: in a text with mistakes in its strings the parser may take each for a block within the
/// one before, and needs [`STACK_A_BRACE`] for it.
pub(super) const MOST_BRACES: usize = 100_000;

/// How many bytes of stack the kdl crate needs for a block within another: 6,000 were measured.
pub(super) const STACK_A_BRACE: usize = 16 << 10;

/// How many bytes of stack it needs to go on behind a sign that means nothing: 600 were measured.
pub(super) const STACK_A_BYTE: usize = 1 << 10;

/// How many mistakes of a manifest are reported.
pub(super) const MOST_MISTAKES: usize = 100;

/// How long the pieces are at least that a large manifest is parsed in, in bytes.
pub(super) const SMALLEST_PIECE: usize = 16 << 10;
