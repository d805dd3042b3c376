//! How a sandbox ended that did not end as its program did, and how programs end that print too much.

/// A limit of all programs of a sandbox together that was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PassedLimit {
    /// The memory.
    Memory,
    /// What they wrote.
    Disk,
    /// What they printed. Who takes that down finds it.
    Log,
}

/// The exit code of a sandbox whose programs took more memory than they may.
pub const OVER_MEMORY: u8 = 200;

/// The exit code of a sandbox whose programs wrote more than they may.
pub const OVER_DISK: u8 = 201;

/// The exit code of a sandbox that could not be set up. What it printed says why.
pub const NOT_ENTERED: u8 = 202;
