//! What the registry says of a package: a document with all its versions.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;

use crate::digest::Checksum;
use crate::source::limits::SOURCE_BYTES;
use crate::source::made_spec::{MadeSpecError, RegistryAccess, RegistryFile};

/// A package with its versions.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct RegistryDocument {
    /// Names of versions: `latest` is what is installed.
    #[serde(default, rename = "dist-tags")]
    pub tags: BTreeMap<String, String>,
    /// What each version says.
    #[serde(default)]
    pub versions: BTreeMap<String, RegistryVersion>,
}

/// A version of a package.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegistryVersion {
    /// What it needs.
    #[serde(default)]
    pub dependencies: BTreeMap<String, String>,
    /// What it goes without.
    #[serde(default)]
    pub optional_dependencies: BTreeMap<String, String>,
    /// What must be there beside it.
    #[serde(default)]
    pub peer_dependencies: BTreeMap<String, String>,
    /// Which of those need not.
    #[serde(default)]
    pub peer_dependencies_meta: BTreeMap<String, PeerRule>,
    /// Why it should not be used any more.
    #[serde(default)]
    pub deprecated: serde_json::Value,
    /// Its file.
    #[serde(default)]
    pub dist: Distribution,
}

/// Whether a peer need not be there.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
pub struct PeerRule {
    /// It need not.
    #[serde(default)]
    pub optional: bool,
}

/// Where a version's file is.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Distribution {
    /// Its URL.
    #[serde(default)]
    pub tarball: String,
    /// Its checksums, as browsers have them (SRI).
    #[serde(default)]
    pub integrity: String,
}

/// How long a name may be, with its scope.
const LONGEST_NAME: usize = 214;

impl RegistryVersion {
    /// What has to be there for it to run: names and ranges.
    pub fn needs(&self) -> BTreeMap<String, String> {
        let is_needed =
            |name: &String| !self.peer_dependencies_meta.get(name).is_some_and(|rule| rule.optional);
        let peers = self.peer_dependencies.iter().filter(|(name, _)| is_needed(name));
        let all = peers.chain(&self.dependencies).map(|(name, range)| (name.clone(), range.clone()));
        // What is optional stands among the dependencies, too.
        all.filter(|(name, _)| !self.optional_dependencies.contains_key(name)).collect()
    }

    /// Whether its authors say that it should not be used.
    pub fn is_deprecated(&self) -> bool {
        match &self.deprecated {
            serde_json::Value::String(reason) => !reason.is_empty(),
            serde_json::Value::Bool(is_deprecated) => *is_deprecated,
            _ => false,
        }
    }
}

/// Where documents come from.
pub trait NpmRegistry {
    /// The document of a package.
    ///
    /// # Errors
    /// There is none, or it can't be had.
    fn document(&mut self, name: &str) -> Result<&RegistryDocument, MadeSpecError>;
}

/// The registry as it is reached from here; each document is fetched once.
pub struct OnlineRegistry<'a> {
    access: RegistryAccess<'a>,
    index: &'a str,
    documents: BTreeMap<String, RegistryDocument>,
}

impl<'a> OnlineRegistry<'a> {
    /// The registry at an address.
    pub fn new(access: RegistryAccess<'a>, index: &'a str) -> Self {
        Self { access, index, documents: BTreeMap::new() }
    }
}

impl NpmRegistry for OnlineRegistry<'_> {
    fn document(&mut self, name: &str) -> Result<&RegistryDocument, MadeSpecError> {
        if !self.documents.contains_key(name) {
            if !is_package_name(name) {
                let name = name.chars().flat_map(char::escape_debug).take(LONGEST_NAME).collect();
                return Err(MadeSpecError::OddName { part: "name", name });
            }
            let document = self.access.json(&format!("{}/{}", self.index, name.replace('/', "%2f")))?;
            let missing = || MadeSpecError::NoProject { registry: "npm", project: name.to_owned() };
            self.documents.insert(name.to_owned(), document.ok_or_else(missing)?);
        }
        Ok(self.documents.entry(name.to_owned()).or_default())
    }
}

/// Whether it is a name as npm has them: `name` or `@scope/name`.
pub fn is_package_name(name: &str) -> bool {
    let is_part = |part: &str| {
        let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
        !part.is_empty() && part.bytes().all(is_letter) && !part.starts_with(['.', '-', '~'])
    };
    let parts = name
        .strip_prefix('@')
        .map_or(Some((None, name)), |rest| rest.split_once('/').map(|(scope, name)| (Some(scope), name)));
    name.len() <= LONGEST_NAME
        && parts.is_some_and(|(scope, name)| scope.is_none_or(is_part) && is_part(name))
}

/// The file of a version, where the registry says that it is; its name has the scope, too.
pub fn file_of(name: &str, version: &str, distribution: &Distribution) -> RegistryFile {
    RegistryFile {
        name: file_name(name, version),
        url: distribution.tarball.clone(),
        checksum: read_integrity(&distribution.integrity),
        size: None,
        most: SOURCE_BYTES,
    }
}

/// Where the file of a version is, at a registry.
pub fn file_url(index: &str, name: &str, version: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or_default();
    format!("{index}/{name}/-/{base}-{version}.tgz")
}

/// The name of a version's file here.
pub fn file_name(name: &str, version: &str) -> String {
    format!("{}-{version}.tgz", name.trim_start_matches('@').replace('/', "-"))
}

/// `sha512-BASE64`; the strongest of several.
fn read_integrity(text: &str) -> Option<Checksum> {
    let checksums = text.split_whitespace().filter_map(|one| {
        let (algorithm, encoded) = one.split_once('-')?;
        let bytes = BASE64_STANDARD.decode(encoded.split('?').next()?).ok()?;
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Checksum::new(algorithm, &hex).ok()
    });
    checksums.max_by_key(|checksum| checksum.hex().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_scope_or_not_and_nothing_else() {
        for name in ["a", "@a/b", "a.b_c-d"] {
            assert!(is_package_name(name), "{name}");
        }
        for name in ["", "../a", "@a", "a/b", "@a/../b", "@/a", "a b", ".a", "%a"] {
            assert!(!is_package_name(name), "{name}");
        }
    }

    #[test]
    fn the_strongest_checksum_is_taken() {
        let bytes = [0xab_u8; 64];
        let text = format!("sha1-AAAA sha512-{} sha256-x", BASE64_STANDARD.encode(bytes));
        assert_eq!(read_integrity(&text).unwrap().to_string(), format!("sha512:{}", "ab".repeat(64)));
        assert_eq!(read_integrity("sha1-AAAA"), None);
    }
}
