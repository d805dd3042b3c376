//! Which signatures prove something, and for how long keys count (RFC 9580).

use pgp::composed::{SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, Tag};

use crate::event::Timestamp;

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

impl SignatureProblem {
    /// In words, of the signature of a file.
    pub fn text(&self) -> String {
        match self {
            Self::Missing => "it is not signed".to_owned(),
            Self::Wrong(reason) => reason.clone(),
            Self::Undeclared(key) => format!("its key {key} is not known"),
            Self::Expired { key, on } => format!("its key {key} expired on {on}"),
            Self::Revoked(key) => format!("its key {key} was revoked"),
        }
    }
}

/// Whether a signature is of a kind that proves something; gives the moment that its key has to be good for.
///
/// # Errors
/// It is not, or its own time is over.
pub fn check_form(signature: &Signature, time: KeyTime) -> Result<Timestamp, SignatureProblem> {
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

/// Whether the primary key itself may sign files. Where its owner doesn't say what it is for, it may.
pub fn can_sign(key: &SignedPublicKey) -> bool {
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

/// Whether a key counts at a moment: its owner has said so of it, has not taken it back, and its time is not over.
///
/// # Errors
/// Why it does not.
pub fn check_key(key: &SignedPublicKey, moment: Timestamp) -> Result<(), SignatureProblem> {
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

/// Whether a key that another has bound to itself counts at a moment, to sign files with.
///
/// # Errors
/// Why it does not.
pub fn check_subkey(
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

/// The fingerprint of a key, by which people know it.
pub fn fingerprint_of(key: &impl KeyDetails) -> String {
    format!("{:X}", key.fingerprint())
}

/// Whether a signature says that a key made it.
pub fn is_by(signature: &Signature, key: &impl KeyDetails) -> bool {
    let fingerprints = signature.issuer_fingerprint();
    match fingerprints.is_empty() {
        true => signature.issuer_key_id().into_iter().any(|id| *id == key.legacy_key_id()),
        false => fingerprints.into_iter().any(|fingerprint| *fingerprint == key.fingerprint()),
    }
}
