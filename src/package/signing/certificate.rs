//! Public keys: what everybody may have, to check signatures with.

use pgp::composed::{ArmorOptions, Deserializable, SignedPublicKey};
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, KeyVersion, Tag, VerifyingKey};

use super::packet::{is_by, read_signatures};
use crate::event::Timestamp;
use crate::signature::key_blocks;

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
        let primary = &self.key.primary_key;
        let name = self.fingerprint();
        let is_revocation = |signature: &Signature| signature.verify_key(primary).is_ok();
        if self.key.details.revocation_signatures.iter().any(is_revocation) {
            return Err(format!("its key {name} was revoked"));
        }
        let of_users = self.key.details.users.iter().flat_map(|user| {
            let is_own = |signature: &&Signature| {
                signature.typ() != Some(SignatureType::CertRevocation)
                    && signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
            };
            user.signatures.iter().filter(is_own)
        });
        let direct = self.key.details.direct_signatures.iter();
        let direct = direct.filter(|signature| signature.verify_key(primary).is_ok());
        let own = newest(direct.chain(of_users));
        let own = own.ok_or_else(|| format!("its key {name} is not signed by its owner"))?;
        check_time(&name, self.key.created_at().as_secs(), own, now)?;
        let subkey = self.key.public_subkeys.iter().find(|subkey| {
            let fingerprint = format!("{:X}", subkey.fingerprint());
            signer != name && (fingerprint == signer || fingerprint.ends_with(signer))
        });
        let Some(subkey) = subkey.filter(|_| !name.ends_with(signer)) else { return Ok(()) };
        let bound = |signature: &&Signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok();
        let bindings: Vec<&Signature> = subkey.signatures.iter().filter(bound).collect();
        if bindings.iter().any(|signature| signature.typ() == Some(SignatureType::SubkeyRevocation)) {
            return Err(format!("its key {signer} was revoked"));
        }
        let binding = newest(bindings.into_iter()).filter(|binding| binding.key_flags().sign());
        let binding = binding.ok_or_else(|| format!("its key {signer} is not one to sign files with"))?;
        check_time(signer, subkey.key.created_at().as_secs(), binding, now)
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

fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>) -> Option<&'a Signature> {
    signatures.max_by_key(|signature| signature.created().map_or(0, |time| time.as_secs()))
}

fn check_time(name: &str, created: u32, own: &Signature, now: Timestamp) -> Result<(), String> {
    let lasts = own.key_expiration_time().map_or(0, |time| time.as_secs());
    let end = Timestamp((u64::from(created) + u64::from(lasts)).saturating_mul(1000));
    match lasts > 0 && end.0 <= now.0 {
        true => Err(format!("its key {name} expired on {end}")),
        false => Ok(()),
    }
}

fn check_with(signature: &Signature, key: &impl VerifyingKey, content: &[u8]) -> Result<(), String> {
    signature.verify(key, content).map_err(|_| "its signature is not one of what it was given".to_owned())
}
