//! Which builds provide what in one chroot, as far as their specs tell.

use std::collections::{BTreeSet, HashMap};

use super::{Build, BuildId, Fate, Plan};
use crate::manifest::ChrootId;
use crate::package::Dependency;
use crate::spec::rich_capabilities;

impl Plan {
    /// Whether a plan that knew that a build needs these would be another one: a build of this manifest has to come
    /// first, or has them in another version.
    pub fn would_change(&self, id: BuildId, generated: &[Dependency]) -> bool {
        let chroot = self.build(id).chroot;
        let others = self.builds.iter().filter(|build| build.chroot == chroot);
        let providers = Providers::from_builds(others.map(|build| (BuildId(0), build)));
        generated.iter().any(|dependency| providers.mentions(dependency))
    }
}

/// Which builds provide what in one chroot.
#[derive(Default)]
pub(super) struct Providers<'a> {
    by_name: HashMap<&'a str, Vec<(BuildId, &'a Dependency)>>,
    by_file: HashMap<&'a str, Vec<BuildId>>,
    /// By a path of `%files`, which may be a folder with all that is in it.
    by_tree: HashMap<&'a str, Vec<BuildId>>,
}

impl<'a> Providers<'a> {
    /// The providers of each chroot.
    pub fn group_by_chroot(builds: &'a [Build]) -> HashMap<ChrootId, Self> {
        let mut providers: HashMap<ChrootId, Self> = HashMap::new();
        for (index, build) in builds.iter().enumerate() {
            providers.entry(build.chroot).or_default().add(BuildId(index), build);
        }
        providers
    }

    /// The providers of some builds of one chroot.
    pub fn from_builds(builds: impl Iterator<Item = (BuildId, &'a Build)>) -> Self {
        let mut providers = Self::default();
        builds.for_each(|(id, build)| providers.add(id, build));
        providers
    }

    /// Whether one of the builds has what is named, in whichever version.
    pub fn mentions(&self, dependency: &Dependency) -> bool {
        if dependency.is_rich() {
            return rich_capabilities(&dependency.name).iter().any(|part| self.mentions(part));
        }
        !self.provided(&dependency.name).is_empty() || !self.find_file(&dependency.name).is_empty()
    }

    fn add(&mut self, id: BuildId, build: &'a Build) {
        let Fate::Buildable(inputs) = &build.fate else {
            return;
        };
        for package in &inputs.facts.subpackages {
            for provide in &package.provides {
                self.by_name.entry(&provide.name).or_default().push((id, provide));
            }
            for file in package.files.iter().chain(&package.folders) {
                self.by_file.entry(file).or_default().push(id);
            }
            for file in &package.files {
                self.by_tree.entry(file.trim_end_matches('/')).or_default().push(id);
            }
        }
    }

    /// The builds whose packages meet `dependency`; for a rich one, those that meet any part of it.
    pub fn find_providers(&self, dependency: &Dependency) -> BTreeSet<BuildId> {
        if dependency.is_rich() {
            return rich_capabilities(&dependency.name)
                .iter()
                .flat_map(|part| self.find_providers(part))
                .collect();
        }
        let named = self.provided(&dependency.name).iter();
        let named = named.filter(|(_, provide)| dependency.is_met_by(provide)).map(|(id, _)| *id);
        named.chain(self.find_file(&dependency.name).iter().copied()).collect()
    }

    /// What is provided under a name, and by whom.
    pub fn provided(&self, name: &str) -> &[(BuildId, &'a Dependency)] {
        self.by_name.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The builds that list a file, or else the folder that it lies in: the innermost one that is listed.
    fn find_file(&self, path: &str) -> &[BuildId] {
        if !path.starts_with('/') {
            return &[];
        }
        if let Some(exactly) = self.by_file.get(path) {
            return exactly;
        }
        let mut above = path;
        while let Some((folder, _)) = above.rsplit_once('/').filter(|(folder, _)| !folder.is_empty()) {
            if let Some(listed) = self.by_tree.get(folder) {
                return listed;
            }
            above = folder;
        }
        &[]
    }
}
