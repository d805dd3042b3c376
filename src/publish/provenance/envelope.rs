//! DSSE envelopes (version 1) with OpenPGP signatures, as a statement is handed on.
//!
//! What is signed is not the statement alone but its type as well, both with their lengths (DSSE's pre-authentication encoding), so that
//! nothing signed for one purpose passes for another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::AttestationError;
use super::statement::STATEMENT_TYPE;
use crate::event::Timestamp;
use crate::package::signing::{
    Certificate, SignatureFinding, Signer, Verdict, signature_packets, verify_signatures,
};

/// A statement with its signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Envelope {
    payload_type: String,
    /// In base64.
    payload: String,
    signatures: Vec<EnvelopeSignature>,
}

/// A detached signature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct EnvelopeSignature {
    /// The fingerprint of the key.
    #[serde(default)]
    keyid: String,
    /// The signature packet, in base64.
    sig: String,
}

impl Envelope {
    /// Signs statements, each into an envelope of its own.
    ///
    /// # Errors
    /// The signer can't.
    pub fn sign_all(
        statements: &[Value],
        signer: &Signer,
        now: Timestamp,
    ) -> Result<Vec<Self>, AttestationError> {
        let payloads: Vec<Vec<u8>> =
            statements.iter().map(|statement| statement.to_string().into_bytes()).collect();
        let signed: Vec<Vec<u8>> =
            payloads.iter().map(|payload| authenticated(STATEMENT_TYPE, payload)).collect();
        let contents: Vec<&[u8]> = signed.iter().map(Vec::as_slice).collect();
        let signatures = signer.sign_all(&contents, now)?;
        let keyid = signer.fingerprint();
        let envelope = |(payload, signature): (Vec<u8>, Vec<u8>)| Self {
            payload_type: STATEMENT_TYPE.to_owned(),
            payload: STANDARD.encode(payload),
            signatures: vec![EnvelopeSignature { keyid: keyid.clone(), sig: STANDARD.encode(signature) }],
        };
        Ok(payloads.into_iter().zip(signatures).map(envelope).collect())
    }

    /// Reads one from the bytes of the file `name`.
    ///
    /// # Errors
    /// It is none.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, AttestationError> {
        serde_json::from_slice(bytes).map_err(|error| not_one(name, error.to_string()))
    }

    /// The bytes of its file: one line.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// Whether these bytes are its file as it was written: no signature covers the names of keys, nor how signatures are written.
    pub fn is_written_as(&self, bytes: &[u8]) -> bool {
        let is_as_written = |signature: &EnvelopeSignature| {
            let packet = STANDARD.decode(&signature.sig).unwrap_or_default();
            signature_packets(&packet).is_ok_and(|packets| packets.concat() == packet)
        };
        self.encode() == bytes && self.signatures.iter().all(is_as_written)
    }

    /// The statement in it, and what is found of its signatures.
    ///
    /// # Errors
    /// It has none, or of another type, or something in it can't be read.
    pub fn open(
        &self,
        name: &str,
        certificates: &[Certificate],
        now: Timestamp,
    ) -> Result<(Value, Vec<SignatureFinding>), AttestationError> {
        if self.payload_type != STATEMENT_TYPE {
            return Err(not_one(name, format!("what is in it is `{}`", self.payload_type)));
        }
        let decode = |text: &str| STANDARD.decode(text).map_err(|error| not_one(name, error.to_string()));
        let payload = decode(&self.payload)?;
        let signed = authenticated(&self.payload_type, &payload);
        let mut findings = Vec::new();
        for signature in &self.signatures {
            let packet = decode(&signature.sig)?;
            let found = verify_signatures(&packet, &signed, certificates, now);
            for mut finding in found.map_err(|reason| not_one(name, reason))? {
                if finding.verdict == Verdict::Good && !names_key_of(&signature.keyid, &finding, certificates)
                {
                    finding.verdict = Verdict::Bad;
                    finding.problem =
                        Some(format!("the statement says that `{}` has signed it", signature.keyid));
                }
                findings.push(finding);
            }
        }
        let statement = serde_json::from_slice(&payload).map_err(|error| not_one(name, error.to_string()))?;
        Ok((statement, findings))
    }
}

/// Whether the name of a key, where there is one, is that of the key that made a signature. It is a hint that nobody has to go by (DSSE); a
/// false one was not written by who signed.
fn names_key_of(keyid: &str, finding: &SignatureFinding, certificates: &[Certificate]) -> bool {
    let has_both =
        |certificate: &Certificate| certificate.has_key(&finding.key) && certificate.has_key(keyid);
    keyid.is_empty() || finding.key == keyid || certificates.iter().any(has_both)
}

fn not_one(file: &str, reason: String) -> AttestationError {
    AttestationError::NotAStatement { file: file.to_owned(), reason }
}

/// What is signed of a payload (DSSE's `PAE`).
fn authenticated(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut bytes = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    bytes.extend(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_signed_has_the_lengths_of_type_and_payload() {
        assert_eq!(authenticated("a/b", b"xyz"), b"DSSEv1 3 a/b 3 xyz");
    }

    #[test]
    fn what_is_no_envelope_is_an_error() {
        for wrong in ["", "{}", "[]", "{\"payloadType\":\"a\",\"payload\":1,\"signatures\":[]}"] {
            assert!(Envelope::read("a", wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
