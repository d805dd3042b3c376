//! `forge status`, `forge why` and `forge history`: how it stands with builds, and why.

use crate::support::Project;

fn chain() -> Project {
    let project = Project::with(
        "package base { source path \"base.spec\" }\npackage middle { source path \"middle.spec\" }\n\
         package top { source path \"top.spec\" }\n",
    );
    project.spec("base", "Source0: data.txt", "true");
    project.write("data.txt", "one\n");
    project.spec("middle", "BuildRequires: base", "true");
    project.spec("top", "BuildRequires: middle", "true");
    project
}

fn json(project: &Project, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&project.succeed(arguments).stdout).unwrap()
}

#[test]
fn status_is_how_it_stands_now_and_what_needs_somebody_comes_first() {
    let project = chain();
    let status = project.succeed(&["status"]).stdout;
    assert!(status.ends_with("3 new\n"), "{status}");
    project.succeed(&["apply"]);
    project.spec("top", "BuildRequires: middle", "false");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    project.edit("data.txt", "one", "two");
    let status = project.succeed(&["status"]).stdout;
    let rows: Vec<Vec<&str>> = status.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..4], ["top", "host", "failed", "1.0-1"], "{status}");
    assert!(rows[0].contains(&"#4") && status.contains("just now"), "{status}");
    assert_eq!(rows[1][..4], ["base", "host", "changed", "1.0-1"], "{status}");
    assert_eq!(rows[2][..4], ["middle", "host", "maybe", "1.0-1"], "{status}");
    assert!(status.ends_with("1 failed, 1 changed, 1 maybe\n"), "{status}");
    let document = json(&project, &["status", "--json", "top"]);
    let top = &document["builds"][0];
    assert_eq!(
        (&document["version"], &top["state"], &top["published"]),
        (&1.into(), &"failed".into(), &"1.0-1".into())
    );
    assert!(top["last"]["ended"].as_str().unwrap().ends_with('Z'), "{top}");
}

#[test]
fn what_was_canceled_before_it_was_ever_built_is_new() {
    let project = chain();
    project.spec("base", "", "touch begun; sleep 60");
    let mut apply = project.forge(&["apply", "-q", "base"]).spawn().unwrap();
    let begun = project.path().join(".forge/work/host/base/BUILD/begun");
    while !begun.exists() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_child(&apply);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(apply.wait().unwrap().code(), Some(130));
    let base = &json(&project, &["status", "--json", "base"])["builds"][0];
    assert_eq!((&base["state"], &base["last"]["state"]), (&"new".into(), &"canceled".into()));
}

#[test]
fn status_names_what_is_published_no_more() {
    let project = chain();
    project.succeed(&["apply", "base"]);
    assert!(!project.succeed(&["status"]).stdout.contains("missing"));
    let folder = std::fs::read_dir(project.path().join("public/host")).unwrap().map(Result::unwrap);
    let folder =
        folder.map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("/base-")).unwrap();
    std::fs::remove_file(folder.join("base-1.0-1.noarch.rpm")).unwrap();
    let status = project.succeed(&["status"]).stdout;
    assert!(status.contains("base-1.0-1.noarch.rpm is missing: an apply puts it right"), "{status}");
    assert_eq!(json(&project, &["status", "--json"])["damaged"][0]["damage"], "missing");
}

#[test]
fn the_status_of_very_many_builds_fits_a_screen() {
    let project = Project::with("packages \"*.spec\"\n");
    (0..60).for_each(|number| project.spec(&format!("a{number}"), "", "true"));
    let status = project.succeed(&["status"]).stdout;
    assert!(status.lines().count() <= 24 && status.contains("and 42 more"), "{status}");
    assert_eq!(project.succeed(&["status", "--all"]).stdout.lines().count(), 63);
}

#[test]
fn why_goes_back_to_the_source_that_changed() {
    let project = chain();
    project.succeed(&["apply"]);
    let why = project.succeed(&["why", "top"]).stdout;
    assert!(
        why.starts_with("top in host is up to date; it was built just now (#3):\n  never built here\n"),
        "{why}"
    );
    project.edit("data.txt", "one", "two");
    project.edit("base.spec", "Version: 1", "Version: 2");
    let planned = project.succeed(&["why", "top"]).stdout;
    let steps = [
        "top in host would be built:",
        "  if packages of middle in host change",
        "    middle in host would be built:",
    ];
    assert!(steps.iter().all(|step| planned.contains(step)), "{planned}");
    assert!(planned.contains("source data.txt changed (") && planned.contains(" → "), "{planned}");
    project.succeed(&["apply"]);
    let middle = project.succeed(&["why", "middle"]).stdout;
    assert!(
        middle.contains("base-2.0-1.noarch") && middle.contains("base in host is up to date"),
        "{middle}"
    );
    assert!(middle.contains("source data.txt changed ("), "{middle}");
    let document = json(&project, &["why", "middle", "--json"]);
    let from = &document["builds"][0]["reasons"][0]["from"];
    assert_eq!((&from["package"], &from["state"]), (&"base".into(), &"up-to-date".into()), "{document}");
}

#[test]
fn history_says_why_each_build_was_made() {
    let project = chain();
    project.succeed(&["apply"]);
    project.edit("base.spec", "Version: 1", "Version: 2");
    project.succeed(&["apply"]);
    let history = project.succeed(&["history"]).stdout;
    let row = |number: &str| history.lines().find(|line| line.trim_start().starts_with(number)).unwrap();
    assert!(row("#1").ends_with("never built here"), "{history}");
    assert!(row("#4").ends_with("spec changed"), "{history}");
    // A new version of what it needs is one cause.
    assert!(row("#5").ends_with("base-1.0-1.noarch → base-2.0-1.noarch"), "{history}");
    let why = project.succeed(&["why", "middle"]).stdout;
    assert_eq!(why.matches("base-2.0-1.noarch").count(), 1, "{why}");
    let newest = json(&project, &["history", "--json"])["builds"][0]["reasons"][0].clone();
    assert_eq!((&newest["why"], &newest["before"]), (&"dependency".into(), &"base-1.0-1.noarch".into()));
}

#[test]
fn a_profile_holds_for_why() {
    let project = chain();
    project.edit("Rpmforge.kdl", "package top", "profile ci { macros { dist .ci } }\npackage top");
    project.succeed(&["apply", "base"]);
    let why = project.succeed(&["why", "base", "--profile", "ci"]).stdout;
    assert!(why.contains("macro dist: unset → `.ci` (profile)"), "{why}");
}

#[test]
fn the_result_says_why_it_was_built() {
    let project = chain();
    project.succeed(&["apply", "base"]);
    project.edit("data.txt", "one", "two");
    project.succeed(&["apply", "base"]);
    let results = project.path().join(".forge/results/host/00000002-base/result.json");
    let result: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(results).unwrap()).unwrap();
    assert_eq!(result["reasons"][0]["why"], "source");
    assert!(result["started"].as_str().unwrap().contains('T'), "{result}");
}

#[test]
fn a_skipped_build_takes_no_number() {
    let project = chain();
    project.spec("base", "", "false");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    let history = json(&project, &["history", "--json"]);
    let builds = history["builds"].as_array().unwrap();
    assert!(builds.iter().all(|build| build["package"] == "base"), "{history}");
    let folders = std::fs::read_dir(project.path().join(".forge/results/host")).unwrap();
    assert_eq!(folders.count(), 1);
}

#[test]
fn history_is_chosen_by_pattern_and_failure() {
    let project = chain();
    project.succeed(&["apply"]);
    project.spec("top", "BuildRequires: middle", "false");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    let count = |arguments: &[&str]| project.succeed(arguments).stdout.lines().count() - 1;
    assert_eq!(count(&["history"]), 4);
    assert_eq!(count(&["history", "*e*"]), 2);
    assert_eq!(count(&["history", "--failed"]), 1);
    assert_eq!(count(&["history", "-n", "2"]), 2);
    let run = project.run(&["history", "tap"]);
    assert!(run.code == Some(1) && run.stderr.contains("did you mean `top`?"), "{}", run.stderr);
}
