//! Which packages are in the root of a build: as they were chosen, or as they are given because an earlier build had them.

use serde::{Deserialize, Serialize};

use super::repositories::OWN;
use crate::chroot::solve::Solution;
use crate::chroot::{AvailablePackage, LockedPackage};

/// The packages of the root of a build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChosenSet {
    /// Those of the minimal root.
    pub minimal: Vec<LockedPackage>,
    /// Those beside it.
    pub added: Vec<LockedPackage>,
    /// Those that this manifest has built.
    pub own: Vec<AvailablePackage>,
    /// Whether packages of the minimal root are not among them.
    pub replaces: bool,
}

impl ChosenSet {
    /// All but those that this manifest has built.
    pub fn packages(&self) -> Vec<LockedPackage> {
        self.minimal.iter().chain(&self.added).cloned().collect()
    }

    pub(super) fn of_solution(minimal: &[LockedPackage], solution: &Solution) -> Self {
        let packages = solution.locked().into_iter().filter(|package| package.repository != OWN);
        let (minimal, added): (Vec<_>, Vec<_>) = packages.partition(|package| minimal.contains(package));
        Self { minimal, added, own: Vec::new(), replaces: !solution.replaced.is_empty() }
    }
}

/// The packages of a root that was there before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GivenRoot {
    /// The minimal root that the spec was read in.
    pub minimal: Vec<LockedPackage>,
    /// Packages of it that the build's root did not have: others had taken their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub without: Vec<LockedPackage>,
    /// What the build had beside it.
    pub added: Vec<LockedPackage>,
    /// The packages in it that the manifest had built, by NEVRA.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own: Vec<String>,
}

impl GivenRoot {
    /// That of a build: what was chosen for it, beside the minimal root of the chroot.
    pub fn new(minimal: Vec<LockedPackage>, chosen: &ChosenSet) -> Self {
        let is_gone = |package: &&LockedPackage| !chosen.minimal.contains(package);
        let without =
            if chosen.replaces { minimal.iter().filter(is_gone).cloned().collect() } else { Vec::new() };
        Self { minimal, without, added: chosen.added.clone(), own: chosen.own.iter().map(nevra).collect() }
    }

    /// The same as if it had been chosen, with those of `own` that were in it.
    pub(super) fn chosen(&self, own: &[AvailablePackage]) -> ChosenSet {
        let stays = |package: &&LockedPackage| !self.without.contains(package);
        ChosenSet {
            minimal: self.minimal.iter().filter(stays).cloned().collect(),
            added: self.added.clone(),
            own: own.iter().filter(|package| self.own.contains(&nevra(package))).cloned().collect(),
            replaces: !self.without.is_empty(),
        }
    }
}

fn nevra(package: &AvailablePackage) -> String {
    format!("{}-{}.{}", package.name, package.evr, package.arch)
}
