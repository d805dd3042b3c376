//! RPM's rules.

use super::*;

#[test]
fn the_newest_version_is_taken_by_rpms_order() {
    let versions = ["a-1.0~rc1-1.noarch", "a-1.0-1.noarch", "a-1.0^git1-1.noarch", "a-0.9-5.noarch"];
    assert_eq!(chosen(&versions.map(package), &["a"]), ["a-1.0^git1-1.noarch"]);
    assert_eq!(chosen(&versions.map(package), &["a < 1.0"]), ["a-1.0~rc1-1.noarch"]);
    assert_eq!(chosen(&versions.map(package), &["a <= 1.0"]), ["a-1.0-1.noarch"]);
    let epochs = ["a-1:0.1-1.noarch", "a-9-1.noarch"];
    assert_eq!(chosen(&epochs.map(package), &["a"]), ["a-1:0.1-1.noarch"]);
    assert_eq!(chosen(&epochs.map(package), &["a < 1:0"]), ["a-9-1.noarch"]);
}

#[test]
fn what_is_required_comes_with_what_requires_it() {
    let packages = [
        package("a-1-1.noarch").requires(&["cap(x) >= 2", "/usr/bin/tool", "rpmlib(Anything) <= 4"]),
        package("b-1-1.noarch").provides(&["cap(x) = 1"]),
        package("c-1-1.noarch").provides(&["cap(x) = 2"]),
        package("d-1-1.noarch").files(&["/usr/bin/tool"]),
    ];
    assert_eq!(chosen(&packages, &["a"]), ["a-1-1.noarch", "c-1-1.noarch", "d-1-1.noarch"]);
}

#[test]
fn rich_dependencies_are_taken_whole() {
    let with = |rich: &str, wanted: &[&str]| {
        let packages = [
            package("a-1-1.noarch").requires(&[rich]),
            package("b-1-1.noarch").provides(&["x", "y"]),
            package("c-1-1.noarch").provides(&["x"]),
            package("d-1-1.noarch"),
        ];
        let names: Vec<String> =
            chosen(&packages, wanted).iter().map(|nevra| nevra[..1].to_owned()).collect();
        names.concat()
    };
    assert_eq!(with("(c and d)", &["a"]), "acd");
    assert_eq!(with("(missing or d)", &["a"]), "ad");
    assert_eq!(with("(c if d)", &["a"]), "a");
    assert_eq!(with("(c if d)", &["a", "d"]), "acd");
    assert_eq!(with("(c if d else b)", &["a"]), "ab");
    assert_eq!(with("(x with y)", &["a"]), "ab");
    assert_eq!(with("(x without y)", &["a"]), "ac");
    assert_eq!(with("((b and d) or (c and d))", &["a", "c"]), "acd");
    assert_eq!(with("d", &["(c and (a if c))"]), "acd");
}

#[test]
fn what_conflicts_is_not_there() {
    let packages = [
        package("a-1-1.noarch").conflicts(&["b < 2"]),
        package("b-1-1.noarch"),
        package("b-2-1.noarch").requires(&["missing"]),
        package("c-1-1.noarch").conflicts(&["(a unless d)"]),
        package("d-1-1.noarch"),
    ];
    assert!(solve(&packages, &request(&["a", "b"])).is_err());
    let mut forgiving = request(&["b"]);
    forgiving.candidates = Candidates::All;
    assert_eq!(nevras(&solve(&packages, &forgiving).unwrap()), ["b-1-1.noarch"]);
    assert_eq!(chosen(&packages, &["a", "c"]), ["a-1-1.noarch", "c-1-1.noarch", "d-1-1.noarch"]);
}

#[test]
fn a_package_is_chosen_before_one_that_it_takes_the_place_of() {
    let packages = [
        package("old-1-1.noarch").provides(&["tool"]),
        package("new-1-1.noarch").obsoletes(&["old < 2"]).provides(&["tool", "old = 2"]),
    ];
    assert_eq!(chosen(&packages, &["tool"]), ["new-1-1.noarch"]);
    let mut installing = request(&[]);
    installing.wanted = vec![installed("old")];
    assert_eq!(nevras(&solve(&packages, &installing).unwrap()), ["new-1-1.noarch"]);
}

#[test]
fn the_roots_own_architecture_comes_first_and_others_run_beside_it() {
    let packages = [
        package("lib-1-1.x86_64").provides(&["lib(x86-64)"]),
        package("lib-1-1.i686"),
        package("lib-2-1.aarch64"),
        package("tool-1-1.noarch").requires(&["lib"]),
    ];
    assert_eq!(chosen(&packages, &["tool"]), ["lib-1-1.x86_64", "tool-1-1.noarch"]);
    let mut both = request(&["lib"]);
    both.wanted.push(installed("lib.i686"));
    assert_eq!(nevras(&solve(&packages, &both).unwrap()), ["lib-1-1.i686", "lib-1-1.x86_64"]);
    let mut foreign = request(&["lib"]);
    foreign.architecture = Architecture::new("aarch64").unwrap();
    assert_eq!(nevras(&solve(&packages, &foreign).unwrap()), ["lib-2-1.aarch64"]);
}

#[test]
fn sources_are_no_answer() {
    let packages = [package("a-2-1.src"), package("a-1-1.noarch"), package("b-1-1.src")];
    assert_eq!(chosen(&packages, &["a"]), ["a-1-1.noarch"]);
    assert!(solve(&packages, &request(&["b"])).is_err());
}

#[test]
fn what_is_recommended_is_left_unless_asked_for() {
    let packages = [
        package("a-1-1.noarch").recommends(&["b"]),
        package("b-1-1.noarch").requires(&["c"]),
        package("c-1-1.noarch"),
        package("d-1-1.noarch").supplements(&["c"]),
    ];
    assert_eq!(chosen(&packages, &["a"]), ["a-1-1.noarch"]);
    let mut taking = request(&["a"]);
    taking.weak = WeakDependencies::Taken;
    let answer = solve(&packages, &taking).unwrap();
    assert_eq!(answer.packages.len(), 4);
    assert_eq!(answer.packages[1].why, Why::Recommended { by: 0, what: "b".to_owned() });
    assert_eq!(answer.packages[3].why, Why::Recommended { by: 2, what: "c".to_owned() });
}

#[test]
fn a_repository_with_a_lower_number_comes_before_newer_versions() {
    let (own, foreign) = (index(&[package("a-1-1.noarch")]), index(&[package("a-2-1.noarch")]));
    let chosen = |priority: i32, cost: i32, wanted: &str| {
        let mut first = SolveRepository::new("own", &own);
        (first.priority, first.cost) = (priority, cost);
        let repositories = vec![SolveRepository::new("foreign", &foreign), first];
        let answer = solve_all(repositories, &request(&[wanted])).unwrap();
        (answer.packages[0].package.repository.clone(), answer.packages[0].package.evr.clone())
    };
    assert_eq!(chosen(99, 1000, "a"), ("foreign".to_owned(), "2-1".to_owned()));
    assert_eq!(chosen(1, 1000, "a"), ("own".to_owned(), "1-1".to_owned()));
}

#[test]
fn of_the_same_version_the_cheaper_repository_is_taken() {
    let both = index(&[package("a-1-1.noarch")]);
    let mut cheap = SolveRepository::new("cheap", &both);
    cheap.cost = 10;
    let repositories = vec![SolveRepository::new("dear", &both), cheap];
    let answer = solve_all(repositories, &request(&["a"])).unwrap();
    assert_eq!(answer.packages[0].package.repository, "cheap");
}

#[test]
fn what_a_pattern_excludes_is_not_taken() {
    let packages = index(&[package("a-1-1.noarch"), package("a-2-1.noarch"), package("b-1-1.noarch")]);
    let chosen = |exclude: &[&str], include: &[&str]| {
        let mut repository = SolveRepository::new("fedora", &packages);
        repository.exclude = exclude.iter().map(|text| (*text).to_owned()).collect();
        repository.include = include.iter().map(|text| (*text).to_owned()).collect();
        solve_all(vec![repository], &request(&["a"])).map(|answer| nevras(&answer)).unwrap_or_default()
    };
    assert_eq!(chosen(&["a-2*"], &[]), ["a-1-1.noarch"]);
    assert_eq!(chosen(&["b"], &["a"]), ["a-2-1.noarch"]);
    assert_eq!(chosen(&[], &["b"]), [] as [&str; 0]);
    assert_eq!(chosen(&["a.noarch"], &[]), [] as [&str; 0]);
}
