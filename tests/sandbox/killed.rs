//! Forge, or a process between it and a build, is killed at any moment: nothing goes on, and nothing that is left is
//! believed.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::site::{Site, Who, wait_until};

/// What is killed.
#[derive(Clone, Copy, Debug)]
enum Victim {
    /// The forge that was started.
    Forge,
    /// The process that it starts a sandbox by.
    Supervisor,
    /// The one that makes the sandbox, or the first one in it: whichever is found.
    Sandbox,
}

const VICTIMS: [Victim; 3] = [Victim::Forge, Victim::Supervisor, Victim::Sandbox];

/// How many times something is killed for each of those who run forge: 50 times in all, or as often as `FORGE_TEST_KILLS` says.
fn rounds() -> u32 {
    std::env::var("FORGE_TEST_KILLS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| 50_u32.div_ceil(u32::try_from(Who::all().len()).unwrap()))
}

fn site(who: Who) -> Site {
    let mut site = Site::new(who);
    site.build("slow", "(setsid sleep 1000 &) </dev/null >/dev/null 2>&1; sleep 0.2");
    site.package(
        "after",
        "",
        &crate::site::spec("after", "true").replace("Source9", "BuildRequires: slow\nSource9"),
    );
    site
}

/// The packages that are published, and their content.
fn published(site: &Site) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![site.path().join("public")];
    while let Some(path) = open.pop() {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.is_dir() {
            true => open.extend(fs::read_dir(path).unwrap().flatten().map(|entry| entry.path())),
            false if name.ends_with(".rpm") => found.push((name, fs::read(path).unwrap())),
            false => {}
        }
    }
    found.sort();
    found
}

fn forget(site: &Site) {
    for folder in [site.path().join(".forge"), site.path().join("public"), site.beside("cache")] {
        let _ = fs::remove_dir_all(folder);
    }
}

/// Kills one process of a kind, if there is one.
fn kill(site: &Site, victim: Victim, forge: u32) {
    let word = match victim {
        Victim::Forge => return kill_pid(forge.try_into().unwrap()),
        Victim::Supervisor => "__supervise",
        Victim::Sandbox => "__enclose",
    };
    let processes = site.processes();
    let of_kind = processes.iter().find(|line| {
        let arguments: Vec<&str> = line.split(' ').collect();
        arguments.get(2) == Some(&word)
    });
    let pid = of_kind.and_then(|line| line.strip_prefix("/proc/")?.split_once(':')?.0.parse().ok());
    pid.into_iter().for_each(kill_pid);
}

fn kill_pid(pid: i32) {
    // It may have ended by itself.
    let _ = kill_process(Pid::from_raw(pid).unwrap(), Signal::KILL);
}

#[test]
fn killed_at_any_moment_nothing_goes_on_and_the_next_apply_makes_the_same_packages() {
    for who in Who::all() {
        let site = site(who);
        let begun = Instant::now();
        assert_eq!(site.run(&["apply", "-q"]).code, Some(0));
        let usual = begun.elapsed();
        let expected = published(&site);
        assert_eq!(expected.len(), 6, "{:?}", expected.iter().map(|(name, _)| name).collect::<Vec<_>>());
        for round in 0..rounds() {
            let victim = VICTIMS[usize::try_from(round).unwrap() % VICTIMS.len()];
            forget(&site);
            let mut forge = site.start(&["apply", "-q"]);
            // Spread evenly, whatever the machine's speed: golden ratio, in thousandths.
            std::thread::sleep(usual * ((round * 618 + 300) % 1000) / 1000);
            kill(&site, victim, forge.id());
            forge.wait().unwrap();
            wait_until(&format!("{victim:?} killed, {who:?}: all have ended"), || {
                site.processes().is_empty()
            });
            let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
            assert!(!mounts.contains(site.path().to_str().unwrap()), "{mounts}");
            let run = site.run(&["apply"]);
            assert_eq!(
                run.code,
                Some(0),
                "round {round}, {victim:?}, {who:?}: {}\n{}",
                run.stdout,
                run.stderr
            );
            assert!(published(&site) == expected, "round {round}, {victim:?}, {who:?}: other packages");
        }
    }
}

#[test]
fn a_killed_forge_takes_all_of_its_builds_with_it() {
    for who in Who::all() {
        for victim in VICTIMS {
            let mut site = Site::new(who);
            site.build(
                "long",
                "trap '' TERM HUP; (trap '' TERM HUP; setsid sleep 1000 &); touch begun; sleep 1000",
            );
            let mut forge = site.start(&["apply", "-q", "long"]);
            let begun = site.path().join(".forge/work/host/long/builddir/BUILD/begun");
            wait_until("the build has begun", || begun.exists());
            let at = Instant::now();
            kill(&site, victim, forge.id());
            forge.wait().unwrap();
            wait_until(&format!("{victim:?}, {who:?}: all have ended"), || site.processes().is_empty());
            assert!(at.elapsed() < Duration::from_secs(30), "{victim:?}, {who:?}");
        }
    }
}
