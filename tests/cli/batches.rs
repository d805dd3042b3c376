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

const TWO_CHROOTS: &str = "rpmforge version=1\nchroot el9 { root \"/\" }\nchroot f42 { root \"/\" }\n\
    defaults { engine ENGINE; isolation none }\npackage a { source path \"a.spec\"; on el9 { macros { broken 1 } } }\n\
    package b { source path \"b.spec\" }\nbatch one { members a }\nbatch two after=one { members b }\n";

/// A project whose package `a` can't be built in the chroot el9, and whose package `b` is in the batch after its own.
fn two_chroots(broken: &str) -> Project {
    let project = Project::new();
    project.write("Rpmforge.kdl", &TWO_CHROOTS.replace("ENGINE", &crate::support::engine()));
    project.spec("a", broken, "%{?broken:exit 1}");
    project.spec("b", "", "true");
    project
}

/// The builds that ended in a state, as `package in chroot`.
fn builds_in(run: &crate::support::Run, state: &str) -> Vec<String> {
    let ended = run.events("build-ended").into_iter().filter(|event| event["state"] == state);
    let mut names: Vec<String> = ended
        .map(|event| {
            format!("{} in {}", event["package"].as_str().unwrap(), event["chroot"].as_str().unwrap())
        })
        .collect();
    names.sort();
    names
}

/// The same of a plan, by its actions.
fn planned(project: &Project, action: &str) -> Vec<String> {
    let run = project.run(&["plan", "--json"]);
    let plan: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let builds = plan["builds"].as_array().unwrap().iter().filter(|build| build["action"] == action);
    let mut names: Vec<String> = builds
        .map(|build| {
            format!("{} in {}", build["package"].as_str().unwrap(), build["chroot"].as_str().unwrap())
        })
        .collect();
    names.sort();
    names
}

#[test]
fn a_batch_is_a_barrier_within_each_chroot() {
    let project = two_chroots("");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(builds_in(&run, "failed"), ["a in el9"]);
    assert_eq!(builds_in(&run, "skipped"), ["b in el9"]);
    assert_eq!(builds_in(&run, "succeeded"), ["a in f42", "b in f42"]);
}

#[test]
fn a_batch_waits_for_all_chroots_where_it_says_so() {
    let project = two_chroots("");
    project.edit("Rpmforge.kdl", "after=one", "after=one across=chroots");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(builds_in(&run, "skipped"), ["b in el9", "b in f42"]);
}

#[test]
fn plan_and_apply_skip_the_same_behind_what_cannot_be_built() {
    for across in ["", " across=chroots"] {
        let project = two_chroots("%{?broken:Source0: not-there.txt}");
        project.edit("Rpmforge.kdl", "after=one", &format!("after=one{across}"));
        let planned = planned(&project, "impossible");
        let run = project.run(&["apply", "--json"]);
        assert_eq!(planned, builds_in(&run, "skipped"));
        assert_eq!(planned.len(), if across.is_empty() { 2 } else { 3 }, "{planned:?}");
        let why = run.events("build-ended").into_iter().find(|event| event["package"] == "b").unwrap();
        assert_eq!(why["skipped"], "a in el9 can't be built");
    }
}

#[test]
fn what_is_up_to_date_stays_so_behind_a_failed_batch() {
    let project = two_chroots("");
    project.edit("Rpmforge.kdl", "; on el9 { macros { broken 1 } }", "");
    project.succeed(&["apply"]);
    project.edit("a.spec", "%install", "%check\nexit 1\n\n%install");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(builds_in(&run, "failed"), ["a in el9", "a in f42"]);
    assert_eq!(builds_in(&run, "cached"), ["b in el9", "b in f42"]);
    project.edit("a.spec", "%check\nexit 1\n\n", "");
    project.edit("a.spec", "%description", "Source0: not-there.txt\n%description");
    assert_eq!(planned(&project, "cached"), ["b in el9", "b in f42"]);
    assert_eq!(builds_in(&project.run(&["apply", "--json"]), "cached"), ["b in el9", "b in f42"]);
}
