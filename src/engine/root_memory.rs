//! What workers have said of roots that never change, remembered beyond one run of forge.

use std::fmt::Debug;

use serde::{Deserialize, Serialize};

use super::{EngineError, Installed, RootAnswer};
use crate::digest::Key;
use crate::macros::RpmVersion;

/// What a build has to know of the root before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootState {
    /// Whether it has packages of rpm that `BuildRequires` can be checked against.
    pub has_packages: bool,
    /// The rpm whose language is spoken.
    pub rpm: Option<RpmVersion>,
}

impl RootState {
    /// What an answer says.
    ///
    /// # Errors
    /// It is none: whoever went on without would speak another language under the same key, and check no requirement.
    pub(super) fn new(answer: &RootAnswer) -> Result<Self, EngineError> {
        match (&answer.packages, answer.rpm) {
            (Installed::Unknown(reason), None) => Err(EngineError::RootSilent { reason: reason.clone() }),
            (packages, rpm) => Ok(Self { has_packages: packages.has_packages(), rpm }),
        }
    }
}

/// Remembers the states of roots that never change.
pub trait RootMemory: Debug + Send + Sync {
    /// What was remembered under a key.
    fn recall_root(&self, key: &Key) -> Option<RootState>;

    /// Remembers it. Where it can't be, it is asked again the next time.
    fn remember_root(&self, key: &Key, state: &RootState);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_answered_is_no_state_of_a_root() {
        let unknown = RootAnswer::unknown("its worker was killed".to_owned());
        let error = RootState::new(&unknown).unwrap_err();
        assert!(error.to_string().ends_with(": its worker was killed"), "{error}");
        // A worker that can't read the packages still says which rpm it speaks for.
        let answer = RootAnswer { rpm: Some(RpmVersion::NEWEST), ..unknown };
        let state = RootState::new(&answer).unwrap();
        assert_eq!((state.has_packages, state.rpm), (false, Some(RpmVersion::NEWEST)));
    }
}
