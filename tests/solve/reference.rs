//! Requests to dnf and to forge.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use rpmforge::chroot::AvailablePackage;
use rpmforge::chroot::solve::{
    Architecture, Candidates, PackageIndex, Requested, SolveError, SolveRepository, SolveRequest, Solver,
    Wanted, WeakDependencies,
};
use rpmforge::package::{Comparison, Dependency};

use crate::made_repository::{MadeRepository, is_in_primary};
use crate::written_repodata::write_repodata;

/// Something to be asked of both.
#[derive(Clone, Debug)]
pub struct Question {
    pub wanted: Vec<(Kind, String)>,
    pub candidates: Candidates,
    pub weak: WeakDependencies,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Package,
    Dependency,
}

/// Patterns of packages that a repository doesn't give.
#[derive(Clone, Copy, Debug, Default)]
pub struct Patterns {
    pub repository: &'static str,
    pub exclude: &'static [&'static str],
    pub include: &'static [&'static str],
}

/// What was chosen: `name-epoch:version-release.arch@repository`, or why nothing was.
pub type Chosen = Result<BTreeSet<String>, String>;

/// What dnf chooses.
pub fn ask_dnf(
    repositories: &[MadeRepository],
    patterns: &[Patterns],
    questions: &[Question],
) -> Vec<Chosen> {
    let temp = tempfile::tempdir().unwrap();
    let path = |name: &str| temp.path().join(name);
    let described: Vec<serde_json::Value> = repositories
        .iter()
        .map(|repository| {
            let folder = repository.folder.clone().unwrap_or_else(|| {
                let folder = path(&repository.name);
                write_repodata(&folder, &repository.packages);
                folder
            });
            let own = patterns.iter().find(|own| own.repository == repository.name).copied().unwrap_or_default();
            serde_json::json!({
                "name": repository.name, "folder": folder, "priority": repository.priority, "cost": repository.cost,
                "exclude": own.exclude, "include": own.include,
            })
        })
        .collect();
    let requests: Vec<serde_json::Value> = questions.iter().map(request_of_dnf).collect();
    let order = serde_json::json!({
        "root": path("root"), "cache": path("cache"), "repositories": described, "requests": requests,
    });
    std::fs::write(path("order.json"), order.to_string()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/solve/dnf_reference.py");
    // The system's own python: dnf is among its modules.
    let output = Command::new("/usr/bin/python3")
        .arg(script)
        .arg(path("order.json"))
        .env("HOME", temp.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "dnf: {}", String::from_utf8_lossy(&output.stderr));
    let answers: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).unwrap();
    answers
        .iter()
        .map(|answer| match answer.get("packages") {
            Some(packages) => Ok(serde_json::from_value(packages.clone()).unwrap()),
            None => Err(answer["error"].as_str().unwrap().to_owned()),
        })
        .collect()
}

fn request_of_dnf(question: &Question) -> serde_json::Value {
    let wanted: Vec<(&str, &str)> = question
        .wanted
        .iter()
        .map(|(kind, text)| match kind {
            Kind::Package => ("package", text.as_str()),
            Kind::Dependency => ("dependency", text.as_str()),
        })
        .collect();
    serde_json::json!({
        "wanted": wanted,
        "best": question.candidates == Candidates::Best,
        "weak": question.weak == WeakDependencies::Taken,
    })
}

/// The index of packages of which `primary` names the files.
pub fn primary_index(packages: &[AvailablePackage]) -> PackageIndex {
    PackageIndex::new(packages.iter().map(|package| {
        let mut package = package.clone();
        package.files.retain(|path| is_in_primary(path));
        package
    }))
    .unwrap()
}

pub fn dependency(text: &str) -> Dependency {
    let words: Vec<&str> = text.split(' ').collect();
    match words.as_slice() {
        [name, operator, version] if !name.starts_with('(') => Dependency {
            name: (*name).to_owned(),
            version: Some((Comparison::read(operator.as_bytes()).unwrap(), (*version).to_owned())),
        },
        _ => Dependency::any(text),
    }
}

pub fn request(question: &Question) -> SolveRequest {
    let mut request = SolveRequest::new(Architecture::new("x86_64").unwrap());
    (request.candidates, request.weak) = (question.candidates, question.weak);
    request.wanted = question
        .wanted
        .iter()
        .map(|(kind, text)| Requested {
            what: match kind {
                Kind::Package => Wanted::Specification(text.clone()),
                Kind::Dependency => Wanted::Dependency(dependency(text)),
            },
            by: "the test".to_owned(),
        })
        .collect();
    request
}

/// What forge chooses: the lists of all files are searched as far as a request needs it, as forge does it.
pub fn ask_forge(
    repositories: &[MadeRepository],
    patterns: &[Patterns],
    questions: &[Question],
) -> Vec<Chosen> {
    let mut indexes: Vec<PackageIndex> =
        repositories.iter().map(|repository| primary_index(&repository.packages)).collect();
    let mut wanted = BTreeSet::new();
    {
        let mut solver = solver(repositories, patterns, &indexes);
        questions.iter().for_each(|question| wanted.extend(solver.unknown_files(&request(question))));
    }
    for (repository, index) in repositories.iter().zip(&mut indexes) {
        let mut search = index.search_files(&wanted);
        for package in &repository.packages {
            search.add_package(package.checksum.hex(), package.files.iter().map(String::as_str));
        }
        search.finish().unwrap();
    }
    let indexes: Vec<PackageIndex> =
        indexes.iter().map(|index| PackageIndex::from_bytes(&index.to_bytes()).unwrap()).collect();
    let mut solver = solver(repositories, patterns, &indexes);
    questions.iter().map(|question| answer(&mut solver, question)).collect()
}

fn solver<'i>(
    repositories: &[MadeRepository],
    patterns: &[Patterns],
    indexes: &'i [PackageIndex],
) -> Solver<'i> {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let repositories = repositories.iter().zip(indexes).map(|(made, index)| {
        let own = patterns.iter().find(|own| own.repository == made.name).copied().unwrap_or_default();
        let mut repository = SolveRepository::new(made.name.clone(), index);
        (repository.priority, repository.cost) = (made.priority, made.cost);
        (repository.exclude, repository.include) = (texts(own.exclude), texts(own.include));
        repository
    });
    Solver::new(repositories.collect(), Architecture::new("x86_64").unwrap()).unwrap()
}

fn answer(solver: &mut Solver<'_>, question: &Question) -> Chosen {
    match solver.solve(&request(question)) {
        Ok(solution) => Ok(solution
            .packages
            .iter()
            .map(|solved| format!("{}@{}", solved.package.nevra(), solved.package.repository))
            .collect()),
        Err(SolveError::Unsolvable(unsolvable)) => {
            let problems: Vec<String> = unsolvable.problems.iter().map(ToString::to_string).collect();
            Err(problems.join("\n"))
        }
        Err(error) => Err(error.to_string()),
    }
}
