//! Signature packets, taken apart.

use pgp::composed::{Deserializable, DetachedSignature};
use pgp::packet::Signature;
use pgp::ser::Serialize;

/// How many signatures of a file are looked at.
pub(super) const MOST_SIGNATURES: usize = 20;

/// The signatures in `content`, in armor or not, as packets of bytes.
///
/// # Errors
/// It holds something else, or nothing.
pub fn signature_packets(content: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let packets: Vec<Vec<u8>> =
        read_signatures(content)?.iter().map(packet_bytes).collect::<Result<_, _>>()?;
    match packets.is_empty() {
        true => Err("it is no OpenPGP signature".to_owned()),
        false => Ok(packets),
    }
}

/// The signatures in `content`, in armor or not.
pub(super) fn read_signatures(content: &[u8]) -> Result<Vec<Signature>, String> {
    let none = |error: pgp::errors::Error| format!("it is no OpenPGP signature: {error}");
    let (parsed, _) = DetachedSignature::from_reader_many(content).map_err(none)?;
    parsed.take(MOST_SIGNATURES).map(|parsed| Ok(parsed.map_err(none)?.signature)).collect()
}

/// The bytes of a signature as a packet.
pub(super) fn packet_bytes(signature: &Signature) -> Result<Vec<u8>, String> {
    DetachedSignature::new(signature.clone()).to_bytes().map_err(|error| error.to_string())
}

/// Whom a signature says that it is by: a fingerprint, or else the id of a key.
pub(super) fn issuer(signature: &Signature) -> Option<String> {
    let fingerprint = signature.issuer_fingerprint().first().map(|it| format!("{it:X}"));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    fingerprint.or_else(|| signature.issuer_key_id().first().map(|id| hex(id.as_ref())))
}

/// The version of a signature packet and the kind of key that it was made with (RFC 9580, sections 4.2 and 5.2).
pub(super) fn version_and_algorithm(packet: &[u8]) -> Option<(u8, u8)> {
    let (tag, body, _) = split_packet(packet)?;
    match (tag, body) {
        (2, [3, _, _, _, _, _, _, _, _, _, _, _, _, _, _, algorithm, ..]) => Some((3, *algorithm)),
        (2, [version @ (4 | 6), _, algorithm, ..]) => Some((*version, *algorithm)),
        _ => None,
    }
}

/// A packet's tag, its body, and whether the body is as long as the packet says (RFC 9580, section 4.2).
fn split_packet(packet: &[u8]) -> Option<(u8, &[u8], bool)> {
    let (first, rest) = packet.split_first().filter(|(first, _)| **first & 0x80 != 0)?;
    let is_new = first & 0x40 != 0;
    let second = *rest.first()?;
    let length_of_length = match (is_new, first & 3, second) {
        (true, _, ..=191) | (false, 0, _) => 1,
        (true, _, 192..=223) | (false, 1, _) => 2,
        (true, ..) => 5,
        (false, ..) => 4,
    };
    let written = rest.get(..length_of_length)?;
    let number = |bytes: &[u8]| bytes.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let length = match (is_new, second) {
        (true, 192..=223) => number(written).wrapping_sub(192 << 8).wrapping_add(192),
        (true, 255) => number(written) & 0xffff_ffff,
        (_, _) => number(written),
    };
    let tag = if is_new { first & 0x3f } else { first >> 2 & 0xf };
    let body = rest.get(length_of_length..)?;
    Some((tag, body, body.len() as u64 == length))
}

/// Whether this is one packet and nothing more.
pub(super) fn is_one_packet(content: &[u8]) -> bool {
    split_packet(content).is_some_and(|(_, _, is_whole)| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_key_stands_in_the_signature() {
        assert_eq!(version_and_algorithm(&[0xc2, 0xbd, 4, 0, 22, 10]), Some((4, 22)));
        assert_eq!(version_and_algorithm(&[0x89, 1, 0x33, 4, 0, 1, 8]), Some((4, 1)));
        assert_eq!(version_and_algorithm(b"-----BEGIN PGP SIGNATURE-----"), None);
        assert_eq!(version_and_algorithm(&[]), None);
    }

    #[test]
    fn a_packet_says_how_long_it_is() {
        let packet = [0xc2, 4, 4, 0, 22, 8];
        assert!(is_one_packet(&packet) && !is_one_packet(&packet[1..]));
        assert!(!is_one_packet(&packet[..5]) && !is_one_packet(&[packet, packet].concat()));
        for head in [&[0xc2, 192, 8][..], &[0xc2, 255, 0, 0, 0, 200], &[0x88, 200], &[0x89, 0, 200]] {
            assert!(is_one_packet(&[head, &[7; 200]].concat()), "{head:?}");
        }
    }
}
