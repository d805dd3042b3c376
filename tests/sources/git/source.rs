//! `source git` from the manifest to the package.

use super::made_git::MadeGit;
use crate::support::Project;

const SPEC: &str = "Name: a\nVersion: 1\nRelease: %autorelease\nSummary: a\nLicense: MIT\nBuildArch: noarch\nSource0: data\n\
    %description\na\n%build\ngrep one %{SOURCE0}\n%files\n%changelog\n%autochangelog\n";

fn repository() -> MadeGit {
    let made = MadeGit::new();
    made.commit("Begin", &[("pkg/a.spec", SPEC), ("pkg/data", "one\n"), ("README", "")]);
    made.commit("Go on", &[("README", "more")]);
    made
}

fn project(made: &MadeGit, more: &str) -> Project {
    Project::with(&format!("package a {{ source git \"{}\" subdir=\"pkg\" {more} }}\n", made.url()))
}

#[test]
fn a_package_is_built_from_its_commit_which_is_locked() {
    let made = repository();
    let head = made.git(&["rev-parse", "HEAD"]);
    let project = project(&made, "");
    let run = project.succeed(&["apply"]);
    assert!(run.stderr.contains(&format!("is locked at {head}")), "{}", run.stderr);
    let lock = project.read("Rpmforge.lock");
    assert!(
        lock.contains(&format!("commit=\"{head}\"")) && lock.contains("ref=\"refs/heads/main\""),
        "{lock}"
    );
    let results = project.succeed(&["results", "a"]).stdout;
    assert!(results.contains("a-1-2"), "{results}");
    // What comes afterwards has no effect until it is asked for.
    made.commit("Break", &[("pkg/data", "two\n")]);
    let again = project.succeed(&["apply", "--locked"]);
    assert!(!again.stderr.contains("is locked at"), "{}", again.stderr);
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn the_beginning_of_a_commit_that_a_branch_stands_for_is_enough() {
    let made = repository();
    let head = made.git(&["rev-parse", "HEAD"]);
    let project = project(&made, &format!("rev=\"{}\"", &head[..9]));
    project.succeed(&["apply"]);
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains(&format!("commit=\"{head}\"")) && !lock.contains("ref="), "{lock}");
    // It stays the one that is locked, and has no news.
    made.commit("Go on", &[("pkg/data", "one more\n")]);
    project.succeed(&["apply", "--locked"]);
    assert!(project.succeed(&["outdated", "-v"]).stdout.contains("the manifest names a commit"));
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn what_is_fetched_is_built_offline_and_on_another_machine() {
    let made = repository();
    let project = project(&made, "rev=\"main\"");
    project.succeed(&["fetch"]);
    let lock = project.read("Rpmforge.lock");
    project.succeed(&["apply", "--offline", "--locked"]);
    std::fs::remove_dir_all(project.cache()).unwrap();
    made.commit("Go on", &[("pkg/data", "one more\n")]);
    project.succeed(&["apply", "--locked"]);
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn what_is_wrong_is_told_of_its_package() {
    let made = repository();
    for short in ["0000000", "abcdef0123"] {
        let run = project(&made, &format!("rev=\"{short}\"")).run(&["apply"]);
        assert!(run.stderr.contains("forge::source::git_abbreviated"), "{}", run.stderr);
        assert!(run.stderr.contains("write all 40 digits"), "{}", run.stderr);
    }
    let run = project(&made, "rev=\"v9\"").run(&["apply"]);
    assert!(run.stderr.contains("forge::source::git_not_found"), "{}", run.stderr);
    let run = project(&made, "").run(&["apply", "--locked"]);
    assert!(run.stderr.contains("forge::source::git_not_locked"), "{}", run.stderr);
}
