//! A package that was fetched: whether it is the one that was meant, and who signed it.
//!
//! The signature is one of the header (rpm's docs/manual/signatures_digests.md); the header holds a digest of the payload,
//! so that both are covered.

use std::io::{self, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::error::RepositoryError;
use super::problem::{FileOf, signature_error};
use super::request::SignatureRule;
use crate::digest::{Checksum, ChecksumHasher};
use crate::event::Timestamp;
use crate::package::{Header, Headers, Tag, Value, read_headers_of};
use crate::signature::{Keyring, SignatureProblem};
use crate::store::FetchedPackage;

/// What a package is checked against.
pub(super) struct PackageCheck<'a> {
    pub place: FileOf<'a>,
    /// `name-[epoch:]version-release.arch`.
    pub nevra: String,
    pub rule: SignatureRule,
    pub keyring: &'a Keyring,
    pub keys_at: Timestamp,
}

/// Entries of the signature header that hold a signature of the header, as packets (`RPMSIGTAG_DSA`, `RPMSIGTAG_RSA`) or as
/// texts of base64 (`RPMSIGTAG_OPENPGP`).
const SIGNATURES: [u32; 3] = [278, 268, 267];

impl PackageCheck<'_> {
    /// Reads a package to its end.
    ///
    /// # Errors
    /// It is not what it should be.
    pub fn run(&self, content: &mut dyn Read) -> Result<FetchedPackage, RepositoryError> {
        let mut content = io::BufReader::new(content);
        let file = self.place.file;
        let headers =
            read_headers_of(file, &mut content).map_err(|source| RepositoryError::BrokenPackage {
                repository: self.place.repository.to_owned(),
                file: file.to_owned(),
                source,
            })?;
        let nevra = nevra_of(&headers.header);
        if without_zero_epoch(&nevra) != without_zero_epoch(&self.nevra) {
            return Err(RepositoryError::OtherPackage {
                repository: self.place.repository.to_owned(),
                file: file.to_owned(),
                expected: self.nevra.clone(),
                found: nevra.escape_debug().to_string(),
            });
        }
        let signer = match self.rule {
            SignatureRule::NotAsked => None,
            SignatureRule::Required => {
                let signer = self.check_signature(&headers).and_then(|signer| {
                    check_payload(&headers.header, &mut content)?;
                    Ok(signer)
                });
                Some(signer.map_err(|problem| signature_error(problem, self.place))?)
            }
        };
        Ok(FetchedPackage { nevra, signer })
    }

    fn check_signature(&self, headers: &Headers) -> Result<String, SignatureProblem> {
        let mut problem = SignatureProblem::Missing;
        for signature in signatures(headers) {
            match self.keyring.check(&signature, &headers.header_bytes, self.keys_at) {
                Ok(signer) => return Ok(signer),
                Err(found) => problem = found,
            }
        }
        Err(problem)
    }
}

/// The signatures of a header.
fn signatures(headers: &Headers) -> Vec<Vec<u8>> {
    let values = headers.signatures.iter().filter(|(tag, _)| SIGNATURES.contains(tag));
    let packets = |value: &Value| match value {
        Value::Bytes(bytes) => vec![bytes.clone()],
        Value::Texts(texts) | Value::Localized(texts) => {
            texts.iter().filter_map(|text| STANDARD.decode(text).ok()).collect()
        }
        Value::Text(text) => STANDARD.decode(text).into_iter().collect(),
        Value::Numbers(_) => Vec::new(),
    };
    values.flat_map(|(_, value)| packets(value)).collect()
}

/// Checks what follows the headers against the digest in them.
fn check_payload(header: &Header, content: &mut dyn Read) -> Result<(), SignatureProblem> {
    let digests = [(Tag::PAYLOAD_SHA512, "sha512"), (Tag::PAYLOAD_SHA256, "sha256")];
    let said = digests.iter().find_map(|(tag, algorithm)| {
        let text = header.text(*tag)?.to_string();
        Checksum::new(algorithm, &text).ok()
    });
    let wrong = |reason: &str| SignatureProblem::Wrong(reason.to_owned());
    let said =
        said.ok_or_else(|| wrong("its signature does not cover its files: it was built before rpm 4.14"))?;
    let mut hasher = ChecksumHasher::new(said.algorithm());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let read = content.read(&mut buffer).map_err(|error| wrong(&crate::files::reason(&error)))?;
        let chunk = buffer.get(..read).unwrap_or_default();
        if chunk.is_empty() {
            break;
        }
        hasher.update(chunk);
    }
    match hasher.finish() == said {
        true => Ok(()),
        false => Err(wrong("its files are not those that were signed")),
    }
}

fn nevra_of(header: &Header) -> String {
    let text = |tag| header.text(tag).unwrap_or_default().to_string();
    let arch = if header.has(Tag::SOURCE_RPM) { text(Tag::ARCH) } else { "src".to_owned() };
    format!("{}-{}.{arch}", text(Tag::NAME), header.evr())
}

/// An epoch of 0 is none.
fn without_zero_epoch(nevra: &str) -> String {
    nevra.replacen("-0:", "-", 1)
}
