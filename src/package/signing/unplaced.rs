//! A signature that no package has yet.

use bstr::ByteSlice;

use super::super::decode::Headers;
use super::entries::{LEAD_OF_V6, place_of, place_of_algorithm};
use super::packet::{is_one_packet, read_signatures, signature_packets, version_and_algorithm};

/// What armor begins with.
const ARMOR: &[u8] = b"-----BEGIN";

/// A signature that a program has made, and that no package has yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnplacedSignature {
    packet: Vec<u8>,
    version: u8,
    algorithm: u8,
}

/// Where a package has a place for a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignaturePlace {
    /// Where every rpm that reads packages of this format looks.
    Usual,
    /// Format 4 knows no signatures by keys of that algorithm: only rpm 6 sees one.
    NoneForAlgorithm,
    /// Format 4 knows no signatures of that version of OpenPGP: only rpm 6 sees one.
    NoneForVersion,
}

impl UnplacedSignature {
    /// Reads what a program has written: one signature, in armor or not. Nothing where it is none, or there are more.
    pub fn read(written: &[u8]) -> Option<Self> {
        let packet = match written.starts_with(ARMOR) {
            // What reads armor stops behind the first.
            true if written.find_iter(ARMOR).count() > 1 => return None,
            true => <[Vec<u8>; 1]>::try_from(signature_packets(written).ok()?).ok()?.into_iter().next()?,
            false => written.to_vec(),
        };
        let is_whole = is_one_packet(&packet) && read_signatures(&packet).is_ok_and(|found| found.len() == 1);
        let (version, algorithm) = version_and_algorithm(&packet)?;
        is_whole.then_some(Self { packet, version, algorithm })
    }

    /// Its bytes.
    pub fn packet(&self) -> &[u8] {
        &self.packet
    }

    /// The version of OpenPGP.
    pub fn version(&self) -> u8 {
        self.version
    }

    /// OpenPGP's number of the kind of key that it was made with.
    pub fn algorithm(&self) -> u8 {
        self.algorithm
    }

    /// Where a package has a place for it.
    pub fn place_in(&self, package: &Headers) -> SignaturePlace {
        if package.lead_major >= LEAD_OF_V6 || place_of(&self.packet).is_some() {
            SignaturePlace::Usual
        } else if place_of_algorithm(self.algorithm).is_some() {
            SignaturePlace::NoneForVersion
        } else {
            SignaturePlace::NoneForAlgorithm
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_signature_is_none() {
        for wrong in [
            &b""[..],
            b"junk\n",
            b"-----BEGIN PGP SIGNATURE-----\n",
            // Cut, and one that has no fields.
            b"\xc2\x04\x04\x00",
            b"\xc2\x04\x04\x00\x16\x08",
        ] {
            assert_eq!(UnplacedSignature::read(wrong), None);
        }
    }
}
