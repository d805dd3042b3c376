//! A value that builds get, and whether it may be shown.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MASK, Secret};
use crate::digest::{Digest, Encoder};

/// The value of a macro or variable. One that came from the environment may be a secret: it reaches the build, and
/// everything that is shown or written down holds its keyed digest at the most.
#[derive(Clone)]
pub enum Value {
    /// Written in the manifest or on the command line.
    Written(String),
    /// Taken from the environment by `(env)`.
    Secret(Secret),
    /// As [`Value::Secret`], read back from where only the digest was written down.
    Digested(Digest),
}

impl Value {
    /// The value itself, for the build; nothing where only its digest is known.
    pub fn reveal(&self) -> &str {
        match self {
            Self::Written(text) => text,
            Self::Secret(secret) => secret.reveal(),
            Self::Digested(_) => "",
        }
    }

    /// The value for people.
    pub fn shown(&self) -> &str {
        match self {
            Self::Written(text) => text,
            Self::Secret(_) | Self::Digested(_) => MASK,
        }
    }

    /// The value, if it may not be shown.
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Secret(secret) => Some(secret),
            Self::Written(_) | Self::Digested(_) => None,
        }
    }

    /// Puts it into a key: a secret by its keyed digest.
    pub(super) fn encode(&self, name: &str, encoder: &mut Encoder) {
        match self.digest() {
            None => encoder.text(name, self.shown()),
            Some(digest) => encoder.text(name, MASK).digest_field("secret", &digest),
        };
    }

    fn digest(&self) -> Option<Digest> {
        match self {
            Self::Written(_) => None,
            Self::Secret(secret) => Some(secret.digest()),
            Self::Digested(digest) => Some(*digest),
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
        self.digest() == other.digest() && self.shown() == other.shown()
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.shown())
    }
}

/// A value that may not be shown, as it is written down.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "SecretValue")]
struct Record {
    /// A digest of it that only the user who has the secrets' key can compute.
    keyed_blake3: Digest,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Recorded {
    Written(String),
    Secret(Record),
}

impl JsonSchema for Value {
    fn schema_name() -> Cow<'static, str> {
        "Value".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let secret = generator.subschema_for::<Record>();
        schemars::json_schema!({
            "description": "A value that the manifest sets; of one that may not be shown, a digest",
            "anyOf": [{ "type": "string" }, secret],
        })
    }
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.digest() {
            None => serializer.serialize_str(self.shown()),
            Some(keyed_blake3) => Record { keyed_blake3 }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Recorded::deserialize(deserializer)? {
            Recorded::Written(text) => Self::Written(text),
            Recorded::Secret(record) => Self::Digested(record.keyed_blake3),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::SecretKey;

    fn secret(text: &str) -> Value {
        Value::Secret(Secret::new(text.to_owned(), &SecretKey::new([7; SecretKey::SIZE])))
    }

    #[test]
    fn a_secret_is_known_again_without_being_written_down() {
        let value = secret("hunter2");
        let json = serde_json::to_string(&value).unwrap();
        assert!(!json.contains("hunter2") && !format!("{value:?}").contains("hunter2"));
        assert!(!json.contains(&Digest::compute(b"hunter2").to_string()));
        let back: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(back, value);
        assert_ne!(back, secret("hunter3"));
        assert_ne!(secret("(secret)"), Value::from("(secret)"));
    }

    #[test]
    fn a_key_holds_secrets_by_their_digests() {
        let key = |value: &Value| {
            let mut encoder = Encoder::new("test v1");
            value.encode("value", &mut encoder);
            encoder.digest()
        };
        assert_eq!(key(&secret("a")), key(&secret("a")));
        assert_ne!(key(&secret("a")), key(&secret("b")));
        assert_ne!(key(&secret("a")), key(&Value::from("a")));
        assert_ne!(key(&secret("a")), key(&Value::from(MASK)));
    }
}
