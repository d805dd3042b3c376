//! What `(env)` values read.

use std::collections::BTreeMap;

use crate::engine::Secret;

/// The environment that a manifest is loaded in.
pub trait Environment {
    /// The value of a variable, if it is set.
    fn variable(&self, name: &str) -> Option<&str>;

    /// Makes a value a secret. A manifest without secrets never asks.
    ///
    /// # Errors
    /// The user's key can't be had; why, in words.
    fn secret(&self, text: &str) -> Result<Secret, String>;
}

/// Variables of somebody who has no key.
impl Environment for BTreeMap<String, String> {
    fn variable(&self, name: &str) -> Option<&str> {
        self.get(name).map(String::as_str)
    }

    fn secret(&self, _text: &str) -> Result<Secret, String> {
        Err("nobody has a key here".to_owned())
    }
}
