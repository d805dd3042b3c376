//! One file of metadata: its name is its checksum and what it is.

use sha2::{Digest as _, Sha256};

use super::PublishError;
use super::packing::{ending, pack};
use super::paths::REPODATA;
use super::record::PublishedFile;
use crate::digest::Digest;
use crate::manifest::declaration::MetadataPacking;

/// A metadata file, as `repomd.xml` tells of it.
#[derive(Clone)]
pub(super) struct MetadataFile {
    /// What it is there: `primary`, `group`.
    pub data_type: String,
    /// What it is unpacked: SHA-256 and bytes. None where it is not packed.
    pub open: Option<(String, u64)>,
    pub file: PublishedFile,
    pub content: Vec<u8>,
}

impl MetadataFile {
    /// A file called `name` that holds this text, packed.
    pub fn packed(
        data_type: &str,
        name: &str,
        text: &[u8],
        packing: MetadataPacking,
    ) -> Result<Self, PublishError> {
        let content = pack(packing, text)?;
        let open = Some((sha256_of(text), text.len() as u64));
        Ok(Self::new(data_type, &format!("{name}.xml{}", ending(packing)), open, content))
    }

    /// A file called `name` that holds this text as it is.
    pub fn plain(data_type: &str, name: &str, text: &[u8]) -> Self {
        Self::new(data_type, &format!("{name}.xml"), None, text.to_vec())
    }

    /// A file whose name ends with `name`.
    pub fn new(data_type: &str, name: &str, open: Option<(String, u64)>, content: Vec<u8>) -> Self {
        let mut file = described(String::new(), &content);
        file.path = format!("{REPODATA}/{}-{name}", file.sha256);
        Self { data_type: data_type.to_owned(), open, file, content }
    }
}

/// A file of this content, which is to be at `path`.
pub(super) fn described(path: String, content: &[u8]) -> PublishedFile {
    let size = content.len() as u64;
    let (sha256, blake3) = (sha256_of(content), Digest::compute(content));
    PublishedFile { path, size, sha256, blake3, nevra: None, times: None }
}

/// SHA-256 in hexadecimal digits.
fn sha256_of(bytes: &[u8]) -> String {
    crate::package::hex(&Sha256::digest(bytes))
}
