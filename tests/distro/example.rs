//! `examples/clean-root`, as somebody builds it who has a repository.

use std::process::Command;

use super::make;
use super::site::shared_store;
use crate::support::{Project, Run, copy, repository};

fn forge(project: &Project, arguments: &[&str]) -> Command {
    let mut command = project.forge(arguments);
    command.env("XDG_CACHE_HOME", shared_store());
    command
}

#[test]
fn the_example_builds_in_a_root_of_the_repository_that_is_named() {
    let project = Project::new();
    copy(&repository().join("examples/clean-root"), &project.path());
    let apply = |arguments: &[&str]| {
        let mut command = forge(&project, arguments);
        Run::from(command.env("REPOSITORY", make::repository()).output().unwrap())
    };
    let run = apply(&["apply"]);
    assert_eq!(run.code, Some(0), "{}\n{}", run.stdout, run.stderr);
    let log = apply(&["log", "greet"]).stdout;
    assert!(
        log.contains("hello from a clean root") && log.lines().any(|line| line.starts_with("gcc-")),
        "{log}"
    );
    let show = apply(&["chroot", "show", "clean"]).stdout;
    assert!(show.contains("\ngreet: ") && show.contains("minimal root: "), "{show}");
    let again = apply(&["plan", "--locked", "--offline", "--detailed-exitcode"]);
    assert_eq!(again.code, Some(0), "{}\n{}", again.stdout, again.stderr);
}

#[test]
fn the_example_says_what_is_missing_where_no_repository_is_named() {
    let project = Project::new();
    copy(&repository().join("examples/clean-root"), &project.path());
    let run = Run::from(forge(&project, &["plan"]).output().unwrap());
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("REPOSITORY"), "{}", run.stderr);
}
