//! Digests of content, keys of steps, and the canonical encoding that keys are made of.

mod checksum;
mod encoding;

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

pub use checksum::{Checksum, ChecksumAlgorithm, ChecksumError, ChecksumHasher};
pub use encoding::Encoder;

use crate::files::{Folder, about};

/// BLAKE3 of some content: 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// BLAKE3 over everything that a step's result depends on. See [`Encoder`] for the encoding.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Key(Digest);

impl JsonSchema for Digest {
    fn schema_name() -> Cow<'static, str> {
        "Digest".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "BLAKE3 of some content: 64 hexadecimal digits",
            "type": "string",
            "pattern": "^[0-9a-f]{64}$",
        })
    }
}

/// A text that is not 64 hexadecimal digits.
#[derive(Debug, thiserror::Error)]
#[error("a digest is 64 hexadecimal digits")]
pub struct BadDigest;

impl Digest {
    /// The digest of `bytes`.
    pub fn compute(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// Reads to the end of `reader` and gives the digest and the number of bytes.
    pub fn read_from(reader: impl Read) -> io::Result<(Self, u64)> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(reader)?;
        Ok((Self(*hasher.finalize().as_bytes()), hasher.count()))
    }

    /// The digest and size of the file at `path` in `folder`, read as a stream.
    pub fn read_file(folder: &Folder, path: impl AsRef<Path>) -> io::Result<(Self, u64)> {
        Self::read_from(folder.open(&path)?).map_err(about(folder.path().join(path)))
    }

    /// The digest that a hasher has come to.
    pub fn finish(hasher: &blake3::Hasher) -> Self {
        Self(*hasher.finalize().as_bytes())
    }

    /// The digest that these bytes are.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first `digits` hexadecimal digits: enough for people and for folder names.
    pub fn short(&self, digits: usize) -> String {
        let hex = blake3::Hash::from_bytes(self.0).to_hex();
        hex.get(..digits).unwrap_or(&hex).to_owned()
    }
}

impl Key {
    /// The key that a canonical encoding comes to.
    pub fn compute(encoder: &Encoder) -> Self {
        Self(encoder.digest())
    }

    /// The key that was written down as this digest.
    pub fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest underneath.
    pub fn digest(&self) -> &Digest {
        &self.0
    }
}

/// Copies all that `reader` gives to `writer` and digests it on the way.
pub fn copy_digested(mut reader: impl Read, mut writer: impl Write) -> io::Result<(Digest, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = reader.read(&mut buffer)?;
        let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
            break;
        };
        hasher.update(chunk);
        writer.write_all(chunk)?;
    }
    Ok((Digest(*hasher.finalize().as_bytes()), hasher.count()))
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&blake3::Hash::from_bytes(self.0).to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.short(12))
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl FromStr for Digest {
    type Err = BadDigest;

    fn from_str(text: &str) -> Result<Self, BadDigest> {
        let (pairs, rest) = text.as_bytes().as_chunks();
        if pairs.len() != 32 || !rest.is_empty() {
            return Err(BadDigest);
        }
        let (mut bytes, mut seen) = ([0; 32], 0);
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            let (high, low) = (HEX_VALUES[usize::from(*high)], HEX_VALUES[usize::from(*low)]);
            seen |= high | low;
            *byte = high << 4 | low & 0xf;
        }
        if seen == NO_DIGIT { Err(BadDigest) } else { Ok(Self(bytes)) }
    }
}

/// What stands for bytes that are no hexadecimal digits: with no digit does it come to less.
const NO_DIGIT: u8 = 0xff;

/// What each byte is worth as a hexadecimal digit: a record of a large repository has thousands of them.
const HEX_VALUES: [u8; 256] = hex_values();

const fn hex_values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let mut value = 0;
    while value < 16 {
        values[b"0123456789abcdef"[value as usize] as usize] = value;
        values[b"0123456789ABCDEF"[value as usize] as usize] = value;
        value += 1;
    }
    values
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(HexVisitor)
    }
}

/// Reads a digest where it stands: a record of thousands of files has one for each.
struct HexVisitor;

impl de::Visitor<'_> for HexVisitor {
    type Value = Digest;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("64 hexadecimal digits")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Digest, E> {
        text.parse().map_err(E::custom)
    }
}
