//! What `forge log` shows of logs that programs of others wrote.

use crate::support::Project;

/// Sets a title, clears the screen, is red, hides what it wrote, and answers for the user.
const NASTY: &str = r"printf 'A\033]0;title\007B\033[2J\033[31mC\033[0m\302\233HD\b\033[6nE\rF\n'";

#[test]
fn a_log_can_not_steer_the_terminal() {
    let project = Project::with("package nasty { source path \"nasty.spec\" }\n");
    project.spec("nasty", "", NASTY);
    project.succeed(&["apply"]);
    for arguments in [&["log", "nasty"] as &[&str], &["log", "nasty", "--stage", "build"]] {
        let shown = project.succeed(arguments).stdout;
        assert!(shown.contains("\nABCDE\nF\n"), "{shown:?}");
        assert!(shown.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{shown:?}");
    }
}

#[test]
fn what_specs_say_can_not_steer_the_terminal() {
    let project = Project::with("packages \"*.spec\"\n");
    for (name, line) in [
        ("said", "%{error:bad \u{1b}[2J\u{1b}]0;title\u{7}x}"),
        ("arch", "BuildArch: \u{1b}[31mred"),
        ("needed", "BuildRequires: \u{1b}]0;title\u{7}"),
        ("source", "Source0: \u{9b}2J.c"),
    ] {
        project.spec(name, line, "");
    }
    for arguments in [&["apply"] as &[&str], &["apply", "--verbose"], &["plan"], &["check"], &["status"]] {
        let run = project.run(arguments);
        let shown = [run.stdout, run.stderr].concat();
        assert!(shown.chars().all(|c| c == '\n' || c == '\t' || !c.is_control()), "{arguments:?}: {shown:?}");
    }
}

#[test]
fn a_pipe_in_the_place_of_a_log_is_refused_by_name() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "");
    project.succeed(&["apply"]);
    let log = project.path().join(".forge/results/host/00000001-a/build.log");
    std::fs::remove_file(&log).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, &log, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    for arguments in [&["log", "a"] as &[&str], &["log", "a", "--stage", "build"]] {
        let run = project.run(arguments);
        assert!(run.code == Some(1) && run.stderr.contains("build.log"), "{}", run.stderr);
    }
}

#[test]
fn a_log_begins_with_what_was_built_and_any_build_has_its_number() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "echo one");
    project.succeed(&["apply"]);
    project.spec("a", "", "echo two; false");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    let newest = project.succeed(&["log", "a"]).stdout;
    assert!(!newest.contains("forge rpmbuild"), "{newest}");
    assert!(newest.starts_with("# a in host, build #2, failed just now: it failed in %build"), "{newest}");
    assert!(newest.contains("two") && !newest.lines().nth(1).unwrap().starts_with("$ "), "{newest}");
    let first = project.succeed(&["log", "#1"]).stdout;
    assert!(
        first.starts_with("# a in host, build #1, succeeded just now\n") && first.contains("one"),
        "{first}"
    );
    assert!(project.succeed(&["log", "a", "--verbose"]).stdout.contains("\n$ forge rpmbuild -bs"));
    let none = project.run(&["log", "#9"]);
    assert!(none.code == Some(1) && none.stderr.contains("forge::cli::no_build"), "{}", none.stderr);
}

#[test]
fn logs_and_results_of_what_failed_are_found_without_a_name() {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("good", "", "echo fine");
    project.spec("bad", "", "echo wrong; false");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    let log = project.succeed(&["log", "--failed"]).stdout;
    assert!(log.starts_with("# bad in host") && log.contains("\nwrong\n"), "{log}");
    let results = project.succeed(&["results", "--failed"]).stdout;
    assert!(results.contains("-bad ") && !results.contains("-good "), "{results}");
    let none = project.succeed(&["log", "good", "--failed"]);
    assert_eq!(
        (none.stdout.as_str(), none.stderr.as_str()),
        ("", "note: no build that was meant has failed\n")
    );
    assert_eq!(project.run(&["log"]).code, Some(64));
}

#[test]
fn results_and_logs_take_patterns_and_batches() {
    let packages =
        ["liba", "libb", "tool"].map(|name| format!("package {name} {{ source path \"{name}.spec\" }}\n"));
    let project = Project::with(&format!("{}batch base {{ members liba tool }}\n", packages.concat()));
    for name in ["liba", "libb", "tool"] {
        project.spec(name, "", "true");
    }
    project.succeed(&["apply"]);
    let shown = |arguments: &[&str]| {
        let text = project.succeed(&[&["results"] as &[&str], arguments].concat()).stdout;
        let folders = text.lines().filter(|line| line.starts_with(".forge/"));
        let names = folders.map(|line| line.split([' ', '-']).nth(1).unwrap().to_owned());
        names.collect::<Vec<String>>()
    };
    assert_eq!(shown(&["lib*"]), ["liba", "libb"]);
    assert_eq!(shown(&["--batch", "b*"]), ["liba", "tool"]);
    assert_eq!(shown(&["lib*", "--batch", "base", "--chroot", "ho*"]), ["liba"]);
    assert_eq!(shown(&["#1", "tool"]).len(), 2);
    let nowhere = project.run(&["results", "liba", "--chroot", "hots"]);
    assert!(nowhere.stderr.contains("did you mean `host`?"), "{}", nowhere.stderr);
    assert_eq!(project.run(&["results"]).code, Some(64));
    let log = project.succeed(&["log", "lib[b]"]);
    assert!(log.stdout.starts_with("# libb in host"), "{}", log.stdout);
    let newest = project.succeed(&["log", "lib*"]);
    assert!(newest.stderr.starts_with("note: this is the newest, of lib"), "{}", newest.stderr);
}
