//! `forge update` where something is not to be had: what was locked stays locked, to the letter.

use crate::git::made_git::MadeGit;
use crate::remote::Files;
use crate::server::Answer;
use crate::support::{Project, spec};
use crate::svn;

/// Updates, which is to fail, and expects the lock as it was; then it still serves.
#[track_caller]
fn fails_and_changes_nothing(project: &Project, words: &str) {
    let lock = project.read("Rpmforge.lock");
    let run = project.run(&["update", "a"]);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    assert!(run.stderr.contains(words), "{}", run.stderr);
    assert_eq!(project.read("Rpmforge.lock"), lock);
    let run = project.run(&["watch", "--once"]);
    assert_eq!(project.read("Rpmforge.lock"), lock, "{}", run.stderr);
    project.succeed(&["apply", "--locked", "--offline"]);
}

#[test]
fn a_script_that_fails_now_leaves_what_it_made_before_locked() {
    let project = Project::with("package a { source custom script=\"make-a.sh\" }\n");
    let spec = spec("a", "Source0: data", "grep one %{SOURCE0}");
    let script = format!(
        "#!/bin/sh\nset -e\ntest \"$(date +%Y)\" -gt 2000\ncat > a.spec <<'END'\n{spec}END\necho one > data\n"
    );
    project.write("make-a.sh", &script);
    project.succeed(&["fetch"]);
    project.edit("make-a.sh", "-gt", "-lt");
    let lock = project.read("Rpmforge.lock");
    assert_eq!(project.run(&["update", "a"]).code, Some(1));
    assert_eq!(project.read("Rpmforge.lock"), lock);
    project.edit("make-a.sh", "-lt", "-gt");
    project.succeed(&["apply", "--locked", "--offline"]);
}

#[test]
fn a_subversion_server_that_is_gone_leaves_the_revision_locked() {
    let made = svn::repository();
    let (daemon, url) = made.serve();
    let project = svn::project(&format!("{url}/trunk"), "subdir=rpm");
    project.succeed(&["fetch"]);
    drop(daemon);
    fails_and_changes_nothing(&project, "forge::source::svn");
}

#[test]
fn a_file_that_a_spec_names_and_that_is_gone_leaves_its_checksum_locked() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", &format!("Source0: {}", files.url("data-1.txt")), "grep one %{SOURCE0}");
    project.succeed(&["fetch"]);
    files.set("data-1.txt", Answer::status(404));
    fails_and_changes_nothing(&project, "the server answers 404");
    // Without its checksum, another file would be taken for it now.
    files.set("data-1.txt", Answer::ok("one or another\n"));
    std::fs::remove_dir_all(project.cache()).unwrap();
    let run = project.run(&["fetch"]);
    assert!(run.stderr.contains("forge::source::changed_upstream"), "{}", run.stderr);
}

#[test]
fn a_commit_whose_spec_names_a_file_that_is_not_there_is_not_moved_to() {
    let files = Files::start(&[("data-1.txt", b"one\n")]);
    let text = |file: &str| spec("a", &format!("Source0: {}", files.url(file)), "grep one %{SOURCE0}");
    let made = MadeGit::new();
    made.commit("Begin", &[("a.spec", &text("data-1.txt"))]);
    let project = Project::with(&format!("package a {{ source git \"{}\" }}\n", made.url()));
    project.succeed(&["fetch"]);
    made.commit("Go on", &[("a.spec", &text("data-2.txt"))]);
    fails_and_changes_nothing(&project, "`data-2.txt` can't be fetched");
    files.set("data-2.txt", Answer::ok("one\n"));
    project.succeed(&["update", "a"]);
    assert!(project.read("Rpmforge.lock").contains("data-2.txt"));
}
