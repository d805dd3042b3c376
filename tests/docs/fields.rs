//! docs/json.md names every field of the JSON that forge prints, and none that it doesn't.

use std::collections::BTreeSet;

use serde_json::Value;

use super::support::Project;
use super::text_of;

/// The fields that the page names in the tables below a heading.
fn documented(heading: &str) -> BTreeSet<String> {
    let page = text_of("docs/json.md");
    let from = page.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let section = &page[from + 1..];
    let section = &section[..section[1..].find("\n## ").map_or(section.len(), |end| end + 1)];
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    cells.map(str::to_owned).collect()
}

/// The paths of all fields: `builds[].package`. What differs by kind (`reasons`) is a section of its own.
fn collect(value: &Value, path: &str, fields: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                let apart = [
                    "reasons",
                    "environment",
                    "failure",
                    "tags",
                    "dependencies",
                    "scripts",
                    "files",
                    "payload",
                    "changed",
                ];
                let is_apart = apart.contains(&name.as_str());
                fields.insert(path.clone());
                if !is_apart {
                    collect(value, &path, fields);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, &format!("{path}[]"), fields)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A project with everything that the JSON can tell: a dependency, a failure, settings.
fn project() -> Project {
    let project = Project::with(
        "package base { source path \"base.spec\"; with docs; without tests; macros { greeting hi }; env { A b } }\n\
         package top { source path \"top.spec\" }\npackage bad { source path \"bad.spec\" }\n\
         package good { source path \"good.spec\" }\n",
    );
    project.spec("base", "%bcond docs 0\n%bcond tests 1", "true");
    project.spec("top", "BuildRequires: base", "true");
    project.spec("bad", "", "exit 3");
    project.spec("good", "", "true");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    project.edit("base.spec", "A test.", "Another test.");
    project
}

#[track_caller]
fn assert_documented(heading: &str, fields: &BTreeSet<String>) {
    let documented = documented(heading);
    let missing: Vec<_> = fields.difference(&documented).collect();
    assert!(missing.is_empty(), "docs/json.md, {heading}: not there: {missing:?}");
    let gone: Vec<_> = documented.difference(fields).filter(|field| !field.contains('(')).collect();
    assert!(gone.is_empty(), "docs/json.md, {heading}: not printed: {gone:?}");
}

#[test]
fn json_fields_of_what_commands_print_are_documented() {
    let project = project();
    project.succeed(&["apply", "--force", "good"]);
    project.spec("wrong", "Requires: x >=", "true");
    let manifest = project.read("Rpmforge.kdl");
    project.write("Rpmforge.kdl", &format!("{manifest}package wrong {{ source path \"wrong.spec\" }}\n"));
    for (heading, arguments) in [
        ("doctor --json", vec!["doctor", "--json"]),
        ("plan --json", vec!["plan", "--json", "--explain", "--all"]),
        ("status --json", vec!["status", "--json"]),
        ("history --json", vec!["history", "--json"]),
        ("why --json", vec!["why", "--json"]),
        ("results --json", vec!["results", "base", "--json"]),
        ("check --json", vec!["check", "--json"]),
        ("outdated --json", vec!["outdated", "--json"]),
        ("diff --json", vec!["diff", "good", "--json"]),
    ] {
        let run = project.run(&arguments);
        let value: Value = serde_json::from_str(&run.stdout).unwrap();
        let mut fields = BTreeSet::new();
        collect(&value, "", &mut fields);
        assert_documented(heading, &fields);
    }
}

#[test]
fn json_fields_of_compare_and_prune_are_documented() {
    let project = Project::with(
        "package base { source path \"base.spec\" }\npublish \"public/{chroot}\" { keep builds=9 }\n",
    );
    project.spec("base", "", "exit 3");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    for version in 1..=3 {
        project.spec("base", &format!("Epoch: {version}"), "true");
        project.succeed(&["apply"]);
    }
    let run = project.run(&["compare", "#2", "#3", "--json"]);
    let mut fields = BTreeSet::new();
    collect(&serde_json::from_str(&run.stdout).unwrap(), "", &mut fields);
    // What packages differ in is told of under `diff`.
    fields.retain(|field| !field.starts_with("packages."));
    assert_documented("compare --json", &fields);
    project.edit("Rpmforge.kdl", "builds=9", "builds=2 failed=\"1ms\"");
    let run = project.succeed(&["prune", "--dry-run", "--json"]);
    let mut fields = BTreeSet::new();
    collect(&serde_json::from_str(&run.stdout).unwrap(), "", &mut fields);
    assert_documented("prune --json", &fields);
}

#[test]
fn json_fields_of_a_result_are_documented() {
    let project = project();
    let mut fields = BTreeSet::new();
    for package in ["base", "bad"] {
        let run = project.run(&["history", "--json", package]);
        let history: Value = serde_json::from_str(&run.stdout).unwrap();
        let results = history["builds"][0]["results"].as_str().unwrap();
        let result = project.read(&format!("{results}/result.json"));
        let result: Value = serde_json::from_str(&result).unwrap();
        collect(&result, "", &mut fields);
        if package == "base" {
            let run = project.succeed(&["rebuild", &result["number"].to_string(), "--json"]);
            let mut ended = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
            let ended = ended.rfind(|event| event["event"] == "build-ended").unwrap();
            let rebuilt = project.read(&format!("{}/result.json", ended["results"].as_str().unwrap()));
            collect(&serde_json::from_str(&rebuilt).unwrap(), "", &mut fields);
        }
    }
    assert_documented("result.json", &fields);
}

#[test]
fn every_event_is_documented() {
    let schema = rpmforge::event::event_schema();
    let page = text_of("docs/json.md");
    let run = project().run(&["apply", "--json"]);
    for line in run.stdout.lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        let kind = event["event"].as_str().unwrap();
        assert!(schema.contains(kind) && page.contains(&format!("`{kind}`")), "{kind}");
    }
}
