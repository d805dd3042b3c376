//! What a signature header has in it: which entries there are, and of which types (rpm's include/rpm/rpmtag.h).

use super::super::decode::Headers;
use super::super::header::Value;
use super::super::tag::{Kind, Tag};
use super::super::write::signature_tag as tag;

/// The lead's version of format 6.
const LEAD_OF_V6: u8 = 4;

/// Signatures of the files of a package, and signatures that are of header and payload, as old rpm made them.
const OTHERS: [(u32, Kind); 7] = [
    (274, Kind::Texts),
    (275, Kind::Int32),
    (276, Kind::Texts),
    (277, Kind::Int32),
    (280, Kind::Int32),
    (1002, Kind::Bytes),
    (1005, Kind::Bytes),
];

/// Every entry that there may be.
const KNOWN: [(u32, Kind); 13] = [
    (tag::DSA, Kind::Bytes),
    (tag::RSA, Kind::Bytes),
    (tag::SHA1, Kind::Text),
    (tag::LONG_SIZE, Kind::Int64),
    (tag::LONG_ARCHIVE_SIZE, Kind::Int64),
    (tag::SHA256, Kind::Text),
    (tag::OPENPGP, Kind::Texts),
    (tag::SHA3_256, Kind::Text),
    (tag::RESERVED, Kind::Bytes),
    (tag::SIZE, Kind::Int32),
    (tag::MD5, Kind::Bytes),
    (tag::ARCHIVE_SIZE, Kind::Int32),
    (tag::RESERVED_4, Kind::Bytes),
];

/// What is wrong with the entries of a signature header: one that there is not, one of another type, one twice, or one that is missing.
pub(super) fn wrong_entries(headers: &Headers) -> Option<String> {
    let mut before = 0;
    for (tag, value) in &headers.signatures {
        let known = KNOWN.iter().chain(&OTHERS).find(|(known, _)| known == tag);
        if *tag <= before || !known.is_some_and(|(_, kind)| is_of_kind(value, *kind)) {
            return Some(format!("its signature header has an entry {tag} that does not belong there"));
        }
        before = *tag;
    }
    let has = |tag: u32| headers.signatures.iter().any(|(known, _)| *known == tag);
    // Both came with rpm 4.14.
    let has_sha256 = has(tag::SHA256) || !headers.header.has(Tag::PAYLOAD_SHA256);
    let is_whole = match headers.lead_major {
        LEAD_OF_V6 => has(tag::SHA256) && has(tag::SHA3_256),
        _ => {
            let has_sizes = (has(tag::SIZE) && has(tag::ARCHIVE_SIZE))
                || (has(tag::LONG_SIZE) && has(tag::LONG_ARCHIVE_SIZE));
            has(tag::SHA1) && has(tag::MD5) && has_sha256 && has_sizes
        }
    };
    (!is_whole).then(|| "its signature header lacks digests or sizes that each package has".to_owned())
}

fn is_of_kind(value: &Value, kind: Kind) -> bool {
    matches!(
        (value, kind),
        (Value::Text(_), Kind::Text)
            | (Value::Texts(_), Kind::Texts)
            | (Value::Bytes(_), Kind::Bytes)
            | (Value::Numbers(_), Kind::Int32 | Kind::Int64)
    )
}
