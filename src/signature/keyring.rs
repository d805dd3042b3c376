//! Declared keys, and what they say of signatures (RFC 9580).
//!
//! A signature counts if a declared key made it, or a subkey that such a key has bound to itself for signing; and if, at the
//! moment that it is checked for, that key has not expired and its owner has not revoked it. Who else has certified the key
//! says nothing: it is trusted because it is declared.

use std::io::{self, Read};

use pgp::composed::{Deserializable, DetachedSignature, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, Tag, VerifyingKey};

use crate::event::Timestamp;

/// Keys that may sign.
#[derive(Clone, Debug, Default)]
pub struct Keyring {
    keys: Vec<SignedPublicKey>,
}

/// What is wrong with a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignatureProblem {
    /// It is none.
    Missing,
    /// It is not one of this content.
    Wrong(String),
    /// Somebody else made it.
    Undeclared(String),
    /// The time of its key is over.
    Expired {
        /// The fingerprint of the key.
        key: String,
        /// When it ended.
        on: String,
    },
    /// Its key was taken back.
    Revoked(String),
}

/// For which moment a key has to be a good one. One that its owner has revoked never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyTime {
    /// This one.
    At(Timestamp),
    /// The one that the signature says it was made at, as OpenPGP means it: a release of long ago stays a good one, however
    /// short its owner's keys live.
    OfSignature {
        /// What time it is: a signature may have ended, and can't have been made later.
        now: Timestamp,
    },
}

/// By how much the clock of who signed may be ahead, in seconds.
const CLOCK_SKEW: u64 = 24 * 60 * 60;

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

fn fingerprint_of(key: &impl KeyDetails) -> String {
    format!("{:X}", key.fingerprint())
}

fn is_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    match fingerprints.is_empty() {
        true => signature.issuer_key_id().into_iter().any(|id| *id == key.legacy_key_id()),
        false => fingerprints.into_iter().any(|fingerprint| *fingerprint == key.fingerprint()),
    }
}

/// Whom a signature says that it is by.
fn issuer(signature: &Signature) -> String {
    let fingerprint = signature.issuer_fingerprint().first().map(|it| format!("{it:X}"));
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    let id = || signature.issuer_key_id().first().map(|id| hex(id.as_ref()));
    fingerprint.or_else(id).unwrap_or_else(|| "that it doesn't name".to_owned())
}

/// Whether a signature is of a kind that proves something; gives the moment that its key has to be good for.
fn check_form(signature: &Signature, time: KeyTime) -> Result<Timestamp, SignatureProblem> {
    let wrong = |reason: String| Err(SignatureProblem::Wrong(reason));
    let (now, is_made_once) = match time {
        KeyTime::At(moment) => (moment, false),
        KeyTime::OfSignature { now } => (now, true),
    };
    match signature.typ() {
        Some(SignatureType::Binary | SignatureType::Text) => {}
        _ => return wrong("its signature is not one of a file".to_owned()),
    }
    match signature.hash_alg() {
        Some(
            HashAlgorithm::Sha224
            | HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512,
        ) => {}
        Some(weak) => return wrong(format!("its signature is made with {weak}, which can be forged")),
        None => return wrong("its signature is of a version that forge doesn't know".to_owned()),
    }
    let created = signature.created();
    if let (Some(created), Some(lasts)) = (created, signature.signature_expiration_time())
        && let Some(on) = has_passed(created.as_secs(), lasts.as_secs(), now)
    {
        return wrong(format!("its signature expired on {on}"));
    }
    if !is_made_once {
        return Ok(now);
    }
    let Some(created) = created.map(|created| u64::from(created.as_secs())) else {
        return wrong("its signature does not say when it was made".to_owned());
    };
    let created = Timestamp(created.saturating_mul(1000));
    if created.0 > now.0.saturating_add(CLOCK_SKEW.saturating_mul(1000)) {
        return wrong(format!("its signature says that it was made on {created}, which is yet to come"));
    }
    Ok(created)
}

fn verify(
    signature: &Signature,
    key: &impl VerifyingKey,
    content: &mut dyn Read,
) -> Result<(), SignatureProblem> {
    let wrong = "its content is not what was signed";
    signature.verify(key, content).map_err(|_| SignatureProblem::Wrong(wrong.to_owned()))
}

/// Whether the primary key itself may sign files. Where its owner doesn't say what it is for, it may.
fn can_sign(key: &SignedPublicKey) -> bool {
    let flags = newest_of_itself(key).map(|signature| signature.key_flags());
    flags.is_none_or(|flags| flags.sign() || flags == Default::default())
}

/// What its owner has said of a key, last.
fn newest_of_itself(key: &SignedPublicKey) -> Option<&Signature> {
    let primary = &key.primary_key;
    let direct =
        key.details.direct_signatures.iter().filter(|signature| signature.verify_key(primary).is_ok());
    let of_users = key.details.users.iter().flat_map(|user| {
        let is_own = |signature: &&Signature| {
            signature.typ() != Some(SignatureType::CertRevocation)
                && is_by(signature, primary)
                && signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        };
        user.signatures.iter().filter(is_own)
    });
    direct.chain(of_users).max_by_key(|signature| signature.created().map_or(0, |time| time.as_secs()))
}

fn check_key(key: &SignedPublicKey, moment: Timestamp) -> Result<(), SignatureProblem> {
    let primary = &key.primary_key;
    let name = || fingerprint_of(key);
    let is_revoked = |signature: &Signature| {
        signature.typ() == Some(SignatureType::KeyRevocation) && signature.verify_key(primary).is_ok()
    };
    if key.details.revocation_signatures.iter().any(is_revoked) {
        return Err(SignatureProblem::Revoked(name()));
    }
    let newest = newest_of_itself(key);
    let newest = newest
        .ok_or_else(|| SignatureProblem::Wrong(format!("its key {} is not signed by its owner", name())))?;
    let lasts = newest.key_expiration_time().map_or(0, |time| time.as_secs());
    match has_passed(primary.created_at().as_secs(), lasts, moment) {
        Some(on) => Err(SignatureProblem::Expired { key: name(), on }),
        None => Ok(()),
    }
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

fn check_subkey(
    key: &SignedPublicKey,
    subkey: &SignedPublicSubKey,
    moment: Timestamp,
) -> Result<(), SignatureProblem> {
    let primary = &key.primary_key;
    let name = || fingerprint_of(subkey);
    let own = subkey
        .signatures
        .iter()
        .filter(|signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok());
    let own: Vec<&Signature> = own.collect();
    if own.iter().any(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation)) {
        return Err(SignatureProblem::Revoked(name()));
    }
    let newest = own.into_iter().max_by_key(|signature| signature.created().map_or(0, |time| time.as_secs()));
    let is_for_signing = |signature: &Signature| {
        let back = signature.embedded_signature();
        signature.key_flags().sign()
            && back.is_some_and(|back| back.verify_primary_key_binding(&subkey.key, primary).is_ok())
    };
    let Some(newest) = newest.filter(|signature| is_for_signing(signature)) else {
        return Err(SignatureProblem::Wrong(format!("its key {} is not one to sign files with", name())));
    };
    let lasts = newest.key_expiration_time().map_or(0, |time| time.as_secs());
    match has_passed(subkey.key.created_at().as_secs(), lasts, moment) {
        Some(on) => Err(SignatureProblem::Expired { key: name(), on }),
        None => Ok(()),
    }
}

/// The end of a time that is over at `moment`; one of no length never ends.
fn has_passed(from: u32, lasts: u32, moment: Timestamp) -> Option<String> {
    let end = u64::from(from).saturating_add(u64::from(lasts)).saturating_mul(1000);
    (lasts > 0 && end <= moment.0).then(|| Timestamp(end).to_string())
}
