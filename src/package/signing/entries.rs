//! The signatures in a package's signature header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::BString;

use super::super::header::Value;
use super::super::tag::Kind;
use super::super::write::signature_tag;
use super::packet::{issuer, read_signatures};

/// An entry of a signature header: its tag, its kind, its value.
pub(super) type SignatureEntry = (u32, Kind, Value);

/// The lead's version of format 6.
const LEAD_OF_V6: u8 = 4;

/// OpenPGP's numbers of RSA keys (RFC 9580, section 9.1).
const RSA: [u8; 3] = [1, 2, 3];

/// Puts a signature among the entries of a package whose lead has that version. An earlier one by the same key goes. Nothing where it
/// is no signature.
///
/// Format 6 has a list of all. Format 4 has one place for a signature by an RSA key and one for another; where they don't suffice,
/// it gets the list, too: all are in it, since rpm 6 looks at nothing else then.
pub(super) fn put_signature(entries: &mut Vec<SignatureEntry>, lead_major: u8, packet: &[u8]) -> Option<()> {
    version_and_algorithm(packet)?;
    let (mut packets, had_list) = take_signatures(entries);
    let by = issuer_of(packet);
    packets.retain(|other| by.is_none() || issuer_of(other) != by);
    packets.push(packet.to_vec());
    let mut has_room = !had_list;
    if lead_major < LEAD_OF_V6 {
        for packet in &packets {
            match place_of(packet).filter(|tag| entries.iter().all(|(other, ..)| other != tag)) {
                Some(tag) => entries.push((tag, Kind::Bytes, Value::Bytes(packet.clone()))),
                None => has_room = false,
            }
        }
    }
    if lead_major >= LEAD_OF_V6 || !has_room {
        let texts = packets.iter().map(|packet| BString::from(STANDARD.encode(packet))).collect();
        entries.push((signature_tag::OPENPGP, Kind::Texts, Value::Texts(texts)));
    }
    entries.sort_by_key(|(tag, ..)| *tag);
    Some(())
}

/// Whether entries of that tag are signatures.
pub(super) fn is_signature(tag: u32) -> bool {
    matches!(tag, signature_tag::RSA | signature_tag::DSA | signature_tag::OPENPGP)
}

/// Takes the signatures out of the entries, each once; says whether there was a list of them.
fn take_signatures(entries: &mut Vec<SignatureEntry>) -> (Vec<Vec<u8>>, bool) {
    let (mut packets, mut had_list): (Vec<Vec<u8>>, _) = (Vec::new(), false);
    entries.retain(|(tag, _, value)| {
        let found: Vec<Vec<u8>> = match (*tag, value) {
            (signature_tag::RSA | signature_tag::DSA, Value::Bytes(bytes)) => vec![bytes.clone()],
            (signature_tag::OPENPGP, Value::Texts(texts)) => {
                had_list = true;
                texts.iter().filter_map(|text| STANDARD.decode(text).ok()).collect()
            }
            _ => return true,
        };
        for packet in found {
            if !packets.contains(&packet) {
                packets.push(packet);
            }
        }
        false
    });
    (packets, had_list)
}

/// The place of its own that a signature has in format 4: none where it is of version 6.
fn place_of(packet: &[u8]) -> Option<u32> {
    let (version, algorithm) = version_and_algorithm(packet)?;
    let tag = if RSA.contains(&algorithm) { signature_tag::RSA } else { signature_tag::DSA };
    (version < 6).then_some(tag)
}

/// The kind of an entry that was read.
pub(super) fn stored_kind(tag: u32, value: &Value) -> Kind {
    use signature_tag as tags;
    match value {
        Value::Text(_) => Kind::Text,
        Value::Texts(_) | Value::Localized(_) => Kind::Texts,
        Value::Bytes(_) => Kind::Bytes,
        Value::Numbers(_) if matches!(tag, tags::LONG_SIZE | tags::LONG_ARCHIVE_SIZE) => Kind::Int64,
        Value::Numbers(_) => Kind::Int32,
    }
}

fn issuer_of(packet: &[u8]) -> Option<String> {
    issuer(read_signatures(packet).ok()?.first()?)
}

/// The version of a signature packet and the kind of key that it was made with (RFC 9580, sections 4.2 and 5.2).
fn version_and_algorithm(packet: &[u8]) -> Option<(u8, u8)> {
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
        (2, [3, _, _, _, _, _, _, _, _, _, _, _, _, _, _, algorithm, ..]) => Some((3, *algorithm)),
        (2, [version @ (4 | 6), _, algorithm, ..]) => Some((*version, *algorithm)),
        _ => None,
    }
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

    /// Packets of a form that is enough to be put somewhere: nobody knows who made them.
    fn packet(version: u8, algorithm: u8) -> Vec<u8> {
        vec![0xc2, 4, version, 0, algorithm, 8]
    }

    fn places(packets: &[Vec<u8>], lead_major: u8) -> Vec<(u32, usize)> {
        let mut entries = Vec::new();
        packets.iter().for_each(|packet| put_signature(&mut entries, lead_major, packet).unwrap());
        entries.iter().map(|(tag, _, value)| (*tag, value.len())).collect()
    }

    #[test]
    fn format_four_has_two_places_and_a_list_of_all_where_they_do_not_suffice() {
        let (rsa, eddsa, six) = (packet(4, 1), packet(4, 22), packet(6, 27));
        assert_eq!(places(std::slice::from_ref(&rsa), 3), [(268, 1)]);
        assert_eq!(places(&[rsa.clone(), eddsa.clone()], 3), [(267, 1), (268, 1)]);
        assert_eq!(places(&[rsa.clone(), six.clone()], 3), [(268, 1), (278, 2)]);
        assert_eq!(places(&[six.clone(), rsa.clone(), eddsa.clone()], 3), [(267, 1), (268, 1), (278, 3)]);
        assert_eq!(places(&[rsa, eddsa, six], 4), [(278, 3)]);
    }
}
