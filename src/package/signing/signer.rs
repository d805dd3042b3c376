//! What makes signatures.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::num::NonZero;
use std::sync::Arc;

use rayon::prelude::*;

use super::certificate::Certificate;
use super::packet::signature_packets;
use super::secret::SigningKey;
use super::{Passphrases, SigningError};
use crate::event::Timestamp;
use crate::process::filter_all;

/// What makes signatures, all by one key.
pub struct Signer {
    certificate: Certificate,
    maker: Maker,
}

enum Maker {
    /// A key that forge has, and who knows its passphrase.
    Key(Box<SigningKey>, Arc<dyn Passphrases>),
    /// A program: its words, and the whole of its environment.
    Program(Vec<Vec<u8>>, BTreeMap<OsString, OsString>),
}

impl Signer {
    /// One that signs with a key.
    pub fn with_key(key: SigningKey, passphrases: Arc<dyn Passphrases>) -> Self {
        Self { certificate: key.certificate(), maker: Maker::Key(Box::new(key), passphrases) }
    }

    /// One that gives what is to be signed to a shell's command, whose key has this certificate.
    pub fn with_command(
        command: &str,
        certificate: Certificate,
        environment: BTreeMap<OsString, OsString>,
    ) -> Self {
        let words = ["/bin/sh", "-c", command].map(|word| word.as_bytes().to_vec()).to_vec();
        Self { certificate, maker: Maker::Program(words, environment) }
    }

    /// One that has gpg sign with the key that it knows by `id`: its agent keeps the secret, and asks for the passphrase.
    ///
    /// # Errors
    /// gpg does not know the key.
    pub fn with_gpg(id: &str, environment: BTreeMap<OsString, OsString>) -> Result<Self, SigningError> {
        let gpg = |arguments: &[&str]| -> Vec<Vec<u8>> {
            let all = ["gpg", "--batch", "--quiet"].iter().chain(arguments);
            all.map(|word| word.as_bytes().to_vec()).collect()
        };
        let error = |reason: String| SigningError::Key { place: format!("`{id}` of gpg"), reason };
        let export = (gpg(&["--export", "--", id]), Vec::new());
        let exported = run_program(&[export], &environment).pop();
        let exported = exported
            .unwrap_or_else(|| Ok(Vec::new()))
            .map_err(|source| error(crate::files::reason(&source)))?;
        let found =
            Certificate::read_all(&exported).map_err(|_| error("gpg has no such public key".to_owned()))?;
        let [certificate] = <[Certificate; 1]>::try_from(found).map_err(|found| {
            error(format!("gpg has {} such keys: name one by its fingerprint", found.len()))
        })?;
        let words = gpg(&[
            "--detach-sign",
            "--digest-algo",
            "SHA256",
            "--output",
            "-",
            "--local-user",
            &certificate.fingerprint(),
        ]);
        Ok(Self { certificate, maker: Maker::Program(words, environment) })
    }

    /// The certificate of the key that signs.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Its fingerprint.
    pub fn fingerprint(&self) -> String {
        self.certificate.fingerprint()
    }

    /// Signs contents, several at a time: gives a packet for each, in their order.
    ///
    /// # Errors
    /// The key can't be used, or the program does not give signatures by it.
    pub fn sign_all(&self, contents: &[&[u8]], now: Timestamp) -> Result<Vec<Vec<u8>>, SigningError> {
        match &self.maker {
            Maker::Key(key, passphrases) => {
                key.unlock(&**passphrases)?;
                contents.par_iter().map(|content| key.sign(content, &**passphrases, now)).collect()
            }
            Maker::Program(words, environment) => {
                let jobs: Vec<_> = contents.iter().map(|content| (words.clone(), content.to_vec())).collect();
                let answers = run_program(&jobs, environment);
                let checked = answers.into_iter().zip(contents);
                checked.map(|(answer, content)| self.taken(words, answer, content)).collect()
            }
        }
    }

    /// What a program has answered, where it is what it should be.
    fn taken(
        &self,
        words: &[Vec<u8>],
        answer: std::io::Result<Vec<u8>>,
        content: &[u8],
    ) -> Result<Vec<u8>, SigningError> {
        // The last word of a shell's command is what the manifest says.
        let named =
            if words.first().is_some_and(|word| word == b"/bin/sh") { words.last() } else { words.first() };
        let program = String::from_utf8_lossy(named.map_or(b"", Vec::as_slice)).into_owned();
        let error = |reason: String| SigningError::Program { program: program.clone(), reason };
        let answer = answer.map_err(|source| error(crate::files::reason(&source)))?;
        let packets = signature_packets(&answer).map_err(error)?;
        let [packet] = <[Vec<u8>; 1]>::try_from(packets)
            .map_err(|packets| error(format!("it has given {} signatures, not one", packets.len())))?;
        self.certificate.check(&packet, content).map_err(error)?;
        Ok(packet)
    }
}

/// Runs a program for each of `jobs`; one that ends with another code than 0 has failed.
fn run_program(
    jobs: &[(Vec<Vec<u8>>, Vec<u8>)],
    environment: &BTreeMap<OsString, OsString>,
) -> Vec<std::io::Result<Vec<u8>>> {
    let threads = std::thread::available_parallelism().map_or(1, NonZero::get);
    let answers = filter_all(jobs, environment, None, threads);
    let checked = answers.into_iter().map(|answer| match answer? {
        (0, output) => Ok(output),
        (code, _) => Err(std::io::Error::other(format!("it ended with code {code}"))),
    });
    checked.collect()
}
