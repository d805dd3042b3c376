//! A repository as an artifact of a registry (OCI Image Format Specification 1.1, "Image Manifest" and "Image Index").
//!
//! Each file is a layer, whose title (`org.opencontainers.image.title`) is its path in the repository: tools for artifacts make the folder of
//! it again. The config says whose repository it is. Registries take manifests of up to 4 MiB, which are some 12,000 files. A
//! repository of more is an index of manifests, each with a part of the files. Equal repositories have equal manifests, byte for
//! byte, so that their digest says whether anything has changed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::place_record::PlacedFile;
use super::snapshot::sha256_hex;
use crate::fetch::content_type;
use crate::publish::owner::Owner;

/// What the artifact is.
pub(super) const ARTIFACT_TYPE: &str = "application/vnd.rpmforge.repository.v1";

/// What its config is.
pub(super) const CONFIG_TYPE: &str = "application/vnd.rpmforge.repository.config.v1+json";

/// The media type of a manifest.
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";

/// The media type of an index.
pub(super) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";

/// The annotation that says a layer's path (OCI Image Format Specification, "Annotations").
const TITLE: &str = "org.opencontainers.image.title";

/// How large a manifest may become, in bytes: registries take up to 4 MiB, and some a little less.
const LARGEST_MANIFEST: usize = 3_500_000;

/// The form of the config.
const CONFIG_VERSION: u64 = 1;

/// Where content is, and what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OciContent {
    pub media_type: String,
    /// `sha256:` and the SHA-256 in hexadecimal digits.
    pub digest: String,
    /// In bytes.
    pub size: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub artifact_type: Option<String>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

/// A manifest, or an index of manifests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct OciManifest {
    schema_version: u64,
    #[serde(default)]
    pub media_type: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    /// What a manifest is about; an index has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config: Option<OciContent>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<OciContent>>,
    /// The manifests of an index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifests: Option<Vec<OciContent>>,
}

/// Whose repository it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OciConfig {
    version: u64,
    pub owner: Owner,
    pub chroot: String,
}

/// An artifact, as it is sent.
pub(super) struct OciArtifact {
    /// The config.
    pub config: Vec<u8>,
    /// The manifests of an index; empty where one manifest has all.
    pub parts: Vec<Vec<u8>>,
    /// What the tag stands for, and its media type.
    pub top: (Vec<u8>, &'static str),
}

impl OciConfig {
    pub fn new(owner: Owner, chroot: &str) -> Self {
        Self { version: CONFIG_VERSION, owner, chroot: chroot.to_owned() }
    }

    /// Reads one; none where it can't be believed.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok().filter(|config: &Self| config.version == CONFIG_VERSION)
    }
}

impl OciContent {
    /// What stands for some bytes.
    fn from_bytes(bytes: &[u8], media_type: &str) -> Self {
        let file = PlacedFile { size: bytes.len() as u64, sha256: sha256_hex(bytes) };
        Self::from_file(&file, media_type)
    }

    fn from_file(file: &PlacedFile, media_type: &str) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: format!("sha256:{}", file.sha256),
            size: file.size,
            artifact_type: None,
            annotations: BTreeMap::new(),
        }
    }

    fn layer(path: &str, file: &PlacedFile) -> Self {
        let annotations = BTreeMap::from([(TITLE.to_owned(), path.to_owned())]);
        // What a type says of characters is none of a media type.
        let media_type = content_type(path).split(';').next().unwrap_or_default();
        Self { annotations, ..Self::from_file(file, media_type) }
    }

    /// The path of a layer.
    pub fn title(&self) -> Option<&str> {
        self.annotations.get(TITLE).map(String::as_str)
    }
}

impl OciManifest {
    fn new(media_type: &str) -> Self {
        Self {
            schema_version: 2,
            media_type: media_type.to_owned(),
            artifact_type: Some(ARTIFACT_TYPE.to_owned()),
            config: None,
            layers: None,
            manifests: None,
        }
    }

    fn of_layers(config: &OciContent, layers: &[OciContent]) -> Self {
        let (config, layers) = (Some(config.clone()), Some(layers.to_vec()));
        Self { config, layers, ..Self::new(MANIFEST_TYPE) }
    }

    fn of_parts(parts: &[Vec<u8>]) -> Self {
        let describe = |bytes: &Vec<u8>| OciContent {
            artifact_type: Some(ARTIFACT_TYPE.to_owned()),
            ..OciContent::from_bytes(bytes, MANIFEST_TYPE)
        };
        Self { manifests: Some(parts.iter().map(describe).collect()), ..Self::new(INDEX_TYPE) }
    }
}

impl OciArtifact {
    /// The artifact of these files, by path.
    pub fn compose(config: &OciConfig, files: &BTreeMap<&str, &PlacedFile>) -> std::io::Result<Self> {
        Self::compose_up_to(LARGEST_MANIFEST, config, files)
    }

    fn compose_up_to(
        most: usize,
        config: &OciConfig,
        files: &BTreeMap<&str, &PlacedFile>,
    ) -> std::io::Result<Self> {
        let config = encode(config)?;
        let described = OciContent::from_bytes(&config, CONFIG_TYPE);
        let layers: Vec<OciContent> =
            files.iter().map(|(path, file)| OciContent::layer(path, file)).collect();
        let whole = encode(&OciManifest::of_layers(&described, &layers))?;
        if whole.len() <= most {
            return Ok(Self { config, parts: Vec::new(), top: (whole, MANIFEST_TYPE) });
        }
        // Paths may be of any length: the longest decides how many layers a part has.
        let sizes = layers.iter().map(|layer| encode(layer).map(|bytes| bytes.len()));
        let longest = sizes.collect::<std::io::Result<Vec<_>>>()?.into_iter().max().unwrap_or_default();
        let around = encode(&OciManifest::of_layers(&described, &[]))?.len();
        let each = (most.saturating_sub(around) / longest.saturating_add(1)).max(1);
        let parts = layers.chunks(each).map(|layers| encode(&OciManifest::of_layers(&described, layers)));
        let parts = parts.collect::<std::io::Result<Vec<_>>>()?;
        let index = encode(&OciManifest::of_parts(&parts))?;
        Ok(Self { config, parts, top: (index, INDEX_TYPE) })
    }
}

fn encode(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    serde_json::to_vec(value).map_err(std::io::Error::other)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn config() -> OciConfig {
        OciConfig::new(Owner::new(Some("acme"), Path::new("/a"), Path::new("/a/public")), "host")
    }

    fn compose(most: usize, count: usize) -> OciArtifact {
        let file = PlacedFile { size: 3, sha256: "0".repeat(64) };
        let paths: Vec<String> = (0..count).map(|at| format!("a-0123456789ab/a-{at}-1.noarch.rpm")).collect();
        let files = paths.iter().map(|path| (path.as_str(), &file)).collect();
        OciArtifact::compose_up_to(most, &config(), &files).unwrap()
    }

    #[test]
    fn a_repository_is_one_manifest_whose_layers_have_the_paths_of_its_files() {
        let artifact = compose(LARGEST_MANIFEST, 2);
        assert!(artifact.parts.is_empty());
        let manifest: serde_json::Value = serde_json::from_slice(&artifact.top.0).unwrap();
        assert_eq!(manifest["schemaVersion"], 2);
        assert_eq!(manifest["mediaType"], MANIFEST_TYPE);
        assert_eq!(manifest["artifactType"], ARTIFACT_TYPE);
        assert_eq!(manifest["config"]["mediaType"], CONFIG_TYPE);
        let layer = &manifest["layers"][1];
        assert_eq!(layer["annotations"][TITLE], "a-0123456789ab/a-1-1.noarch.rpm");
        assert_eq!(layer["mediaType"], "application/x-rpm");
        assert!(manifest.get("manifests").is_none());
        assert_eq!(compose(LARGEST_MANIFEST, 2).top, artifact.top);
    }

    #[test]
    fn what_one_manifest_can_not_hold_is_an_index_of_several() {
        let artifact = compose(5000, 100);
        assert!(artifact.parts.len() > 2 && artifact.parts.iter().all(|part| part.len() <= 5000));
        let index: OciManifest = serde_json::from_slice(&artifact.top.0).unwrap();
        let named: Vec<String> = index.manifests.unwrap().into_iter().map(|part| part.digest).collect();
        let own: Vec<String> =
            artifact.parts.iter().map(|part| format!("sha256:{}", sha256_hex(part))).collect();
        assert_eq!(named, own);
        let parts = artifact.parts.iter().map(|part| serde_json::from_slice::<OciManifest>(part).unwrap());
        assert_eq!(parts.map(|part| part.layers.unwrap().len()).sum::<usize>(), 100);
    }

    #[test]
    fn ten_thousand_packages_are_one_manifest() {
        assert!(compose(LARGEST_MANIFEST, 10_000).parts.is_empty());
        assert!(!compose(LARGEST_MANIFEST, 40_000).parts.is_empty());
    }

    #[test]
    fn a_config_of_another_form_is_not_believed() {
        let bytes = encode(&config()).unwrap();
        assert_eq!(OciConfig::decode(&bytes).unwrap().chroot, "host");
        let newer = String::from_utf8(bytes).unwrap().replace("\"version\":1", "\"version\":2");
        assert!(OciConfig::decode(newer.as_bytes()).is_none());
        assert!(OciConfig::decode(b"{}").is_none());
    }
}
