//! What is chosen, rule by rule.

mod choices;
mod files;
mod form;
mod problems;
mod requests;

use super::*;
use crate::chroot::{AvailablePackage, Checksum, Relations, Requirement};
use crate::package::{Comparison, Dependency, Evr};

/// A package that a test makes.
#[derive(Clone)]
pub(super) struct Made(AvailablePackage);

/// `name-version-release.arch`, which provides itself.
pub(super) fn package(nevra: &str) -> Made {
    let (nevr, arch) = nevra.rsplit_once('.').unwrap();
    let (name_version, release) = nevr.rsplit_once('-').unwrap();
    let (name, version) = name_version.rsplit_once('-').unwrap();
    let evr = format!("{version}-{release}");
    let digest = crate::digest::Digest::compute(nevra.as_bytes()).to_string();
    let made = AvailablePackage {
        name: name.to_owned(),
        evr: Evr::parse(&evr),
        arch: arch.to_owned(),
        relations: Relations::default(),
        files: Vec::new(),
        href: format!("{nevra}.rpm"),
        checksum: Checksum::new("sha256", &digest).unwrap(),
        size: 1000,
        installed_size: 2000,
        build_time: 0,
        vendor: String::new(),
        source_package: String::new(),
    };
    Made(made).provides(&[&format!("{name} = {evr}")])
}

pub(super) fn dependency(text: &str) -> Dependency {
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        [name, operator, version] if !name.starts_with('(') => Dependency {
            name: (*name).to_owned(),
            version: Some((Comparison::read(operator.as_bytes()).unwrap(), (*version).to_owned())),
        },
        _ => Dependency::any(text),
    }
}

fn dependencies(texts: &[&str]) -> impl Iterator<Item = Dependency> {
    texts.iter().map(|text| dependency(text)).collect::<Vec<_>>().into_iter()
}

impl Made {
    pub fn provides(mut self, texts: &[&str]) -> Self {
        self.0.relations.provides.extend(dependencies(texts));
        self
    }

    pub fn requires(mut self, texts: &[&str]) -> Self {
        let required = dependencies(texts).map(|dependency| Requirement { dependency, before: false });
        self.0.relations.requires.extend(required);
        self
    }

    pub fn conflicts(mut self, texts: &[&str]) -> Self {
        self.0.relations.conflicts.extend(dependencies(texts));
        self
    }

    pub fn obsoletes(mut self, texts: &[&str]) -> Self {
        self.0.relations.obsoletes.extend(dependencies(texts));
        self
    }

    pub fn recommends(mut self, texts: &[&str]) -> Self {
        self.0.relations.recommends.extend(dependencies(texts));
        self
    }

    pub fn supplements(mut self, texts: &[&str]) -> Self {
        self.0.relations.supplements.extend(dependencies(texts));
        self
    }

    pub fn files(mut self, paths: &[&str]) -> Self {
        self.0.files.extend(paths.iter().map(|path| (*path).to_owned()));
        self
    }

    pub fn checksum(&self) -> &str {
        self.0.checksum.hex()
    }
}

pub(super) fn index(packages: &[Made]) -> PackageIndex {
    PackageIndex::new(packages.iter().map(|made| made.0.clone())).unwrap()
}

pub(super) fn request(wanted: &[&str]) -> SolveRequest {
    let mut request = SolveRequest::new(Architecture::new("x86_64").unwrap());
    request.wanted = wanted.iter().map(|text| wanted_by_spec(text)).collect();
    request
}

pub(super) fn wanted_by_spec(text: &str) -> Requested {
    Requested { what: Wanted::Dependency(dependency(text)), by: "spec `foo.spec`, BuildRequires".to_owned() }
}

pub(super) fn installed(text: &str) -> Requested {
    Requested { what: Wanted::Specification(text.to_owned()), by: "install".to_owned() }
}

pub(super) fn solve_all(
    repositories: Vec<SolveRepository<'_>>,
    request: &SolveRequest,
) -> Result<Solution, SolveError> {
    Solver::new(repositories, request.architecture.clone()).unwrap().solve(request)
}

pub(super) fn solve(packages: &[Made], request: &SolveRequest) -> Result<Solution, SolveError> {
    solve_all(vec![SolveRepository::new("fedora", &index(packages))], request)
}

pub(super) fn nevras(answer: &Solution) -> Vec<String> {
    answer.packages.iter().map(|answered| answered.package.nevra()).collect()
}

/// What is chosen for some dependencies.
pub(super) fn chosen(packages: &[Made], wanted: &[&str]) -> Vec<String> {
    match solve(packages, &request(wanted)) {
        Ok(answer) => nevras(&answer),
        Err(error) => vec![problems(&error)],
    }
}

/// What is told of an error: all problems, one below the other.
pub(super) fn problems(error: &SolveError) -> String {
    match error {
        SolveError::Unsolvable(unsolvable) => {
            let problem = |problem: &SolveProblem| match &problem.help {
                Some(help) => format!("{problem}\nhelp: {help}"),
                None => problem.to_string(),
            };
            unsolvable.problems.iter().map(problem).collect::<Vec<_>>().join("\n\n")
        }
        other => other.to_string(),
    }
}
