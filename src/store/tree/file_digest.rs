//! Digests of files, as packages' headers have them.

use sha2::digest::DynDigest;

use crate::package::{Header, Tag, hex};

/// The digest that a header has of a file, while its content goes by.
pub(super) struct FileDigest {
    hasher: Box<dyn DynDigest>,
    listed: Vec<u8>,
}

/// By the numbers of OpenPGP (RFC 9580, 9.5), which rpm has them by. What is not said is MD5.
const MD5: u64 = 1;

impl FileDigest {
    /// For a file whose digest is listed like that; nothing where it has none.
    ///
    /// # Errors
    /// The number of the kind, which is not known.
    pub fn new(header: &Header, listed: &[u8]) -> Result<Option<Self>, u64> {
        if listed.is_empty() {
            return Ok(None);
        }
        let kind = header.numbers(Tag::FILEDIGESTALGO).first().copied().unwrap_or(MD5);
        let hasher: Box<dyn DynDigest> = match kind {
            MD5 => Box::new(md5::Md5::default()),
            2 => Box::new(sha1::Sha1::default()),
            8 => Box::new(sha2::Sha256::default()),
            9 => Box::new(sha2::Sha384::default()),
            10 => Box::new(sha2::Sha512::default()),
            11 => Box::new(sha2::Sha224::default()),
            12 => Box::new(sha3::Sha3_256::default()),
            14 => Box::new(sha3::Sha3_512::default()),
            other => return Err(other),
        };
        Ok(Some(Self { hasher, listed: listed.to_ascii_lowercase() }))
    }

    /// Takes some content in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
    }

    /// Whether it is what was listed.
    pub fn ends_as_listed(self) -> bool {
        hex(&self.hasher.finalize()).into_bytes() == self.listed
    }
}
