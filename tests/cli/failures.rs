//! Builds that fail, hang, print too much or can't be read: the right state, a readable message, others go on.

use std::time::Instant;

use crate::support::Project;

/// A project of a bad package and a good one that has nothing to do with it.
fn with_bad(bad: &str, more: &str) -> Project {
    let project = Project::with(&format!(
        "package bad {{ source path \"bad.spec\"; {more} }}\npackage good {{ source path \"good.spec\" }}\n"
    ));
    project.spec("bad", "", bad);
    project.spec("good", "", "true");
    project
}

fn end_of(run: &crate::support::Run, package: &str) -> serde_json::Value {
    run.events("build-ended").into_iter().find(|event| event["package"] == package).unwrap()
}

#[test]
fn a_build_that_fails_says_where_and_why_and_others_go_on() {
    let project = with_bad("echo 'thing.c:3: error: no such thing'; exit 7", "");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stdout.contains("bad in host: it failed in %build: thing.c:3: error: no such thing"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("1 built, 1 failed"), "{}", run.stdout);
    let log = run.stdout.lines().find_map(|line| line.trim().strip_prefix("whole log: forge ")).unwrap();
    assert_eq!(log, "log bad --stage build");
    let arguments: Vec<&str> = log.split(' ').collect();
    assert!(project.succeed(&arguments).stdout.contains("error: no such thing"));
    let tree = run.stdout.lines().find_map(|line| line.trim().strip_prefix("build tree: ")).unwrap();
    assert!(project.path().join(tree).is_dir(), "{tree}");
}

#[test]
fn of_a_failure_the_lines_around_the_first_error_are_shown_and_not_the_last_ones() {
    let script = "echo 'main.c:3: error: no such thing'\nfor i in $(seq 200); do echo cc $i.c; done\n\
                  echo 'make: *** [Makefile:3: all] Error 1'; exit 2";
    let run = with_bad(script, "").run(&["apply"]);
    let block = run.stdout.split("\n\n").next().unwrap();
    assert!(
        block.starts_with("bad in host: it failed in %build: main.c:3: error: no such thing\n"),
        "{block}"
    );
    let lines: Vec<&str> = block.lines().filter_map(|line| line.trim().strip_prefix("│ ")).collect();
    assert_eq!(lines[..2], ["main.c:3: error: no such thing", "cc 1.c"], "{block}");
    let noise = ["+ ", "Executing(", "Bad exit status", "RPM build errors", "cc 200.c"];
    assert!(!noise.iter().any(|noise| block.contains(noise)), "{block}");
}

#[test]
fn the_same_failure_in_several_chroots_is_shown_once() {
    let manifest = "chroot other { root \"/\" }\npackage bad { source path \"bad.spec\" }\n";
    let project = Project::with(manifest);
    project.spec("bad", "", "true");
    let check = "%check\necho 'ok 1 - a'; echo 'not ok 2 - reads a name'; exit 1\n\n%files";
    project.edit("bad.spec", "%files", check);
    let run = project.run(&["apply"]);
    let headline = "bad in host, other: it failed in %check: not ok 2 - reads a name\n";
    assert!(run.stdout.starts_with(headline), "{}", run.stdout);
    assert_eq!(run.stdout.matches("not ok 2").count(), 2, "{}", run.stdout);
    assert!(
        run.stdout.contains("  whole log: forge log bad --chroot host --stage check\n"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("2 failed in "), "{}", run.stdout);
}

#[test]
fn a_spec_without_files_is_told_that_it_makes_no_package() {
    let project = with_bad("true", "");
    let spec = project.read("bad.spec");
    project.write("bad.spec", spec.split("%install").next().unwrap());
    let run = project.run(&["apply", "bad"]);
    let headline = "bad in host: the spec makes no package: it has no %files section";
    assert!(run.code == Some(1) && run.stdout.starts_with(headline), "{}", run.stdout);
}

#[test]
fn what_depends_on_a_failed_build_is_skipped_and_names_it() {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("base", "", "exit 1");
    project.spec("middle", "BuildRequires: base", "true");
    project.spec("top", "BuildRequires: middle", "true");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(end_of(&run, "middle")["state"], "skipped");
    assert_eq!(end_of(&run, "middle")["skipped"], "base in host failed");
    assert_eq!(end_of(&run, "top")["skipped"], "base in host failed");
}

#[test]
fn a_build_that_hangs_is_ended_with_all_that_it_started() {
    let marker = format!("forge-test-{}", std::process::id());
    let escape = format!("setsid sh -c 'exec -a {marker} sleep 600' & sleep 600");
    let project = with_bad(&escape.replace("sh -c", "bash -c"), "timeout \"2s\"");
    let begun = Instant::now();
    let run = project.run(&["apply", "--json"]);
    assert!(begun.elapsed().as_secs() < 60);
    assert_eq!(end_of(&run, "bad")["failure"]["cause"], "it took longer than its timeout of 2s");
    assert_eq!(end_of(&run, "good")["state"], "succeeded");
    assert_eq!(running(&marker), Vec::<String>::new());
}

/// The command lines that hold `marker`.
fn running(marker: &str) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok());
    lines.filter(|line| line.contains(marker) && line.contains("600")).collect()
}

#[test]
fn a_build_that_leaves_a_daemon_behind_ends_with_it_gone() {
    let marker = format!("forge-daemon-{}", std::process::id());
    let project =
        with_bad(&format!("setsid bash -c 'exec -a {marker} sleep 600' >/dev/null 2>&1 &\ntrue"), "");
    project.succeed(&["apply"]);
    assert_eq!(running(&marker), Vec::<String>::new());
}

#[test]
fn a_build_that_prints_100_mb_is_logged_whole() {
    let project = with_bad("head -c 100000000 /dev/zero | tr '\\0' 'x'\nyes line | head -n 100000", "");
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(end_of(&run, "bad")["state"], "succeeded");
    let log = project.path().join(".forge/results/host").read_dir().unwrap().flatten();
    let sizes = log.map(|entry| entry.path().join("build.log").metadata().unwrap().len());
    assert!(sizes.max().unwrap() > 100_000_000);
}

#[test]
fn a_build_that_reads_or_writes_its_stdin_finds_it_empty() {
    let project = with_bad("test -z \"$(cat)\"\necho x >&0 || true", "");
    assert_eq!(end_of(&project.succeed(&["apply", "--json"]), "bad")["state"], "succeeded");
}

#[test]
fn a_spec_that_does_not_parse_is_shown_with_what_rpm_says_and_others_go_on() {
    let project = with_bad("true", "");
    project.write("bad.spec", "Name: bad\nVersion: 1\n%if\n");
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    insta::assert_snapshot!(
        "broken_spec",
        run.stderr
            .split("building")
            .next()
            .unwrap()
            .replace(&project.path().display().to_string(), "PROJECT")
    );
    assert!(run.stdout.contains("1 built, 1 skipped"), "{}", run.stdout);
    assert_eq!(project.run(&["check"]).code, Some(1));
}

#[test]
fn a_failed_build_is_tried_again_as_often_as_the_manifest_says() {
    let project = with_bad("", "retries 2");
    let count = project.beside("count");
    let script = format!("echo x >> {0}\ntest $(wc -l < {0}) -ge 3", count.display());
    project.spec("bad", "", &script);
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(run.events("retried").len(), 2);
    assert_eq!(end_of(&run, "bad")["state"], "succeeded");
}

#[test]
fn on_failure_stop_begins_nothing_further() {
    let manifest =
        "package bad { source path \"bad.spec\" }\npackage late { source path \"late.spec\"; after bad }\n";
    let project = Project::with(manifest);
    project.edit("Rpmforge.kdl", "isolation none", "isolation none; on-failure stop");
    project.spec("bad", "", "exit 1");
    project.spec("late", "", "true");
    let run = project.run(&["apply", "--json", "--jobs", "1"]);
    let late = end_of(&run, "late");
    assert_eq!(late["skipped"], "bad in host failed, and `on-failure stop` is set");
}

#[test]
fn an_architecture_that_the_spec_rules_out_is_skipped_without_being_a_failure() {
    let project = Project::with("packages \"*.spec\"\n");
    project.write(
        "a.spec",
        &crate::support::spec("a", "ExclusiveArch: s390x", "true").replace("BuildArch: noarch\n", ""),
    );
    project.spec("b", "", "true");
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(end_of(&run, "a")["state"], "skipped");
    assert!(
        end_of(&run, "a")["skipped"].as_str().unwrap().contains("Architecture is not included"),
        "{}",
        run.stdout
    );
}
