//! Signatures, put into packages.

use std::io::{self, Read, Write};
use std::path::Path;

use cap_std::fs::File;

use super::super::decode::Headers;
use super::super::encode::{Region, encode};
use super::super::header::Value;
use super::super::tag::Kind;
use super::super::write::signature_tag;
use super::entries::{SignatureEntry, is_signature, put_signature, stored_kind};
use crate::files::{Folder, PreparedFile};

const LEAD_SIZE: usize = 96;

/// Puts a binary OpenPGP signature of the header into a package. The room that was kept free for it is used up; the package
/// is written beside its place and renamed into it.
///
/// # Errors
/// The signature is none, or the package can't be read or written.
pub fn add_signature(folder: &Folder, path: &Path, headers: &Headers, signature: &[u8]) -> io::Result<()> {
    folder.write_atomic_with(path, |file| write_with(folder, (path, headers), signature, file))
}

/// As [`add_signature`], where the package is to [take its place](PreparedFile::take_place) with others.
///
/// # Errors
/// As there.
pub fn prepare_signed<'a>(
    folder: &'a Folder,
    path: &Path,
    headers: &Headers,
    signature: &[u8],
) -> io::Result<PreparedFile<'a>> {
    folder.prepare(path, |file| write_with(folder, (path, headers), signature, file))
}

fn write_with(
    folder: &Folder,
    (path, headers): (&Path, &Headers),
    signature: &[u8],
    file: &mut File,
) -> io::Result<()> {
    let mut package = folder.open(path)?;
    let mut file = file.try_clone()?.into_std();
    write_signed(&mut package, headers, &[signature.to_vec()], &mut file)
}

/// Writes the package `package`, which is read from its beginning and whose headers are `headers`, with binary OpenPGP signatures of its header beside those that it has.
/// One by a key that has signed it before takes the place of that one. [`drop_signatures`] has it written without its earlier ones.
///
/// # Errors
/// A signature is none, or the package can't be read or written.
pub fn write_signed(
    package: &mut impl Read,
    headers: &Headers,
    signatures: &[Vec<u8>],
    output: &mut impl Write,
) -> io::Result<()> {
    let before = headers.signatures.iter();
    let mut entries: Vec<SignatureEntry> =
        before.map(|(tag, value)| (*tag, stored_kind(*tag, value), value.clone())).collect();
    let room = encoded(&entries).len();
    for signature in signatures {
        put_signature(&mut entries, headers.lead_major, signature)
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "it is no OpenPGP signature"))?;
    }
    let header_at = headers.payload_offset - headers.header_bytes.len() as u64;
    let mut lead = [0; LEAD_SIZE];
    package.read_exact(&mut lead)?;
    let passed_over = header_at.saturating_sub(LEAD_SIZE as u64);
    if io::copy(&mut package.take(passed_over), &mut io::sink())? < passed_over {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    output.write_all(&lead)?;
    output.write_all(&encode_within(entries, room))?;
    io::copy(package, output).map(drop)
}

/// Takes the signatures out of the headers of a package that is to be written.
pub fn drop_signatures(headers: &mut Headers) {
    headers.signatures.retain(|(tag, _)| !is_signature(*tag));
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
    // One that does not suffice stays for the next signature, as rpm has it: the header grows.
    if let Some((_, _, Value::Bytes(free))) = reserve
        && excess < free.len()
    {
        free.truncate(free.len() - excess);
    }
    padded(&entries)
}

#[cfg(test)]
mod tests {
    use super::*;

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
