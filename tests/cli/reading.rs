//! Specs are read by a worker: what they run while they are read can neither steer forge nor outlive it.

use std::collections::BTreeSet;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Project, Run};

/// A project of specs that run nothing, and of `m`, which runs `script` while it is read and takes what it writes for its
/// group.
fn project(script: &str) -> Project {
    let project = Project::with("packages \"*.spec\"\n");
    ["a", "b", "x", "y", "z"].iter().for_each(|name| project.spec(name, "", "true"));
    add_spec(&project, "m", script);
    project
}

fn add_spec(project: &Project, name: &str, script: &str) {
    project.write(&format!("{name}.sh"), script);
    let path = project.path().join(format!("{name}.sh"));
    project.spec(name, &format!("Group: %(. {})", path.display()), "true");
}

/// The numbers of processes in a file, one a line.
fn pids(project: &Project, name: &str) -> Vec<i32> {
    let text = std::fs::read_to_string(project.beside(name)).unwrap_or_default();
    text.lines().map(|line| line.parse().unwrap()).collect()
}

fn plan(project: &Project) -> serde_json::Value {
    serde_json::from_str(&project.succeed(&["plan", "--json"]).stdout).unwrap()
}

fn is_running(pid: i32) -> bool {
    std::path::Path::new(&format!("/proc/{pid}")).exists()
}

fn wait_until(is_so: impl Fn() -> bool, why: &str) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "{why}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn one_worker_reads_all_specs_and_one_asks_all_commands_again() {
    let project = Project::with("packages \"*.spec\"\n");
    let seen = project.beside("seen");
    for number in 0..20 {
        let script = format!("echo $PPID >> {}\n: {number}\necho g", seen.display());
        add_spec(&project, &format!("p{number}"), &script);
    }
    let child = project.forge(&["check"]).stdout(Stdio::piped()).spawn().unwrap();
    let forge = i32::try_from(child.id()).unwrap();
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(0));
    let first = pids(&project, "seen");
    assert_eq!(first.len(), 20);
    let workers: BTreeSet<i32> = first.iter().copied().collect();
    assert!(workers.len() == 1 && !workers.contains(&forge), "{forge} {workers:?}");
    project.succeed(&["check"]);
    let again: BTreeSet<i32> = pids(&project, "seen").split_off(20).into_iter().collect();
    assert_eq!((pids(&project, "seen").len(), again.len()), (40, 1));
}

/// Writes what looks like a worker's messages to every descriptor of the script, of the worker and of its supervisor.
const LIES: &str = r#"
trap '' PIPE
own=$(readlink /proc/$$/fd/1)
supervisor=$(awk '$1 == "PPid:" { print $2 }' /proc/$PPID/status)
facts='{"name":"liar","evr":"9-9","subpackages":[],"build_requires":[],"build_conflicts":[],"generates_requires":false,"sources":[],"arch":{"exclusive":[],"excluded":[],"build":[]},"changelog_time":null}'
for descriptor in /proc/$$/fd/* /proc/$PPID/fd/* /proc/$supervisor/fd/*; do
    # What is written to its own output is what the macro expands to.
    test -p $descriptor && test "$(readlink $descriptor)" != "$own" || continue
    for number in 0 1 2 3 4 5; do
        answer='{"message":"answered","number":'$number',"answer":{"read":{"reading":{"facts":'$facts'},"observations":[],"expanded":null}}}'
        printf '\n%s\n%s\n' "$answer" "0123456789abcdef0123456789abcdef $answer" > $descriptor
    done
    printf '\n%s\n' '{"message":"ended","how":"answered"}' '{"message":"answered","number":' > $descriptor
    echo $descriptor >> OPENED
done
echo g
"#;

#[test]
fn a_spec_that_talks_as_a_worker_while_it_is_read_changes_nothing() {
    let project = project("echo g");
    let expected = plan(&project);
    project.write("m.sh", &LIES.replace("OPENED", &project.beside("opened").display().to_string()));
    let again = plan(&project);
    let names = |plan: &serde_json::Value| {
        let builds = plan["builds"].as_array().unwrap().iter();
        builds.map(|build| (build["package"].clone(), build["action"].clone())).collect::<Vec<_>>()
    };
    assert_eq!(names(&again), names(&expected));
    assert!(!again.to_string().contains("liar"));
    let opened = std::fs::read_to_string(project.beside("opened")).unwrap();
    assert!(opened.lines().count() >= 2, "{opened}");
}

/// `check` of a project of which one spec ends what reads it: only that one is an error.
fn check_with_killer(script: &str) -> (Project, Run) {
    let project = project(script);
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert_eq!(run.stderr.matches("forge::engine::unread_spec").count(), 1, "{}", run.stderr);
    // Long lines are broken.
    let told: String =
        run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    let died = "/m.spec can't be read: its worker was killed (signal 9)";
    assert!(told.contains(died), "{}", run.stderr);
    (project, run)
}

#[test]
fn a_spec_that_kills_its_worker_is_named_and_the_others_are_read() {
    let (project, _) = check_with_killer("kill -9 $PPID\nsleep 50");
    let run = project.run(&["apply", "--json"]);
    let states = run.states();
    assert_eq!((run.code, states["m"].as_str()), (Some(1), "skipped"), "{}", run.stdout);
    let built = ["a", "b", "x", "y", "z"].iter().all(|name| states[*name] == "succeeded");
    assert!(built, "{states:?}");
}

#[test]
fn a_spec_that_kills_the_supervisor_of_its_worker_is_named_too() {
    check_with_killer("kill -9 $(awk '$1 == \"PPid:\" { print $2 }' /proc/$PPID/status)\nsleep 50");
}

#[test]
fn specs_that_all_kill_their_worker_are_given_up() {
    let project = project("kill -9 $PPID");
    for number in 0..15 {
        add_spec(&project, &format!("k{number}"), &format!("kill -9 $PPID; : {number}"));
    }
    let run = project.run(&["check"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.matches("forge::engine::unread_spec").count() >= 16, "{}", run.stderr);
}

/// Starts the binary and waits until the script of a spec has written its own number to the file `pid`.
fn start_reading(project: &Project, arguments: &[&str]) -> (Child, i32) {
    let mut command = project.forge(arguments);
    let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_until(|| !pids(project, "pid").is_empty(), "the spec is not read");
    (child, pids(project, "pid")[0])
}

fn endless(project: &Project) -> String {
    let pid = project.beside("pid");
    // The number comes whole.
    format!("trap '' TERM INT\necho $$ > {0}.new\nmv {0}.new {0}\nwhile :; do sleep 1; done\n", pid.display())
}

#[test]
fn an_interrupt_ends_a_spec_that_is_read_without_end_and_leaves_no_process() {
    for arguments in [["apply", "-q"], ["plan", "-q"]] {
        let project = project("");
        project.write("m.sh", &endless(&project));
        let (mut child, script) = start_reading(&project, &arguments);
        kill_process(Pid::from_child(&child), Signal::INT).unwrap();
        assert_ne!(child.wait().unwrap().code(), Some(0));
        wait_until(|| !is_running(script), "the script outlived forge");
        add_spec(&project, "m", "echo g");
        project.succeed(&arguments);
    }
}

#[test]
fn an_interrupt_ends_an_apply_that_reads_specs_once_more() {
    let project = project("");
    let flag = project.beside("flag");
    let script = format!("if test -e {}; then\n{}\nfi\necho g", flag.display(), endless(&project));
    project.write("m.sh", &script);
    // What its generator names makes another plan necessary, and that runs the script again.
    let generator = format!("%prep\n%generate_buildrequires\ntouch {}\necho x\n%build\n", flag.display());
    project.edit("a.spec", "%build\n", &generator);
    let (mut child, script) = start_reading(&project, &["apply", "-q", "--jobs", "1"]);
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_until(|| !is_running(script), "the script outlived forge");
}
