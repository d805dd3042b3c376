//! `forge apply --json`: what happens, for programs.

use std::collections::BTreeSet;

use rpmforge::event::{Event, What};
use serde_json::Value;

use crate::support::{Project, Run, spec};

/// A project of builds that end in different ways.
fn mixed() -> Project {
    let project =
        Project::with("packages \"*.spec\"\npackage again { source path \"again/again.spec\"; retries 1 }\n");
    project.spec("good", "", "echo one\necho two >&2");
    project.spec("bad", "", "echo 'thing.c:3: error: no such thing'; exit 7");
    project.spec("after", "BuildRequires: bad", "true");
    project.write("again/again.spec", &spec("again", "", "exit 1"));
    project
}

fn lines(run: &Run) -> Vec<Value> {
    run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What was told of a package's log.
fn logged(run: &Run, package: &str) -> String {
    let texts = run.stdout.lines().filter_map(|line| match Event::read(line).unwrap().unwrap().what {
        What::Logged { build, text } if build.package == package => Some(text),
        _ => None,
    });
    texts.collect()
}

#[test]
fn all_that_is_told_fits_the_schema_and_can_be_read() {
    let project = mixed();
    let schema: Value =
        serde_json::from_str(&project.succeed(&["schema", "--form", "events"]).stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut seen = BTreeSet::new();
    for _ in 0..2 {
        let run = project.run(&["apply", "--json", "--logs"]);
        assert_eq!(run.code, Some(1));
        for line in lines(&run) {
            let problems: Vec<_> = validator.iter_errors(&line).collect();
            assert!(problems.is_empty(), "{line}: {problems:?}");
            assert!(Event::read(&line.to_string()).unwrap().is_some(), "{line}");
            seen.insert(line["event"].as_str().unwrap().to_owned());
        }
    }
    let told = ["apply-ended", "apply-started", "build-ended", "logged", "published", "retried"];
    let told = told.into_iter().chain(["stage-started", "state-changed"]);
    assert!(told.clone().all(|event| seen.contains(event)), "{seen:?}");
}

#[test]
fn the_events_of_a_run_name_it_and_those_of_the_next_another() {
    let project = mixed();
    let run = || {
        let lines = lines(&project.run(&["apply", "--json"]));
        let runs: BTreeSet<String> =
            lines.iter().map(|line| line["run"].as_str().unwrap().to_owned()).collect();
        assert_eq!(runs.len(), 1, "{runs:?}");
        runs.into_iter().next().unwrap()
    };
    assert!(run() < run());
}

#[test]
fn what_builds_print_is_told_to_who_asks_for_it() {
    let project = mixed();
    let run = project.run(&["apply", "--json", "--logs", "good"]);
    let log = project.succeed(&["log", "good"]).stdout;
    let printed: Vec<&str> =
        log.lines().filter(|line| !line.starts_with("$ ") && !line.starts_with("# ")).collect();
    assert_eq!(logged(&run, "good").lines().collect::<Vec<_>>(), printed);
    assert!(printed.contains(&"one") && printed.contains(&"two"), "{log}");
    let run = project.run(&["apply", "--json", "bad"]);
    assert!(run.events("logged").is_empty() && run.states()["bad"] == "failed");
    let alone = project.run(&["apply", "--logs"]);
    assert!(alone.code != Some(0) && alone.stderr.contains("--json"), "{}", alone.stderr);
}

#[test]
fn a_secret_is_masked_in_what_is_told_of_a_log() {
    let project = Project::with("package a { source path \"a.spec\"; env { KEY (env)\"TOKEN\" } }\n");
    project.spec("a", "", "set +x\nprintf 'key: hun'; sleep 0.1; printf '%s\\n' \"ter2-or-$KEY\"");
    let output =
        project.forge(&["apply", "--json", "--logs"]).env("TOKEN", "hunter2-or-not").output().unwrap();
    let run = Run::from(output);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert!(logged(&run, "a").contains("key: hunter2-or-(secret)"), "{}", run.stdout);
    assert!(!run.stdout.contains("hunter2-or-not"));
}

#[test]
fn a_build_that_is_up_to_date_names_the_results_that_serve() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    let ended = project.succeed(&["apply", "--json"]).events("build-ended").remove(0);
    assert_eq!((&ended["state"], &ended["number"]), (&"cached".into(), &serde_json::Value::Null), "{ended}");
    assert_eq!(ended["results"], ".forge/results/host/00000001-a", "{ended}");
}
