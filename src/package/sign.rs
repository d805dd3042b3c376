//! Signatures, put into packages.

use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::BString;

use super::decode::Headers;
use super::encode::{Region, encode};
use super::header::Value;
use super::tag::Kind;
use super::write::signature_tag;
use crate::files::Folder;

const LEAD_SIZE: usize = 96;

/// The lead's version of format 6.
const LEAD_OF_V6: u8 = 4;

/// OpenPGP's numbers of RSA keys (RFC 9580, section 9.1).
const RSA: [u8; 3] = [1, 2, 3];

/// Puts a binary OpenPGP signature of the header into a package. The room that was kept free for it is used up; the package
/// is written beside its place and renamed into it.
///
/// # Errors
/// The signature is none, or the package can't be read or written.
pub fn add_signature(folder: &Folder, path: &Path, headers: &Headers, signature: &[u8]) -> io::Result<()> {
    let (tag, entry) = signature_entry(headers, signature)?;
    let before = headers.signatures.iter();
    let mut entries: Vec<(u32, Kind, Value)> =
        before.map(|(tag, value)| (*tag, kind(*tag, value), value.clone())).collect();
    let room = encoded(&entries).len();
    entries.retain(|(old, ..)| *old != tag);
    entries.push(entry);
    entries.sort_by_key(|(tag, ..)| *tag);
    let header_at = headers.payload_offset - headers.header_bytes.len() as u64;
    let bytes = encode_within(entries, room);
    folder.write_atomic_with(path, |file| {
        let mut package = folder.open(path)?.into_std();
        let mut lead = [0; LEAD_SIZE];
        package.read_exact(&mut lead)?;
        package.seek(SeekFrom::Start(header_at))?;
        let mut file = file.try_clone()?.into_std();
        file.write_all(&lead)?;
        file.write_all(&bytes)?;
        io::copy(&mut package, &mut file).map(drop)
    })
}

fn signature_entry(headers: &Headers, signature: &[u8]) -> io::Result<(u32, (u32, Kind, Value))> {
    if headers.lead_major >= LEAD_OF_V6 {
        let text = BString::from(STANDARD.encode(signature));
        let entry = (signature_tag::OPENPGP, Kind::Texts, Value::Texts(vec![text]));
        return Ok((signature_tag::OPENPGP, entry));
    }
    let algorithm = key_algorithm(signature)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no OpenPGP signature"))?;
    let tag = if RSA.contains(&algorithm) { signature_tag::RSA } else { signature_tag::DSA };
    Ok((tag, (tag, Kind::Bytes, Value::Bytes(signature.to_vec()))))
}

/// The kind of key that a signature packet was made with (RFC 9580, sections 4.2 and 5.2).
fn key_algorithm(packet: &[u8]) -> Option<u8> {
    let (first, rest) = packet.split_first()?;
    let length_of_length = match (first & 0x40 != 0, first & 3, rest.first()?) {
        (true, _, ..=191) => 1,
        (true, _, 192..=223) => 2,
        (true, ..) => 5,
        (false, 0, _) => 1,
        (false, 1, _) => 2,
        (false, ..) => 4,
    };
    let tag = if first & 0x40 != 0 { first & 0x3f } else { first >> 2 & 0xf };
    let body = rest.get(length_of_length..)?;
    match (tag, body) {
        (2, [3, _, _, _, _, _, _, _, _, _, _, _, _, _, _, algorithm, ..]) => Some(*algorithm),
        (2, [4 | 6, _, algorithm, ..]) => Some(*algorithm),
        _ => None,
    }
}

/// The kind of an entry that was read.
fn kind(tag: u32, value: &Value) -> Kind {
    use signature_tag as tags;
    match value {
        Value::Text(_) => Kind::Text,
        Value::Texts(_) | Value::Localized(_) => Kind::Texts,
        Value::Bytes(_) => Kind::Bytes,
        Value::Numbers(_) if matches!(tag, tags::LONG_SIZE | tags::LONG_ARCHIVE_SIZE) => Kind::Int64,
        Value::Numbers(_) => Kind::Int32,
    }
}

/// The header's bytes, without those that fill it up.
fn encoded(entries: &[(u32, Kind, Value)]) -> Vec<u8> {
    encode(Region::Signatures, entries.iter().map(|(tag, kind, value)| (*tag, *kind, value)))
}

/// The header's bytes, which begin the next header at a place of 8 bytes; with as much of the reserve as there is room for: what
/// fills it up is none.
fn encode_within(mut entries: Vec<(u32, Kind, Value)>, room: usize) -> Vec<u8> {
    let is_reserve = |tag: u32| matches!(tag, signature_tag::RESERVED | signature_tag::RESERVED_4);
    let padded = |entries: &[(u32, Kind, Value)]| {
        let mut bytes = encoded(entries);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let excess = encoded(&entries).len().saturating_sub(room);
    if excess == 0 {
        return padded(&entries);
    }
    let reserve = entries.iter_mut().find(|(tag, ..)| is_reserve(*tag));
    if let Some((_, _, Value::Bytes(free))) = reserve {
        free.truncate(free.len().saturating_sub(excess));
    }
    // Nothing can be reserved in no bytes.
    entries.retain(|(_, _, value)| !matches!(value, Value::Bytes(bytes) if bytes.is_empty()));
    padded(&entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_key_stands_in_the_signature() {
        assert_eq!(key_algorithm(&[0xc2, 0xbd, 4, 0, 22, 10]), Some(22));
        assert_eq!(key_algorithm(&[0x89, 1, 0x33, 4, 0, 1, 8]), Some(1));
        assert_eq!(key_algorithm(b"-----BEGIN PGP SIGNATURE-----"), None);
        assert_eq!(key_algorithm(&[]), None);
    }

    #[test]
    fn the_reserve_gives_its_room() {
        let reserve = |size| (signature_tag::RESERVED, Kind::Bytes, Value::Bytes(vec![0; size]));
        let room = encoded(&[reserve(400)]).len();
        let signature = (signature_tag::OPENPGP, Kind::Texts, Value::Texts(vec!["x".repeat(99).into()]));
        let all = encode_within(vec![signature, reserve(400)], room);
        assert_eq!(all.len(), room.next_multiple_of(8));
        // 16 bytes of index, the text and its end.
        assert!(all.windows(284).any(|part| part.iter().all(|byte| *byte == 0)));
        assert!(!all.windows(300).any(|part| part.iter().all(|byte| *byte == 0)));
    }
}
