//! Whatever repositories say: no crash, and an answer that is given holds.

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::select;
use rpmforge::chroot::solve::{
    Architecture, Candidates, PackageIndex, SolveRepository, SolveRequest, Solver, Wanted, WeakDependencies,
};
use rpmforge::chroot::{AvailablePackage, Checksum, Relations, Requirement};
use rpmforge::package::{Comparison, Dependency, Evr};

use crate::made_repository::{MadeRepository, make_repositories, name};
use crate::reference::{Kind, Question, dependency, request};

/// Names that mean something to libsolv, or to whoever reads names.
const ODD: [&str; 24] = [
    "",
    "a",
    "b",
    "c",
    "d",
    "e",
    "/a",
    "/usr/bin/b",
    "solvable:prereqmarker",
    "solvable:filemarker",
    "namespace:installed",
    "system:system",
    "src",
    "<NULL>",
    "rpmlib(X)",
    "patch:a",
    "(",
    "()",
    "(a",
    "(a or",
    "a\0b",
    "kernel",
    "é",
    "a b",
];

const OPERATORS: [&str; 7] = ["and", "or", "if", "unless", "with", "without", "else"];

fn odd_name() -> impl Strategy<Value = String> {
    select(&ODD[..]).prop_map(str::to_owned)
}

fn rich() -> impl Strategy<Value = String> {
    let leaf = odd_name();
    leaf.prop_recursive(6, 60, 3, |inner| {
        let operators = proptest::collection::vec(select(&OPERATORS[..]), 3);
        (proptest::collection::vec(inner, 1..4), operators).prop_map(|(parts, operators)| {
            let mut text = format!("({}", parts[0]);
            for (part, operator) in parts[1..].iter().zip(operators) {
                text.push_str(&format!(" {operator} {part}"));
            }
            text + ")"
        })
    })
}

fn odd_dependency() -> impl Strategy<Value = Dependency> {
    let version = (0_u32..16, select(&["", "1", "0:1", "1:", "~", "1-1-1", "99999999999:1"][..]));
    let versioned = (odd_name(), version).prop_map(|(name, (sense, version))| Dependency {
        name,
        version: Some((Comparison::from(sense), version.to_owned())),
    });
    prop_oneof![odd_name().prop_map(Dependency::any), versioned, rich().prop_map(Dependency::any)]
}

fn odd_dependencies() -> impl Strategy<Value = Vec<Dependency>> {
    proptest::collection::vec(odd_dependency(), 0..4)
}

fn odd_relations() -> impl Strategy<Value = Relations> {
    let lists = proptest::collection::vec(odd_dependencies(), 8);
    lists.prop_map(|lists| {
        let [provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances] =
            lists.try_into().unwrap();
        let requires =
            requires.into_iter().map(|dependency| Requirement { dependency, before: true }).collect();
        Relations { provides, requires, conflicts, obsoletes, recommends, suggests, supplements, enhances }
    })
}

fn odd_package() -> impl Strategy<Value = AvailablePackage> {
    let evr = select(&["1-1", "2-1", "", "-", ":", "0:1-1", "1:~-^"][..]);
    let arch = select(&["x86_64", "noarch", "i686", "src", "", "solvable:name"][..]);
    let files = proptest::collection::vec(odd_name(), 0..3);
    (odd_name(), evr, arch, odd_relations(), files).prop_map(|(name, evr, arch, relations, files)| {
        AvailablePackage {
            name,
            evr: Evr::parse(evr),
            arch: arch.to_owned(),
            relations,
            files,
            href: String::new(),
            checksum: Checksum::new("sha256", &"0".repeat(64)).unwrap(),
            size: u64::MAX,
            installed_size: 0,
            build_time: 0,
            vendor: String::new(),
            source_package: String::new(),
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn odd_packages_crash_nothing(
        packages in proptest::collection::vec(odd_package(), 0..12),
        wanted in proptest::collection::vec(odd_dependency(), 0..4),
        specified in odd_name(),
        takes_weak in any::<bool>(),
    ) {
        let index = PackageIndex::new(packages).unwrap();
        let read = PackageIndex::from_bytes(&index.to_bytes()).unwrap();
        prop_assert_eq!(&read, &index);
        let mut asked = SolveRequest::new(Architecture::new("x86_64").unwrap());
        asked.wanted = wanted
            .iter()
            .map(|dependency| Wanted::Dependency(dependency.clone()))
            .chain([Wanted::Specification(specified)])
            .map(|what| rpmforge::chroot::solve::Requested { what, by: "the test".to_owned() })
            .collect();
        asked.unwanted = asked.wanted.split_off(asked.wanted.len().min(2));
        asked.weak = if takes_weak { WeakDependencies::Taken } else { WeakDependencies::Left };
        let repositories = vec![SolveRepository::new("one", &read), SolveRepository::new("two", &index)];
        let mut solver = Solver::new(repositories, asked.architecture.clone()).unwrap();
        solver.unknown_files(&asked);
        if let Err(error) = solver.solve(&asked) {
            prop_assert!(!error.to_string().is_empty());
        }
    }

    #[test]
    fn bytes_that_are_no_index_crash_nothing(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let mut form = b"forge packages 1".to_vec();
        form.extend(rpmforge::digest::Digest::compute(&bytes).as_bytes());
        form.extend(&bytes);
        prop_assert!(PackageIndex::from_bytes(&form).is_err());
    }
}

/// What packages of an answer give, each its own: what it provides, its files, and its name.
fn given<'p>(packages: &[&'p AvailablePackage]) -> Vec<Vec<Dependency>> {
    let own = |package: &&'p AvailablePackage| {
        let mut own = package.relations.provides.clone();
        own.extend(package.files.iter().map(Dependency::any));
        own
    };
    packages.iter().map(own).collect()
}

fn is_met(dependency: &Dependency, given: &[Vec<Dependency>]) -> bool {
    let given: Vec<&[Dependency]> = given.iter().map(Vec::as_slice).collect();
    match dependency.is_rich() {
        true => read_rich(&dependency.name).is_met_by(&given),
        false => given.iter().any(|own| own.iter().any(|provided| dependency.is_met_by(provided))),
    }
}

fn read_rich(text: &str) -> rpmforge::package::Rich {
    use rpmforge::spec::{self, Allows, read_dependencies};
    [Allows::Everything, Allows::Conflicts]
        .into_iter()
        .find_map(|allows| match read_dependencies(text.as_bytes(), allows).ok()?.remove(0) {
            spec::Dependency::Rich(rich) => Some(rich),
            spec::Dependency::Plain(_) => None,
        })
        .unwrap()
}

/// Everything that RPM would check of the packages of an answer.
fn check(repositories: &[MadeRepository], chosen: &BTreeSet<String>, question: &Question) {
    let all =
        repositories.iter().flat_map(|repository| repository.packages.iter().map(move |p| (repository, p)));
    let packages: Vec<&AvailablePackage> = all
        .filter(|(repository, package)| {
            let AvailablePackage { name, evr, arch, .. } = package;
            chosen.contains(&format!("{name}-{evr}.{arch}@{}", repository.name))
        })
        .map(|(_, package)| package)
        .collect();
    assert_eq!(packages.len(), chosen.len());
    let given = given(&packages);
    for (_, text) in question.wanted.iter().filter(|(kind, _)| *kind == Kind::Dependency) {
        assert!(is_met(&dependency(text), &given), "{text}");
    }
    for (place, package) in packages.iter().enumerate() {
        for required in &package.relations.requires {
            assert!(
                is_met(&required.dependency, &given),
                "{} requires {}",
                package.name,
                required.dependency
            );
        }
        let others: Vec<Vec<Dependency>> = given
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != place)
            .map(|(_, own)| own.clone())
            .collect();
        for conflict in &package.relations.conflicts {
            assert!(!is_met(conflict, &others), "{} conflicts with {conflict}", package.name);
        }
        let twice = packages.iter().filter(|other| other.name == package.name && other.arch == package.arch);
        assert_eq!(twice.count(), 1, "{}", package.name);
    }
}

#[test]
fn every_answer_meets_what_its_packages_require() {
    let mut answered = 0;
    for seed in 1..60 {
        let repositories = make_repositories(seed, 300);
        let indexes: Vec<PackageIndex> = repositories
            .iter()
            .map(|repository| PackageIndex::new(repository.packages.iter().cloned()).unwrap())
            .collect();
        let named = repositories
            .iter()
            .zip(&indexes)
            .map(|(made, index)| SolveRepository::new(made.name.clone(), index));
        let mut solver = Solver::new(named.collect(), Architecture::new("x86_64").unwrap()).unwrap();
        for number in (0..210).step_by(17) {
            let wanted = vec![(Kind::Dependency, name(number)), (Kind::Dependency, name(number / 2 + 3))];
            let question = Question { wanted, candidates: Candidates::All, weak: WeakDependencies::Left };
            let Ok(solution) = solver.solve(&request(&question)) else { continue };
            let chosen = solution.packages.iter();
            let chosen =
                chosen.map(|solved| format!("{}@{}", solved.package.nevra(), solved.package.repository));
            check(&repositories, &chosen.collect(), &question);
            answered += 1;
        }
    }
    assert!(answered > 300, "{answered}");
}
