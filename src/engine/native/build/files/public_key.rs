//! Public keys that packages carry (`%pubkey`): read in ASCII armour, and written in it (RFC 9580, 6.2).

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use bstr::{BString, ByteSlice};

/// How many characters of base64 stand on a line.
const LINE: usize = 64;

/// What is wrong with a key, in rpm's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyProblem {
    /// There is no armour, or what is in it is no base64.
    #[error("public key read failed.")]
    Unreadable,
    /// It is something else: a signature, a private key.
    #[error("not an armored public key.")]
    NotPublic,
}

/// The first key of a file, in the form that headers hold: without comments, in lines of one length.
pub(super) fn armor_first_key(text: &[u8]) -> Result<BString, KeyProblem> {
    let (label, body) = find_first_block(text).ok_or(KeyProblem::Unreadable)?;
    let content = decode_body(body).ok_or(KeyProblem::Unreadable)?;
    if label != b"PUBLIC KEY BLOCK" {
        return Err(KeyProblem::NotPublic);
    }
    let mut armored = BString::from("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n");
    for line in BASE64_STANDARD.encode(&content).as_bytes().chunks(LINE) {
        armored.extend_from_slice(line);
        armored.push(b'\n');
    }
    let [_, check @ ..] = checksum(&content).to_be_bytes();
    armored.extend_from_slice(format!("={}\n", BASE64_STANDARD.encode(check)).as_bytes());
    armored.extend_from_slice(b"-----END PGP PUBLIC KEY BLOCK-----\n");
    Ok(armored)
}

/// The label of the first armoured block, and what stands between its lines.
fn find_first_block(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, from) = text.split_once_str("-----BEGIN PGP ")?;
    let (label, rest) = from.split_once_str("-----")?;
    let (body, _) = rest.split_once_str("-----END PGP ")?;
    Some((label, body))
}

/// What the base64 of a block stands for. Lines like `Comment: …` say something of it, and what follows `=` checks it.
fn decode_body(body: &[u8]) -> Option<Vec<u8>> {
    let lines = body.lines().map(<[u8]>::trim_ascii).filter(|line| !line.contains(&b':'));
    let written: Vec<u8> = lines.flatten().copied().take_while(|byte| *byte != b'=').collect();
    BASE64_STANDARD_NO_PAD.decode(written).ok().filter(|content| !content.is_empty())
}

/// The CRC-24 of OpenPGP.
fn checksum(content: &[u8]) -> u32 {
    const START: u32 = 0x00b7_04ce;
    const POLYNOMIAL: u32 = 0x0186_4cfb;
    let shifted = |sum: u32| if sum & 0x0080_0000 == 0 { sum << 1 } else { sum << 1 ^ POLYNOMIAL };
    let added = |sum: u32, byte: &u8| (0..8).fold(sum ^ u32::from(*byte) << 16, |sum, _| shifted(sum));
    content.iter().fold(START, added)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----

mDMEawkp+hYJKwYBBAHaRw8BAQdA9EoYgmlfeGERIFSkDYJRGqHaTAyNJYYBiXJN
+UVAkDe0B2EgPGFAYj6IkAQTFggAOBYhBPgubMK0lCEMyEVTMowjYUyxO33TBQJr
CSn6AhsDBQsJCAcCBhUKCQgLAgQWAgMBAh4BAheAAAoJEIwjYUyxO33TFj0A/0Bs
tJbqK5wS2V42DH3QJwFPUCCdfyyfVMv4XqDWqUbmAQCZRVyaAeuCoM1mbIsGin6r
9fVls+EoFmW73q0wmRF+Cw==
=pEox
-----END PGP PUBLIC KEY BLOCK-----
";

    #[test]
    fn a_key_is_held_without_its_comments() {
        let commented = KEY.replace("BLOCK-----\n\nm", "BLOCK-----\r\nComment: a key\r\n\r\nm");
        for text in [KEY.to_owned(), format!("before\n{commented}after\n{KEY}"), KEY.replace("=pEox\n", "")] {
            assert_eq!(armor_first_key(text.as_bytes()).unwrap(), KEY);
        }
    }

    #[test]
    fn what_is_no_key_is_told() {
        let signature = KEY.replace("PUBLIC KEY BLOCK", "SIGNATURE");
        assert_eq!(armor_first_key(signature.as_bytes()), Err(KeyProblem::NotPublic));
        for text in ["", "hello\n", &KEY.replace("mDME", "m!ME"), KEY.split_once("-----END").unwrap().0] {
            assert_eq!(armor_first_key(text.as_bytes()), Err(KeyProblem::Unreadable));
        }
    }
}
