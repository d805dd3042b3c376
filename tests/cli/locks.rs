//! Two forge processes at once.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::Project;

#[test]
fn a_second_apply_on_one_project_is_told_of_the_first() {
    let project = Project::with("package slow { source path \"slow.spec\" }\n");
    let (begun, go) = (project.beside("begun"), project.beside("go"));
    let wait = format!("touch {}\nwhile ! test -e {}; do sleep 0.1; done", begun.display(), go.display());
    project.spec("slow", "", &wait);
    let mut first =
        project.forge(&["apply", "-q"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !begun.exists() {
        assert!(started.elapsed().as_secs() < 60);
        std::thread::sleep(Duration::from_millis(20));
    }
    let second = project.run(&["apply"]);
    assert_eq!(second.code, Some(1));
    assert!(second.stderr.contains("forge::cli::locked"));
    assert!(
        second.stderr.contains(&format!(
            "another forge is at work on this project: forge apply, process {}",
            first.id()
        )),
        "{}",
        second.stderr
    );
    assert!(project.succeed(&["status"]).stdout.contains("running"));
    let gc = project.run(&["gc", "--older", "1s"]);
    assert!(gc.stderr.contains("forge::cli::locked"), "{}", gc.stderr);
    std::fs::create_dir(project.beside("elsewhere")).unwrap();
    let gc = project.run(&["gc", "--older", "1s", "-C", "../elsewhere"]);
    assert!(gc.stderr.contains("forge::store::in_use"), "{}", gc.stderr);
    std::fs::write(go, "").unwrap();
    assert_eq!(first.wait().unwrap().code(), Some(0));
}

#[test]
fn what_a_killed_forge_has_left_running_is_shown_as_ended_and_collected() {
    let project = Project::with("package slow { source path \"slow.spec\" }\n");
    let begun = project.beside("begun");
    project.spec("slow", "", &format!("touch {}\nsleep 1000", begun.display()));
    let mut forge =
        project.forge(&["apply", "-q"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let started = Instant::now();
    while !begun.exists() {
        assert!(started.elapsed().as_secs() < 60);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(project.succeed(&["status"]).stdout.contains("running"));
    forge.kill().unwrap();
    forge.wait().unwrap();
    for command in [["status"], ["history"]] {
        let shown = project.succeed(&command).stdout;
        assert!(shown.contains("canceled") && !shown.contains("running"), "{command:?}: {shown}");
    }
    assert!(project.succeed(&["status"]).stdout.contains("forge was ended"));
    project.succeed(&["log", "slow", "--follow"]);
    let folders = [".forge/work/host/slow", ".forge/shell-LEFTXX"].map(|name| project.path().join(name));
    std::fs::create_dir_all(folders[1].join("over/usr")).unwrap();
    assert!(folders[0].exists());
    project.succeed(&["gc"]);
    folders.iter().for_each(|folder| assert!(!folder.exists(), "{}", folder.display()));
}

#[test]
fn two_projects_share_one_store_at_the_same_time() {
    let (one, other) = (Project::example("libraries"), Project::example("libraries"));
    let mut command = other.forge(&["apply", "-q"]);
    let mut second = command.env("XDG_CACHE_HOME", one.cache()).spawn().unwrap();
    one.succeed(&["apply", "-q"]);
    assert_eq!(second.wait().unwrap().code(), Some(0));
    assert_eq!(one.published().len(), other.published().len());
}
