//! What a chroot declares of its packages → what is asked of repositories and of the solver.

use std::collections::BTreeMap;

use crate::chroot::making::ChrootRequest;
use crate::chroot::solve::WeakDependencies;
use crate::chroot::{
    DeclaredKey, KeyPlace, Lock, LockedChroot, OlderMetadata, RepositoryRequest, RepositorySource,
    RepositoryState, SignatureRule,
};
use crate::files::{Folder, HostPath};
use crate::manifest::declaration::{KeyDecl, RepositoryDecl, RepositoryLocation, RepositoryPlace};
use crate::manifest::{Chroot, ChrootId, Manifest, ManifestPath, RootBase};
use crate::source::ChrootRepository;

/// What is in a minimal root of which nothing is said, as in mock and Copr.
const MINIMAL: &str = "@buildsys-build";

/// Makes requests.
pub struct ChrootRequests<'a> {
    /// Where paths begin.
    pub repository: &'a Folder,
    /// What is locked of the chroot.
    pub locked: &'a LockedChroot,
    /// Whether metadata may be older than what was seen before.
    pub older_metadata: OlderMetadata,
}

/// The repositories of all chroots.
pub fn all_repositories(
    manifest: &Manifest,
    repository: &Folder,
    lock: &Lock,
    older_metadata: OlderMetadata,
) -> Vec<ChrootRepository> {
    let nothing = LockedChroot::default();
    let mut all = Vec::new();
    for (index, chroot) in manifest.chroots.iter().enumerate() {
        let RootBase::Repositories(declared) = &chroot.base else { continue };
        let locked = lock.chroots.get(&chroot.name.value).unwrap_or(&nothing);
        let requests = ChrootRequests { repository, locked, older_metadata }.of(chroot, declared);
        let of_chroot = requests.repositories.into_iter();
        all.extend(of_chroot.map(|request| ChrootRepository { chroot: ChrootId(index), request }));
    }
    all
}

impl ChrootRequests<'_> {
    /// That of a chroot.
    pub fn of(&self, chroot: &Chroot, declared: &[RepositoryDecl]) -> ChrootRequest {
        let arch = chroot.arch.clone().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        let mut variables: BTreeMap<String, String> = BTreeMap::from([
            ("arch".to_owned(), arch.clone()),
            ("basearch".to_owned(), base_arch(&arch).to_owned()),
        ]);
        variables.extend(chroot.variables.clone());
        let install: Vec<String> = chroot.install.iter().map(|text| text.value.clone()).collect();
        ChrootRequest {
            name: chroot.name.value.clone(),
            arch,
            repositories: declared.iter().map(|decl| self.repository_request(decl, &variables)).collect(),
            weak: match chroot.weak_dependencies {
                true => WeakDependencies::Taken,
                false => WeakDependencies::Left,
            },
            install: if install.is_empty() { vec![MINIMAL.to_owned()] } else { install },
        }
    }

    fn repository_request(
        &self,
        decl: &RepositoryDecl,
        variables: &BTreeMap<String, String>,
    ) -> RepositoryRequest {
        let rule = |signed| if signed { SignatureRule::Required } else { SignatureRule::NotAsked };
        let locked = self.locked.repositories.get(&decl.name.value);
        RepositoryRequest {
            name: decl.name.value.clone(),
            source: self.source(&decl.location),
            variables: variables.clone(),
            priority: decl.priority,
            cost: decl.cost,
            exclude: decl.exclude.clone(),
            include: decl.include.clone(),
            keys: decl.keys.iter().map(|key| self.key(&key.value, &decl.fingerprints)).collect(),
            metadata_signature: rule(decl.metadata_signed),
            package_signatures: rule(decl.packages_signed),
            older_metadata: self.older_metadata,
            locked: locked.and_then(|locked| {
                Some(RepositoryState {
                    url: locked.url.clone(),
                    checksum: locked.repomd.clone()?,
                    revision: String::new(),
                    time: locked.time,
                })
            }),
        }
    }

    fn source(&self, location: &RepositoryLocation) -> RepositorySource {
        match location {
            RepositoryLocation::Metalink(url) => RepositorySource::Metalink(url.clone()),
            RepositoryLocation::Mirrorlist(url) => RepositorySource::MirrorList(url.clone()),
            RepositoryLocation::Base(places) => match places.as_slice() {
                [RepositoryPlace::Folder(path)] => RepositorySource::Folder(self.on_host(path)),
                places => RepositorySource::BaseUrls(places.iter().map(|place| self.url(place)).collect()),
            },
        }
    }

    fn url(&self, place: &RepositoryPlace) -> String {
        match place {
            RepositoryPlace::Url(url) => url.clone(),
            RepositoryPlace::Folder(path) => format!("file://{}", self.on_host(path)),
        }
    }

    fn key(&self, key: &KeyDecl, fingerprints: &[String]) -> DeclaredKey {
        let place = match key {
            KeyDecl::File(path) => KeyPlace::File(self.on_host(path)),
            KeyDecl::Url(url) => KeyPlace::Url(url.clone()),
        };
        DeclaredKey { place, fingerprints: fingerprints.to_vec() }
    }

    fn on_host(&self, path: &ManifestPath) -> HostPath {
        match path {
            ManifestPath::Absolute(path) => path.clone(),
            ManifestPath::Repository(path) => self.repository.path().join(path),
        }
    }
}

/// `$basearch` of an architecture, as dnf has it.
fn base_arch(arch: &str) -> &str {
    match arch {
        "i386" | "i486" | "i586" | "i686" | "athlon" => "i386",
        "amd64" | "ia32e" | "x86_64_v2" | "x86_64_v3" | "x86_64_v4" => "x86_64",
        "armv7hl" | "armv7hnl" | "armv8hl" => "armhfp",
        other => other,
    }
}
