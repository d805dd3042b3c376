//! What `%generate_buildrequires` names.

use crate::support::{Project, Run, spec};

/// A project of `aa`, whose generator runs `script`, and of `zz1` and `zz2`.
fn project(script: &str) -> Project {
    let project = Project::with("packages \"*.spec\"\n");
    let text = spec("aa", "", "true");
    project.write(
        "aa.spec",
        &text.replace("%build\n", &format!("%prep\n%generate_buildrequires\n{script}\n%build\n")),
    );
    project.spec("zz1", "", "true");
    project.spec("zz2", "", "true");
    project
}

/// The packages in the order in which they were built.
fn order(run: &Run) -> Vec<String> {
    let ended = run.events("build-ended").into_iter().filter(|event| event["state"] == "succeeded");
    ended.map(|event| event["package"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_build_waits_for_what_its_generator_names() {
    let project = project("echo zz1\necho /usr/share/zz2");
    let run = project.succeed(&["apply", "--json", "--jobs", "1"]);
    assert_eq!(order(&run).last().unwrap(), "aa", "{}", run.stdout);
    assert_eq!(order(&run).len(), 3, "{}", run.stdout);
    assert!(project.actions().values().all(|action| action == "cached"));
    project.edit("zz2.spec", "echo zz2", "echo other");
    assert_eq!(project.actions()["aa"], "maybe", "it takes packages of zz2");
    let run = project.succeed(&["apply", "--json", "--jobs", "1"]);
    assert_eq!(order(&run), ["zz2", "aa"], "the second time the order is known");
}

#[test]
fn sources_are_prepared_once_for_the_generator_and_the_build() {
    let project = project("true");
    project.edit("aa.spec", "%prep\n", "%prep\necho prepared >prepared\n");
    project.edit("aa.spec", "%build\n", "%build\ncat prepared\n");
    let run = project.succeed(&["apply", "--json", "aa"]);
    let log = project.succeed(&["log", "aa"]).stdout;
    let count = |stage: &str| log.matches(&format!("Executing(%{stage}):")).count();
    assert_eq!((count("prep"), count("build")), (1, 1), "{log}");
    let ended = &run.events("build-ended")[0];
    let stages: Vec<&str> =
        ended["stages"].as_array().unwrap().iter().map(|stage| stage["name"].as_str().unwrap()).collect();
    assert_eq!(stages.iter().filter(|stage| **stage == "prep").count(), 1, "it is not forgotten: {stages:?}");
}

#[test]
fn sources_are_prepared_once_however_often_it_is_planned_again() {
    let project = project("echo zz1\nif [ -e /usr/share/zz1 ]; then echo zz2; fi");
    project.edit("aa.spec", "%prep\n", "%prep\necho prepared >prepared\n");
    project.edit("aa.spec", "%build\n", "%build\ncat prepared\n");
    let run = project.succeed(&["apply", "--json", "--logs", "--jobs", "1"]);
    assert_eq!(order(&run), ["zz1", "zz2", "aa"], "{}", run.stdout);
    let printed: String = run
        .events("logged")
        .iter()
        .map(|event| event["text"].as_str().unwrap_or_default().to_owned())
        .collect();
    let count = |stage: &str| printed.matches(&format!("Executing(%{stage}):")).count();
    assert_eq!(count("prep"), 1, "{printed}");
    assert!(count("generate_buildrequires") + count("buildrequires") >= 3, "{printed}");
}

#[test]
fn a_build_that_is_tried_again_prepares_its_sources_again() {
    let project = Project::with("package aa { source path \"aa.spec\"; retries 1 }\n");
    let script = "echo x >>tried; test $(wc -l <tried) = 2";
    project.write(
        "aa.spec",
        &spec("aa", "", script)
            .replace("%build\n", "%prep\nrm -f tried\n%generate_buildrequires\ntrue\n%build\n"),
    );
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1), "each attempt is the first in its folder: {}", run.stdout);
    let log = project.succeed(&["log", "aa"]).stdout;
    assert_eq!(log.matches("Executing(%prep):").count(), 2, "{log}");
}

#[test]
fn a_chosen_package_brings_what_its_generator_names() {
    let project = project("echo zz1");
    let states = project.succeed(&["apply", "--json", "aa"]).states();
    assert_eq!((states["aa"].as_str(), states["zz1"].as_str()), ("succeeded", "succeeded"));
    assert!(!states.contains_key("zz2"), "nobody has asked for it");
}

#[test]
fn a_generator_that_names_more_once_it_has_the_first_is_asked_again() {
    let project = project("echo zz1\ncase \":$XDG_DATA_DIRS\" in *dependencies*) echo zz2;; esac");
    let run = project.succeed(&["apply", "--json", "--jobs", "1"]);
    assert_eq!(order(&run).last().unwrap(), "aa", "{}", run.stdout);
    project.edit("zz2.spec", "echo zz2", "echo other");
    assert_eq!(project.actions()["aa"], "maybe");
}

#[test]
fn what_a_generator_names_and_nothing_meets_is_told_by_name() {
    for (script, code) in
        [("echo 'zz1 >= 9'", "forge::plan::unmet_requires"), ("echo aa", "forge::plan::requires_itself")]
    {
        let project = project(script);
        let run = project.run(&["apply"]);
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        assert!(run.stderr.contains(code), "{}", run.stderr);
        assert_eq!(project.repository().binaries().len(), 2);
    }
}

#[test]
fn a_circle_through_what_a_generator_names_is_shown() {
    let project = project("echo zz1");
    project.spec("zz1", "BuildRequires: zz2", "true");
    project.spec("zz2", "BuildRequires: aa", "true");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::plan::cycle"), "{}", run.stderr);
}

#[test]
fn a_generator_that_fails_is_the_build_s_failure() {
    let project = project("echo no such thing >&2; exit 3");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("it failed in %generate_buildrequires"), "{}", run.stdout);
}
