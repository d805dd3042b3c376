//! How much the macro language takes. [`Limits`] is what a caller may choose; the rest is the same for everyone. Each limit has
//! an error that says it.

use std::time::Duration;

/// How much an expansion may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a text may become, in bytes.
    pub output_bytes: usize,
    /// How many macros one expansion may expand.
    pub steps: u64,
    /// How much all macros that are defined may take, in bytes: their names, bodies and the room that each needs.
    pub defined_bytes: usize,
    /// How much memory Lua may hold, in bytes.
    pub lua_memory_bytes: usize,
    /// How many instructions Lua may carry out in one expansion; a step within a pattern counts as one.
    pub lua_instructions: u64,
    /// How long the processor may be busy with all that is expanded where macros may only read.
    pub reading_time: Duration,
}

impl Default for Limits {
    /// Far more than any spec takes, and still an end.
    fn default() -> Self {
        Self {
            output_bytes: 256 << 20,
            steps: 10_000_000,
            defined_bytes: 128 << 20,
            lua_memory_bytes: 256 << 20,
            lua_instructions: 1_000_000_000,
            // The slowest specs of distributions take one second.
            reading_time: Duration::from_secs(10),
        }
    }
}

/// How many expansions may be open at a time, as in rpm.
pub(super) const DEEPEST: usize = 64;

/// How deep parentheses, signs and ternaries may lie within each other, macros that they expand included: each is a call of the
/// evaluator in itself.
pub(super) const DEEPEST_EXPRESSION: usize = 300;

/// How much text counts as one macro: long text is work as well, even where it calls nothing.
pub(super) const BYTES_A_STEP: usize = 256;

/// How many bytes of a call count as one macro: its end is looked for in all of it, and once more for each call within it.
pub(super) const BYTES_OF_CALL_A_STEP: usize = 64;

/// How many bytes of arguments count as one macro: each may be a word of its own, which takes some 30 times as much memory.
pub(super) const BYTES_OF_ARGUMENTS_A_STEP: usize = 2;

/// How deep rpmrc files may include one another.
pub(super) const DEEPEST_RCFILE: usize = 16;

/// How much `%(…)` may write, in bytes.
pub(super) const LARGEST_OUTPUT: u64 = 256 << 20;

/// How long a file may be that is read as a whole, in bytes: a device has no end.
pub(super) const LARGEST_TEXT: u64 = 256 << 20;

/// How many files Lua may have open at a time where macros may only read: others on this machine need some too.
pub(super) const MOST_FILES: usize = 64;

/// How many captures a pattern of Lua may have, as in Lua.
pub(super) const MOST_CAPTURES: usize = 32;

/// How deep matches of a pattern may lie in each other, as in Lua.
pub(super) const DEEPEST_MATCH: usize = 200;
