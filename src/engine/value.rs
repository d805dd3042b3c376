//! A value that builds get, and whether it may be shown.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::digest::Digest;

/// The value of a macro or variable. One that came from the environment may be a secret: it reaches the build, and
/// everything that is shown or written down holds its digest at the most.
#[derive(Clone)]
pub enum Value {
    /// Written in the manifest or on the command line.
    Written(String),
    /// Taken from the environment by `(env)`.
    Hidden(String),
    /// As [`Value::Hidden`], read back from where only the digest was written down.
    Digested(Digest),
}

/// What is shown in place of a value that may be a secret.
const INSTEAD: &str = "(env)";

impl Value {
    /// The value itself, for the build; nothing where only its digest is known.
    pub fn text(&self) -> &str {
        match self {
            Self::Written(text) | Self::Hidden(text) => text,
            Self::Digested(_) => "",
        }
    }

    /// The value for people.
    pub fn shown(&self) -> &str {
        match self {
            Self::Written(text) => text,
            Self::Hidden(_) | Self::Digested(_) => INSTEAD,
        }
    }

    /// The value, if it may not be shown.
    pub fn secret(&self) -> Option<&str> {
        match self {
            Self::Hidden(text) => Some(text),
            Self::Written(_) | Self::Digested(_) => None,
        }
    }

    fn digest(&self) -> Digest {
        match self {
            Self::Written(text) | Self::Hidden(text) => Digest::of(text.as_bytes()),
            Self::Digested(digest) => *digest,
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Written(text.to_owned())
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

/// How a hidden value is written down.
#[derive(Serialize, Deserialize)]
struct Record {
    blake3: Digest,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Recorded {
    Written(String),
    Hidden(Record),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Written(text) => serializer.serialize_str(text),
            Self::Hidden(_) | Self::Digested(_) => Record { blake3: self.digest() }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Recorded::deserialize(deserializer)? {
            Recorded::Written(text) => Self::Written(text),
            Recorded::Hidden(record) => Self::Digested(record.blake3),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_value_is_known_again_without_being_written_down() {
        let value = Value::Hidden("hunter2".to_owned());
        let json = serde_json::to_string(&value).unwrap();
        assert!(!json.contains("hunter2") && !format!("{value:?}").contains("hunter2"));
        let back: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back, value);
        assert_ne!(back, Value::Hidden("hunter3".to_owned()));
    }
}
