//! A root, as engines are told of it.

use super::EngineError;
use crate::files::HostPath;

/// A root to read specs and to build in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// Where it is on this machine.
    pub path: HostPath,
}

impl Root {
    /// The root that forge itself runs in.
    pub fn of_this_machine() -> Self {
        Self { path: HostPath::root() }
    }

    /// Only there can engines start programs so far.
    ///
    /// # Errors
    /// It is another one.
    pub(super) fn check_is_own(&self) -> Result<(), EngineError> {
        match self.path == HostPath::root() {
            true => Ok(()),
            false => Err(EngineError::OtherRoot { path: self.path.clone() }),
        }
    }
}
