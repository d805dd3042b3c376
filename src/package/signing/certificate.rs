//! Public keys: what everybody may have, to check signatures with.

use pgp::composed::{ArmorOptions, Deserializable, SignedPublicKey};
use pgp::packet::Signature;
use pgp::types::{KeyDetails, KeyVersion, VerifyingKey};

use super::packet::read_signatures;
use crate::event::Timestamp;
use crate::signature::{
    SignatureProblem, can_sign, check_key, check_subkey, fingerprint_of, is_by, key_blocks,
};

/// A public key with what its owner says of it, as an OpenPGP certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    key: SignedPublicKey,
}

impl Certificate {
    pub(super) fn new(key: SignedPublicKey) -> Self {
        Self { key }
    }

    /// Reads the certificates in `content`, in blocks of armor or not.
    ///
    /// # Errors
    /// What is wrong with them; none is wrong too.
    pub fn read_all(content: &[u8]) -> Result<Vec<Self>, String> {
        let mut keys = Vec::new();
        for block in key_blocks(content) {
            let (found, _) = SignedPublicKey::from_reader_many(block).map_err(|error| error.to_string())?;
            for key in found {
                keys.push(Self { key: key.map_err(|error| error.to_string())? });
            }
        }
        match keys.is_empty() {
            true => Err("there is no public key in it".to_owned()),
            false => Ok(keys),
        }
    }

    /// The fingerprint of its primary key, by which people know it.
    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.key.fingerprint())
    }

    /// What its owner calls himself.
    pub fn user(&self) -> Option<String> {
        let user = self.key.details.users.first()?;
        Some(String::from_utf8_lossy(user.id.id()).into_owned())
    }

    /// The version of its packets and its algorithm, as people say them.
    pub fn kind(&self) -> String {
        let version = if self.key.version() == KeyVersion::V6 { "v6 " } else { "" };
        format!("{version}{:?}", self.key.algorithm())
    }

    /// When it was made.
    pub fn created(&self) -> Timestamp {
        Timestamp(u64::from(self.key.created_at().as_secs()).saturating_mul(1000))
    }

    /// The certificate in armor.
    pub fn armored(&self) -> String {
        // Writing to memory can't fail.
        self.key.to_armored_string(ArmorOptions::default()).unwrap_or_default()
    }

    /// Whether its time is over, or its owner has taken it back.
    pub fn has_ended(&self, now: Timestamp) -> bool {
        let ended =
            |problem| matches!(problem, SignatureProblem::Expired { .. } | SignatureProblem::Revoked(_));
        check_key(&self.key, now).is_err_and(ended)
    }

    /// Whether `fingerprint` is that of one of its keys.
    pub fn has_key(&self, fingerprint: &str) -> bool {
        self.fingerprint() == fingerprint
            || self
                .key
                .public_subkeys
                .iter()
                .any(|subkey| format!("{:X}", subkey.fingerprint()) == fingerprint)
    }

    /// Whether a signature says that one of its keys made it.
    pub(super) fn is_by_its_key(&self, signature: &Signature) -> bool {
        is_by(signature, &self.key) || self.key.public_subkeys.iter().any(|subkey| is_by(signature, subkey))
    }

    /// Checks that its key `signer`, by fingerprint or id, counts at `now`: its owner has bound it, has not revoked it, and it has
    /// not expired.
    ///
    /// # Errors
    /// Why it does not.
    pub fn check_counts(&self, signer: &str, now: Timestamp) -> Result<(), String> {
        let text = |problem: SignatureProblem| problem.text();
        check_key(&self.key, now).map_err(text)?;
        let name = self.fingerprint();
        let is_signer = |fingerprint: &str| fingerprint.ends_with(signer);
        let subkey = self.key.public_subkeys.iter().find(|subkey| is_signer(&fingerprint_of(*subkey)));
        match subkey.filter(|_| !is_signer(&name)) {
            Some(subkey) => check_subkey(&self.key, subkey, now).map_err(text),
            None if can_sign(&self.key) => Ok(()),
            None => Err(format!("its key {name} is not one to sign files with")),
        }
    }

    /// Checks that `signature`, a packet in armor or not, is one of `content` by one of its keys. Whether it should be believed, and
    /// for how long, is another matter.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, signature: &[u8], content: &[u8]) -> Result<(), String> {
        let signatures = read_signatures(signature)?;
        let [signature] = signatures.as_slice() else {
            return Err("it is not one signature".to_owned());
        };
        let subkey = self.key.public_subkeys.iter().find(|subkey| is_by(signature, *subkey));
        match subkey {
            Some(subkey) => check_with(signature, subkey, content),
            None if is_by(signature, &self.key) => check_with(signature, &self.key, content),
            None => Err(format!("its signature is not by the key {}", self.fingerprint())),
        }
    }
}

fn check_with(signature: &Signature, key: &impl VerifyingKey, content: &[u8]) -> Result<(), String> {
    signature.verify(key, content).map_err(|_| "its signature is not one of what it was given".to_owned())
}
