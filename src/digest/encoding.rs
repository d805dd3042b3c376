//! The canonical encoding under a key.
//!
//! A value is a sequence of fields. A field is its name and its value, each a length (8 bytes, little endian)
//! and the bytes; a list is its number of items and then the items. Lengths stand before everything, so two
//! different values never encode alike. The encoding begins with a context that names what is encoded and the
//! version of its form: change the form, change the version, and no old key is believed again.

use super::{Digest, Key};

/// How many bytes are hashed at once: BLAKE3 takes several of its chunks of 1 KiB in parallel, and fields have a few bytes each.
const AT_ONCE: usize = 16 << 10;

/// Builds the encoding of one value, field by field, into the hash.
#[derive(Clone)]
pub struct Encoder {
    hasher: blake3::Hasher,
    /// What is not hashed yet.
    pending: Vec<u8>,
}

impl Encoder {
    /// Begins a value. `context` names it and its form's version: `rpmforge build step v1`.
    pub fn new(context: &str) -> Self {
        let mut encoder = Self { hasher: blake3::Hasher::new(), pending: Vec::new() };
        encoder.bytes(context.as_bytes());
        encoder
    }

    /// A field of text.
    pub fn text(&mut self, name: &str, value: &str) -> &mut Self {
        self.bytes(name.as_bytes());
        self.bytes(value.as_bytes());
        self
    }

    /// A field that may be absent; absent and empty differ.
    pub fn option(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        self.bytes(name.as_bytes());
        match value {
            None => self.number(0),
            Some(text) => {
                self.number(1);
                self.bytes(text.as_bytes());
            }
        }
        self
    }

    /// A field that holds a digest.
    pub fn digest_field(&mut self, name: &str, value: &Digest) -> &mut Self {
        self.bytes(name.as_bytes());
        self.bytes(value.as_bytes());
        self
    }

    /// A field that holds a list; `each` encodes one item.
    pub fn list<T>(
        &mut self,
        name: &str,
        items: impl ExactSizeIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.bytes(name.as_bytes());
        self.number(items.len() as u64);
        for item in items {
            each(self, item);
        }
        self
    }

    /// The key of what has been encoded.
    pub fn key(&self) -> Key {
        Key::compute(self)
    }

    /// The digest of what has been encoded.
    pub fn digest(&self) -> Digest {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.pending);
        Digest::finish(&hasher)
    }

    fn number(&mut self, value: u64) {
        self.add(&value.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.add(bytes);
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.pending.len() + bytes.len() > AT_ONCE {
            self.hasher.update(&self.pending);
            self.pending.clear();
        }
        match bytes.len() > AT_ONCE {
            true => drop(self.hasher.update(bytes)),
            false => self.pending.extend_from_slice(bytes),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Digest {
        let mut encoder = Encoder::new("test v1");
        for (name, value) in pairs {
            encoder.text(name, value);
        }
        encoder.digest()
    }

    #[test]
    fn text_moved_from_one_field_to_the_next_changes_the_key() {
        assert_ne!(fields(&[("a", "xy"), ("b", "z")]), fields(&[("a", "x"), ("b", "yz")]));
    }

    #[test]
    fn an_absent_field_differs_from_an_empty_one() {
        let absent = Encoder::new("test v1").option("f", None).digest();
        let empty = Encoder::new("test v1").option("f", Some("")).digest();
        assert_ne!(absent, empty);
    }

    #[test]
    fn long_values_are_encoded_as_if_they_were_hashed_field_by_field() {
        let texts: Vec<String> =
            [0, 1, 5000, 16_000, 16_384, 40_000, 3].into_iter().map(|length| "x".repeat(length)).collect();
        let mut encoder = Encoder::new("test v1");
        let mut plain = blake3::Hasher::new();
        let mut hash = |bytes: &[u8]| {
            plain.update(&(bytes.len() as u64).to_le_bytes());
            plain.update(bytes);
        };
        hash(b"test v1");
        for text in texts.iter().chain(&texts) {
            encoder.text("f", text);
            hash(b"f");
            hash(text.as_bytes());
        }
        assert_eq!(encoder.digest(), Digest::finish(&plain));
    }

    #[test]
    fn the_encoding_of_version_1_stays_as_it_is() {
        // A changed value here means that every key in every store has changed: bump the contexts instead.
        let digest = fields(&[("name", "hello"), ("version", "1.0")]);
        assert_eq!(digest.short(16), "79d4ecab4d65444d");
    }
}
