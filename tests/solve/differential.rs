//! forge chooses what dnf chooses: for hundreds of requests over repositories that were made, each difference with its
//! reason.

use std::path::PathBuf;

use rpmforge::chroot::AvailablePackage;
use rpmforge::chroot::solve::{Candidates, WeakDependencies};

use crate::differences::find_difference;
use crate::made_repository::{Lots, MadeRepository, Maker, make_repositories, name};
use crate::read_repodata::{read_group, read_repodata};
use crate::reference::{Chosen, Kind, Patterns, Question, ask_dnf, ask_forge};

const PACKAGES: usize = 10_000;
const QUESTIONS: usize = 400;

/// Requests of all kinds, for one to six things each.
fn questions(seed: u64, count: usize, names: usize) -> Vec<Question> {
    let mut maker = Maker { lots: Lots::new(seed), names };
    (0..count)
        .map(|_| {
            let wanted = (0..=maker.lots.below(6)).map(|_| wanted(&mut maker)).collect();
            let candidates = if maker.lots.percent(70) { Candidates::Best } else { Candidates::All };
            let weak = if maker.lots.percent(15) { WeakDependencies::Taken } else { WeakDependencies::Left };
            Question { wanted, candidates, weak }
        })
        .collect()
}

fn wanted(maker: &mut Maker) -> (Kind, String) {
    let number = maker.lots.below(maker.names);
    match maker.lots.below(10) {
        0 | 1 => (Kind::Package, name(number)),
        2 if !number.is_multiple_of(3) => (
            Kind::Package,
            format!(
                "{}.{}",
                name(number),
                if number % 10 == 1 && number % 20 == 1 { "i686" } else { "x86_64" }
            ),
        ),
        3 => (Kind::Package, format!("{}-1*", name(number))),
        4 if maker.lots.percent(20) => (Kind::Dependency, format!("missing({number})")),
        _ => (Kind::Dependency, maker.required(maker.names - 1).to_string()),
    }
}

/// All answers that differ, in words; each of them has to have its reason.
fn compare(repositories: &[MadeRepository], patterns: &[Patterns], questions: &[Question]) {
    let (theirs, ours) =
        (ask_dnf(repositories, patterns, questions), ask_forge(repositories, patterns, questions));
    let solved = theirs.iter().filter(|chosen| chosen.is_ok()).count();
    assert!(solved * 2 > questions.len(), "dnf finds packages for {solved} requests only");
    let mut unexplained = Vec::new();
    for ((question, theirs), ours) in questions.iter().zip(&theirs).zip(&ours) {
        if is_same(theirs, ours) || find_difference(question, theirs, ours).is_some() {
            continue;
        }
        unexplained.push(describe(question, theirs, ours));
    }
    let count = unexplained.len();
    assert!(unexplained.is_empty(), "{count} of {}:\n{}", questions.len(), unexplained.join("\n\n"));
}

fn is_same(theirs: &Chosen, ours: &Chosen) -> bool {
    match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => theirs == ours,
        (Err(_), Err(_)) => true,
        (Ok(_), Err(_)) | (Err(_), Ok(_)) => false,
    }
}

fn describe(question: &Question, theirs: &Chosen, ours: &Chosen) -> String {
    let said = match (theirs, ours) {
        (Ok(theirs), Ok(ours)) => format!(
            "dnf alone: {:?}\nforge alone: {:?}",
            theirs.difference(ours).collect::<Vec<_>>(),
            ours.difference(theirs).collect::<Vec<_>>()
        ),
        (Ok(theirs), Err(ours)) => format!("dnf: {} packages\nforge: {ours}", theirs.len()),
        (Err(theirs), Ok(ours)) => format!("dnf: {theirs}\nforge: {} packages", ours.len()),
        (Err(theirs), Err(ours)) => format!("dnf: {theirs}\nforge: {ours}"),
    };
    format!("{question:?}\n{said}")
}

#[test]
fn forge_chooses_what_dnf_chooses_of_ten_thousand_packages() {
    let repositories = make_repositories(1, PACKAGES);
    compare(&repositories, &[], &questions(2, QUESTIONS, PACKAGES * 7 / 10));
}

#[test]
fn forge_leaves_what_dnf_leaves_for_exclude_and_includepkgs() {
    let repositories = make_repositories(3, 2000);
    let patterns = [
        Patterns { repository: "base", exclude: &["libp13*", "*.i686", "tool*-2.*", "xp7"], include: &[] },
        Patterns { repository: "updates", exclude: &[], include: &["lib*", "python3-*"] },
    ];
    compare(&repositories, &patterns, &questions(4, 100, 1400));
}

/// The distribution that `tests/distro` makes.
fn distribution() -> MadeRepository {
    let chosen = std::env::var_os("FORGE_TEST_DISTRO").map(PathBuf::from);
    let folder = chosen.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/distro"));
    let folder = folder.join("repository");
    assert!(folder.is_dir(), "`cargo test --test distro` makes {}", folder.display());
    let packages = read_repodata(&folder);
    MadeRepository { name: "distro".to_owned(), priority: 99, cost: 1000, packages, folder: Some(folder) }
}

/// Each package by its name; what packages give, one thing of each; and some of that at once.
fn distribution_questions(packages: &[AvailablePackage]) -> Vec<Question> {
    let mut lots = Lots::new(5);
    let names = packages.iter().map(|package| vec![(Kind::Package, package.name.clone())]);
    let mut given: Vec<(Kind, String)> = Vec::new();
    for package in packages {
        let provides = &package.relations.provides;
        given.push((Kind::Dependency, lots.choose(provides).to_string()));
        given.extend(package.files.first().map(|path| (Kind::Dependency, path.clone())));
        let rich = package.relations.requires.iter().filter(|required| required.dependency.is_rich());
        given.extend(rich.map(|required| (Kind::Dependency, required.dependency.name.clone())));
    }
    let several: Vec<Vec<(Kind, String)>> =
        (0..120).map(|_| (0..2 + lots.below(5)).map(|_| lots.choose(&given).clone()).collect()).collect();
    let alone = given.iter().map(|wanted| vec![wanted.clone()]);
    names
        .chain(alone)
        .chain(several)
        .enumerate()
        .map(|(number, wanted)| {
            let candidates = if number.is_multiple_of(4) { Candidates::All } else { Candidates::Best };
            let weak =
                if number.is_multiple_of(7) { WeakDependencies::Taken } else { WeakDependencies::Left };
            Question { wanted, candidates, weak }
        })
        .collect()
}

#[test]
fn forge_chooses_what_dnf_chooses_of_a_distribution() {
    let distribution = distribution();
    let group = read_group(distribution.folder.as_ref().unwrap(), "buildsys-build");
    let group = group.into_iter().map(|name| (Kind::Package, name)).collect();
    let mut questions = distribution_questions(&distribution.packages);
    questions.push(Question { wanted: group, candidates: Candidates::Best, weak: WeakDependencies::Left });
    assert!(questions.len() > 300, "{}", questions.len());
    compare(&[distribution], &[], &questions);
}
