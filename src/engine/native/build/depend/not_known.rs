//! What can't be told without the root's program.

/// What the root's program would say of a file can't be told here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NotKnown;
