//! Declared keys, and what they say of signatures (RFC 9580).
//!
//! A signature counts if a declared key made it, or a subkey that such a key has bound to itself for signing; and if, at the
//! moment that it is checked for, that key has not expired and its owner has not revoked it. Who else has certified the key
//! says nothing: it is trusted because it is declared.

use std::io::{self, Read};

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::packet::Signature;
use pgp::types::{KeyDetails, VerifyingKey};

use super::key_rules::{
    KeyTime, SignatureProblem, can_sign, check_form, check_key, check_subkey, fingerprint_of, is_by,
};
use crate::event::Timestamp;

/// Keys that may sign.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

const ARMOR: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----";

impl Keyring {
    /// Reads keys, in armor or not; of those in `content` only the ones with these fingerprints count, or all where none is
    /// given.
    ///
    /// # Errors
    /// What is wrong with them.
    pub fn read(content: &[u8], fingerprints: &[String]) -> Result<Self, String> {
        let mut keys = Vec::new();
        for block in key_blocks(content) {
            let (found, _) = SignedPublicKey::from_reader_many(block).map_err(|error| error.to_string())?;
            for key in found {
                keys.push(key.map_err(|error| error.to_string())?);
            }
        }
        if keys.is_empty() {
            return Err("there is no public key in it".to_owned());
        }
        let wanted: Vec<String> = fingerprints.iter().map(|text| normalized(text)).collect();
        if let Some(wrong) = wanted.iter().find(|text| ![40, 64].contains(&text.len())) {
            return Err(format!(
                "`{}` is no fingerprint: it has 40 or 64 hexadecimal digits",
                wrong.escape_debug()
            ));
        }
        let has = |fingerprint: &String| keys.iter().any(|key| fingerprint_of(key) == *fingerprint);
        if let Some(missing) = wanted.iter().find(|fingerprint| !has(fingerprint)) {
            let found: Vec<String> = keys.iter().map(fingerprint_of).collect();
            return Err(format!("no key in it has the fingerprint {missing}, only {}", found.join(", ")));
        }
        keys.retain(|key| wanted.is_empty() || wanted.contains(&fingerprint_of(key)));
        Ok(Self { keys })
    }

    /// Adds the keys of another one.
    pub fn add(&mut self, other: Self) {
        self.keys.extend(other.keys);
    }

    /// Whether a key with this fingerprint would be believed at `moment`.
    pub fn trusts(&self, fingerprint: &str, moment: Timestamp) -> bool {
        let own = |key: &&SignedPublicKey| {
            fingerprint_of(*key) == fingerprint
                || key.public_subkeys.iter().any(|subkey| fingerprint_of(subkey) == fingerprint)
        };
        self.keys.iter().filter(own).any(|key| {
            let is_subkey = |subkey: &&SignedPublicSubKey| fingerprint_of(*subkey) == fingerprint;
            match key.public_subkeys.iter().find(is_subkey) {
                Some(subkey) => check_key(key, moment).is_ok() && check_subkey(key, subkey, moment).is_ok(),
                None => check_key(key, moment).is_ok(),
            }
        })
    }

    /// Checks that one of the signatures in `signatures` is one of `content` by a key that counts at `moment`; gives the
    /// fingerprint of that key.
    ///
    /// # Errors
    /// What is wrong with the signature that comes nearest to being right.
    pub fn check(
        &self,
        signatures: &[u8],
        content: &[u8],
        moment: Timestamp,
    ) -> Result<String, SignatureProblem> {
        self.check_reading(signatures, &mut || Ok(Box::new(content)), KeyTime::At(moment))
    }

    /// As [`Self::check`], of content that is read anew for each signature.
    ///
    /// # Errors
    /// As [`Self::check`].
    pub fn check_reading<'c>(
        &self,
        signatures: &[u8],
        open: &mut dyn FnMut() -> io::Result<Box<dyn Read + 'c>>,
        time: KeyTime,
    ) -> Result<String, SignatureProblem> {
        if signatures.trim_ascii().is_empty() {
            return Err(SignatureProblem::Missing);
        }
        let parsed = DetachedSignature::from_reader_many(signatures);
        let (parsed, _) =
            parsed.map_err(|error| SignatureProblem::Wrong(format!("its signature is none: {error}")))?;
        let mut problem = SignatureProblem::Missing;
        for signature in parsed.take(MOST_SIGNATURES) {
            let signature = signature.map_err(|error| format!("its signature is none: {error}"));
            let checked = match signature {
                Ok(signature) => self.check_one(&signature.signature, open, time),
                Err(reason) => Err(SignatureProblem::Wrong(reason)),
            };
            match checked {
                Ok(fingerprint) => return Ok(fingerprint),
                // A signature of somebody else may stand beside the one that counts.
                Err(SignatureProblem::Undeclared(_)) if problem != SignatureProblem::Missing => {}
                Err(found) => problem = found,
            }
        }
        Err(problem)
    }

    fn check_one<'c>(
        &self,
        signature: &Signature,
        open: &mut dyn FnMut() -> io::Result<Box<dyn Read + 'c>>,
        time: KeyTime,
    ) -> Result<String, SignatureProblem> {
        let moment = check_form(signature, time)?;
        let mut content = || {
            open().map_err(|error| {
                SignatureProblem::Wrong(format!(
                    "its content can't be read: {}",
                    crate::files::reason(&error)
                ))
            })
        };
        for key in &self.keys {
            if is_by(signature, key) && can_sign(key) {
                verify(signature, key, &mut content()?)?;
                check_key(key, moment)?;
                check_age(key, (time, moment))?;
                return Ok(fingerprint_of(key));
            }
            if let Some(subkey) = key.public_subkeys.iter().find(|subkey| is_by(signature, *subkey)) {
                verify(signature, subkey, &mut content()?)?;
                check_key(key, moment)?;
                check_subkey(key, subkey, moment)?;
                check_age(subkey, (time, moment))?;
                return Ok(fingerprint_of(subkey));
            }
        }
        Err(SignatureProblem::Undeclared(issuer(signature)))
    }
}

/// How many signatures of a file are looked at.
const MOST_SIGNATURES: usize = 20;

/// The blocks of armor in a file of keys: there may be several, one behind the other. All of it where there is none.
pub fn key_blocks(content: &[u8]) -> Vec<&[u8]> {
    match std::str::from_utf8(content) {
        Ok(text) if text.contains(ARMOR) => {
            let starts: Vec<usize> = text.match_indices(ARMOR).map(|(at, _)| at).collect();
            let ends = starts.iter().skip(1).copied().chain([text.len()]);
            starts.iter().zip(ends).filter_map(|(start, end)| content.get(*start..end)).collect()
        }
        _ => vec![content],
    }
}

fn normalized(fingerprint: &str) -> String {
    fingerprint.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_ascii_uppercase()
}

/// Whom a signature says that it is by.
fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|it| format!("{it:X}"));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let id = || signature.issuer_key_id().first().map(|id| hex(id.as_ref()));
    fingerprint.or_else(id).unwrap_or_else(|| "that it doesn't name".to_owned())
}

fn verify(
    signature: &Signature,
    key: &impl VerifyingKey,
    content: &mut dyn Read,
) -> Result<(), SignatureProblem> {
    let wrong = "its content is not what was signed";
    signature.verify(key, content).map_err(|_| SignatureProblem::Wrong(wrong.to_owned()))
}

/// A key that is younger than what it has signed belongs to somebody whose clock, or whose word, is wrong.
fn check_age(key: &impl KeyDetails, (time, moment): (KeyTime, Timestamp)) -> Result<(), SignatureProblem> {
    let made = u64::from(key.created_at().as_secs()).saturating_mul(1000);
    match time {
        KeyTime::OfSignature { .. } if made > moment.0 => {
            let reason = format!("its signature is older than its key {}", fingerprint_of(key));
            Err(SignatureProblem::Wrong(reason))
        }
        KeyTime::OfSignature { .. } | KeyTime::At(_) => Ok(()),
    }
}
