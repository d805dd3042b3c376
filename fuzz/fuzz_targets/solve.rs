//! Any packages, asked for anything: an answer or problems in words, and the index is read as it was written.
//!
//! Lines that begin with `n` begin a package (`n name version-release arch`); those after it add to it: `p` what it provides,
//! `r` requires, `c` conflicts with, `o` obsoletes, `m` recommends, `s` supplements, `f` a file. `w` asks for something, `x`
//! for it not to be there, `i` for what one writes after `dnf install`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rpmforge::chroot::solve::{
    Architecture, PackageIndex, Requested, SolveRepository, SolveRequest, Solver, Wanted, WeakDependencies,
};
use rpmforge::chroot::{AvailablePackage, Checksum, Relations, Requirement};
use rpmforge::package::{Comparison, Dependency, Evr};

fn dependency(text: &str) -> Dependency {
    let words: Vec<&str> = text.splitn(3, ' ').collect();
    match words.as_slice() {
        [name, operator, version] if !name.starts_with('(') => {
            let comparison = Comparison::read(operator.as_bytes());
            let version = comparison.map(|comparison| (comparison, (*version).to_owned()));
            Dependency { name: (*name).to_owned(), version }
        }
        _ => Dependency::any(text),
    }
}

fn package(line: &str) -> AvailablePackage {
    let mut words = line.split(' ');
    let mut word = || words.next().unwrap_or_default().to_owned();
    AvailablePackage {
        name: word(),
        evr: Evr::parse(&word()),
        arch: word(),
        relations: Relations::default(),
        files: Vec::new(),
        href: line.to_owned(),
        checksum: Checksum::new("sha256", &"0".repeat(64)).unwrap(),
        size: 0,
        installed_size: 0,
        build_time: 0,
        vendor: String::new(),
        source_package: String::new(),
    }
}

fuzz_target!(|text: &str| {
    let mut packages: Vec<AvailablePackage> = Vec::new();
    let mut request = SolveRequest::new(Architecture::new("x86_64").unwrap());
    request.weak = if text.len() % 2 == 0 { WeakDependencies::Left } else { WeakDependencies::Taken };
    let requested = |what: Wanted| Requested { what, by: "a line".to_owned() };
    for line in text.lines().filter(|line| line.is_char_boundary(1) && line.len() > 1).take(200) {
        let (kind, rest) = line.split_at(1);
        let rest = rest.trim_start_matches(' ');
        match kind {
            "n" => packages.push(package(rest)),
            "w" => request.wanted.push(requested(Wanted::Dependency(dependency(rest)))),
            "x" => request.unwanted.push(requested(Wanted::Dependency(dependency(rest)))),
            "i" => request.wanted.push(requested(Wanted::Specification(rest.to_owned()))),
            _ => {
                let Some(package) = packages.last_mut() else { continue };
                let relations = &mut package.relations;
                match kind {
                    "p" => relations.provides.push(dependency(rest)),
                    "r" => {
                        relations.requires.push(Requirement { dependency: dependency(rest), before: false })
                    }
                    "c" => relations.conflicts.push(dependency(rest)),
                    "o" => relations.obsoletes.push(dependency(rest)),
                    "m" => relations.recommends.push(dependency(rest)),
                    "s" => relations.supplements.push(dependency(rest)),
                    _ => package.files.push(rest.to_owned()),
                }
            }
        }
    }
    let index = PackageIndex::new(packages).unwrap();
    let read = PackageIndex::from_bytes(&index.to_bytes()).unwrap();
    assert_eq!(read, index);
    let repositories = vec![SolveRepository::new("a", &index), SolveRepository::new("b", &read)];
    let mut solver = Solver::new(repositories, request.architecture.clone()).unwrap();
    solver.unknown_files(&request);
    match solver.solve(&request) {
        Ok(solution) => {
            (0..solution.packages.len()).for_each(|place| assert!(!solution.chain(place).is_empty()))
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
});
