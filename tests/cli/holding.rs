//! Updates that would leave published packages without what they need.

use crate::support::{Project, Run};

const LIBRARY: &str = "package lib { source path \"lib.spec\" }\n";
const TOOL: &str = "package tool { source path \"tool.spec\" }\n";

/// A library and a tool that needs its first version, both published.
fn published(publish: &str) -> Project {
    let project = Project::with(&format!("publish \"public/{{chroot}}\" {{ {publish} }}\n{LIBRARY}{TOOL}"));
    project.spec("lib", "Provides: thing = 1", "");
    project.spec("tool", "Requires: thing = 1", "");
    project.succeed(&["apply"]);
    project
}

/// What of the packages' names and versions of `thing` the metadata of the repository say, in their order.
fn things(project: &Project) -> Vec<String> {
    let xml = project.repository().primary();
    let entries = xml.split("<rpm:entry ").filter(|entry| entry.starts_with("name=\"thing\""));
    entries.filter_map(|entry| Some(entry.split("ver=\"").nth(1)?.split('"').next()?.to_owned())).collect()
}

fn held(run: &Run) -> Vec<(String, String)> {
    let events = run.events("not-published");
    for event in &events {
        assert_eq!(event["code"], "forge::publish::held");
    }
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    events.iter().map(|event| (text(&event["package"]), text(&event["cause"]))).collect()
}

#[test]
fn an_update_that_takes_what_a_published_package_needs_waits_until_that_is_built_anew() {
    let project = published("");
    project.spec("lib", "Provides: thing = 2", "");
    let run = project.run(&["apply", "--json"]);
    let cause = "tool-1.0-1.noarch needs thing = 1, which would be gone: the package stays as it was";
    assert_eq!((run.code, held(&run)), (Some(1), vec![("lib".to_owned(), cause.to_owned())]));
    assert_eq!(things(&project), ["1", "1"]);
    // It is said as long as it is so.
    let again = project.run(&["apply", "--json"]);
    assert_eq!(held(&again), held(&run));
    let shown = project.run(&["apply"]).stderr;
    assert!(shown.contains("not published: lib in host: tool-1.0-1.noarch needs thing = 1"), "{shown}");
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}", plan.stdout);
    assert!(
        plan.stdout.contains("lib waits for host: tool-1.0-1.noarch needs thing = 1, which would be gone"),
        "{}",
        plan.stdout
    );
    // What needs the one that waits waits with it.
    project.spec("other", "Requires: thing = 2", "");
    project.write(
        "Rpmforge.kdl",
        &(project.read("Rpmforge.kdl") + "package other { source path \"other.spec\" }\n"),
    );
    let with_other = held(&project.run(&["apply", "--json"]));
    assert_eq!(with_other.len(), 2);
    assert!(with_other[1].1.contains("comes with lib-1.0-1.noarch, and that waits: the package waits"));
    // The tool is built anew: all of it comes in.
    project.spec("tool", "Requires: thing = 2", "");
    project.succeed(&["apply"]);
    assert_eq!(things(&project), ["2", "2", "2"]);
}

#[test]
fn a_package_that_leaves_stays_while_another_needs_it() {
    let project = published("");
    project.edit("Rpmforge.kdl", LIBRARY, "");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(held(&run).len(), 1, "{}", run.stdout);
    assert_eq!(things(&project), ["1", "1"]);
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}", plan.stdout);
    let stays = "lib stays in the repository of host, though the manifest no longer declares it: tool-1.0-1.noarch needs";
    assert!(plan.stdout.contains(stays), "{}", plan.stdout);
    let again = project.run(&["apply"]).stderr;
    assert!(again.contains(stays) && !again.contains("lib leaves"), "{again}");
    project.spec("tool", "", "");
    project.succeed(&["apply"]);
    assert_eq!(things(&project), Vec::<String>::new());
}

#[test]
fn what_waits_comes_in_where_the_manifest_says_so() {
    for (rule, said) in [("broken warn", true), ("broken allow", false)] {
        let project = published(rule);
        project.spec("lib", "Provides: thing = 2", "");
        let run = project.succeed(&["apply", "--json"]);
        let warned = run.events("noted").iter().any(|event| {
            event["text"].as_str().unwrap().contains("tool-1.0-1.noarch needs thing = 1, which would be gone")
        });
        assert_eq!(warned, said, "{rule}");
        assert_eq!(things(&project), ["2", "1"]);
    }
}
