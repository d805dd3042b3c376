//! Signatures as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pgp::armor::{self, BlockType};
use pgp::ser::Serialize;

/// Packets that are bytes already.
struct Packets<'a>(&'a [Vec<u8>]);

impl Serialize for Packets<'_> {
    fn to_writer<W: std::io::Write>(&self, writer: &mut W) -> pgp::errors::Result<()> {
        self.0.iter().try_for_each(|packet| writer.write_all(packet))?;
        Ok(())
    }

    fn write_len(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }
}

/// Signatures of one file, packets as bytes, in one block of armor with a checksum (RFC 9580, section 6): old readers look for it.
pub fn armored_signatures(packets: &[Vec<u8>]) -> Vec<u8> {
    let mut text = Vec::new();
    // Writing to memory can't fail.
    let _ = armor::write(&Packets(packets), BlockType::Signature, &mut text, None, true);
    text
}

const BEGIN: &str = "-----BEGIN PGP SIGNATURE-----";
const END: &str = "-----END PGP SIGNATURE-----";

/// How long a line of armor may be.
const LONGEST_LINE: usize = 76;

/// Whether these are binary packets, or one block of armor as programs write it: nothing around it, nothing in it that is passed over
/// but headers, and a checksum that is right where there is one. Readers take much more, so that bits could flip unseen.
pub fn is_strict_armor(content: &[u8]) -> bool {
    if !content.starts_with(b"-") {
        return true;
    }
    let read = || {
        let text = std::str::from_utf8(content).ok()?;
        let mut lines = text
            .strip_suffix('\n')
            .unwrap_or(text)
            .split('\n')
            .map(|line| line.strip_suffix('\r').unwrap_or(line));
        let is_header = |line: &&str| {
            line.split_once(": ").is_some_and(|(key, _)| key.bytes().all(|byte| byte.is_ascii_alphabetic()))
        };
        let begins = lines.next()? == BEGIN && lines.find(|line| !is_header(line))?.is_empty();
        let (mut base64, mut checksum, mut ends) = (String::new(), None, false);
        for line in lines.by_ref() {
            match line.strip_prefix('=') {
                _ if line == END => {
                    ends = true;
                    break;
                }
                _ if checksum.is_some() || line.is_empty() || line.len() > LONGEST_LINE => return None,
                Some(said) => checksum = Some(said.to_owned()),
                None => base64.push_str(line),
            }
        }
        let packets = STANDARD.decode(base64).ok()?;
        let [_, sum @ ..] = crc24(&packets).to_be_bytes();
        let is_right = checksum.is_none_or(|said| STANDARD.encode(sum) == said);
        Some(begins && ends && lines.next().is_none() && is_right)
    };
    read().unwrap_or(false)
}

/// The checksum of armor (RFC 9580, section 6.1.1).
fn crc24(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x00b7_04ce, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte) << 16, |sum, _| match sum & 0x0080_0000 {
            0 => sum << 1,
            _ => (sum << 1 ^ 0x0186_4cfb) & 0x00ff_ffff,
        })
    })
}
