//! Builds that take more than they may: what they take is what their sandbox has, and they are told which limit it was.

use std::fs;

use crate::machine::Machine;
use crate::site::{Site, Who};

const MEMORY: &str = "limits { memory \"256MiB\" }";
const DISK: &str = "limits { disk \"64MiB\" }";
const PROCESSES: &str = "limits { processes 64 }";

const LOG: &str = "limits { log \"1MiB\" }";

const OVER_MEMORY: &str = "it used more memory than its limit of 256 MiB";
const OVER_DISK: &str = "it wrote more than its limit of 64 MiB";
const OVER_PROCESSES: &str = "it failed in %build: it could start no more processes: its limit is 64";
const OVER_LOG: &str = "it printed more than its limit of 1 MiB";

/// A build, its limits, its script, and why it fails.
type Build = (&'static str, &'static str, &'static str, &'static str);

const BUILDS: &[Build] = &[
    ("one-eats", MEMORY, "$ATTACK eat 4000", OVER_MEMORY),
    ("many-eat", MEMORY, "for i in $(seq 40); do $ATTACK eat 40 & done; wait", OVER_MEMORY),
    ("apart-eats", MEMORY, "setsid sh -c '$ATTACK eat 4000' & sleep 1000", OVER_MEMORY),
    ("shared-memory", MEMORY, "head -c 2G /dev/zero > /dev/shm/a; sleep 1000", OVER_MEMORY),
    ("run", MEMORY, "head -c 2G /dev/zero > /run/a; sleep 1000", OVER_MEMORY),
    ("memory-in-files", MEMORY, "$ATTACK memfd 4000; sleep 1000", OVER_MEMORY),
    ("disk-without-names", DISK, "exec 7>a; rm a; head -c 1G /dev/zero >&7; sleep 1000", OVER_DISK),
    (
        "disk-by-names",
        "limits { disk \"8MiB\" }",
        "i=0; while :; do i=$((i+1)); : > f$i; done",
        "it wrote more than its limit of 8 MiB",
    ),
    ("disk", DISK, "head -c 1G /dev/zero > a; sleep 1000", OVER_DISK),
    (
        "disk-of-tmp",
        DISK,
        "head -c 300M /dev/zero > /tmp/a; head -c 300M /dev/zero > /var/tmp/a; sleep 1000",
        OVER_DISK,
    ),
    ("disk-by-many", DISK, "for i in $(seq 400); do head -c 1M /dev/zero > f$i; done; sleep 1000", OVER_DISK),
    (
        "disk-in-closed-folder",
        DISK,
        "mkdir c; head -c 1G /dev/zero > c/a & sleep 0.1; chmod 000 c; wait; sleep 1000",
        OVER_DISK,
    ),
    (
        "disk-deep-down",
        DISK,
        "mkdir -p $(yes d | head -n 200 | tr '\\n' /); cd $(yes d | head -n 200 | tr '\\n' /); head -c 1G /dev/zero > a; sleep 1000",
        OVER_DISK,
    ),
    ("prints", LOG, "yes", OVER_LOG),
    ("prints-no-lines", LOG, "cat /dev/zero", OVER_LOG),
    ("prints-from-many", LOG, "trap '' TERM; for i in 1 2 3; do setsid yes >&2 & done; wait", OVER_LOG),
    ("prints-where-forge-listens", LOG, "for f in /proc/$PPID/fd/*; do yes > $f & done; yes", OVER_LOG),
    ("forks", PROCESSES, "for i in $(seq 200); do sleep 1000 & done; exit 0", OVER_PROCESSES),
    ("bomb", PROCESSES, "b() { b & b & wait; }; b & sleep 2; exit 8", OVER_PROCESSES),
    (
        "opens",
        "limits { open-files 64 }",
        "for i in 10 20 30 63 64; do eval \"exec $i</dev/null\" || exit 9; done",
        "it failed in %build: ",
    ),
];

#[test]
fn who_takes_more_than_it_may_is_ended_and_told_the_limit() {
    for who in Who::all() {
        let machine = Machine::new(who, "limits");
        let mut site = Site::new(who);
        for (name, limits, script, _) in BUILDS {
            site.build_with(name, limits, script);
        }
        let ended = site.apply();
        machine.assert_unharmed();
        for (name, _, _, expected) in BUILDS {
            assert_eq!(ended.state(name), "failed", "{name}, {who:?}:\n{}", site.log(name));
            assert!(ended.cause(name).contains(expected), "{name}, {who:?}: {}", ended.cause(name));
        }
    }
}

#[test]
fn of_a_log_without_end_the_begin_and_the_newest_lines_are_kept_whoever_builds_it() {
    const FULL: &str = "forge: this log has reached its limit of 1 MiB: the build is ended";
    for who in Who::all() {
        let mut site = Site::new(who);
        for engine in ["native", "rpmbuild"] {
            for isolation in ["namespaces", "none"] {
                let more = format!("engine {engine}; isolation {isolation}; {LOG}");
                site.build_with(&format!("{engine}-{isolation}"), &more, "echo begin; yes 'a line of many'");
            }
        }
        let ended = site.apply();
        for name in ["native-namespaces", "native-none", "rpmbuild-namespaces", "rpmbuild-none"] {
            let log = site.log(name);
            assert_eq!(ended.state(name), "failed", "{name}, {who:?}");
            assert!(ended.cause(name).contains(OVER_LOG), "{name}, {who:?}: {}", ended.cause(name));
            assert!(log.len() < (1 << 20) + (70 << 10), "{name}, {who:?}: {} bytes", log.len());
            assert!(log.starts_with("$ ") && log.contains("\nbegin\na line of many\n"), "{name}, {who:?}");
            let (_, newest) =
                log.split_once(FULL).unwrap_or_else(|| panic!("{name}, {who:?}: does not say why"));
            assert!(newest.contains("\na line of many\n"), "{name}, {who:?}: {newest}");
            let shown = site.run(&["log", name]);
            assert_eq!(shown.code, Some(0), "{name}, {who:?}: {}", shown.stderr);
            assert!(shown.stdout.contains(FULL), "{name}, {who:?}");
        }
    }
}

#[test]
fn who_takes_just_what_it_may_is_left_alone() {
    for who in Who::all() {
        let mut site = Site::new(who);
        site.build_with("memory", MEMORY, "timeout 1 $ATTACK eat 100 || :");
        site.build_with(
            "disk",
            DISK,
            "head -c 40M /dev/zero > a; head -c 1G /dev/zero > /dev/null; sleep 0.5",
        );
        // What others write to the same disk is not its own.
        let noise = site.beside("noise");
        fs::write(&noise, vec![1; 100 << 20]).unwrap();
        site.build_with("processes", PROCESSES, "for i in $(seq 20); do sleep 0.2 & done; wait");
        let ended = site.apply();
        for name in ["memory", "disk", "processes"] {
            assert_eq!(ended.state(name), "succeeded", "{name}, {who:?}:\n{}", site.log(name));
        }
    }
}

#[test]
fn who_wants_the_network_is_told_what_lets_it() {
    for who in Who::all() {
        let mut site = Site::new(who);
        for engine in ["native", "rpmbuild"] {
            let script = "bash -c 'exec 3<>/dev/tcp/example.org/80'";
            site.build_with(engine, &format!("engine {engine}"), script);
        }
        let ended = site.apply();
        for engine in ["native", "rpmbuild"] {
            let cause = ended.cause(engine);
            let expected = "it failed in %build: the build wants to reach the network";
            assert!(cause.contains(expected), "{engine}, {who:?}: {cause}\n{}", site.log(engine));
        }
        let shown = site.run(&["apply"]).stdout;
        assert!(
            shown.contains("forge::engine::no_network") && shown.contains("`network #true` in the manifest"),
            "{who:?}: {shown}"
        );
    }
}
