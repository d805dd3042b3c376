//! What is told where there is no answer.

use super::*;

fn told(packages: &[Made], wanted: &[&str]) -> String {
    problems(&solve(packages, &request(wanted)).unwrap_err())
}

#[test]
fn what_is_missing_is_named_with_who_asks_and_what_is_there_instead() {
    let packages = [package("bar-1.5-1.x86_64"), package("zlib-devel-1-1.x86_64")];
    insta::assert_snapshot!(told(&packages, &["bar >= 2", "zlib-devle"]), @r"
    spec `foo.spec`, BuildRequires: bar >= 2
    no repository has it; `fedora` has other versions: bar-1.5-1.x86_64

    spec `foo.spec`, BuildRequires: zlib-devle
    no repository has it
    help: did you mean `zlib-devel`, which `fedora` has?
    ");
}

#[test]
fn the_way_from_what_is_wanted_to_what_is_missing_is_told() {
    let packages = [
        package("a-1-1.x86_64").requires(&["b"]),
        package("b-1-1.x86_64").requires(&["libc.so.7()(64bit)", "/bin/tool"]),
        package("glibc-2-1.x86_64").provides(&["libc.so.6()(64bit)"]),
        package("tools-1-1.x86_64").files(&["/usr/bin/tool"]),
    ];
    insta::assert_snapshot!(told(&packages, &["a"]), @r"
    spec `foo.spec`, BuildRequires: a
    `a-1-1.x86_64` of `fedora` needs `b`
    `b-1-1.x86_64` of `fedora` needs `libc.so.7()(64bit)`, which no repository has
    `b-1-1.x86_64` of `fedora` needs `/bin/tool`, which no repository has
    help: `tools` of `fedora` has `/usr/bin/tool`
    ");
}

#[test]
fn a_conflict_names_both_sides_and_who_asks_for_each() {
    let packages = [package("a-1-1.x86_64").conflicts(&["b < 2"]), package("b-1-1.x86_64")];
    let mut asked = request(&["a"]);
    asked.wanted.push(installed("b"));
    insta::assert_snapshot!(problems(&solve(&packages, &asked).unwrap_err()), @r"
    install: b; spec `foo.spec`, BuildRequires: a
    `a-1-1.x86_64` of `fedora` conflicts with `b < 2`, which `b-1-1.x86_64` of `fedora` is
    ");
}

#[test]
fn what_is_excluded_or_for_others_is_named_with_the_reason() {
    let first = index(&[package("a-1-1.x86_64"), package("b-1-1.x86_64")]);
    let second =
        index(&[package("a-2-1.aarch64"), package("b-1-1.src"), package("c-1-1.x86_64").requires(&["a"])]);
    let mut excluding = SolveRepository::new("first", &first);
    excluding.exclude = vec!["a".to_owned()];
    excluding.include = vec!["a".to_owned()];
    let repositories = vec![excluding, SolveRepository::new("second", &second)];
    let told = problems(&solve_all(repositories, &request(&["a", "b", "c"])).unwrap_err());
    insta::assert_snapshot!(told, @r"
    spec `foo.spec`, BuildRequires: a
    `a-1-1.x86_64` of `first` is excluded by `exclude` of `first`

    spec `foo.spec`, BuildRequires: b
    `b-1-1.x86_64` of `first` is not among `includepkgs` of `first`

    spec `foo.spec`, BuildRequires: c
    `c-1-1.x86_64` of `second` needs `a`
    `a-1-1.x86_64` of `first` is excluded by `exclude` of `first`
    ");
}

#[test]
fn what_must_not_be_there_is_told_with_who_says_so() {
    let mut asked = request(&["a"]);
    asked.unwanted = vec![Requested {
        what: Wanted::Dependency(dependency("b")),
        by: "spec `foo.spec`, BuildConflicts".to_owned(),
    }];
    let packages = [package("a-1-1.x86_64").requires(&["b"]), package("b-1-1.x86_64")];
    insta::assert_snapshot!(problems(&solve(&packages, &asked).unwrap_err()), @r"
    spec `foo.spec`, BuildConflicts: b; spec `foo.spec`, BuildRequires: a
    `b` must not be there
    `a-1-1.x86_64` of `fedora` needs `b`
    ");
}

#[test]
fn the_newest_that_cannot_be_installed_is_told_as_such() {
    let packages = [package("a-1-1.x86_64"), package("a-2-1.x86_64").requires(&["gone"])];
    insta::assert_snapshot!(told(&packages, &["a"]), @r"
    spec `foo.spec`, BuildRequires: a
    only the newest of what is wanted comes into question, and it can't be installed
    `a-2-1.x86_64` of `fedora` needs `gone`, which no repository has
    ");
}

#[test]
fn two_versions_of_one_name_are_told_apart() {
    let packages = [package("a-1-1.x86_64"), package("a-2-1.x86_64")];
    insta::assert_snapshot!(told(&packages, &["a = 1", "a = 2"]), @r"
    spec `foo.spec`, BuildRequires: a = 1; spec `foo.spec`, BuildRequires: a = 2
    `a-2-1.x86_64` of `fedora` and `a-1-1.x86_64` of `fedora` can't be there at once
    ");
}

#[test]
fn a_pattern_whose_packages_are_all_excluded_says_so() {
    let packages = index(&[package("a-1-1.x86_64"), package("b-1-1.x86_64")]);
    let mut excluding = SolveRepository::new("fedora", &packages);
    excluding.exclude = vec!["a".to_owned()];
    let mut asked = request(&[]);
    asked.wanted = vec![installed("a-1*")];
    insta::assert_snapshot!(problems(&solve_all(vec![excluding], &asked).unwrap_err()), @r"
    install: a-1*
    no repository has it; `fedora` has what its `exclude` forbids: a-1-1.x86_64
    ");
}

#[test]
fn the_missing_parts_of_a_rich_dependency_are_named() {
    insta::assert_snapshot!(told(&[package("a-1-1.x86_64")], &["(b or (c with d))"]), @r"
    spec `foo.spec`, BuildRequires: (b or (c with d))
    no repository has it; of its parts, `b`, `c`, `d` is in no repository
    ");
}
