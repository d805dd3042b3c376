//! A package that a repository has, as its metadata say.

use serde::{Deserialize, Serialize};

use super::Checksum;
use crate::package::{Dependency, Evr};

/// A package that a repository has: what solving and fetching it takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AvailablePackage {
    /// `%{name}`.
    pub name: String,
    /// `[epoch:]version-release`.
    pub evr: Evr,
    /// The architecture; `src` for a source package.
    pub arch: String,
    /// What it needs and gives.
    pub relations: Relations,
    /// The files and folders that the metadata name: all of them, or those of `primary` alone.
    pub files: Vec<String>,
    /// Where the file is, relative to the repository.
    pub href: String,
    /// The checksum of the file.
    pub checksum: Checksum,
    /// The size of the file, in bytes.
    pub size: u64,
    /// What its files take when they are unpacked, in bytes.
    pub installed_size: u64,
    /// When it was built, in seconds since 1970.
    pub build_time: u64,
    /// `%{vendor}`.
    pub vendor: String,
    /// The source package that it was built from.
    pub source_package: String,
}

/// The dependencies of a package, by kind (rpm-dependencies(7)).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Relations {
    /// What it gives.
    pub provides: Vec<Dependency>,
    /// What it needs.
    pub requires: Vec<Requirement>,
    /// What must not be there with it.
    pub conflicts: Vec<Dependency>,
    /// What it takes the place of.
    pub obsoletes: Vec<Dependency>,
    /// What it should have.
    pub recommends: Vec<Dependency>,
    /// What it may have.
    pub suggests: Vec<Dependency>,
    /// What it should be installed with.
    pub supplements: Vec<Dependency>,
    /// What it may be installed with.
    pub enhances: Vec<Dependency>,
}

/// Something that a package needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// What.
    pub dependency: Dependency,
    /// Whether a scriptlet needs it before the package is there.
    pub before: bool,
}

/// A package of a root, exactly: what a lock holds of it, and what fetching it takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LockedPackage {
    /// `%{name}`.
    pub name: String,
    /// `[epoch:]version-release`.
    pub evr: String,
    /// The architecture.
    pub arch: String,
    /// The name of the repository that it comes from.
    pub repository: String,
    /// Where the file is, relative to the repository.
    pub href: String,
    /// The checksum of the file.
    pub checksum: Checksum,
    /// The size of the file, in bytes.
    pub size: u64,
}

impl LockedPackage {
    /// `name-[epoch:]version-release.arch`.
    pub fn nevra(&self) -> String {
        format!("{}-{}.{}", self.name, self.evr, self.arch)
    }
}
