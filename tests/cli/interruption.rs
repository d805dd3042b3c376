//! Killed, interrupted: what was completed is kept, nothing else is believed.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::Project;

/// The delays of this test are spread by a fixed seed.
pub struct Delays(pub u64);

impl Delays {
    pub fn next(&mut self, below: Duration) -> Duration {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let below = u64::try_from(below.as_micros()).unwrap();
        Duration::from_micros((self.0 >> 33) % below)
    }
}

fn start(project: &Project) -> Child {
    project.forge(&["apply", "-q"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// As if nothing had ever been built there. The folder stays the same: its path gets into what compilers write.
fn forget(project: &Project) {
    for folder in [project.path().join(".forge"), project.path().join("public"), project.cache()] {
        let _ = std::fs::remove_dir_all(folder);
    }
}

#[test]
fn killed_at_50_moments_the_next_apply_ends_with_the_same_repository() {
    let project = Project::example("libraries");
    let begun = Instant::now();
    project.succeed(&["apply"]);
    let usual = begun.elapsed();
    let expected = project.published();
    assert!(expected.len() > 11);
    let mut delays = Delays(20_261_121);
    for round in 0..50 {
        forget(&project);
        let mut child = start(&project);
        std::thread::sleep(delays.next(usual + usual / 5));
        child.kill().unwrap();
        child.wait().unwrap();
        let run = project.run(&["apply"]);
        assert_eq!(run.code, Some(0), "round {round}: {}\n{}", run.stdout, run.stderr);
        let published = project.published();
        assert_eq!(
            published.keys().collect::<Vec<_>>(),
            expected.keys().collect::<Vec<_>>(),
            "round {round}"
        );
        assert!(published == expected, "round {round}: a file has other bytes");
        assert!(project.succeed(&["plan", "--detailed-exitcode"]).stdout.contains("4 up to date"));
    }
}

#[test]
fn the_first_interrupt_ends_all_builds_and_the_next_apply_goes_on() {
    let project = Project::with("packages \"*.spec\"\n");
    project.spec("quick", "", "true");
    project.spec(
        "slow",
        "BuildRequires: quick",
        &format!("touch {}\nsleep 30", project.beside("begun").display()),
    );
    let mut child = start(&project);
    let begun = Instant::now();
    while !project.beside("begun").exists() {
        assert!(begun.elapsed().as_secs() < 60, "the slow build did not begin");
        std::thread::sleep(Duration::from_millis(20));
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(begun.elapsed().as_secs() < 25);
    let status = project.succeed(&["status", "slow"]).stdout;
    assert!(status.contains("canceled"), "{status}");
    project.spec("slow", "BuildRequires: quick", "true");
    let states = project.succeed(&["apply", "--json"]).states();
    assert_eq!((states["quick"].as_str(), states["slow"].as_str()), ("cached", "succeeded"));
}

#[test]
fn a_killed_forge_takes_its_builds_with_it() {
    let project = Project::with("packages \"*.spec\"\n");
    let pid = project.beside("pid");
    project.spec("slow", "", &format!("echo $$ > {}\nsleep 60", pid.display()));
    let mut child = start(&project);
    let begun = Instant::now();
    let build: i32 = loop {
        assert!(begun.elapsed().as_secs() < 60, "the build did not begin");
        if let Some(pid) = std::fs::read_to_string(&pid).ok().and_then(|text| text.trim().parse().ok()) {
            break pid;
        }
        std::thread::sleep(Duration::from_millis(20));
    };
    child.kill().unwrap();
    child.wait().unwrap();
    let gone = || !std::path::Path::new(&format!("/proc/{build}")).exists();
    while !gone() {
        assert!(begun.elapsed().as_secs() < 60, "the build outlived forge");
        std::thread::sleep(Duration::from_millis(20));
    }
}
