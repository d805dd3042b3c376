//! RSA signatures by ring, whose arithmetic is several times as fast as that of the crate that knows OpenPGP.
//!
//! ring hashes what it signs itself, so that it is given all that an OpenPGP signature is of (RFC 9580, section 5.2.4): the content, the
//! part of the signature that is hashed with it, and a trailer. It checks each signature before it gives it away: one that a fault of the
//! machine has spoilt would tell the key.

use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Signature, SignatureConfig};
use pgp::types::{KeyVersion, Mpi, PlainSecretParams, PublicParams, SecretParams, SignatureBytes};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey};
use sha2::digest::{DynDigest, InvalidBufferSize};
use sha2::{Digest as _, Sha256};

/// An RSA key in ring's form.
pub(super) struct RsaKey(RsaKeyPair);

impl RsaKey {
    /// The secret key with these parts; none where it is of another kind, or of a size that ring does not sign with: less than 2,048
    /// bits, or more than 4,096.
    pub fn new(version: KeyVersion, public: &PublicParams, secret: &SecretParams) -> Option<Self> {
        let (PublicParams::RSA(public), SecretParams::Plain(PlainSecretParams::RSA(secret))) =
            (public, secret)
        else {
            return None;
        };
        // Version 6 hashes a salt besides; RSA keys of that are rare.
        if version != KeyVersion::V4 {
            return None;
        }
        let (d, p, q, _) = secret.to_bytes();
        let [d, p, q] = [d, p, q].map(|number| BigUint::from_bytes_be(&number));
        // ring wants the larger prime first, OpenPGP has it last.
        let primes = if p > q { vec![p, q] } else { vec![q, p] };
        let key =
            RsaPrivateKey::from_components(public.key.n().clone(), public.key.e().clone(), d, primes).ok()?;
        let document = key.to_pkcs1_der().ok()?;
        RsaKeyPair::from_der(document.as_bytes()).ok().map(Self)
    }

    /// Signs `content` with SHA-256, as `config` says.
    ///
    /// # Errors
    /// What `config` says can't be written, or the signature is not right.
    pub fn sign(&self, config: SignatureConfig, content: &[u8]) -> pgp::errors::Result<Signature> {
        let unfit = |reason: &str| std::io::Error::other(reason.to_owned());
        if config.hash_alg != HashAlgorithm::Sha256 {
            return Err(unfit("RSA signatures are made with SHA-256").into());
        }
        let mut signed: Box<dyn DynDigest + Send> = Box::new(HashedBytes(content.to_vec()));
        let length = config.hash_signature_data(&mut signed)?;
        signed.update(&config.trailer(length)?);
        let signed = signed.finalize();
        let mut signature = vec![0; self.0.public().modulus_len()];
        let made = self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), &signed, &mut signature);
        made.map_err(|_| unfit("the signature does not fit the key"))?;
        let [first, second, ..]: [u8; 32] = Sha256::digest(&signed).into();
        Signature::from_config(
            config,
            [first, second],
            SignatureBytes::Mpis(vec![Mpi::from_slice(&signature)]),
        )
    }
}

/// A hash function whose hash is all that it was given.
#[derive(Clone)]
struct HashedBytes(Vec<u8>);

impl DynDigest for HashedBytes {
    fn update(&mut self, data: &[u8]) {
        self.0.extend_from_slice(data);
    }

    fn finalize_into(mut self, output: &mut [u8]) -> Result<(), InvalidBufferSize> {
        self.finalize_into_reset(output)
    }

    fn finalize_into_reset(&mut self, output: &mut [u8]) -> Result<(), InvalidBufferSize> {
        if output.len() != self.0.len() {
            return Err(InvalidBufferSize);
        }
        output.copy_from_slice(&self.0);
        self.reset();
        Ok(())
    }

    fn reset(&mut self) {
        self.0.clear();
    }

    fn output_size(&self) -> usize {
        self.0.len()
    }

    fn box_clone(&self) -> Box<dyn DynDigest> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use pgp::composed::{KeyType, SecretKeyParamsBuilder};
    use pgp::packet::{SignatureType, Subpacket, SubpacketData};
    use pgp::ser::Serialize as _;
    use pgp::types::{KeyDetails as _, Password, Timestamp};
    use rand::rngs::OsRng;

    use super::*;

    fn secret_key(kind: KeyType) -> pgp::packet::SecretKey {
        let mut parameters = SecretKeyParamsBuilder::default();
        parameters.key_type(kind).can_sign(true).primary_user_id("a <a@example.org>".to_owned());
        parameters.build().unwrap().generate(OsRng).unwrap().primary_key
    }

    fn read(key: &pgp::packet::SecretKey) -> Option<RsaKey> {
        RsaKey::new(key.version(), key.public_params(), key.secret_params())
    }

    #[test]
    fn the_same_signature_comes_of_both_arithmetics() {
        let key = secret_key(KeyType::Rsa(2048));
        let config = || {
            let mut config =
                SignatureConfig::v4(SignatureType::Binary, key.algorithm(), HashAlgorithm::Sha256);
            let created = SubpacketData::SignatureCreationTime(Timestamp::from_secs(7));
            config.hashed_subpackets = vec![Subpacket::regular(created).unwrap()];
            config
        };
        let fast = read(&key).unwrap().sign(config(), b"content").unwrap();
        let slow = config().sign(&key, &Password::empty(), &b"content"[..]).unwrap();
        assert_eq!(fast.to_bytes().unwrap(), slow.to_bytes().unwrap());
        let other = SignatureConfig { hash_alg: HashAlgorithm::Sha512, ..config() };
        assert!(read(&key).unwrap().sign(other, b"content").is_err());
    }

    #[test]
    fn keys_of_other_kinds_are_left_to_the_other() {
        assert!(read(&secret_key(KeyType::Ed25519Legacy)).is_none());
    }
}
