//! What is no metadata of a Python project as it usually is.

/// Metadata that versions of Python and its `packaging` may read in different ways, or that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no usual metadata of a Python project")]
pub struct UnusualPythondist;
