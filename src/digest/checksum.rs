//! Checksums of the SHA-2 family, as repositories say them of their files.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// A checksum that a repository says of a file. Weaker ones (`md5`, `sha1`) count for nothing and are not taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Checksum {
    algorithm: ChecksumAlgorithm,
    hex: String,
}

/// How a checksum is worked out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChecksumAlgorithm {
    /// SHA-224 (FIPS 180-4).
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// A text that is no checksum to rely on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no SHA-224, SHA-256, SHA-384 or SHA-512 checksum")]
pub struct ChecksumError {
    /// The text.
    pub text: String,
}

impl ChecksumAlgorithm {
    const ALL: [Self; 4] = [Self::Sha224, Self::Sha256, Self::Sha384, Self::Sha512];

    /// As repository metadata name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// How many hexadecimal digits one has.
    fn digits(self) -> usize {
        match self {
            Self::Sha224 => 56,
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 => 128,
        }
    }
}

impl Checksum {
    /// The checksum of an algorithm by its name, in hexadecimal digits.
    ///
    /// # Errors
    /// The algorithm isn't one to rely on, or these are not its digits.
    pub fn new(algorithm: &str, hex: &str) -> Result<Self, ChecksumError> {
        let error = || ChecksumError { text: format!("{algorithm}:{hex}") };
        let known = ChecksumAlgorithm::ALL.into_iter().find(|known| known.name() == algorithm);
        let algorithm = known.ok_or_else(error)?;
        match hex.len() == algorithm.digits() && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            true => Ok(Self { algorithm, hex: hex.to_ascii_lowercase() }),
            false => Err(error()),
        }
    }

    /// How it is worked out.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.algorithm
    }

    /// The checksum of some bytes.
    pub fn compute(algorithm: ChecksumAlgorithm, bytes: &[u8]) -> Self {
        let mut hasher = ChecksumHasher::new(algorithm);
        hasher.update(bytes);
        hasher.finish()
    }

    /// Its hexadecimal digits, in small letters.
    pub fn hex(&self) -> &str {
        &self.hex
    }
}

/// Works out a checksum while the content comes.
#[derive(Clone, Debug)]
pub enum ChecksumHasher {
    /// SHA-224.
    Sha224(Sha224),
    /// SHA-256.
    Sha256(Sha256),
    /// SHA-384.
    Sha384(Sha384),
    /// SHA-512.
    Sha512(Sha512),
}

impl ChecksumHasher {
    /// One that has seen nothing yet.
    pub fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Sha224 => Self::Sha224(Sha224::new()),
            ChecksumAlgorithm::Sha256 => Self::Sha256(Sha256::new()),
            ChecksumAlgorithm::Sha384 => Self::Sha384(Sha384::new()),
            ChecksumAlgorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    /// Takes in more of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha224(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The checksum of all that it has seen.
    pub fn finish(self) -> Checksum {
        let (algorithm, bytes) = match self {
            Self::Sha224(hasher) => (ChecksumAlgorithm::Sha224, hasher.finalize().to_vec()),
            Self::Sha256(hasher) => (ChecksumAlgorithm::Sha256, hasher.finalize().to_vec()),
            Self::Sha384(hasher) => (ChecksumAlgorithm::Sha384, hasher.finalize().to_vec()),
            Self::Sha512(hasher) => (ChecksumAlgorithm::Sha512, hasher.finalize().to_vec()),
        };
        Checksum { algorithm, hex: bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
    }
}

/// `sha256:0123…`.
impl fmt::Display for Checksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex)
    }
}

impl FromStr for Checksum {
    type Err = ChecksumError;

    fn from_str(text: &str) -> Result<Self, ChecksumError> {
        let (algorithm, hex) = text.split_once(':').ok_or_else(|| ChecksumError { text: text.to_owned() })?;
        Self::new(algorithm, hex)
    }
}

impl TryFrom<String> for Checksum {
    type Error = ChecksumError;

    fn try_from(text: String) -> Result<Self, ChecksumError> {
        text.parse()
    }
}

impl From<Checksum> for String {
    fn from(checksum: Checksum) -> Self {
        checksum.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_checksums_to_rely_on_are_taken() {
        let digits = "0123456789ABCDEF".repeat(4);
        let checksum = Checksum::new("sha256", &digits).unwrap();
        assert_eq!(checksum.to_string(), format!("sha256:{}", digits.to_lowercase()));
        assert_eq!(checksum.to_string().parse(), Ok(checksum));
        for (algorithm, hex) in
            [("sha1", &digits[..40]), ("md5", &digits[..32]), ("sha256", &digits[1..]), ("sha512", &digits)]
        {
            assert!(Checksum::new(algorithm, hex).is_err(), "{algorithm}");
        }
        assert!(Checksum::new("sha256", &"g".repeat(64)).is_err());
    }

    #[test]
    fn the_checksum_of_content_is_worked_out_as_it_comes() {
        let mut hasher = ChecksumHasher::new(ChecksumAlgorithm::Sha256);
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(hasher.finish(), Checksum::compute(ChecksumAlgorithm::Sha256, b"abc"));
        let sha224 = Checksum::compute(ChecksumAlgorithm::Sha224, b"abc");
        assert_eq!(sha224.to_string(), "sha224:23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
        for algorithm in ChecksumAlgorithm::ALL {
            assert_eq!(Checksum::compute(algorithm, b"").hex().len(), algorithm.digits());
        }
    }
}
