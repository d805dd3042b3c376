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
