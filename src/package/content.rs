//! What a package is, apart from when and where it was built.

use rpm::{IndexData, PackageMetadata};

use super::PackageError;
use crate::digest::{Digest, Encoder};

/// Tags that differ between two builds of the same thing, with the reason that each is left out.
const VOLATILE: &[(u32, &str)] = &[
    (63, "HEADERIMMUTABLE: the region, which spans the others"),
    (1006, "BUILDTIME"),
    (1007, "BUILDHOST"),
    (1034, "FILEMTIMES: when a file was written; its content is in FILEDIGESTS"),
    (1094, "COOKIE: build host and time once more"),
    (5092, "PAYLOADDIGEST: the payload holds the files' times; its files are in FILEDIGESTS"),
    (5097, "PAYLOADDIGESTALT: as before, uncompressed"),
];

/// The digest of a package's content: its header without the times and places of its build. The files are in it
/// by the digests that the header holds of them.
pub fn content_digest(file: &str, metadata: &PackageMetadata) -> Result<Digest, PackageError> {
    let entries = metadata.header.get_all_entries().map_err(|error| super::content_error(file, &error))?;
    let mut entries: Vec<_> = entries.into_iter().filter(|(tag, _)| !is_volatile(*tag)).collect();
    entries.sort_by_key(|(tag, _)| *tag);
    let mut encoder = Encoder::new("rpmforge package content v1");
    for (tag, data) in &entries {
        encode(&mut encoder, &tag.to_string(), data);
    }
    Ok(encoder.digest())
}

fn is_volatile(tag: u32) -> bool {
    VOLATILE.iter().any(|(volatile, _)| *volatile == tag)
}

fn encode(encoder: &mut Encoder, tag: &str, data: &IndexData) {
    let text = |encoder: &mut Encoder, item: String| {
        encoder.text("", &item);
    };
    match data {
        IndexData::StringTag(value) => {
            encoder.text(tag, value);
        }
        IndexData::StringArray(values) | IndexData::I18NString(values) => {
            encoder.list(tag, values.iter().cloned(), text);
        }
        IndexData::Bin(bytes) => {
            encoder.digest_field(tag, &Digest::of(bytes));
        }
        numbers => {
            encoder.text(tag, &format!("{numbers:?}"));
        }
    }
}
