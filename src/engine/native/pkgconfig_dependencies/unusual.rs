//! What is no file of pkg-config as they usually are.

/// A file that versions of pkgconf may read in different ways, or that can't be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no usual file of pkg-config")]
pub struct UnusualPkgconfig;
