//! Batches: what waits for what, and who gives way.

use crate::support::Project;

fn ended(run: &crate::support::Run) -> Vec<String> {
    run.events("build-ended").iter().map(|event| event["package"].as_str().unwrap().to_owned()).collect()
}

fn position(order: &[String], package: &str) -> usize {
    order.iter().position(|name| name == package).unwrap()
}

#[test]
fn a_batch_waits_for_the_one_before() {
    let project = Project::example("batches");
    let order = ended(&project.succeed(&["apply", "--json", "--jobs", "4"]));
    for earlier in ["compiler", "assembler"] {
        assert!(position(&order, earlier) < position(&order, "libone"), "{order:?}");
    }
    assert!(position(&order, "libtwo") < position(&order, "app-editor"), "{order:?}");
    assert_eq!(order.last().unwrap(), "report");
}

#[test]
fn a_failed_batch_stops_those_after_it_but_not_those_that_come_even_then() {
    let project = Project::example("batches");
    project.edit("specs/libone.spec", "%install", "%build\nexit 1\n\n%install");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(run.code, Some(1));
    let states = run.states();
    assert_eq!(states["libone"], "failed");
    assert_eq!(states["libtwo"], "succeeded");
    assert_eq!(states["app-editor"], "skipped");
    assert_eq!(states["report"], "succeeded");
    let skipped =
        run.events("build-ended").into_iter().find(|event| event["package"] == "app-editor").unwrap();
    assert_eq!(skipped["skipped"], "libone in host failed");
}

#[test]
fn background_builds_wait_for_normal_ones() {
    let manifest = "package slow { source path \"slow.spec\"; priority background }\n\
                    package one { source path \"one.spec\" }\npackage two { source path \"two.spec\" }\n";
    let project = Project::with(manifest);
    ["slow", "one", "two"].iter().for_each(|name| project.spec(name, "", "true"));
    let order = ended(&project.succeed(&["apply", "--json", "--jobs", "1"]));
    assert_eq!(order.last().unwrap(), "slow");
}

#[test]
fn after_orders_two_packages_without_making_one_need_the_other() {
    let project = Project::with(
        "package a { source path \"a.spec\"; after b }\npackage b { source path \"b.spec\" }\n",
    );
    project.spec("a", "", "true");
    project.spec("b", "", "exit 1");
    let run = project.run(&["apply", "--json", "--jobs", "4"]);
    assert_eq!(ended(&run), ["b", "a"]);
    assert_eq!(run.states()["a"], "succeeded");
}
