//! What is asked of a repository.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::RepositoryError;
use super::filter::PackageFilter;
use super::variables::substitute;
use crate::digest::Checksum;
use crate::event::Timestamp;
use crate::fetch::{Client, Progress, without_login};
use crate::files::HostPath;
use crate::process::Cancel;
use crate::store::Store;

/// A repository to use.
#[derive(Clone, Debug)]
pub struct RepositoryRequest {
    /// What it is called: in the lock, and in messages.
    pub name: String,
    /// Where it is.
    pub source: RepositorySource,
    /// The values of `$basearch`, `$releasever`, `$arch` and of others that addresses name.
    pub variables: BTreeMap<String, String>,
    /// Of packages of one name, those of the repository with the smallest number count alone; dnf's default is 99.
    pub priority: u32,
    /// Of packages that are the same, those of the cheapest repository are taken; dnf's default is 1000.
    pub cost: u32,
    /// Patterns of packages that don't count.
    pub exclude: Vec<String>,
    /// Patterns of packages that alone count, where there are any.
    pub include: Vec<String>,
    /// The keys that sign it.
    pub keys: Vec<DeclaredKey>,
    /// Whether `repomd.xml` must be signed.
    pub metadata_signature: SignatureRule,
    /// Whether packages must be signed.
    pub package_signatures: SignatureRule,
    /// What happens where its metadata are older than those seen before.
    pub older_metadata: OlderMetadata,
    /// What the lock says of it.
    pub locked: Option<RepositoryState>,
}

/// Where a repository is. Shown, it has no login.
#[derive(Clone, PartialEq, Eq)]
pub enum RepositorySource {
    /// One of these URLs, which have the same.
    BaseUrls(Vec<String>),
    /// At the URLs that a file lists which this URL leads to.
    MirrorList(String),
    /// At the mirrors that a metalink names which this URL leads to.
    Metalink(String),
    /// In a folder of this machine, with or without metadata.
    Folder(HostPath),
}

/// A key that is trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredKey {
    /// Where it is.
    pub place: KeyPlace,
    /// The fingerprints of the keys there that count; all of a file's where none is given.
    pub fingerprints: Vec<String>,
}

/// Where a key is. Shown, it has no login.
#[derive(Clone, PartialEq, Eq)]
pub enum KeyPlace {
    /// In a file of this machine.
    File(HostPath),
    /// At a URL; then it has a fingerprint.
    Url(String),
}

impl fmt::Debug for RepositorySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BaseUrls(urls) => {
                f.debug_list().entries(urls.iter().map(|url| without_login(url))).finish()
            }
            Self::MirrorList(url) | Self::Metalink(url) => f.write_str(&without_login(url)),
            Self::Folder(path) => fmt::Debug::fmt(path, f),
        }
    }
}

impl fmt::Debug for KeyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => fmt::Debug::fmt(path, f),
            Self::Url(url) => f.write_str(&without_login(url)),
        }
    }
}

/// Whether something must be signed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureRule {
    /// By one of the declared keys.
    Required,
    /// It is not asked.
    #[default]
    NotAsked,
}

/// What happens where metadata are older than those that were seen before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OlderMetadata {
    /// They are refused.
    #[default]
    Refused,
    /// They are taken.
    Allowed,
}

/// The state of a repository, as a lock holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepositoryState {
    /// Where it is, as declared, with the values of variables and without a login.
    pub url: String,
    /// The checksum of `repomd.xml`; of a folder without metadata, that of what it holds.
    pub checksum: Checksum,
    /// The revision that it says.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub revision: String,
    /// The newest time that it says, in seconds since 1970.
    pub time: u64,
}

/// What using repositories needs.
#[derive(Clone, Copy)]
pub struct RepositoryAccess<'a> {
    /// Where metadata and packages are kept.
    pub store: &'a Store,
    /// What fetches them.
    pub client: &'a Client,
    /// Whether it may.
    pub connection: Connection,
    /// The moment that it is now.
    pub now: Timestamp,
    /// The moment that keys must be good at: now, or, for packages of a lock, when it was written.
    pub keys_at: Timestamp,
    /// Calls it off.
    pub cancel: &'a Cancel,
    /// Is told how far downloads are.
    pub progress: &'a (dyn Fn(Progress) + Sync),
}

/// Whether anything may be fetched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Connection {
    /// It may.
    #[default]
    Online,
    /// Only what is in the store is used, and what is on this machine.
    Offline,
}

impl RepositoryState {
    /// Whether it is from before `other`.
    pub(super) fn is_older_than(&self, other: &Self) -> bool {
        let number = |state: &Self| state.revision.trim().parse::<u64>().ok();
        match (number(self), number(other)) {
            _ if self.checksum == other.checksum => false,
            (Some(own), Some(others)) if own != others => own < others,
            _ => self.time < other.time,
        }
    }

    /// As people are told of it.
    pub(super) fn shown(&self) -> String {
        match self.time {
            0 => format!("revision {}", self.revision),
            time => Timestamp(time.saturating_mul(1000)).to_string(),
        }
    }
}

impl RepositoryRequest {
    /// Which of its packages count.
    ///
    /// # Errors
    /// [`RepositoryError::Pattern`]
    pub fn filter(&self) -> Result<PackageFilter, RepositoryError> {
        PackageFilter::new(&self.name, &self.exclude, &self.include)
    }

    /// A text with the values of its variables.
    pub(super) fn substitute(&self, text: &str) -> Result<String, RepositoryError> {
        substitute(text, &self.variables).map_err(|variable| RepositoryError::Variable {
            repository: self.name.clone(),
            text: without_login(text),
            variable,
        })
    }
}
