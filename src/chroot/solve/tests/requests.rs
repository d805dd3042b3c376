//! What is asked, and why packages are there.

use std::collections::BTreeMap;

use super::*;

#[test]
fn a_specification_is_a_name_a_version_an_architecture_a_pattern_a_file_or_a_capability() {
    let packages = [
        package("a-1-1.x86_64"),
        package("a-2-1.x86_64"),
        package("a-2-1.i686"),
        package("ab-1-1.noarch").provides(&["cap(a)"]).files(&["/usr/bin/ab"]),
    ];
    let chosen = |text: &str| {
        let mut asked = request(&[]);
        asked.wanted = vec![installed(text)];
        solve(&packages, &asked).map(|answer| nevras(&answer).join(" ")).unwrap_or_default()
    };
    assert_eq!(chosen("a"), "a-2-1.x86_64");
    assert_eq!(chosen("a-1"), "a-1-1.x86_64");
    assert_eq!(chosen("a-1-1.x86_64"), "a-1-1.x86_64");
    assert_eq!(chosen("a.i686"), "a-2-1.i686");
    assert_eq!(chosen("a*"), "a-2-1.x86_64 ab-1-1.noarch");
    assert_eq!(chosen("/usr/bin/ab"), "ab-1-1.noarch");
    assert_eq!(chosen("cap(a)"), "ab-1-1.noarch");
    assert_eq!(chosen("a < 2"), "a-1-1.x86_64");
}

#[test]
fn a_group_brings_its_packages_and_says_what_is_missing() {
    let mut asked = request(&[]);
    asked.wanted = vec![installed("@build")];
    asked.groups = BTreeMap::from([("build".to_owned(), vec!["a".to_owned(), "gone".to_owned()])]);
    let answer = solve(&[package("a-1-1.noarch")], &asked).unwrap();
    assert_eq!(nevras(&answer), ["a-1-1.noarch"]);
    assert_eq!(answer.notes, ["the group `build` names `gone`, which no repository has"]);
    let why = Why::Requested { by: "install, group `build`".to_owned(), what: "a".to_owned() };
    assert_eq!(answer.packages[0].why, why);
}

#[test]
fn locked_versions_are_preferred() {
    let packages = [
        package("a-1-1.noarch"),
        package("a-2-1.noarch"),
        package("b-1-1.noarch").provides(&["x"]),
        package("c-1-1.noarch").provides(&["x"]),
        package("user-1-1.noarch").requires(&["a", "x"]),
    ];
    let index = index(&packages);
    let mut asked = request(&["user", "a"]);
    let all = || (0..index.len()).filter_map(|number| index.locked(number, "fedora"));
    asked.locked =
        all().filter(|locked| ["a-1-1.noarch", "c-1-1.noarch"].contains(&locked.nevra().as_str())).collect();
    let answer = solve(&packages, &asked).unwrap();
    assert_eq!(nevras(&answer), ["a-1-1.noarch", "c-1-1.noarch", "user-1-1.noarch"]);
    asked.wanted.push(wanted_by_spec("a >= 2"));
    let answer = solve(&packages, &asked).unwrap();
    assert_eq!(nevras(&answer), ["a-2-1.noarch", "c-1-1.noarch", "user-1-1.noarch"]);
}

#[test]
fn what_is_there_stays_unless_it_stands_in_the_way() {
    let packages =
        [package("a-1-1.noarch"), package("a-2-1.noarch"), package("b-1-1.noarch").requires(&["a"])];
    let index = index(&packages);
    let mut asked = request(&["b"]);
    asked.base = vec![index.locked(0, "fedora").unwrap()];
    let answer = solve(&packages, &asked).unwrap();
    assert_eq!(nevras(&answer), ["a-1-1.noarch", "b-1-1.noarch"]);
    assert_eq!((&answer.packages[0].why, answer.replaced.len()), (&Why::Base, 0));
    asked.wanted.push(wanted_by_spec("a >= 2"));
    let answer = solve(&packages, &asked).unwrap();
    assert_eq!(nevras(&answer), ["a-2-1.noarch", "b-1-1.noarch"]);
    assert_eq!(answer.replaced, asked.base);
}

#[test]
fn packages_that_are_in_no_repository_any_more_are_named() {
    let mut asked = request(&["b"]);
    asked.base = vec![index(&[package("a-1-1.noarch")]).locked(0, "fedora").unwrap()];
    let error = solve(&[package("b-1-1.noarch")], &asked).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the repositories no longer have packages that the lock names: a-1-1.noarch of `fedora`"
    );
}

#[test]
fn what_must_not_be_there_is_not_chosen() {
    let packages = [package("a-1-1.noarch").provides(&["x"]), package("b-1-1.noarch").provides(&["x"])];
    let mut asked = request(&["x"]);
    asked.unwanted = vec![wanted_by_spec("a")];
    asked.candidates = Candidates::All;
    assert_eq!(nevras(&solve(&packages, &asked).unwrap()), ["b-1-1.noarch"]);
}

#[test]
fn each_package_says_what_it_is_there_for() {
    let packages = [
        package("a-1-1.noarch").requires(&["lib >= 1", "(sub or other)"]),
        package("lib-1-1.noarch").requires(&["deep"]),
        package("sub-1-1.noarch").requires(&["deep"]),
        package("deep-1-1.noarch"),
    ];
    let answer = solve(&packages, &request(&["a"])).unwrap();
    assert_eq!(nevras(&answer), ["a-1-1.noarch", "deep-1-1.noarch", "lib-1-1.noarch", "sub-1-1.noarch"]);
    let by = "spec `foo.spec`, BuildRequires".to_owned();
    assert_eq!(answer.packages[0].why, Why::Requested { by, what: "a".to_owned() });
    assert_eq!(answer.packages[1].why, Why::Required { by: 2, what: "deep".to_owned() });
    assert_eq!(answer.packages[2].why, Why::Required { by: 0, what: "lib >= 1".to_owned() });
    let chain: Vec<&str> = answer.chain(1).iter().map(|answered| answered.package.name.as_str()).collect();
    assert_eq!(chain, ["deep", "lib", "a"]);
}

#[test]
fn one_solver_answers_many_requests() {
    let index = index(&[package("a-1-1.noarch").files(&["/opt/x"]), package("b-1-1.noarch")]);
    let repositories = vec![SolveRepository::new("fedora", &index)];
    let mut solver = Solver::new(repositories, Architecture::new("x86_64").unwrap()).unwrap();
    for (wanted, chosen) in [("a", "a-1-1.noarch"), ("b", "b-1-1.noarch"), ("/opt/x", "a-1-1.noarch")] {
        assert_eq!(nevras(&solver.solve(&request(&[wanted])).unwrap()), [chosen]);
    }
    assert!(solver.solve(&request(&["/opt/y"])).is_err());
    assert_eq!(solver.solve(&request(&[])).unwrap().packages, []);
}
