//! What a build was made of.

use std::collections::BTreeMap;

use super::forms::package_url;
use crate::chroot::LockedPackage;
use crate::chroot::making::GivenRoot;
use crate::digest::{ChecksumAlgorithm, ChecksumHasher};
use crate::execute::{InputsRecord, KeptInput, KeptPackage};
use crate::store::{Blob, Store, StoreError};

/// Something that a build was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Material {
    /// What it was.
    pub kind: MaterialKind,
    /// The name of its file; of a package in the root, `name-[epoch:]version-release.arch`.
    pub name: String,
    /// What identifies it among all packages, where it is one.
    pub url: Option<String>,
    /// The digests of its content, by the names of their algorithms.
    pub digests: BTreeMap<String, String>,
}

/// What something was to a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MaterialKind {
    /// The spec.
    Spec,
    /// A source or patch.
    Source,
    /// A package of a repository in the root.
    RootPackage,
    /// A package in the root that the manifest builds.
    OwnPackage,
}

pub(super) fn materials_of(inputs: &InputsRecord, root: Option<&GivenRoot>, store: &Store) -> Vec<Material> {
    let input = |kind: MaterialKind, input: &KeptInput| Material {
        kind,
        name: input.name.clone(),
        url: None,
        digests: digests(&input.blob, store),
    };
    let mut materials = vec![input(MaterialKind::Spec, &inputs.spec)];
    materials.extend(inputs.sources.iter().map(|source| input(MaterialKind::Source, source)));
    materials.extend(inputs.dependencies.iter().map(own_package));
    if let Some(root) = root {
        let minimal = root.minimal.iter().filter(|package| !root.without.contains(package));
        materials.extend(minimal.chain(&root.added).map(root_package));
    }
    materials
}

/// The digests of what an input has: SHA-256 too, which everybody knows, where the store has it still.
fn digests(blob: &Blob, store: &Store) -> BTreeMap<String, String> {
    let mut digests = BTreeMap::from([("blake3".to_owned(), blob.digest.to_string())]);
    let sha256 = store.read_blob(blob, |mut content| {
        let mut hasher = ChecksumHasher::new(ChecksumAlgorithm::Sha256);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            match std::io::Read::read(&mut content, &mut buffer)? {
                0 => return Ok::<_, StoreError>(hasher.finish()),
                read => hasher.update(buffer.get(..read).unwrap_or_default()),
            }
        }
    });
    if let Ok(sha256) = sha256 {
        digests.insert("sha256".to_owned(), sha256.hex().to_owned());
    }
    digests
}

fn own_package(package: &KeptPackage) -> Material {
    let digests = [("blake3", package.blob.digest.to_string()), ("sha256", package.sha256.clone())];
    Material {
        kind: MaterialKind::OwnPackage,
        name: package.nevra.clone(),
        url: url_of(&package.nevra),
        digests: digests.into_iter().map(|(name, digest)| (name.to_owned(), digest)).collect(),
    }
}

fn root_package(package: &LockedPackage) -> Material {
    let checksum = (package.checksum.algorithm().name().to_owned(), package.checksum.hex().to_owned());
    Material {
        kind: MaterialKind::RootPackage,
        name: package.nevra(),
        url: Some(package_url(&package.name, &package.evr, &package.arch)),
        digests: BTreeMap::from([checksum]),
    }
}

/// The package URL of `name-[epoch:]version-release.arch`.
fn url_of(nevra: &str) -> Option<String> {
    let (rest, arch) = nevra.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(package_url(name, &format!("{version}-{release}"), arch))
}
