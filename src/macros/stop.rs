//! The end of an expansion that has failed.

/// The expansion has failed, and the host has been told why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the macro could not be expanded")]
pub struct Stop;
