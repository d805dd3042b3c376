//! What is asked of the solver.

use std::collections::BTreeMap;

use super::architecture::Architecture;
use super::index::PackageIndex;
use crate::chroot::LockedPackage;
use crate::package::{Comparison, Dependency};

/// A repository to choose from.
#[derive(Clone, Debug)]
pub struct SolveRepository<'i> {
    /// Its name, as the manifest says it.
    pub name: String,
    /// What it has.
    pub index: &'i PackageIndex,
    /// Packages of a repository with a lower number are taken before others, whatever their versions. dnf's default is 99.
    pub priority: i32,
    /// Among packages of the same version, those of the repository with the lower number are taken. dnf's default is 1000.
    pub cost: i32,
    /// Patterns of packages that are not taken from it: `name`, `name.arch`, `name-version`, `name-version-release.arch`.
    pub exclude: Vec<String>,
    /// Patterns of the only packages that are taken from it; all, where there is none.
    pub include: Vec<String>,
}

impl<'i> SolveRepository<'i> {
    /// A repository as any other.
    pub fn new(name: impl Into<String>, index: &'i PackageIndex) -> Self {
        Self { name: name.into(), index, priority: 99, cost: 1000, exclude: Vec::new(), include: Vec::new() }
    }
}

/// A root that is asked for.
#[derive(Clone, Debug)]
pub struct SolveRequest {
    /// Its architecture.
    pub architecture: Architecture,
    /// What must be there.
    pub wanted: Vec<Requested>,
    /// What must not be there (`BuildConflicts`).
    pub unwanted: Vec<Requested>,
    /// Packages of the root that this one begins with: they stay as they are, unless what is wanted can't be had beside
    /// them.
    pub base: Vec<LockedPackage>,
    /// Packages that are taken before others of their name, if any is taken.
    pub locked: Vec<LockedPackage>,
    /// What groups have, by their names without `@`.
    pub groups: BTreeMap<String, Vec<String>>,
    /// Whether what packages recommend is taken as well.
    pub weak: WeakDependencies,
    /// Whether older packages are taken where the newest can't be installed.
    pub candidates: Candidates,
}

impl SolveRequest {
    /// A request for nothing.
    pub fn new(architecture: Architecture) -> Self {
        Self {
            architecture,
            wanted: Vec::new(),
            unwanted: Vec::new(),
            base: Vec::new(),
            locked: Vec::new(),
            groups: BTreeMap::new(),
            weak: WeakDependencies::Left,
            candidates: Candidates::Best,
        }
    }
}

/// Something that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Requested {
    /// What.
    pub what: Wanted,
    /// Who asks, as people call it: ``"`curl.spec`, `BuildRequires`"``.
    pub by: String,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wanted {
    /// What a person writes after `dnf install`: a package by its name, with version or architecture; a pattern; a group
    /// with `@`; a file; something that packages provide.
    Specification(String),
    /// A dependency, as specs have them.
    Dependency(Dependency),
}

/// Whether what packages recommend, or what supplements them, is taken as well.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WeakDependencies {
    /// It is left.
    #[default]
    Left,
    /// It is taken.
    Taken,
}

/// Which packages come into question for what is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Candidates {
    /// The best alone (`best=1` of dnf): where it can't be installed, that is an error.
    #[default]
    Best,
    /// All that there are, the best first.
    All,
}

impl Wanted {
    /// As it was written.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Specification(text) => text.clone(),
            Self::Dependency(dependency) => dependency.to_string(),
        }
    }

    /// `name >= version`, or a name alone.
    pub(super) fn read_specification(text: &str) -> Dependency {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            [name, operator, version] if !name.starts_with('(') => {
                let comparison = Comparison::read(operator.as_bytes());
                let version = comparison.map(|comparison| (comparison, (*version).to_owned()));
                let name = if version.is_some() { (*name).to_owned() } else { text.to_owned() };
                Dependency { name, version }
            }
            _ => Dependency::any(text),
        }
    }
}
