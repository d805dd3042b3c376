//! The version of rpm whose language is spoken: `%{rpmversion}`.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A version of rpm: `4.18.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
pub struct RpmVersion {
    major: u16,
    minor: u16,
    patch: u16,
}

/// What an older rpm takes in macros, and newer ones refuse.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OldMacros {
    /// Words without quotes in expressions: each is a text.
    pub bare_words: bool,
    /// Names that were not built-in macros yet, and can be defined.
    pub definable: Vec<&'static str>,
}

impl RpmVersion {
    /// The newest one whose language is known: it is spoken where nobody says another.
    pub const NEWEST: Self = Self::new(6, 1);

    /// The macro that says which language is spoken, as the command line, macro files and manifests set it.
    pub const MACRO: &'static str = "_rpm_dialect";

    /// The first version of a branch: `4.18.0`.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor, patch: 0 }
    }

    /// Reads `4.18`, `4.18.0`, `4.20.1-beta1`.
    pub fn read(text: &str) -> Option<Self> {
        let (numbers, _) = text.split_once(['-', '~', '+']).unwrap_or((text, ""));
        let mut parts = numbers.split('.');
        let (major, minor) = (read_number(parts.next()?)?, read_number(parts.next()?)?);
        let patch = parts.next().map_or(Some(0), read_number)?;
        Some(Self { major, minor, patch })
    }

    /// The branch that it belongs to: `4.18` of `4.18.2`.
    pub fn branch(self) -> (u16, u16) {
        (self.major, self.minor)
    }
}

fn read_number(text: &str) -> Option<u16> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for RpmVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { major, minor, patch } = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

impl From<RpmVersion> for String {
    fn from(version: RpmVersion) -> Self {
        version.to_string()
    }
}

impl TryFrom<String> for RpmVersion {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text).ok_or_else(|| format!("`{text}` is no version of rpm"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_and_compared_as_numbers() {
        let read = |text| RpmVersion::read(text).map(|version| version.to_string());
        assert_eq!(read("4.18"), Some("4.18.0".to_owned()));
        assert_eq!(read("4.20.1-beta1"), Some("4.20.1".to_owned()));
        assert_eq!(read("4.14.2.1"), Some("4.14.2".to_owned()));
        for wrong in ["", "4", "4.", "4.x", "four", "4.18.", "+4.1", "99999.1", "4. 18"] {
            assert_eq!(RpmVersion::read(wrong), None, "{wrong}");
        }
        assert!(RpmVersion::read("4.9") < RpmVersion::read("4.14"));
    }
}
