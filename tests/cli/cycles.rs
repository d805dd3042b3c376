//! Packages that need each other.

use crate::support::Project;

fn screen(project: &Project, run: &crate::support::Run) -> String {
    assert_eq!(run.code, Some(1));
    let root = project.path().canonicalize().unwrap().display().to_string();
    run.stderr.replace(&root, "PROJECT").replace(&project.path().display().to_string(), "PROJECT")
}

#[test]
fn a_circle_of_build_requires_is_shown_whole_with_the_line_of_each_edge() {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("a", "BuildRequires: b", "true");
    project.spec("b", "BuildRequires: c >= 1", "true");
    project.spec("c", "BuildRequires: a", "true");
    project.spec("outside", "BuildRequires: a", "true");
    let run = project.run(&["plan"]);
    insta::assert_snapshot!("circle_of_build_requires", screen(&project, &run));
}

#[test]
fn a_circle_of_after_is_shown_in_the_manifest() {
    let project = Project::with(
        "package a { source path \"a.spec\"; after b }\npackage b { source path \"b.spec\"; after a }\n",
    );
    ["a", "b"].iter().for_each(|name| project.spec(name, "", "true"));
    let run = project.run(&["plan"]);
    insta::assert_snapshot!("circle_of_after", screen(&project, &run));
}

#[test]
fn a_batch_whose_member_needs_a_later_batch_is_a_circle() {
    let project = Project::with(
        "packages \"*.spec\"\nbatch first { members a }\nbatch second after=first { members b }\n",
    );
    project.spec("a", "BuildRequires: b", "true");
    project.spec("b", "", "true");
    let run = project.run(&["plan"]);
    insta::assert_snapshot!("circle_through_batches", screen(&project, &run));
}

#[test]
fn of_a_long_circle_the_first_steps_are_shown() {
    const LENGTH: usize = 3000;
    let package = |number: usize| {
        let after = (number + 1) % LENGTH;
        format!("package x{number} {{ source path \"x.spec\"; after x{after} }}\n")
    };
    let project = Project::with(&(0..LENGTH).map(package).collect::<String>());
    project.spec("x", "", "true");
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains(" → 2950 more → "), "{}", run.stderr);
    assert_eq!(run.stderr.matches(" comes after ").count(), 50, "{}", run.stderr);
}

#[test]
fn a_circle_hides_neither_another_one_nor_other_mistakes() {
    let project = Project::with("packages \"*.spec\"\n");
    for (name, needs) in [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")] {
        project.spec(name, &format!("BuildRequires: {needs}"), "true");
    }
    project.spec("broken", "Source0: not-there.txt", "true");
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    for said in ["b in host → a in host → b in host", "d in host → c in host → d in host", "not-there.txt"]
    {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }
}

#[test]
fn programs_are_told_of_each_circle() {
    let project = Project::with("packages \"*.spec\"\n");
    for (name, need) in [("a", "b"), ("b", "a"), ("c", "d"), ("d", "c")] {
        project.spec(name, &format!("BuildRequires: {need}"), "true");
    }
    project.spec("wrong", "Requires: x >=", "true");
    let run = project.run(&["check", "--json"]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""));
    let document: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let findings = document["findings"].as_array().unwrap();
    let codes: Vec<&str> = findings.iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert_eq!(codes.iter().filter(|code| code.ends_with("::cycle")).count(), 2, "{codes:?}");
    assert_eq!(findings.len(), 3, "{codes:?}");
}
