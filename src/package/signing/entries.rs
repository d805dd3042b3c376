//! The signatures in a package's signature header.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bstr::BString;

use super::super::header::Value;
use super::super::tag::Kind;
use super::super::write::signature_tag;
use super::packet::{issuer, read_signatures, version_and_algorithm};

/// An entry of a signature header: its tag, its kind, its value.
pub(super) type SignatureEntry = (u32, Kind, Value);

/// The lead's version of format 6.
pub(super) const LEAD_OF_V6: u8 = 4;

/// OpenPGP's numbers of RSA keys (RFC 9580, section 9.1).
const RSA: [u8; 3] = [1, 2, 3];

/// Those of the other keys that format 4 knows: DSA, ECDSA, EdDSA as it was before RFC 9580.
const OTHERS: [u8; 3] = [17, 19, 22];

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
pub(super) fn place_of(packet: &[u8]) -> Option<u32> {
    let (version, algorithm) = version_and_algorithm(packet)?;
    place_of_algorithm(algorithm).filter(|_| version <= 4)
}

/// The place in format 4 of signatures by keys of that kind.
pub(super) fn place_of_algorithm(algorithm: u8) -> Option<u32> {
    match algorithm {
        _ if RSA.contains(&algorithm) => Some(signature_tag::RSA),
        _ if OTHERS.contains(&algorithm) => Some(signature_tag::DSA),
        _ => None,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn a_kind_of_key_that_format_four_does_not_know_has_the_list() {
        assert_eq!(places(&[packet(4, 27)], 3), [(278, 1)]);
        assert_eq!(places(&[packet(4, 19)], 3), [(267, 1)]);
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
