//! Bytes that are nearly always text.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes of a package: a script, a path. rpm asks for no encoding; written down they are text, or base64 where they can't be.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bytes(pub Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Other { base64: String },
}

impl Bytes {
    /// As a person reads it.
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl<T: AsRef<[u8]>> From<T> for Bytes {
    fn from(bytes: T) -> Self {
        Self(bytes.as_ref().to_vec())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let written = match std::str::from_utf8(&self.0) {
            Ok(text) => Written::Text(text.to_owned()),
            Err(_) => Written::Other { base64: BASE64_STANDARD.encode(&self.0) },
        };
        written.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Other { base64 } => {
                BASE64_STANDARD.decode(base64).map(Self).map_err(serde::de::Error::custom)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_written_as_such_and_other_bytes_come_back_as_well() {
        for (bytes, written) in [(b"a\xc3\xa4".as_slice(), r#""aä""#), (b"\xff", r#"{"base64":"/w=="}"#)] {
            let text = serde_json::to_string(&Bytes::from(bytes)).unwrap();
            assert_eq!(text, written);
            assert_eq!(serde_json::from_str::<Bytes>(&text).unwrap(), Bytes::from(bytes));
        }
    }
}
