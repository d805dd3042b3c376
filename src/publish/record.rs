//! `.forge-repository`: what forge has put into a repository, and whose the repository is.
//!
//! The record lies in the repository itself, since nothing else goes wherever the repository goes; how it is written stands in
//! [`record_file`](super::record_file). Every path in it is relative to the repository. Only what is on record is ever removed
//! or replaced. A copy lies in the project's `.forge/published/`.
//!
//! Whoever may write to the repository can write a record with a right digest too. What names anything but files as forge
//! [names](super::paths) them, or one of them twice, is taken for damaged.

use hashbrown::HashSet;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::owner::Owner;
use super::paths::{
    REPOMD, is_in_plain_layout, is_metadata_path, is_package_path, is_plain_name, is_sha256, is_signing_path,
    package_of_path,
};
use super::section::Section;
use super::shared_list::{SharedList, count_common_ends};
use crate::digest::{Digest, Key};
use crate::event::Timestamp;
use crate::package::version_of_nevra;
use crate::store::{Blob, result_digest};

/// The form that is written where each package has one build. What says for how long it is kept is no other form: who doesn't
/// know that can do without.
const VERSION: u64 = 1;

/// The form that is written where packages have older builds, or have left for their age: who takes those for files of packages that are
/// published once would remove them.
const VERSION_WITH_BUILDS: u64 = 2;

/// The form that is written where packages lie as in a plain layout: who doesn't know such paths would take the record for damaged.
const VERSION_WITH_PLAIN_PATHS: u64 = 3;

/// What a repository holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RepositoryRecord {
    pub owner: Owner,
    /// The chroot whose packages it holds.
    pub chroot: String,
    /// Whether packages may be hard links to the store's files.
    pub links: bool,
    /// What is published, by the manifest's names: of each package the newest build, and older ones that are kept.
    pub packages: SharedList<PublishedPackage>,
    /// Builds that have left for their age, and don't come back as long as they would have to leave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<Retired>,
    /// The files that `repomd.xml` names.
    pub metadata: Vec<PublishedFile>,
    /// `repomd.xml`; none before the first publish has ended.
    pub repomd: Option<PublishedFile>,
    /// Who has signed the metadata, and the files that say so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedMetadata>,
    /// The revision that it says, which is also the time that it gives its files. Clients that have seen one (yum, of EL7) take
    /// none that is lower, so that it only ever grows. 0 before the first publish.
    #[serde(default)]
    pub revision: u64,
    /// What a publish that has not ended brings in.
    pub incoming: Option<Incoming>,
    /// What is no longer named, and stays for those who have read an earlier `repomd.xml`.
    pub superseded: Vec<Superseded>,
}

/// A build of a package of the manifest, as it is published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PublishedPackage {
    /// Its name in the manifest.
    pub package: String,
    /// The key of the result that it is from; none where it was found in a repository that was taken over.
    pub key: Option<Key>,
    pub files: SharedList<PublishedFile>,
    /// What it was signed of, where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedResult>,
    /// How it is kept.
    #[serde(flatten)]
    pub keeping: Keeping,
}

/// How a build is kept. Where the manifest doesn't say how long builds are, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Keeping {
    /// When it came into the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came: Option<Timestamp>,
    /// Since when it is not the newest build of its package any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Whether metadata leave it out, because a newer build has packages of the same names and versions.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hidden: bool,
    /// The package that requires it, where it stays for that reason alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub required_by: Option<String>,
}

/// A build that has left its repository for its age.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Retired {
    /// The package's name in the manifest.
    pub package: String,
    /// The key of the result that it is from.
    pub key: Key,
    /// When it had come into the repository.
    pub came: Timestamp,
}

/// What a package was signed of, and by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignedResult {
    /// The digest of the result, unsigned.
    pub of: Digest,
    /// The fingerprints of the keys.
    pub by: Vec<String>,
}

/// Who has signed metadata.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SignedMetadata {
    /// The fingerprints of the keys.
    pub by: Vec<String>,
    /// The signature, the public keys and the file that tells clients of the repository.
    pub files: Vec<PublishedFile>,
}

/// A file in a repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PublishedFile {
    /// Relative to the repository.
    pub path: String,
    /// In bytes.
    pub size: u64,
    pub sha256: String,
    pub blake3: Digest,
    /// What package it is; none for metadata.
    pub nevra: Option<String>,
    /// When it was left as it should be. None where it is not there: it is still to come, or it was lost and the store has
    /// it no more. Metadata name only what has times.
    pub times: Option<FileTimes>,
}

/// What a file system says of a file that nobody has written to since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileTimes {
    /// When its content changed: nanoseconds since 1970.
    pub modified: i64,
    /// When anything of it changed, which no program can set.
    pub changed: i64,
}

/// What a publish brings in. Where it was killed, its `repomd.xml` says whether it took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Incoming {
    /// All packages that will be published.
    pub packages: SharedList<PublishedPackage>,
    pub metadata: Vec<PublishedFile>,
    pub repomd: Option<PublishedFile>,
    /// Who has signed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedMetadata>,
    /// The revision of that `repomd.xml`.
    #[serde(default)]
    pub revision: u64,
}

/// A file that is to go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Superseded {
    pub file: PublishedFile,
    /// Since when nothing names it.
    pub since: Timestamp,
    /// Whether its build has been kept for as long as it should be.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_spent: bool,
}

/// Whether a flag need not be written.
fn is_false(flag: &bool) -> bool {
    !flag
}

impl PublishedPackage {
    /// Whether it is the copy of the result with that digest that the keys with those fingerprints have signed.
    pub fn is_signed_copy(&self, result: &Digest, by: &[String]) -> bool {
        self.signed.as_ref().is_some_and(|signed| signed.of == *result && signed.by == by)
    }

    /// Whether the keys with those fingerprints have signed it; always where there are none.
    pub fn is_signed_by(&self, by: &[String]) -> bool {
        by.is_empty() || self.signed.as_ref().is_some_and(|signed| signed.by == by)
    }

    /// The digest of the result that it is, or is the signed copy of.
    pub fn result(&self) -> Digest {
        match &self.signed {
            Some(signed) => signed.of,
            None => result_digest(self.files.iter().map(|file| (file.name(), &file.blake3))),
        }
    }

    /// Its version, `[epoch:]version-release`: that of its source package, where it has one.
    pub fn version(&self) -> Option<String> {
        let names = || self.files.iter().filter_map(|file| file.nevra.as_deref());
        let source = names().find(|nevra| nevra.ends_with(".src") || nevra.ends_with(".nosrc"));
        version_of_nevra(source.or_else(|| names().next())?)
    }

    /// What to call the build: the package and its version.
    pub fn title(&self) -> String {
        match self.version() {
            Some(version) => format!("{} {version}", self.package),
            None => self.package.clone(),
        }
    }

    /// Whether it is the newest build of its package.
    pub fn is_newest(&self) -> bool {
        self.keeping.since.is_none()
    }

    /// Whether it consists of the same files as another, wherever in their sections they lie.
    pub fn has_same_files(&self, other: &Self) -> bool {
        self.files.is_same_list(&other.files)
            || self
                .files
                .iter()
                .map(PublishedFile::identity)
                .eq(other.files.iter().map(PublishedFile::identity))
    }
}

impl PublishedFile {
    /// The store's name of its content.
    pub fn blob(&self) -> Blob {
        Blob { digest: self.blake3, size: self.size }
    }

    /// Its name in its folder.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }

    /// The part of the repository that it is in.
    pub fn section(&self) -> Section {
        Section::of_path(&self.path).0
    }

    /// What it is, wherever in its section it lies.
    fn identity(&self) -> (Section, &str, Digest) {
        (self.section(), self.name(), self.blake3)
    }

    /// Whether it is one of a package, at a path of such files.
    fn is_of_package(&self) -> bool {
        self.nevra.is_some() && is_sha256(&self.sha256) && is_package_path(&self.path)
    }

    /// Whether it is one that `repomd.xml` names, at a path of such files.
    fn is_of_metadata(&self) -> bool {
        self.nevra.is_none() && is_sha256(&self.sha256) && is_metadata_path(&self.path)
    }

    /// Whether it is one that stands beside signed metadata.
    fn is_of_signing(&self) -> bool {
        self.nevra.is_none() && is_sha256(&self.sha256) && is_signing_path(&self.path)
    }

    fn is_repomd(&self) -> bool {
        self.nevra.is_none() && is_sha256(&self.sha256) && self.path == REPOMD
    }

    /// What metadata say of where it is.
    fn location(&self) -> (&str, &str, u64) {
        (&self.path, &self.sha256, self.size)
    }
}

impl PublishedPackage {
    /// Whether all its files are at paths of its own.
    fn is_credible(&self) -> bool {
        // A path of a plain layout says no package.
        let is_own =
            |file: &PublishedFile| package_of_path(&file.path).is_none_or(|package| package == self.package);
        is_plain_name(&self.package) && self.files.iter().all(|file| file.is_of_package() && is_own(file))
    }
}

impl SignedMetadata {
    fn is_credible(&self) -> bool {
        self.files.iter().all(PublishedFile::is_of_signing)
    }
}

impl Incoming {
    fn is_credible(&self) -> bool {
        are_credible(&self.packages, &self.metadata)
            && self.repomd.iter().all(PublishedFile::is_repomd)
            && self.signed.iter().all(SignedMetadata::is_credible)
    }
}

impl RepositoryRecord {
    /// Whether it names nothing but what forge publishes.
    pub fn is_credible(&self) -> bool {
        let is_ours = |Superseded { file, .. }: &Superseded| file.is_of_package() || file.is_of_metadata();
        are_credible(&self.packages, &self.metadata)
            && self.repomd.iter().all(PublishedFile::is_repomd)
            && self.signed.iter().all(SignedMetadata::is_credible)
            && self.incoming.iter().all(Incoming::is_credible)
            && self.superseded.iter().all(is_ours)
    }

    /// The record of a repository that holds nothing.
    pub fn empty(owner: Owner, chroot: &str) -> Self {
        let chroot = chroot.to_owned();
        let (packages, retired) = (SharedList::default(), Vec::new());
        let (metadata, superseded) = (Vec::new(), Vec::new());
        let (repomd, signed, revision, incoming) = (None, None, 0, None);
        Self {
            owner,
            chroot,
            links: false,
            packages,
            retired,
            metadata,
            repomd,
            signed,
            revision,
            incoming,
            superseded,
        }
    }

    /// The newest build of each package.
    pub fn newest(&self) -> impl Iterator<Item = &PublishedPackage> {
        self.packages.iter().filter(|package| package.is_newest())
    }

    /// The form that it is written in where it is written as one.
    pub fn version(&self) -> u64 {
        let incoming = self.incoming.iter().flat_map(|incoming| &incoming.packages);
        let has_older = !self.packages.iter().chain(incoming).all(PublishedPackage::is_newest);
        match has_older || !self.retired.is_empty() {
            _ if self.files().any(|file| is_in_plain_layout(&file.path)) => VERSION_WITH_PLAIN_PATHS,
            true => VERSION_WITH_BUILDS,
            false => VERSION,
        }
    }

    /// Every file on record but `repomd.xml`.
    pub fn files(&self) -> impl Iterator<Item = &PublishedFile> {
        let incoming = self.incoming.iter();
        let incoming = incoming.flat_map(|incoming| files(&incoming.packages).chain(&incoming.metadata));
        let superseded = self.superseded.iter().map(|superseded| &superseded.file);
        files(&self.packages).chain(&self.metadata).chain(incoming).chain(superseded)
    }

    /// The files that stand beside signed metadata.
    pub fn signing_files(&self) -> impl Iterator<Item = &PublishedFile> {
        let incoming = self.incoming.iter().flat_map(|incoming| &incoming.signed);
        self.signed.iter().chain(incoming).flat_map(|signed| &signed.files)
    }
}

/// Whether packages and metadata that are published together are at paths of their own, each at another.
fn are_credible(packages: &[PublishedPackage], metadata: &[PublishedFile]) -> bool {
    let are_different = || {
        let (mut names, mut paths) = (HashSet::with_capacity(packages.len()), HashSet::new());
        let mut newest = packages.iter().filter(|package| package.is_newest());
        let mut all = files(packages).chain(metadata);
        newest.all(|package| names.insert(package.package.as_str()))
            && all.all(|file| paths.insert(file.path.as_str()))
    };
    let are_at_own_paths = || packages.par_iter().with_min_len(64).all(PublishedPackage::is_credible);
    metadata.iter().all(PublishedFile::is_of_metadata)
        && rayon::join(are_different, are_at_own_paths) == (true, true)
}

/// All files of some packages.
pub(super) fn files(packages: &[PublishedPackage]) -> impl Iterator<Item = &PublishedFile> {
    packages.iter().flat_map(|package| &package.files)
}

/// Of two lists of packages what is between that with which both begin and that with which both end: most updates change one package of
/// thousands.
pub(super) fn changed_parts<'a>(
    one: &'a [PublishedPackage],
    other: &'a [PublishedPackage],
) -> (&'a [PublishedPackage], &'a [PublishedPackage]) {
    let (begin, end) = count_common_ends(one, other);
    (&one[begin..one.len() - end], &other[begin..other.len() - end])
}

/// The files of some packages that metadata name: those that are there.
pub(super) fn listed_files(packages: &[PublishedPackage]) -> impl Iterator<Item = &PublishedFile> {
    let shown = packages.iter().filter(|package| !package.keeping.hidden);
    shown.flat_map(|package| &package.files).filter(|file| file.times.is_some())
}

/// Puts times in the place of those that files have. What has them already stays shared with its copies.
pub(super) fn set_times(files: &mut SharedList<PublishedFile>, times: &[Option<FileTimes>]) {
    if files.iter().map(|file| &file.times).ne(times) {
        for (file, times) in files.make_mut().iter_mut().zip(times) {
            file.times = *times;
        }
    }
}

/// Whether metadata of both would be the same.
pub(super) fn have_same_listing(one: &[PublishedPackage], other: &[PublishedPackage]) -> bool {
    let one = listed_files(one).map(PublishedFile::location);
    one.eq(listed_files(other).map(PublishedFile::location))
}
