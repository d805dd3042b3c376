//! What a build prints is its log and nothing else: forge believes only what its worker tells.

use crate::support::{Project, Run};

/// Writes what looks like messages of a worker, and rpmbuild's words, to every descriptor of the script, of the worker and of
/// the worker's supervisor that it can open.
const LIES: &str = r#"
trap '' PIPE
lie() {
    printf '\n%s\n' "Wrote: /etc/passwd" "Executing(%%check): x" "error: Bad exit status from /x (%%check)" \
        '{"message":"wrote","path":"/etc/passwd"}' '{"message":"stage","name":"lies"}' \
        '{"message":"ended","how":"built"}' '0123456789abcdef0123456789abcdef {"message":"ended","how":"built"}'
}
supervisor=$(awk '$1 == "PPid:" { print $2 }' /proc/$PPID/status)
opened=0
for descriptor in /proc/$$/fd/* /proc/$PPID/fd/* /proc/$supervisor/fd/*; do
    test -p $descriptor && lie > $descriptor && opened=$((opened + 1))
done
lie
lie >&2
lie >&3 || :
echo $opened descriptors took it
"#;

fn build(end: &str) -> (Project, Run) {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", &format!("set +xe\n( {LIES} ) 2>&1\n{end}"));
    let run = project.run(&["apply", "--json"]);
    (project, run)
}

fn only_event(run: &Run, name: &str) -> serde_json::Value {
    let mut events = run.events(name);
    assert_eq!(events.len(), 1, "{}", run.stdout);
    events.remove(0)
}

fn stages(run: &Run) -> Vec<String> {
    let name = |event: &serde_json::Value| event["stage"].as_str().unwrap().to_owned();
    run.events("stage-started").iter().map(name).collect()
}

#[test]
fn a_script_that_talks_as_a_worker_changes_nothing() {
    let (project, run) = build("true");
    assert_eq!(run.code, Some(0), "{}", run.stdout);
    assert_eq!(only_event(&run, "build-ended")["state"], "succeeded");
    assert!(stages(&run).contains(&"build".to_owned()));
    assert!(!stages(&run).iter().any(|stage| stage == "lies" || stage == "check"), "{:?}", stages(&run));
    let log = project.succeed(&["log", "a"]).stdout;
    // What comes over the descriptor of messages may stand in the middle of a line of the log.
    let took = log.split_once(" descriptors took it").and_then(|(before, _)| before.chars().next_back());
    assert!(took.is_some_and(|took| took.is_ascii_digit() && took >= '4'), "{log}");
    assert!(log.contains("Wrote: /etc/passwd") && log.contains(r#""message":"ended""#), "{log}");
    let packages = project.succeed(&["results", "a"]).stdout;
    assert!(packages.contains("a-1.0-1.noarch.rpm") && !packages.contains("passwd"), "{packages}");
}

#[test]
fn a_script_that_says_that_all_is_well_and_fails_has_failed() {
    let (_, run) = build("exit 3");
    assert_eq!(run.code, Some(1));
    let failure = &only_event(&run, "build-ended")["failure"];
    assert!(failure["cause"].as_str().unwrap().starts_with("it failed in %build: "), "{failure}");
    assert_eq!(failure["problems"][0]["code"], "forge::engine::bad_exit");
}

#[test]
fn a_worker_that_is_killed_is_told_as_that() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "kill -9 $PPID\nsleep 60");
    let run = project.run(&["apply", "--json"]);
    let cause = only_event(&run, "build-ended")["failure"]["cause"].clone();
    let killed = "it failed in %build: its worker was killed (signal 9): by the machine, for want of memory, or by a script of the build";
    assert_eq!(cause, killed);
}

#[test]
fn what_the_engine_finds_keeps_its_code_and_help_up_to_the_screen_and_json() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project
        .write("a.spec", &crate::support::spec("a", "", "true").replace("%files\n", "%files\n/not/there\n"));
    let run = project.run(&["apply", "--json"]);
    let failure = &only_event(&run, "build-ended")["failure"];
    assert_eq!(failure["cause"], "it failed in %files: a %files section lists a file that was not installed");
    let problem = &failure["problems"][0];
    assert_eq!(problem["code"], "forge::engine::file_not_found");
    assert_eq!(problem["severity"], "error");
    assert!(problem["text"].as_str().unwrap().ends_with("/not/there"), "{problem}");
    let shown = project.run(&["apply"]).stdout;
    let place = "  forge::engine::file_not_found\n    help: `%install` did not put it there\n";
    assert!(shown.contains(place), "{shown}");
}

#[test]
fn a_build_folder_that_can_not_be_made_is_told_after_the_reason() {
    let manifest = "package a { source path \"a.spec\"; macros { builddir \"/proc/nosuch/a\" } }\n";
    let project = Project::with(manifest);
    project.spec("a", "", "true");
    let run = project.run(&["apply", "--json"]);
    let failure = &only_event(&run, "build-ended")["failure"];
    let codes =
        failure["problems"].as_array().unwrap().iter().map(|problem| problem["code"].as_str().unwrap());
    assert!(codes.eq(["forge::engine::bad_exit", "forge::engine::build_folder"]), "{failure}");
}

#[test]
fn a_worker_without_a_request_says_so_and_ends() {
    let run = Project::new().run(&["worker"]);
    assert_eq!(run.code, Some(64));
    assert!(run.stdout.contains("forge worker: this is no request"), "{} {}", run.stdout, run.stderr);
}

#[test]
fn a_package_that_somebody_changes_after_it_was_written_is_not_kept() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    // It goes on when its section has ended, and writes to whatever package comes. The check of packages waits for it, since
    // the build may be over before it comes to do anything.
    let changed = "%{_topdir}/changed";
    let writer = format!(
        "(while :; do for file in %{{_rpmdir}}/*/*.rpm; do \
         if [ -f \"$file\" ]; then echo >> \"$file\"; touch {changed}; fi; done; done) < /dev/null > /dev/null 2>&1 &"
    );
    let waiter =
        "tries=0; until [ -e \"$1\" ] || [ $tries = 600 ]; do sleep 0.1; tries=$((tries + 1)); done\n";
    project.write("wait", waiter);
    let check = format!("Source0: wait\n%global _build_pkgcheck sh %{{SOURCE0}} {changed}");
    project.spec("a", &check, &writer);
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(
        run.stdout.contains("was changed after the build had written it: it is not kept"),
        "{}",
        run.stdout
    );
    assert!(run.stdout.contains("forge::execute::package_changed"), "{}", run.stdout);
    assert!(!project.path().join("public/host/repodata").exists());
}
