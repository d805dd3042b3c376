//! Where something stands in a spec.

use std::sync::Arc;

/// A line of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// The line's number, counted from 1.
    pub line: u32,
}
