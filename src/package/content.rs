//! What a package is, apart from when and where it was built.

use super::{Headers, Tag, Value};
use crate::digest::{Digest, Encoder};

/// Tags that differ between two builds of the same thing, with the reason that each is left out.
const VOLATILE: &[(u32, &str)] = &[
    (1006, "BUILDTIME"),
    (1007, "BUILDHOST"),
    (1034, "FILEMTIMES: when a file was written; its content is in FILEDIGESTS"),
    (1094, "COOKIE: build host and time once more"),
    (5092, "PAYLOADDIGEST: the payload holds the files' times; its files are in FILEDIGESTS"),
    (5097, "PAYLOADDIGESTALT: as before, uncompressed"),
    (5112, "PAYLOADSIZE: other times are compressed to another size"),
    (5121, "PAYLOADSHA512: as PAYLOADDIGEST, in packages of format 6"),
    (5122, "PAYLOADSHA512ALT"),
    (5123, "PAYLOADSHA3_256"),
    (5124, "PAYLOADSHA3_256ALT"),
];

/// The digest of a package's content: its header without the times and places of its build. The files are in it
/// by the digests that the header holds of them.
pub fn content_digest(headers: &Headers) -> Digest {
    let mut encoder = Encoder::new("rpmforge package content v2");
    for (tag, value) in headers.header.iter().filter(|(tag, _)| !is_volatile(*tag)) {
        let stored_as = headers.types.get(&tag.0).copied().unwrap_or_default();
        encode(&mut encoder, &format!("{} {stored_as}", tag.0), value);
    }
    encoder.digest()
}

fn is_volatile(tag: Tag) -> bool {
    VOLATILE.iter().any(|(volatile, _)| *volatile == tag.0)
}

fn encode(encoder: &mut Encoder, tag: &str, value: &Value) {
    match value {
        Value::Text(text) => encoder.digest_field(tag, &Digest::compute(text)),
        Value::Bytes(bytes) => encoder.digest_field(tag, &Digest::compute(bytes)),
        Value::Texts(texts) | Value::Localized(texts) => encoder.list(tag, texts.iter(), |encoder, text| {
            encoder.digest_field("", &Digest::compute(text));
        }),
        Value::Numbers(numbers) => encoder.text(tag, &format!("{numbers:?}")),
    };
}
