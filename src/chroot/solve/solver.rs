//! Requests → answers.

use std::collections::BTreeSet;

use super::architecture::Architecture;
use super::catalogue::Catalogue;
use super::explain::explain_problems;
use super::jobs::{JobOrigin, Jobs, find_locked, make_jobs};
use super::pool_ids::PackageId;
use super::pool_job::{Options, Select};
use super::pool_rule::Outcome;
use super::problem::SolveError;
use super::reach::Reach;
use super::reasons::{AskedFor, find_reasons};
use super::request::{SolveRepository, SolveRequest, Wanted, WeakDependencies};
use super::solution::{Solution, SolvedPackage};
use crate::chroot::LockedPackage;
use crate::spec::rich_capabilities;

/// Chooses packages of some repositories.
pub struct Solver<'i> {
    catalogue: Catalogue<'i>,
}

impl<'i> Solver<'i> {
    /// A solver for roots of an architecture.
    ///
    /// # Errors
    /// There are more packages than can be counted with.
    pub fn new(
        repositories: Vec<SolveRepository<'i>>,
        architecture: Architecture,
    ) -> Result<Self, SolveError> {
        let catalogue = Catalogue::new(repositories, architecture).ok_or(SolveError::TooManyPackages)?;
        Ok(Self { catalogue })
    }

    /// Paths of files that an answer may depend on, and of which the repositories' `primary` doesn't tell who has them:
    /// [search](super::PackageIndex::search_files) the lists of all files for these before solving.
    pub fn unknown_files(&mut self, request: &SolveRequest) -> BTreeSet<String> {
        let jobs = make_jobs(&mut self.catalogue, request);
        let mut reach = Reach::default();
        reach.paths = jobs.origins.iter().flat_map(wanted_paths).collect();
        for job in &jobs.jobs {
            match &job.select {
                Select::Meeting(dependency) => reach.add_dependency(&mut self.catalogue, *dependency),
                Select::Package(package) => reach.add_package(*package),
                Select::OneOf(packages) => packages.iter().for_each(|package| reach.add_package(*package)),
            }
        }
        reach.follow(&mut self.catalogue, request.weak);
        let mut paths = reach.paths;
        paths.retain(|path| self.is_unknown(path));
        paths
    }

    fn is_unknown(&mut self, path: &str) -> bool {
        let id = self.catalogue.pool.string(path);
        self.catalogue.repositories.iter().any(|repository| !repository.index.knows_file(path))
            && self.catalogue.pool.providers(id.into()).is_empty()
    }

    /// Chooses packages.
    ///
    /// # Errors
    /// There is no choice that has all that is wanted.
    pub fn solve(&mut self, request: &SolveRequest) -> Result<Solution, SolveError> {
        let base = self.find_base(request)?;
        let jobs = make_jobs(&mut self.catalogue, request);
        let options = Options { takes_recommended: request.weak == WeakDependencies::Taken };
        match self.catalogue.pool.solve(&jobs.jobs, options) {
            Outcome::Packages(packages) => Ok(self.answer(&packages, &base, jobs, request)),
            Outcome::Problems(problems) => {
                Err(SolveError::Unsolvable(explain_problems(&mut self.catalogue, &jobs, &problems)))
            }
        }
    }

    fn answer(
        &mut self,
        packages: &[PackageId],
        base: &[PackageId],
        jobs: Jobs,
        request: &SolveRequest,
    ) -> Solution {
        let catalogue = &mut self.catalogue;
        let locked = |id: PackageId| {
            let package = catalogue.package(id)?;
            let locked = package.index.locked(package.number, &package.repository.name)?;
            Some((locked, id, package.package.installed_size))
        };
        let mut found: Vec<(LockedPackage, PackageId, u64)> =
            packages.iter().copied().filter_map(locked).collect();
        found.sort();
        let ids: Vec<PackageId> = found.iter().map(|(_, id, _)| *id).collect();
        let roots = roots(catalogue, &jobs);
        let kept: Vec<PackageId> = base.iter().filter(|package| ids.contains(package)).copied().collect();
        let reasons = find_reasons(catalogue, &ids, &kept, &roots);
        let replaced = request.base.iter().zip(base).filter(|(_, id)| !ids.contains(id));
        let packages = found.into_iter().zip(reasons);
        Solution {
            packages: packages
                .map(|((package, _, installed_size), why)| SolvedPackage { package, installed_size, why })
                .collect(),
            replaced: replaced.map(|(package, _)| package.clone()).collect(),
            notes: jobs.notes,
        }
    }

    /// The numbers of the packages that are to stay.
    fn find_base(&self, request: &SolveRequest) -> Result<Vec<PackageId>, SolveError> {
        let known = find_locked(&self.catalogue, &request.base);
        let gone: Vec<String> = request
            .base
            .iter()
            .zip(&known)
            .filter(|(_, found)| found.is_none())
            .map(|(package, _)| format!("{} of `{}`", package.nevra(), package.repository))
            .collect();
        match gone.is_empty() {
            true => Ok(known.into_iter().flatten().collect()),
            false => Err(SolveError::Gone { packages: gone }),
        }
    }
}

/// The paths that are asked for, alone or in a rich dependency.
fn wanted_paths(origin: &JobOrigin) -> Vec<String> {
    let names = match origin {
        JobOrigin::Wanted(requested) | JobOrigin::Unwanted(requested) => match &requested.what {
            Wanted::Specification(text) => vec![text.clone()],
            Wanted::Dependency(dependency) if dependency.is_rich() => {
                rich_capabilities(&dependency.name).into_iter().map(|part| part.name).collect()
            }
            Wanted::Dependency(dependency) => vec![dependency.name.clone()],
        },
        JobOrigin::Base | JobOrigin::Policy => Vec::new(),
    };
    names.into_iter().filter(|name| name.starts_with('/')).collect()
}

fn roots(catalogue: &mut Catalogue<'_>, jobs: &Jobs) -> Vec<AskedFor> {
    let mut roots = Vec::new();
    for (job, origin) in jobs.jobs.iter().zip(&jobs.origins) {
        let JobOrigin::Wanted(requested) = origin else { continue };
        let packages = match &job.select {
            Select::Meeting(dependency) => catalogue.pool.providers(*dependency),
            Select::Package(package) => vec![*package],
            Select::OneOf(packages) => packages.clone(),
        };
        roots.push(AskedFor { packages, by: requested.by.clone(), what: requested.what.text() });
    }
    roots
}
