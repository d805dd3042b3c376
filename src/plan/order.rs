//! The order that specs state: who provides what another requires.

use std::collections::{BTreeSet, HashMap};

use super::providers::Providers;
use super::{Build, BuildId, Fate};
use crate::manifest::ChrootId;
use crate::package::Dependency;

/// That a build needs another, and for which dependency.
pub(super) struct Need {
    /// The build that needs.
    pub build: BuildId,
    /// The one that it needs.
    pub on: BuildId,
    /// The dependency.
    pub dependency: Dependency,
}

/// What every build needs of the others: the providers of its `BuildRequires`, and of what their packages require in
/// turn, for a package can't be installed without those.
pub(super) fn needs(builds: &[Build], providers: &HashMap<ChrootId, Providers<'_>>) -> Vec<Need> {
    let runtime = runtime_needs(builds, providers);
    let mut needs = Vec::new();
    for (index, build) in builds.iter().enumerate() {
        let id = BuildId(index);
        let (Fate::Buildable(inputs), Some(providers)) = (&build.fate, providers.get(&build.chroot)) else {
            continue;
        };
        let mut known: BTreeSet<BuildId> = BTreeSet::from([id]);
        for dependency in inputs.build_requires() {
            for on in providers.find_providers(dependency) {
                if known.insert(on) {
                    needs.push(Need { build: id, on, dependency: dependency.clone() });
                }
            }
        }
        add_runtime(id, &mut known, &runtime, &mut needs);
    }
    needs
}

/// For each build, the builds that its packages require when they are installed.
fn runtime_needs<'a>(
    builds: &'a [Build],
    providers: &HashMap<ChrootId, Providers<'_>>,
) -> Vec<Vec<(BuildId, &'a Dependency)>> {
    let of_build = |build: &'a Build| {
        let (Fate::Buildable(inputs), Some(providers)) = (&build.fate, providers.get(&build.chroot)) else {
            return Vec::new();
        };
        let required = inputs.facts.subpackages.iter().flat_map(|package| &package.requires);
        required
            .flat_map(|dependency| {
                providers.find_providers(dependency).into_iter().map(move |on| (on, dependency))
            })
            .collect()
    };
    builds.iter().map(of_build).collect()
}

fn add_runtime(
    id: BuildId,
    known: &mut BTreeSet<BuildId>,
    runtime: &[Vec<(BuildId, &Dependency)>],
    needs: &mut Vec<Need>,
) {
    let mut open: Vec<BuildId> = known.iter().copied().filter(|on| *on != id).collect();
    while let Some(on) = open.pop() {
        for (further, dependency) in &runtime[on.0] {
            if known.insert(*further) {
                needs.push(Need { build: id, on: *further, dependency: (*dependency).clone() });
                open.push(*further);
            }
        }
    }
}
