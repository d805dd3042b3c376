//! What a step came to.

use serde::{Deserialize, Serialize};

use super::Blob;
use crate::digest::{Digest, Encoder};
use crate::event::StageTime;
use crate::package::{Dependency, PackageRecord};

/// What a package says of itself, as far as planning needs it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageSummary {
    /// `%{name}`.
    pub name: String,
    /// The architecture; `src` for a source package.
    pub arch: String,
    /// `name-[epoch:]version-release.arch`.
    pub nevra: String,
    /// The digest of its [content](crate::package::content_digest).
    pub content: Digest,
    /// What it provides.
    pub provides: Vec<Dependency>,
    /// What it requires.
    pub requires: Vec<Dependency>,
    /// Its files that others most often depend on by path.
    pub files: Vec<String>,
    /// All its other files: that a spec depends on one of them is rare, and right.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_files: Vec<String>,
    /// What of it no repository's metadata can hold, in words.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub unlistable: Option<String>,
}

impl PackageSummary {
    /// The summary of a package.
    pub fn new(record: &PackageRecord, content: Digest) -> Self {
        Self {
            name: record.name.clone(),
            arch: record.arch.clone(),
            nevra: record.nevra(),
            content,
            provides: record.provides().cloned().collect(),
            requires: record.requires().cloned().collect(),
            files: record.primary_files().map(str::to_owned).collect(),
            other_files: record.other_files().map(str::to_owned).collect(),
            unlistable: record.forbidden_character().map(|character| character.to_string()),
        }
    }

    /// Whether it is a source package.
    pub fn is_source(&self) -> bool {
        self.arch == "src"
    }
}

/// A package file that a step made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultFile {
    /// Its file name.
    pub name: String,
    /// Its content.
    #[serde(flatten)]
    pub blob: Blob,
    /// SHA-256 of the content, which repository metadata hold.
    pub sha256: String,
    /// What it says of itself.
    pub package: PackageSummary,
}

/// The result of a step that ended well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepResult {
    /// The packages that it made, by file name.
    pub files: Vec<ResultFile>,
    /// Its log.
    pub log: Blob,
    /// Its stages.
    pub stages: Vec<StageTime>,
    /// How long it took, in milliseconds.
    pub milliseconds: u64,
}

impl StepResult {
    /// Everything in the store that belongs to it.
    pub fn blobs(&self) -> impl Iterator<Item = Blob> {
        self.files.iter().map(|file| file.blob).chain([self.log])
    }

    /// The digest of the packages as they are, bit by bit.
    pub fn digest(&self) -> Digest {
        result_digest(self.files.iter().map(|file| (file.name.as_str(), &file.blob.digest)))
    }
}

/// The digest of a result whose packages have these names and contents, by file name.
pub fn result_digest<'f>(files: impl ExactSizeIterator<Item = (&'f str, &'f Digest)>) -> Digest {
    let mut encoder = Encoder::new("rpmforge result v1");
    encoder.list("files", files, |encoder, (name, digest)| {
        encoder.digest_field(name, digest);
    });
    encoder.digest()
}
