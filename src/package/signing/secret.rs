//! Secret keys: made, read, and signed with.

use std::sync::{Arc, Mutex, PoisonError};

use pgp::composed::{
    ArmorOptions, Deserializable, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedSecretKey,
    SignedSecretSubKey,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{self, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::ser::Serialize as _;
use pgp::types::{KeyDetails, KeyVersion, Password, SecretParams};
use rand::rngs::OsRng;

use super::certificate::Certificate;
use super::rsa_key::RsaKey;
use super::{Passphrase, Passphrases, SigningError};
use crate::event::Timestamp;
use crate::signature::{SignatureProblem, can_sign, check_key, check_subkey, fingerprint_of};

/// Kinds of keys that forge makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA of 4096 bits, version 4: every rpm knows it.
    Rsa4096,
    /// Ed25519, version 4 in the form that rpm reads since 4.16 (`EdDSALegacy` of RFC 9580): short and fast.
    Ed25519,
    /// Ed25519, version 6, which rpm reads since 6.0.
    Ed25519V6,
}

/// A secret key that forge signs with itself.
pub struct SigningKey {
    key: SignedSecretKey,
    /// The one of its subkeys that signs; its primary key where none does.
    subkey: Option<usize>,
    place: String,
    /// What signs, without its passphrase, once it was needed.
    unlocked: Mutex<Option<Arc<Unlocked>>>,
}

/// A secret key that is not locked, and its form for fast arithmetic, where it has one.
enum Unlocked {
    Primary(Box<packet::SecretKey>, Option<RsaKey>),
    Subkey(Box<packet::SecretSubkey>, Option<RsaKey>),
}

const ARMOR: &[u8] = b"-----BEGIN PGP PRIVATE KEY BLOCK-----";

impl SigningKey {
    /// Makes a key for `user`, `Name <address>`, locked with a passphrase where there is one. RSA takes seconds.
    ///
    /// # Errors
    /// `user` is no name that a key can have.
    pub fn generate(
        kind: KeyKind,
        user: &str,
        passphrase: Option<&Passphrase>,
        now: Timestamp,
    ) -> Result<Self, SigningError> {
        let place = format!("of {user}");
        let error = |reason: String| SigningError::Key { place: place.clone(), reason };
        if user.trim().is_empty() || user.contains(char::is_control) {
            return Err(error("its user has to be a name, in one line".to_owned()));
        }
        let (version, algorithm) = match kind {
            KeyKind::Rsa4096 => (KeyVersion::V4, KeyType::Rsa(4096)),
            KeyKind::Ed25519 => (KeyVersion::V4, KeyType::Ed25519Legacy),
            KeyKind::Ed25519V6 => (KeyVersion::V6, KeyType::Ed25519),
        };
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters
            .version(version)
            .key_type(algorithm)
            .created_at(in_seconds(now))
            .can_certify(true)
            .can_sign(true)
            .primary_user_id(user.to_owned());
        let parameters = parameters.build().map_err(|reason| error(reason.to_string()))?;
        let mut key = parameters.generate(OsRng).map_err(|reason| error(reason.to_string()))?;
        if let Some(passphrase) = passphrase {
            let locked = key.primary_key.set_password(OsRng, passphrase.password());
            locked.map_err(|reason| error(reason.to_string()))?;
        }
        Ok(Self { key, subkey: None, place, unlocked: Mutex::default() })
    }

    /// Reads the one secret key in `content`, in armor or not; `place` says where it is, for messages. At `now` it has to be one
    /// that may sign.
    ///
    /// # Errors
    /// [`SigningError::Key`]
    pub fn read(place: &str, content: &[u8], now: Timestamp) -> Result<Self, SigningError> {
        let error = |reason: String| SigningError::Key { place: place.to_owned(), reason };
        let key = secret_key(content).map_err(error)?;
        let subkey = signing_part(&key, now).map_err(error)?;
        Ok(Self { key, subkey, place: place.to_owned(), unlocked: Mutex::default() })
    }

    /// The public part of the one secret key in `content`, whether or not it may sign any more.
    ///
    /// # Errors
    /// [`SigningError::Key`]
    pub fn read_certificate(place: &str, content: &[u8]) -> Result<Certificate, SigningError> {
        let error = |reason: String| SigningError::Key { place: place.to_owned(), reason };
        Ok(Certificate::new(secret_key(content).map_err(error)?.to_public_key()))
    }

    /// Its public part.
    pub fn certificate(&self) -> Certificate {
        Certificate::new(self.key.to_public_key())
    }

    /// All of it in armor, locked as it is.
    pub fn armored(&self) -> String {
        // Writing to memory can't fail.
        self.key.to_armored_string(ArmorOptions::default()).unwrap_or_default()
    }

    /// Whether what signs has a passphrase.
    pub fn is_locked(&self) -> bool {
        matches!(self.secret_params(), SecretParams::Encrypted(_))
    }

    fn secret_params(&self) -> &SecretParams {
        match self.subkey.and_then(|at| self.key.secret_subkeys.get(at)) {
            Some(subkey) => subkey.key.secret_params(),
            None => self.key.primary_key.secret_params(),
        }
    }

    /// Makes sure that it can sign: asks for its passphrase where it has one.
    ///
    /// # Errors
    /// [`SigningError::NoPassphrase`], [`SigningError::WrongPassphrase`]
    pub fn unlock(&self, passphrases: &dyn Passphrases) -> Result<(), SigningError> {
        self.unlocked(passphrases).map(drop)
    }

    fn unlocked(&self, passphrases: &dyn Passphrases) -> Result<Arc<Unlocked>, SigningError> {
        // Whoever comes second waits for the answer to one question.
        let mut known = self.unlocked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.as_ref() {
            return Ok(Arc::clone(known));
        }
        let passphrase = match self.is_locked() {
            false => None,
            true => Some(
                passphrases
                    .passphrase(&self.place)?
                    .ok_or_else(|| SigningError::NoPassphrase { place: self.place.clone() })?,
            ),
        };
        let empty = Password::empty();
        let password = passphrase.as_ref().map_or(&empty, Passphrase::password);
        let unlocked = self.without_password(password);
        let unlocked = unlocked.map_err(|_| SigningError::WrongPassphrase { place: self.place.clone() })?;
        let unlocked = known.insert(Arc::new(unlocked));
        Ok(Arc::clone(unlocked))
    }

    fn without_password(&self, password: &Password) -> pgp::errors::Result<Unlocked> {
        match self.subkey.and_then(|at| self.key.secret_subkeys.get(at)) {
            Some(SignedSecretSubKey { key, .. }) => {
                let mut key = key.clone();
                key.remove_password(password)?;
                let rsa = RsaKey::new(key.version(), key.public_params(), key.secret_params());
                Ok(Unlocked::Subkey(Box::new(key), rsa))
            }
            None => {
                let mut key = self.key.primary_key.clone();
                key.remove_password(password)?;
                let rsa = RsaKey::new(key.version(), key.public_params(), key.secret_params());
                Ok(Unlocked::Primary(Box::new(key), rsa))
            }
        }
    }

    /// Signs `content` as a file: gives the packet.
    ///
    /// # Errors
    /// It can't be unlocked.
    pub fn sign(
        &self,
        content: &[u8],
        passphrases: &dyn Passphrases,
        now: Timestamp,
    ) -> Result<Vec<u8>, SigningError> {
        let made = match &*self.unlocked(passphrases)? {
            Unlocked::Primary(key, rsa) => sign_with(&**key, rsa.as_ref(), content, now),
            Unlocked::Subkey(key, rsa) => sign_with(&**key, rsa.as_ref(), content, now),
        };
        made.map_err(|reason| SigningError::Key { place: self.place.clone(), reason: reason.to_string() })
    }
}

/// The one secret key in `content`, in armor or not.
fn secret_key(content: &[u8]) -> Result<SignedSecretKey, String> {
    let blocks = content.windows(ARMOR.len()).filter(|part| *part == ARMOR).count();
    if blocks > 1 {
        return Err("there are several secret keys in it".to_owned());
    }
    let no_key = || match Certificate::read_all(content) {
        Ok(_) => "it is a public key; the secret one is needed".to_owned(),
        Err(_) => "there is no secret OpenPGP key in it".to_owned(),
    };
    let keys = match blocks == 1 {
        true => SignedSecretKey::from_armor_many(content).map(|(keys, _)| keys),
        false => SignedSecretKey::from_reader_many(content).map(|(keys, _)| keys),
    };
    let keys: Vec<SignedSecretKey> = keys.and_then(|keys| keys.take(2).collect()).map_err(|_| no_key())?;
    let mut keys = keys.into_iter();
    match (keys.next(), keys.next()) {
        (Some(key), None) => Ok(key),
        (Some(_), Some(_)) => Err("there are several secret keys in it".to_owned()),
        (None, _) => Err(no_key()),
    }
}

fn in_seconds(time: Timestamp) -> pgp::types::Timestamp {
    pgp::types::Timestamp::from_secs(u32::try_from(time.0 / 1000).unwrap_or(u32::MAX))
}

fn sign_with(
    key: &impl pgp::types::SigningKey,
    rsa: Option<&RsaKey>,
    content: &[u8],
    now: Timestamp,
) -> pgp::errors::Result<Vec<u8>> {
    // Readers of each version know these; a clock that is behind makes no signature from before its key.
    let is_v6 = key.version() == KeyVersion::V6;
    let hash = if is_v6 { HashAlgorithm::Sha512 } else { HashAlgorithm::Sha256 };
    let created = in_seconds(now).max(key.created_at());
    let mut config = match is_v6 {
        true => SignatureConfig::v6(OsRng, SignatureType::Binary, key.algorithm(), hash)?,
        false => SignatureConfig::v4(SignatureType::Binary, key.algorithm(), hash),
    };
    config.hashed_subpackets = vec![
        Subpacket::regular(SubpacketData::SignatureCreationTime(created))?,
        Subpacket::regular(SubpacketData::IssuerFingerprint(key.fingerprint()))?,
    ];
    if !is_v6 {
        // Old rpm knows a key by nothing else. What is hashed can't be changed by anybody.
        config.hashed_subpackets.push(Subpacket::regular(SubpacketData::IssuerKeyId(key.legacy_key_id()))?);
    }
    config.unhashed_subpackets.clear();
    let signature = match rsa {
        Some(rsa) => rsa.sign(config, content)?,
        None => config.sign(key, &Password::empty(), content)?,
    };
    DetachedSignature::new(signature).to_bytes()
}

/// The subkey that signs at `now`, the newest of several; nothing where the primary key does.
fn signing_part(key: &SignedSecretKey, now: Timestamp) -> Result<Option<usize>, String> {
    if let Err(error) = key.verify_bindings() {
        return Err(format!("its parts don't belong together: {error}"));
    }
    let public = key.to_public_key();
    check_key(&public, now).map_err(|problem| match problem {
        SignatureProblem::Expired { on, .. } => format!("it has expired on {on}"),
        SignatureProblem::Revoked(_) => "its owner has revoked it".to_owned(),
        other
        @ (SignatureProblem::Missing | SignatureProblem::Wrong(_) | SignatureProblem::Undeclared(_)) => {
            other.text()
        }
    })?;
    let signs = |subkey: &SignedSecretSubKey| {
        let fingerprint = fingerprint_of(&subkey.key);
        let found = public.public_subkeys.iter().find(|subkey| fingerprint_of(*subkey) == fingerprint);
        found.is_some_and(|subkey| check_subkey(&public, subkey, now).is_ok())
    };
    let subkeys = key.secret_subkeys.iter().enumerate().filter(|(_, subkey)| signs(subkey));
    let newest = subkeys.max_by_key(|(at, subkey)| (subkey.key.created_at().as_secs(), *at));
    match newest {
        Some((at, _)) => Ok(Some(at)),
        None if can_sign(&public) => Ok(None),
        None => Err("its owner does not sign with it".to_owned()),
    }
}
