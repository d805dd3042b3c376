//! Whether a package is as it was signed, byte for byte, and by whom it was.
//!
//! A signature is one of the header. The header has a digest of the payload. What stands before the header (lead and signature header)
//! is covered by nothing: of it every byte is compared with what it has to be, as forge and rpm write it.

use std::io::{self, BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};
use sha3::Sha3_256;

use super::super::PackageError;
use super::super::check::check;
use super::super::compress::{Compression, decompressed};
use super::super::decode::{Headers, read_headers};
use super::super::encode::{Region, encode};
use super::super::header::{Header, Value};
use super::super::lead::is_lead_of;
use super::super::tag::Tag;
use super::super::write::{hex, signature_tag};
use super::certificate::Certificate;
use super::entries::stored_kind;
use super::packet::{issuer, packet_bytes, read_signatures};
use super::signature_header::wrong_entries;
use crate::event::Timestamp;
use crate::signature::{KeyTime, check_form};

/// What was found of one signature.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct SignatureFinding {
    /// The fingerprint of the key that it says it is by, or that key's id.
    pub key: String,
    /// Who that is, where the key is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// What is wrong, where something is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

/// What becomes of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It is one of this file by a key that is known and counts.
    Good,
    /// Its key is not known: nothing can be said of it.
    Unknown,
    /// It is not one of this file, or its key does not count any more.
    Bad,
}

/// What was found of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, schemars::JsonSchema)]
pub struct Verified {
    /// Its signatures.
    pub signatures: Vec<SignatureFinding>,
    /// What of it is not as it has to be.
    pub damage: Vec<String>,
}

impl Verified {
    /// Whether it is as it was signed, by a key that is known.
    pub fn is_good(&self) -> bool {
        let has = |verdict| self.signatures.iter().any(|signature| signature.verdict == verdict);
        self.damage.is_empty() && has(Verdict::Good) && !has(Verdict::Bad)
    }

    /// What was found of a file that can't be read as what it should be.
    pub fn damaged(what: String) -> Self {
        Self { signatures: Vec::new(), damage: vec![what] }
    }
}

/// What is found of the signatures in `packets`, in armor or not, of `content`.
pub fn verify_signatures(
    packets: &[u8],
    content: &[u8],
    certificates: &[Certificate],
    now: Timestamp,
) -> Result<Vec<SignatureFinding>, String> {
    let signatures = read_signatures(packets)?;
    let mut findings = Vec::new();
    for signature in &signatures {
        let key = issuer(signature).unwrap_or_else(|| "none".to_owned());
        let bytes = packet_bytes(signature)?;
        let finding = |certificate: Option<&Certificate>, verdict, problem| {
            let user = certificate.and_then(Certificate::user);
            SignatureFinding { key: key.clone(), user, verdict, problem }
        };
        let known = certificates.iter().find(|certificate| certificate.is_by_its_key(signature));
        findings.push(match known {
            None => finding(None, Verdict::Unknown, Some("its key is not known".to_owned())),
            Some(known) => match known
                .check(&bytes, content)
                .and_then(|()| known.check_counts(&key, now))
                .and_then(|()| check_form(signature, KeyTime::At(now)).map_err(|problem| problem.text()))
            {
                Ok(_) => finding(Some(known), Verdict::Good, None),
                Err(problem) => finding(Some(known), Verdict::Bad, Some(problem)),
            },
        });
    }
    Ok(findings)
}

/// What is found of a package; `open` opens it, once for each time that it is read.
///
/// # Errors
/// It can't be read, or is no package.
pub fn verify_package<R: Read>(
    file: &str,
    open: impl Fn() -> io::Result<R>,
    certificates: &[Certificate],
    now: Timestamp,
) -> Result<Verified, PackageError> {
    let failed = |source: io::Error| PackageError::Io { file: file.to_owned(), source };
    let broken = |source| PackageError::Header { file: file.to_owned(), source };
    let mut package = BufReader::with_capacity(1 << 17, open().map_err(failed)?);
    let before = check(&mut package).map_err(broken)?;
    let headers = read_headers(&mut before.as_slice()).map_err(broken)?;
    let mut verified = Verified::default();
    let (packets, unread) = signatures_of(&headers);
    verified.damage.extend(unread);
    for packet in packets {
        match verify_signatures(&packet, &headers.header_bytes, certificates, now) {
            Ok(findings) => verified.signatures.extend(findings),
            Err(problem) => verified.damage.push(problem.clone()),
        }
        if !is_canonical(&packet) {
            verified.damage.push("a signature in it is not written as signatures are".to_owned());
        }
    }
    let payload = Payload::read(&mut package, &headers.header_bytes).map_err(failed)?;
    verified.damage.extend(damage_before_header(&before, &headers));
    verified.damage.extend(wrong_entries(&headers));
    verified.damage.extend(wrong_digests(&headers, &payload));
    if let Some(said) = number(&headers, [signature_tag::ARCHIVE_SIZE, signature_tag::LONG_ARCHIVE_SIZE]) {
        let mut again = BufReader::with_capacity(1 << 17, open().map_err(failed)?);
        io::copy(&mut again.by_ref().take(headers.payload_offset), &mut io::sink()).map_err(failed)?;
        if archive_size(&headers.header, again) != Some(said) {
            verified.damage.push("its files are not as large as it says".to_owned());
        }
    }
    Ok(verified)
}

/// The signatures of a header, and what is no signature where one should be.
fn signatures_of(headers: &Headers) -> (Vec<Vec<u8>>, Option<String>) {
    let (mut packets, mut unread) = (Vec::new(), None);
    for (tag, value) in &headers.signatures {
        match (*tag, value) {
            (signature_tag::RSA | signature_tag::DSA, Value::Bytes(bytes)) => packets.push(bytes.clone()),
            (signature_tag::OPENPGP, Value::Texts(texts)) => {
                for text in texts {
                    match STANDARD.decode(text) {
                        Ok(packet) => packets.push(packet),
                        Err(_) => unread = Some("a signature in it is no base64".to_owned()),
                    }
                }
            }
            _ => {}
        }
    }
    // In format 4 a signature may stand at its own place and in the list.
    let mut known: Vec<Vec<u8>> = Vec::new();
    packets.retain(|packet| {
        let is_new = !known.contains(packet);
        known.push(packet.clone());
        is_new
    });
    (packets, unread)
}

/// Whether a packet is written as it would be written again: no bit of it is of no meaning.
fn is_canonical(packet: &[u8]) -> bool {
    let Ok(signatures) = read_signatures(packet) else { return false };
    let again: Result<Vec<Vec<u8>>, String> = signatures.iter().map(packet_bytes).collect();
    again.is_ok_and(|again| again.concat() == packet)
}

/// What is read of a payload in one go.
struct Payload {
    size: u64,
    md5: Vec<u8>,
    sha256: String,
    sha512: String,
    sha3: String,
}

impl Payload {
    fn read(payload: &mut impl Read, header: &[u8]) -> io::Result<Self> {
        let (mut md5, mut sha256, mut sha512) = (Md5::new(), Sha256::new(), Sha512::new());
        let (mut sha3, mut size) = (Sha3_256::new(), 0_u64);
        md5.update(header);
        let mut chunk = vec![0; 1 << 17];
        loop {
            let length = payload.read(&mut chunk)?;
            let read = chunk.get(..length).unwrap_or_default();
            if read.is_empty() {
                break;
            }
            size = size.saturating_add(length as u64);
            md5.update(read);
            sha256.update(read);
            sha512.update(read);
            sha3.update(read);
        }
        Ok(Self {
            size,
            md5: md5.finalize().to_vec(),
            sha256: hex(&sha256.finalize()),
            sha512: hex(&sha512.finalize()),
            sha3: hex(&sha3.finalize()),
        })
    }
}

/// The digests and sizes that are not what they are said to be.
fn wrong_digests(headers: &Headers, payload: &Payload) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut compare = |what: &str, said: Option<Vec<u8>>, is: &[u8]| {
        if said.is_some_and(|said| said != is) {
            wrong.push(format!("its {what} is not what it says"));
        }
    };
    let signature = |tag: u32| {
        let (_, value) = headers.signatures.iter().find(|(known, _)| *known == tag)?;
        match value {
            Value::Text(text) => Some(text.to_vec()),
            Value::Bytes(bytes) => Some(bytes.clone()),
            Value::Texts(_) | Value::Localized(_) | Value::Numbers(_) => Some(Vec::new()),
        }
    };
    let bytes = headers.header_bytes.as_slice();
    compare("header's SHA-1", signature(signature_tag::SHA1), hex(&Sha1::digest(bytes)).as_bytes());
    compare("header's SHA-256", signature(signature_tag::SHA256), hex(&Sha256::digest(bytes)).as_bytes());
    compare(
        "header's SHA3-256",
        signature(signature_tag::SHA3_256),
        hex(&Sha3_256::digest(bytes)).as_bytes(),
    );
    compare("MD5", signature(signature_tag::MD5), &payload.md5);
    let text = |tag| headers.header.text(tag).map(|text| text.to_vec());
    compare("payload's SHA-256", text(Tag::PAYLOAD_SHA256), payload.sha256.as_bytes());
    compare("payload's SHA-512", text(Tag::PAYLOAD_SHA512), payload.sha512.as_bytes());
    compare("payload's SHA3-256", text(Tag::PAYLOAD_SHA3_256), payload.sha3.as_bytes());
    let has_digest = [Tag::PAYLOAD_SHA256, Tag::PAYLOAD_SHA512, Tag::PAYLOAD_SHA3_256];
    if !has_digest.iter().any(|tag| headers.header.has(*tag)) {
        wrong.push("its signature does not cover its files: it was built before rpm 4.14".to_owned());
    }
    let said = number(headers, [signature_tag::SIZE, signature_tag::LONG_SIZE]);
    if said.is_some_and(|said| said != payload.size.saturating_add(bytes.len() as u64)) {
        wrong.push("it is not as large as it says".to_owned());
    }
    wrong
}

fn number(headers: &Headers, tags: [u32; 2]) -> Option<u64> {
    let (_, value) = headers.signatures.iter().find(|(tag, _)| tags.contains(tag))?;
    match value {
        Value::Numbers(numbers) if numbers.len() == 1 => numbers.first().copied(),
        // What is said in another way is not what is meant.
        Value::Numbers(_) | Value::Text(_) | Value::Texts(_) | Value::Localized(_) | Value::Bytes(_) => {
            Some(u64::MAX)
        }
    }
}

/// How large the archive is that the payload holds.
fn archive_size(header: &Header, payload: impl Read) -> Option<u64> {
    let compression = match header.text(Tag::PAYLOAD_COMPRESSOR) {
        None => Compression::Gzip,
        Some(name) => Compression::named(name)?,
    };
    let mut archive = decompressed(compression, BufReader::with_capacity(1 << 17, payload)).ok()?;
    io::copy(&mut archive, &mut io::sink()).ok()
}

/// What of the bytes before the header is not as forge or rpm writes it.
fn damage_before_header(before: &[u8], headers: &Headers) -> Vec<String> {
    let mut damage = Vec::new();
    let (lead, rest) = before.split_at_checked(96).unwrap_or_default();
    if !is_lead_of(lead, headers) {
        damage.push("its lead is not that of such a package".to_owned());
    }
    let entries: Vec<_> =
        headers.signatures.iter().map(|(tag, value)| (*tag, stored_kind(*tag, value), value)).collect();
    let mut written = encode(Region::Signatures, entries.into_iter());
    written.resize(written.len().next_multiple_of(8), 0);
    let length = rest.len().saturating_sub(headers.header_bytes.len());
    if rest.get(..length) != Some(written.as_slice()) {
        damage.push("its signature header is not as it was written".to_owned());
    }
    let reserved = [signature_tag::RESERVED, signature_tag::RESERVED_4];
    let is_used = |value: &Value| matches!(value, Value::Bytes(bytes) if bytes.iter().any(|byte| *byte != 0));
    if headers.signatures.iter().any(|(tag, value)| reserved.contains(tag) && is_used(value)) {
        damage.push("there is something in what it keeps free".to_owned());
    }
    damage
}
