//! OpenPGP keys, made for a test.

use std::sync::OnceLock;

use pgp::composed::{
    ArmorOptions, DetachedSignature, KeyType, SecretKeyParamsBuilder, SignedSecretKey, SubkeyParamsBuilder,
};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{RevocationCode, SignatureConfig, SignatureType, Subpacket, SubpacketData};
use pgp::types::{Duration, KeyDetails, Password, Tag, Timestamp};
use rand::thread_rng;

/// When all keys of these tests were made: 2024-01-01.
pub const MADE: u32 = 1_704_067_200;

/// A key with its secret part.
pub struct TestKey(SignedSecretKey);

impl TestKey {
    /// One that never expires.
    pub fn new() -> Self {
        Self::of_kind(KeyType::Ed25519Legacy)
    }

    /// An RSA key, as most distributions have.
    pub fn rsa() -> Self {
        // It takes seconds to find one.
        static KEY: OnceLock<SignedSecretKey> = OnceLock::new();
        Self(KEY.get_or_init(|| Self::of_kind(KeyType::Rsa(2048)).0).clone())
    }

    fn of_kind(kind: KeyType) -> Self {
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters
            .key_type(kind)
            .created_at(Timestamp::from_secs(MADE))
            .can_certify(true)
            .can_sign(true)
            .primary_user_id("Packager <packager@example.org>".to_owned());
        Self(parameters.build().unwrap().generate(thread_rng()).unwrap())
    }

    /// One whose subkey signs.
    pub fn with_subkey() -> Self {
        let mut subkey = SubkeyParamsBuilder::default();
        subkey.key_type(KeyType::Ed25519Legacy).created_at(Timestamp::from_secs(MADE)).can_sign(true);
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters
            .key_type(KeyType::Ed25519Legacy)
            .created_at(Timestamp::from_secs(MADE))
            .can_certify(true)
            .primary_user_id("Packager <packager@example.org>".to_owned())
            .subkey(subkey.build().unwrap());
        Self(parameters.build().unwrap().generate(thread_rng()).unwrap())
    }

    /// One that expires so many seconds after it was made.
    pub fn expiring_after(seconds: u32) -> Self {
        let Self(mut key) = Self::new();
        let mut config = config(&key, SignatureType::CertPositive);
        config
            .hashed_subpackets
            .push(subpacket(SubpacketData::KeyExpirationTime(Duration::from_secs(seconds))));
        let user = key.details.users[0].id.clone();
        let public = key.to_public_key();
        let signature = config
            .sign_certification(&key.primary_key, &public.primary_key, &Password::empty(), Tag::UserId, &user)
            .unwrap();
        key.details.users[0].signatures = vec![signature];
        Self(key)
    }

    /// The same one, taken back.
    pub fn revoked(&self) -> Self {
        let Self(key) = self;
        let mut config = config(key, SignatureType::KeyRevocation);
        let reason = SubpacketData::RevocationReason(RevocationCode::KeyCompromised, "stolen".into());
        config.hashed_subpackets.push(subpacket(reason));
        let public = key.to_public_key();
        let signature = config.sign_key(&key.primary_key, &Password::empty(), &public.primary_key).unwrap();
        let mut key = key.clone();
        key.details.revocation_signatures.push(signature);
        Self(key)
    }

    /// The same one, its subkey taken back.
    pub fn with_revoked_subkey(&self) -> Self {
        let mut key = self.0.clone();
        let config = config(&key, SignatureType::SubkeyRevocation);
        let public = key.to_public_key();
        let subkey = public.public_subkeys[0].key.clone();
        let signature = config
            .sign_subkey_binding(&key.primary_key, &public.primary_key, &Password::empty(), &subkey)
            .unwrap();
        key.secret_subkeys[0].signatures.push(signature);
        Self(key)
    }

    pub fn fingerprint(&self) -> String {
        format!("{:X}", self.0.fingerprint())
    }

    /// The public part, in armor.
    pub fn public(&self) -> String {
        self.0.to_public_key().to_armored_string(ArmorOptions::default()).unwrap()
    }

    /// All of it, in armor.
    pub fn secret(&self) -> String {
        self.0.to_armored_string(ArmorOptions::default()).unwrap()
    }

    /// A signature of some content, in armor.
    pub fn sign(&self, content: &[u8]) -> String {
        self.sign_with(content, HashAlgorithm::Sha512)
    }

    /// A signature with a digest that one may choose.
    pub fn sign_with(&self, content: &[u8], hash: HashAlgorithm) -> String {
        let password = Password::empty();
        let signature = match self.0.secret_subkeys.first() {
            Some(subkey) => {
                DetachedSignature::sign_binary_data(thread_rng(), &subkey.key, &password, hash, content)
            }
            None => DetachedSignature::sign_binary_data(
                thread_rng(),
                &self.0.primary_key,
                &password,
                hash,
                content,
            ),
        };
        signature.unwrap().to_armored_string(ArmorOptions::default()).unwrap()
    }
}

fn config(key: &SignedSecretKey, kind: SignatureType) -> SignatureConfig {
    let mut config = SignatureConfig::from_key(thread_rng(), &key.primary_key, kind).unwrap();
    config.hashed_subpackets = vec![
        subpacket(SubpacketData::IssuerFingerprint(key.fingerprint())),
        subpacket(SubpacketData::SignatureCreationTime(Timestamp::from_secs(MADE + 1))),
    ];
    config.unhashed_subpackets = vec![subpacket(SubpacketData::IssuerKeyId(key.legacy_key_id()))];
    config
}

fn subpacket(data: SubpacketData) -> Subpacket {
    Subpacket::regular(data).unwrap()
}
