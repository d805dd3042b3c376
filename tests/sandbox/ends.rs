//! Builds that end in odd ways, or not by themselves: how they ended is told, and nothing of them goes on.

use rustix::process::{Pid, Signal, kill_process};

use crate::machine::Machine;
use crate::site::{Site, Who, wait_until};

/// A build, what the manifest says of it, its script, and how it ends: why it failed, or nothing where it succeeds.
type Build = (&'static str, &'static str, &'static str, Option<&'static str>);

const TIME: &str = "timeout \"3s\"";
const TOO_LONG: Option<&str> = Some("it took longer than its timeout of 3s");
const NO_WORKER: Option<&str> = Some("its worker was killed (signal 9)");

const BUILDS: &[Build] = &[
    ("ignores-requests", TIME, "trap '' TERM INT HUP QUIT; while :; do sleep 1000; done", TOO_LONG),
    ("stops-itself", TIME, "kill -STOP $$", TOO_LONG),
    ("stops-all", TIME, "kill -STOP -1; kill -STOP $$", TOO_LONG),
    (
        "ignores-requests-and-forks",
        TIME,
        "trap '' TERM; for i in 1 2 3; do setsid sleep 1000 & done; wait",
        TOO_LONG,
    ),
    ("kills-the-worker", "", "kill -9 $PPID; sleep 1000", NO_WORKER),
    ("kills-all", "", "kill -9 -1; sleep 1000", NO_WORKER),
    ("ends-all", "", "trap '' TERM; kill -TERM -1; sleep 1000", Some("its worker was ended by signal 15")),
    ("kills-itself", "", "kill -9 $$", Some("its script was ended by signal 9")),
    ("faults", "", "kill -SEGV $$", Some("its script was ended by signal 11")),
    ("fails", "", "exit 3", Some("its script ended with exit code 3")),
    ("fails-like-memory", "", "exit 200", Some("its script ended with exit code 200")),
    ("fails-like-disk", "", "exit 201", Some("its script ended with exit code 201")),
    (
        "fails-like-no-sandbox",
        "",
        "echo 'forge: nonsense'; exit 202",
        Some("its script ended with exit code 202"),
    ),
    ("daemonizes", "", "setsid sh -c 'sleep 1000 &' </dev/null >/dev/null 2>&1", None),
    (
        "daemonizes-and-fails",
        "",
        "setsid sh -c 'sleep 1000 &' </dev/null >/dev/null 2>&1; exit 4",
        Some("exit code 4"),
    ),
    ("holds-the-log", "", "(trap '' TERM HUP; setsid sleep 1000) &", None),
    (
        "holds-the-log-and-prints",
        "",
        "(trap '' TERM HUP PIPE; while :; do echo on; sleep 0.01; done) &",
        None,
    ),
    ("closes-its-outputs", "", "exec >&- 2>&-; sleep 0.1", None),
    ("deletes-everything", "", "rm -rf --no-preserve-root /", Some("it failed in %build")),
    ("deletes-its-folder", "", "rm -rf /builddir/*; exit 5", Some("its script ended with exit code 5")),
    ("speaks-as-the-worker", "", SPEAKS_AS_WORKER, Some("its script ended with exit code 6")),
    ("speaks-of-packages", "", SPEAKS_OF_PACKAGES, None),
    ("changes-its-spec", "", "echo nonsense > /builddir/SPECS/changes-its-spec.spec; rm $ATTACK", None),
    ("bombs-the-terminal", "", r"printf '\033]0;gone\007\033[2J\r\0\377'; exit 7", Some("exit code 7")),
];

const SPEAKS_AS_WORKER: &str = r#"
for fd in $(seq 0 255); do
    [ -e /proc/self/fd/$fd ] || continue
    { echo; echo '{"message":"ended","ended":"built"}'; echo '{"message":"ended","built":{}}'; } >/proc/self/fd/$fd || :
done
exit 6"#;

const SPEAKS_OF_PACKAGES: &str = r"
for rpm in /etc/passwd /builddir/RPMS/../../../etc/passwd /builddir/RPMS/noarch/nosuch.rpm /builddir/RPMS /usr/share; do
    echo Wrote: $rpm; echo Wrote: $rpm >&2
done";

#[test]
fn what_ends_oddly_ends_alone_and_is_told_rightly() {
    for who in Who::all() {
        let machine = Machine::new(who, "ends");
        let mut site = Site::new(who);
        for (name, more, script, _) in BUILDS {
            site.build_with(name, more, script);
        }
        let ended = site.apply();
        machine.assert_unharmed();
        for (name, _, _, expected) in BUILDS {
            let expected_state = if expected.is_some() { "failed" } else { "succeeded" };
            assert_eq!(ended.state(name), expected_state, "{name}, {who:?}:\n{}", site.log(name));
            if let Some(expected) = expected {
                assert!(ended.cause(name).contains(expected), "{name}, {who:?}: {}", ended.cause(name));
            }
        }
        assert!(ended.run.stdout.chars().all(|c| c == '\n' || !c.is_control()), "control characters");
        let packages: usize = site.packages("speaks-of-packages").len();
        assert_eq!(packages, 2, "more was taken in than was written");
    }
}

#[test]
fn a_build_that_ignores_requests_ends_when_forge_is_interrupted() {
    for who in Who::all() {
        let mut site = Site::new(who);
        site.build(
            "stubborn",
            "trap '' TERM INT HUP QUIT; (trap '' TERM INT; setsid sleep 1000) & touch begun; while :; do sleep 1000; done",
        );
        let mut forge = site.start(&["apply", "-q", "stubborn"]);
        let begun = site.path().join(".forge/work/host/stubborn/builddir/BUILD/begun");
        wait_until("the build has begun", || begun.exists());
        kill_process(Pid::from_child(&forge), Signal::INT).unwrap();
        assert_eq!(forge.wait().unwrap().code(), Some(130));
        wait_until("all have ended", || site.processes().is_empty());
        assert!(site.run(&["status", "stubborn"]).stdout.contains("canceled"));
    }
}
