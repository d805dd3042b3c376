//! A request as jobs of the solver.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::catalogue::{Catalogue, is_obsoleted};
use super::pattern::{PackagePattern, PatternForm};
use super::pool_ids::PackageId;
use super::pool_job::{Action, PoolJob, Select};
use super::request::{Candidates, Requested, SolveRequest, Wanted};
use crate::chroot::LockedPackage;
use crate::package::Dependency;

/// The jobs of a request, and which of its parts each stands for.
#[derive(Default)]
pub(super) struct Jobs {
    pub jobs: Vec<PoolJob>,
    pub origins: Vec<JobOrigin>,
    /// What the answer's reader should know.
    pub notes: Vec<String>,
}

/// Which part of a request a job stands for.
#[derive(Clone, Debug)]
pub(super) enum JobOrigin {
    /// It is wanted.
    Wanted(Requested),
    /// It is not wanted.
    Unwanted(Requested),
    /// It is there already.
    Base,
    /// It is preferred, or an exception from a rule.
    Policy,
}

impl Jobs {
    fn push(&mut self, action: Action, select: Select, origin: JobOrigin) {
        self.jobs.push(PoolJob { action, select });
        self.origins.push(origin);
    }
}

/// The jobs of a request.
pub(super) fn make_jobs(catalogue: &mut Catalogue<'_>, request: &SolveRequest) -> Jobs {
    JobMaker { catalogue }.jobs(request)
}

/// The packages that are these, by their names and checksums.
pub(super) fn find_locked(catalogue: &Catalogue<'_>, packages: &[LockedPackage]) -> Vec<Option<PackageId>> {
    if packages.is_empty() {
        return Vec::new();
    }
    let names: HashSet<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    let mut known: HashMap<(String, String), Vec<(PackageId, &str)>> = HashMap::new();
    for (id, package) in catalogue.packages() {
        if names.contains(package.name()) {
            let checksum = package.index.texts.get(package.package.checksum).to_owned();
            let place = known.entry((package.nevra(), checksum)).or_default();
            place.push((id, package.repository.name.as_str()));
        }
    }
    let find = |package: &LockedPackage| {
        let found = known.get(&(package.nevra(), package.checksum.to_string()))?;
        let same = found.iter().find(|(_, repository)| *repository == package.repository);
        same.or(found.first()).map(|(id, _)| *id)
    };
    packages.iter().map(find).collect()
}

/// Packages of which several versions can be there at once (dnf's `installonlypkgs`).
const SEVERAL: [&str; 6] = [
    "kernel",
    "kernel-PAE",
    "installonlypkg(kernel)",
    "installonlypkg(kernel-module)",
    "installonlypkg(vm)",
    "multiversion(kernel)",
];

struct JobMaker<'c, 'i> {
    catalogue: &'c mut Catalogue<'i>,
}

impl JobMaker<'_, '_> {
    fn jobs(&mut self, request: &SolveRequest) -> Jobs {
        let mut jobs = Jobs::default();
        for package in find_locked(self.catalogue, &request.base).into_iter().flatten() {
            jobs.push(Action::InstallIfPossible, Select::Package(package), JobOrigin::Base);
        }
        let install = match request.candidates {
            Candidates::Best => Action::InstallBest,
            Candidates::All => Action::Install,
        };
        for requested in self.expand_groups(request, &mut jobs.notes) {
            for select in self.select(&requested.what) {
                jobs.push(install, select, JobOrigin::Wanted(requested.clone()));
            }
        }
        for requested in &request.unwanted {
            for select in self.select(&requested.what) {
                jobs.push(Action::Forbid, select, JobOrigin::Unwanted(requested.clone()));
            }
        }
        for name in SEVERAL {
            let several = self.meeting(&Dependency::any(name));
            jobs.push(Action::AllowSeveral, several, JobOrigin::Policy);
        }
        // One job for all: packages of several such jobs would stand in the order of the jobs.
        let locked: Vec<PackageId> =
            find_locked(self.catalogue, &request.locked).into_iter().flatten().collect();
        if !locked.is_empty() {
            jobs.push(Action::Prefer, Select::OneOf(locked), JobOrigin::Policy);
        }
        jobs
    }

    /// What is wanted, with the packages of groups in their places. A group may name packages that no repository has, as
    /// dnf takes it.
    fn expand_groups(&mut self, request: &SolveRequest, notes: &mut Vec<String>) -> Vec<Requested> {
        let mut all = Vec::new();
        for requested in &request.wanted {
            let group = match &requested.what {
                Wanted::Specification(text) => text.strip_prefix('@'),
                Wanted::Dependency(_) => None,
            };
            let Some((group, members)) = group.and_then(|group| request.groups.get_key_value(group)) else {
                all.push(requested.clone());
                continue;
            };
            let (there, missing): (Vec<&String>, Vec<&String>) =
                members.iter().partition(|name| !self.named(name).is_empty());
            if !missing.is_empty() {
                let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
                notes
                    .push(format!("the group `{group}` names {}, which no repository has", names.join(", ")));
            }
            all.extend(there.into_iter().map(|name| Requested {
                what: Wanted::Specification(name.clone()),
                by: format!("{}, group `{group}`", requested.by),
            }));
        }
        all
    }

    /// What a wanted thing means: a selection for each package that has to be there.
    fn select(&mut self, wanted: &Wanted) -> Vec<Select> {
        match wanted {
            Wanted::Dependency(dependency) => vec![self.meeting(dependency)],
            Wanted::Specification(text) => self.specified(text),
        }
    }

    fn meeting(&mut self, dependency: &Dependency) -> Select {
        // What is too large to be worked with is met by nothing.
        self.catalogue.dependency(dependency).map_or_else(|| Select::OneOf(Vec::new()), Select::Meeting)
    }

    /// As dnf understands it: a package by its name, version and architecture; what packages provide; a file.
    fn specified(&mut self, text: &str) -> Vec<Select> {
        let named = self.named(text);
        if !named.is_empty() {
            return vec![Select::OneOf(self.with_obsoleters(named))];
        }
        match PackagePattern::new(text).choose(|form| !self.matching(form).is_empty()) {
            Some(form) => self.of_form(&form),
            None => vec![self.meeting(&Wanted::read_specification(text))],
        }
    }

    /// One package of each name that is meant, and of each architecture where that is said; what takes the place of one does
    /// as well, unless a version is asked for.
    fn of_form(&self, form: &PatternForm) -> Vec<Select> {
        let selections =
            self.matching(form).into_values().map(|packages| match form.is_name_alone() || form.has_arch() {
                true => self.with_obsoleters(packages),
                false => packages,
            });
        selections.map(Select::OneOf).collect()
    }

    /// The packages of a name.
    fn named(&mut self, name: &str) -> Vec<PackageId> {
        let name_id = self.catalogue.pool.string(name);
        let mut named = self.catalogue.pool.providers(name_id.into());
        let catalogue = &self.catalogue;
        named.retain(|id| {
            catalogue.is_installable(*id)
                && catalogue.package(*id).is_some_and(|package| package.name() == name)
        });
        named
    }

    /// Packages, and those that say to take the place of one of them.
    fn with_obsoleters(&self, mut packages: Vec<PackageId>) -> Vec<PackageId> {
        let known: Vec<(String, String)> = packages
            .iter()
            .filter_map(|id| self.catalogue.package(*id))
            .map(|package| (package.name().to_owned(), package.evr().to_owned()))
            .collect();
        let takes_place = |id: &PackageId| {
            let obsoleted = self.catalogue.obsoletes(*id);
            obsoleted.iter().any(|what| known.iter().any(|(name, evr)| is_obsoleted(name, evr, *what)))
        };
        let others = self.catalogue.obsoleters.iter().copied();
        packages.extend(others.filter(|id| self.catalogue.is_installable(*id) && takes_place(id)));
        packages.sort_unstable();
        packages.dedup();
        packages
    }

    /// The packages that are meant, by name, and by architecture where that is said.
    fn matching(&self, form: &PatternForm) -> BTreeMap<(&str, &str), Vec<PackageId>> {
        let mut matching: BTreeMap<(&str, &str), Vec<PackageId>> = BTreeMap::new();
        for (id, package) in self.catalogue.packages() {
            if form.matches(package.index, package.package) && self.catalogue.is_installable(id) {
                let arch = if form.has_arch() { package.arch() } else { "" };
                matching.entry((package.name(), arch)).or_default().push(id);
            }
        }
        matching
    }
}
