//! What commands print as JSON fits the schemas that forge prints, which are those in `schemas/`.

use serde_json::Value;

use crate::support::{Project, repository};

const FORMS: [&str; 13] = [
    "check",
    "diff",
    "doctor",
    "history",
    "outdated",
    "compare",
    "prune",
    "plan",
    "result",
    "results",
    "status",
    "verify-signatures",
    "why",
];

fn schema(project: &Project, form: &str) -> String {
    project.succeed(&["schema", "--form", form]).stdout
}

#[test]
fn the_schemas_on_disk_are_those_that_forge_prints() {
    let project = Project::new();
    for form in FORMS {
        let on_disk = std::fs::read_to_string(repository().join(format!("schemas/{form}.json")));
        assert_eq!(
            on_disk.unwrap_or_default(),
            schema(&project, form),
            "write it anew: forge schema --form {form} > schemas/{form}.json"
        );
    }
}

/// Builds that are there, to be made, may be made, can't be made, failed and are not meant to be built; settings of all kinds.
fn every_kind() -> Project {
    let project = Project::with(
        "package base { source path \"base.spec\"; with docs; without tests; macros { greeting hi; \"flag(n:)\" x }\n\
         env { A b; KEY (env)\"TOKEN\" }; build-requires \"coreutils >= 1\" }\n\
         package top { source path \"top.spec\" }\npackage bad { source path \"bad.spec\" }\n\
         package good { source path \"good.spec\" }\npackage elsewhere { source path \"elsewhere.spec\" }\n\
         package broken { source path \"broken.spec\" }\nbatch first { members base }\n",
    );
    project.spec("base", "%bcond docs 0\n%bcond tests 1", "true");
    project.spec("top", "BuildRequires: base", "true");
    project.spec("bad", "", "echo 'a.c:1: error: no'; exit 3");
    project.spec("good", "", "true");
    project.spec("elsewhere", "ExclusiveArch: s390", "true");
    project.spec("broken", "Requires: a >=", "true");
    run(&project, &["apply"]);
    project.edit("base.spec", "Version: 1.0", "Version: 1.1");
    project.edit("base.spec", "\n%description\nA test.\n", "\n%description\nAnother test.\n");
    run(&project, &["apply", "base", "good", "--force"]);
    run(&project, &["apply", "top"]);
    project.edit("base.spec", "%build", "%build\n: again");
    project.edit("Rpmforge.kdl", "greeting hi", "greeting ho");
    project.edit("Rpmforge.kdl", "with docs", "without docs");
    project
}

fn run(project: &Project, arguments: &[&str]) -> String {
    let output = project.forge(arguments).env("TOKEN", "a secret").output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
fn assert_fits(project: &Project, form: &str, text: &str) {
    let schema: Value = serde_json::from_str(&schema(project, form)).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let document: Value = serde_json::from_str(text).unwrap();
    let problems: Vec<String> = validator.iter_errors(&document).map(|problem| problem.to_string()).collect();
    assert!(problems.is_empty(), "{form}: {problems:#?}\n{text}");
    assert_ne!(document, serde_json::json!({}));
}

#[test]
fn what_commands_print_fits_its_schema() {
    let project = every_kind();
    for (form, arguments) in [
        ("plan", &["plan", "--json", "--all"] as &[&str]),
        ("status", &["status", "--json"]),
        ("why", &["why", "--json"]),
        ("why", &["why", "top", "good", "--json", "--profile", "none"]),
        ("history", &["history", "--json"]),
        ("results", &["results", "--json"]),
        ("why", &["why", "#1", "--json"]),
        ("diff", &["diff", "*", "--json", "--all"]),
        ("check", &["check", "--json"]),
        ("outdated", &["outdated", "--json"]),
        ("compare", &["compare", "#1", "#1", "--json"]),
        ("prune", &["prune", "--dry-run", "--json"]),
    ] {
        if arguments.contains(&"none") {
            project.edit("Rpmforge.kdl", "batch first", "profile none { macros { other 1 } }\nbatch first");
        }
        assert_fits(&project, form, &run(&project, arguments));
    }
    let plan: Value = serde_json::from_str(&run(&project, &["plan", "--json"])).unwrap();
    let actions: Vec<&str> =
        plan["builds"].as_array().unwrap().iter().map(|build| build["action"].as_str().unwrap()).collect();
    for action in ["build", "maybe", "skip", "impossible"] {
        assert!(actions.contains(&action), "{actions:?}");
    }
}

#[test]
fn results_and_differences_of_files_fit_their_schemas() {
    let project = every_kind();
    let results = project.path().join(".forge/results/host");
    let mut packages = Vec::new();
    for entry in std::fs::read_dir(results).unwrap() {
        let folder = entry.unwrap().path();
        assert_fits(&project, "result", &std::fs::read_to_string(folder.join("result.json")).unwrap());
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        packages.extend(files.filter(|path| path.to_string_lossy().ends_with(".noarch.rpm")));
    }
    packages.sort();
    let (one, other) = (packages.first().unwrap(), packages.last().unwrap());
    let arguments = ["diff", one.to_str().unwrap(), other.to_str().unwrap(), "--json"];
    assert_fits(&project, "diff", &run(&project, &arguments));
}

#[test]
fn what_is_not_so_does_not_fit() {
    let project = every_kind();
    let schema: Value = serde_json::from_str(&schema(&project, "plan")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let mut plan: Value = serde_json::from_str(&run(&project, &["plan", "--json"])).unwrap();
    assert!(validator.is_valid(&plan));
    plan["builds"][0]["action"] = "perhaps".into();
    assert!(!validator.is_valid(&plan));
}
