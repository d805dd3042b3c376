//! What is said after a change was taken back: nothing is built, and an earlier result stands again.

use crate::support::Project;

/// `user` takes a file from `base`, which has a source.
fn pair() -> Project {
    let project = Project::with(
        "package base { source path \"base.spec\" }\npackage user { source path \"user.spec\" }\n",
    );
    project.spec("base", "Source0: data.txt", "true");
    project.edit("base.spec", "echo base >", "cat %{SOURCE0} >");
    project.write("data.txt", "one\n");
    project.spec("user", "BuildRequires: base", "true");
    project.succeed(&["apply", "base"]);
    project
}

fn json(project: &Project, arguments: &[&str]) -> serde_json::Value {
    serde_json::from_str(&project.succeed(arguments).stdout).unwrap()
}

#[test]
fn why_names_the_build_whose_packages_were_used_and_not_a_later_one() {
    let project = pair();
    project.succeed(&["apply"]);
    project.write("data.txt", "two\n");
    project.succeed(&["apply"]);
    let comment = format!("# a comment\n{}", project.read("base.spec"));
    project.write("base.spec", &comment);
    let again = project.succeed(&["apply"]);
    assert!(again.stdout.contains("1 build was not needed"), "{}", again.stdout);
    let why = project.succeed(&["why", "user"]).stdout;
    assert!(why.contains("base in host was built just now (#3):\n      source data.txt changed"), "{why}");
    assert!(!why.contains("#5") && !why.contains("spec changed"), "{why}");
    let from = &json(&project, &["why", "user", "--json"])["builds"][0]["reasons"][0]["from"];
    assert_eq!((&from["number"], &from["state"]), (&3.into(), &"built".into()), "{from}");
}

#[test]
fn why_of_what_was_taken_back_tells_of_the_result_that_stands() {
    let project = pair();
    project.succeed(&["apply"]);
    project.write("data.txt", "two\n");
    project.succeed(&["apply"]);
    project.write("data.txt", "one\n");
    let planned = project.succeed(&["why", "base"]).stdout;
    let expected = "base in host is to be published: an apply goes back to the result of #1, built just now:\n  never built here\n";
    assert_eq!(planned, expected);
    project.succeed(&["apply"]);
    let why = project.succeed(&["why", "base"]).stdout;
    let expected = "base in host is up to date; it went back just now (#5) to the result of #1, built just now:\n  never built here\n";
    assert_eq!(why, expected);
    let base = &json(&project, &["why", "base", "--json"])["builds"][0];
    assert_eq!((&base["number"], &base["result_of"]["number"]), (&5.into(), &1.into()), "{base}");
    let diff = project.run(&["diff", "base"]).stdout;
    assert!(diff.starts_with("# base in host: build #3, then #5\n"), "{diff}");
}

#[test]
fn builds_are_known_by_their_numbers_everywhere() {
    let project = pair();
    project.succeed(&["apply"]);
    project.write("data.txt", "two\n");
    project.succeed(&["apply"]);
    project.write("data.txt", "three\n");
    project.succeed(&["apply"]);
    let why = project.succeed(&["why", "#4"]).stdout;
    assert!(why.starts_with("user in host was built just now (#4):\n  base-1.0-1.noarch changed"), "{why}");
    assert!(why.contains("base in host was built just now (#3):"), "{why}");
    let history = project.succeed(&["history", "#3"]).stdout;
    assert!(history.lines().count() == 2 && history.contains("source data.txt changed"), "{history}");
    let times = project.succeed(&["history", "#3", "-v"]).stdout;
    assert!(times.contains("Z ") && !times.contains("just now"), "{times}");
    let before = project.run(&["diff", "#3"]);
    assert!(before.stdout.starts_with("# base in host: build #1, then #3\n"), "{}", before.stderr);
    let two = project.run(&["diff", "#1", "#5"]);
    assert!(two.stdout.starts_with("# base in host: build #1, then #5\n"), "{}", two.stderr);
    for command in ["why", "history", "diff", "log", "results"] {
        let unknown = project.run(&[command, "#99"]);
        assert!(unknown.stderr.contains("there is no build #99"), "{command}: {}", unknown.stderr);
    }
}

#[test]
fn status_says_that_an_earlier_result_is_to_be_published() {
    let project = pair();
    project.succeed(&["apply"]);
    project.edit("base.spec", "Version: 1.0", "Version: 1.1");
    project.succeed(&["apply"]);
    assert!(project.succeed(&["status"]).stdout.ends_with("\n2 up to date\n"));
    project.edit("base.spec", "Version: 1.1", "Version: 1.0");
    let status = project.succeed(&["status"]).stdout;
    assert!(status.contains("to publish") && status.contains("1.1-1 → 1.0-1"), "{status}");
    assert!(status.ends_with("to publish\n") || status.contains(" to publish, "), "{status}");
    let base = &json(&project, &["status", "base", "--json"])["builds"][0];
    assert_eq!((&base["state"], &base["published"]), (&"to-publish".into(), &"1.1-1".into()), "{base}");
    let plan = project.succeed(&["plan"]).stdout;
    let entering = "base (1.1-1 → 1.0-1)";
    assert!(plan.contains(entering) && plan.contains("of host without being built\n"), "{plan}");
    let entering = &json(&project, &["plan", "--json"])["entering"][0];
    assert_eq!(
        (&entering["version_before"], &entering["version"]),
        (&"1.1-1".into(), &"1.0-1".into()),
        "{entering}"
    );
    project.succeed(&["apply"]);
    assert!(project.succeed(&["status"]).stdout.ends_with("\n2 up to date\n"));
}
