//! The order that specs state: who provides what another requires.

use std::collections::{BTreeSet, HashMap};

use super::{Build, BuildId, Fate};
use crate::manifest::ChrootId;
use crate::package::Dependency;
use crate::spec::mentioned;

/// That a build needs another, and for which dependency.
pub(super) struct Need {
    /// The build that needs.
    pub build: BuildId,
    /// The one that it needs.
    pub on: BuildId,
    /// The dependency.
    pub dependency: Dependency,
}

/// Who provides what in one chroot.
#[derive(Default)]
struct Providers<'a> {
    by_name: HashMap<&'a str, Vec<(BuildId, &'a Dependency)>>,
    by_file: HashMap<&'a str, Vec<BuildId>>,
}

impl<'a> Providers<'a> {
    fn add(&mut self, id: BuildId, build: &'a Build) {
        let Fate::Buildable(inputs) = &build.fate else {
            return;
        };
        for package in &inputs.facts.subpackages {
            for provide in &package.provides {
                self.by_name.entry(&provide.name).or_default().push((id, provide));
            }
            for file in &package.files {
                self.by_file.entry(file).or_default().push(id);
            }
        }
    }

    /// The builds whose packages meet `dependency`; for a rich one, those that meet any part of it.
    fn of(&self, dependency: &Dependency) -> BTreeSet<BuildId> {
        if dependency.is_rich() {
            return mentioned(&dependency.name).iter().flat_map(|part| self.of(part)).collect();
        }
        let named = self.by_name.get(dependency.name.as_str()).into_iter().flatten();
        let named = named.filter(|(_, provide)| dependency.is_met_by(provide)).map(|(id, _)| *id);
        named.chain(self.by_file.get(dependency.name.as_str()).into_iter().flatten().copied()).collect()
    }
}

/// What every build needs of the others: the providers of its `BuildRequires`, and of what their packages require in
/// turn, for a package can't be installed without those.
pub(super) fn needs(builds: &[Build]) -> Vec<Need> {
    let mut providers: HashMap<ChrootId, Providers<'_>> = HashMap::new();
    for (index, build) in builds.iter().enumerate() {
        providers.entry(build.chroot).or_default().add(BuildId(index), build);
    }
    let runtime = runtime_needs(builds, &providers);
    let mut needs = Vec::new();
    for (index, build) in builds.iter().enumerate() {
        let id = BuildId(index);
        let (Fate::Buildable(inputs), Some(providers)) = (&build.fate, providers.get(&build.chroot)) else {
            continue;
        };
        let mut known: BTreeSet<BuildId> = BTreeSet::from([id]);
        for dependency in &inputs.facts.build_requires {
            for on in providers.of(dependency) {
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
            .flat_map(|dependency| providers.of(dependency).into_iter().map(move |on| (on, dependency)))
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
