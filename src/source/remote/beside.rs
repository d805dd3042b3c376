//! Checksums that lie beside a spec: `sources`, as package repositories of distributions have it, and `NAME.signatures.json`, as
//! those of Azure Linux do.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::digest::Checksum;
use crate::files::Folder;
use crate::source::checksum_lines::{ListedFile, read_checksum_lines};

/// How large such a file may be, in bytes.
const LARGEST: u64 = 1 << 20;

/// What lies beside a spec says of its files.
#[derive(Debug, Default)]
pub struct ChecksumsBeside(BTreeMap<String, BesideChecksum>);

/// What a file must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BesideChecksum {
    /// It has this checksum.
    Strong(Checksum),
    /// It has this MD5, in hexadecimal digits: what old files have. It tells a mistake, and no attack.
    Md5(String),
}

#[derive(Deserialize)]
struct SignatureFile {
    #[serde(rename = "Signatures")]
    signatures: BTreeMap<String, serde_json::Value>,
}

impl ChecksumsBeside {
    /// Reads what lies in a folder beside a spec. What is no such file as those of Azure Linux by its content is none; of `sources`
    /// each line counts: one that is passed over would leave a file unchecked.
    ///
    /// # Errors
    /// A line of `sources` that makes no sense, counted from 1.
    pub fn read(root: &Folder, folder: &Path) -> Result<Self, usize> {
        let mut found = BTreeMap::new();
        let text = |path: &Path| root.read_text_up_to(path, LARGEST).ok();
        if let Some(text) = text(&folder.join("sources")) {
            let files = read_checksum_lines(&text)?;
            found.extend(files.into_iter().map(|ListedFile { name, algorithm, checksum }| {
                let checksum = match Checksum::new(algorithm, &checksum) {
                    Ok(strong) => BesideChecksum::Strong(strong),
                    Err(_) => BesideChecksum::Md5(checksum),
                };
                (name, checksum)
            }));
        }
        let signatures = root.search(folder, "*.signatures.json").ok().flatten().unwrap_or_default();
        for text in signatures.iter().filter_map(|path| text(path)) {
            let Ok(file) = serde_json::from_str::<SignatureFile>(&text) else { continue };
            found.extend(file.signatures.into_iter().filter_map(|(name, sum)| {
                let checksum = Checksum::new("sha256", sum.as_str()?).ok()?;
                Some((name, BesideChecksum::Strong(checksum)))
            }));
        }
        Ok(Self(found))
    }

    /// What a file must be.
    pub fn find(&self, name: &str) -> Option<&BesideChecksum> {
        self.0.get(name)
    }
}
