//! What is no ELF file as linkers make it.

/// A file that is not as linkers make it, or that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no ELF file as linkers make it")]
pub struct UnusualElf;
