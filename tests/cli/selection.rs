//! Which builds a command is about.

use std::process::Command;

use crate::support::Project;

/// Three packages that need one another in a row, and one alone.
fn row() -> Project {
    let project = Project::with(
        "package base { source path \"base.spec\" }\npackage middle { source path \"middle.spec\" }\n\
         package top { source path \"top.spec\" }\npackage alone { source path \"alone.spec\" }\n\
         batch first { members base }\nbatch then after=first { members middle top alone }\n",
    );
    project.spec("base", "", "true");
    project.spec("middle", "BuildRequires: base", "true");
    project.spec("top", "BuildRequires: middle", "true");
    project.spec("alone", "", "true");
    project
}

/// The packages that a plan would build, in its order.
fn planned(project: &Project, arguments: &[&str]) -> Vec<String> {
    let mut all = vec!["plan", "--json"];
    all.extend(arguments);
    let plan: serde_json::Value = serde_json::from_str(&project.succeed(&all).stdout).unwrap();
    let builds = plan["builds"].as_array().unwrap().iter();
    let built = builds.filter(|build| build["action"] == "build" || build["action"] == "maybe");
    built.map(|build| build["package"].as_str().unwrap().to_owned()).collect()
}

fn git(project: &Project, arguments: &[&str]) {
    let status = Command::new("git")
        .args(["-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main"])
        .args(arguments)
        .current_dir(project.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .output()
        .unwrap();
    assert!(status.status.success(), "{status:?}");
}

/// Makes a git repository of a project.
fn commit_all(project: &Project) {
    project.write(".gitignore", ".forge\npublic\n");
    git(project, &["init", "-q"]);
    git(project, &["add", "-A"]);
    git(project, &["commit", "-qm", "one"]);
}

#[test]
fn builds_are_chosen_by_name_pattern_batch_and_chroot() {
    let project = row();
    assert_eq!(planned(&project, &["middle"]), ["base", "middle"]);
    assert_eq!(planned(&project, &["*a*"]), ["base", "alone"]);
    assert_eq!(planned(&project, &["--batch", "first"]), ["base"]);
    assert_eq!(planned(&project, &["--batch", "then", "a*"]), ["alone"]);
    assert_eq!(planned(&project, &["--chroot", "h*", "base"]), ["base"]);
    assert_eq!(planned(&project, &["base", "--dependents"]), ["base", "middle", "top"]);
}

#[test]
fn what_does_not_exist_can_not_be_chosen_and_the_nearest_is_named() {
    let project = row();
    for (arguments, code, nearest) in [
        (vec!["plan", "bose"], "forge::plan::unknown_package", "did you mean `base`?"),
        (vec!["plan", "--batch", "frist"], "forge::cli::nothing_selected", "did you mean `first`?"),
        (vec!["plan", "--chroot", "hots"], "forge::cli::nothing_selected", "did you mean `host`?"),
        (vec!["plan", "[a"], "forge::cli::bad_pattern", "`*` stands for any text"),
    ] {
        let run = project.run(&arguments);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains(code) && run.stderr.contains(nearest), "{}", run.stderr);
    }
}

#[test]
fn what_was_not_chosen_takes_one_line_and_its_mistakes_none() {
    let project = row();
    project.write("alone.spec", "Name: alone\nNonsense\n");
    let plan = project.succeed(&["plan", "base"]);
    assert!(plan.stdout.ends_with("4 builds: 1 to build, 3 not chosen\n"), "{}", plan.stdout);
    assert!(!format!("{}{}", plan.stdout, plan.stderr).contains("alone"), "{}", plan.stderr);
    let apply = project.succeed(&["apply", "base"]);
    let told = format!("{}{}", apply.stdout, apply.stderr);
    assert!(told.lines().count() <= 12 && !told.contains("alone") && !told.contains("middle"), "{told}");
    assert!(!project.succeed(&["graph", "base"]).stdout.contains("alone"));
}

#[test]
fn what_was_not_chosen_stays_published() {
    let project = row();
    project.succeed(&["apply"]);
    let names = || project.repository().binaries();
    let before = names();
    project.edit("base.spec", "%build", "%build\n: again");
    project.succeed(&["apply", "base"]);
    assert_eq!(names(), before);
}

#[test]
fn what_failed_is_chosen_until_it_is_built() {
    let project = row();
    project.spec("middle", "BuildRequires: base", "false");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    assert_eq!(planned(&project, &["--failed"]), ["middle"]);
    let plan = project.succeed(&["plan"]).stdout;
    let row = plan.lines().find(|line| line.starts_with("middle")).unwrap();
    assert!(row.contains("failed last time (%build, #"), "{plan}");
    project.spec("middle", "BuildRequires: base", "true");
    project.succeed(&["apply", "--failed", "--dependents"]);
    assert_eq!(planned(&project, &[]), [""; 0]);
    assert!(planned(&project, &["--failed"]).is_empty());
}

#[test]
fn what_is_up_to_date_is_built_again_when_it_is_forced() {
    let project = row();
    project.succeed(&["apply"]);
    let plan = project.succeed(&["plan", "base", "--force"]).stdout;
    assert!(plan.contains("forced"), "{plan}");
    let states = |run: &str| run.matches("built").count();
    let forced = project.succeed(&["apply", "middle", "--force"]);
    assert!(
        states(&forced.stderr) >= 1 && forced.stdout.contains("1 built, 1 up to date"),
        "{}",
        forced.stdout
    );
}

#[test]
fn a_plan_is_in_the_order_of_building_and_says_what_may_not_be_needed() {
    let project = row();
    assert_eq!(planned(&project, &[]), ["base", "middle", "alone", "top"]);
    project.succeed(&["apply"]);
    project.edit("base.spec", "Version: 1", "Version: 2");
    let plan = project.succeed(&["plan"]).stdout;
    assert!(plan.contains("1.0-1 → 2.0-1  spec changed\n"), "{plan}");
    let count = "4 builds: 1 to build, up to 2 more if packages of base, middle change, 1 up to date\n";
    assert!(plan.ends_with(count), "{plan}");
    let quiet = project.succeed(&["plan", "-q"]).stdout;
    assert_eq!(quiet, count);
}

#[test]
fn a_range_of_git_chooses_what_it_touches() {
    let project = row();
    commit_all(&project);
    let since = |revision: &str| planned(&project, &["--changed-since", revision]);
    assert!(since("HEAD").is_empty());
    project.edit("alone.spec", "%build", "%build\n: other");
    assert_eq!(since("HEAD"), ["alone"]);
    git(&project, &["commit", "-qam", "two"]);
    assert!(since("HEAD").is_empty());
    assert_eq!(since("HEAD~1"), ["alone"]);
    assert_eq!(since("HEAD~1..HEAD"), ["alone"]);
    let dependents = planned(&project, &["--changed-since", "HEAD~1", "--dependents"]);
    assert_eq!(dependents, ["alone"]);
}

#[test]
fn a_change_of_the_manifest_touches_only_what_it_says_something_else_of() {
    let project = row();
    commit_all(&project);
    let since = || planned(&project, &["--changed-since", "HEAD"]);
    project.edit("Rpmforge.kdl", "package top {", "// the last one\npackage top {");
    assert!(since().is_empty());
    project.edit("Rpmforge.kdl", "package alone {", "package alone { macros { dist .x };");
    assert_eq!(since(), ["alone"]);
    assert!(
        !project
            .path()
            .join(".forge")
            .read_dir()
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with("changed-since") })
    );
}

#[test]
fn a_profile_counts_in_what_git_says_has_changed() {
    let project = row();
    project.edit("Rpmforge.kdl", "batch first", "profile ci { macros { dist .ci } }\nbatch first");
    commit_all(&project);
    let since = || planned(&project, &["--changed-since", "HEAD", "--profile", "ci"]);
    project.edit("Rpmforge.kdl", "batch first", "// nothing else\nbatch first");
    assert!(since().is_empty());
    // What the profile says now is other than what it said.
    project.edit("Rpmforge.kdl", "dist .ci", "dist .ci2");
    assert_eq!(since().len(), 4);
    assert!(planned(&project, &["--changed-since", "HEAD"]).is_empty());
    // A profile that there was not before is no mistake.
    project.edit("Rpmforge.kdl", "profile ci", "profile other");
    assert_eq!(planned(&project, &["--changed-since", "HEAD", "--profile", "other"]).len(), 4);
}

#[test]
fn packages_that_the_manifest_names_as_their_specs_do_are_known_as_they_were() {
    let project = Project::with(
        "package file { source path \"file.spec\" }\npackage alone { source path \"alone.spec\"; with docs }\n\
         batch first { members real }\n",
    );
    project.write("file.spec", &crate::support::spec("real", "", "true"));
    project.spec("alone", "%bcond docs 0", "true");
    commit_all(&project);
    project.edit("Rpmforge.kdl", "package alone {", "package alone { macros { dist .x };");
    assert_eq!(planned(&project, &["--changed-since", "HEAD"]), ["alone"]);
}

#[test]
fn git_that_can_not_say_is_an_error_with_its_words() {
    let project = row();
    let run = project.run(&["plan", "--changed-since", "HEAD"]);
    assert!(run.code == Some(1) && run.stderr.contains("forge::cli::no_work_tree"), "{}", run.stderr);
    git(&project, &["init", "-q"]);
    git(&project, &["add", "-A"]);
    git(&project, &["commit", "-qm", "one"]);
    let run = project.run(&["plan", "--changed-since", "--output=x"]);
    assert!(run.code == Some(64) || run.stderr.contains("forge::cli::git"), "{}", run.stderr);
    let run = project.run(&["plan", "--changed-since=nowhere"]);
    assert!(run.stderr.contains("forge::cli::git") && run.stderr.contains("nowhere"), "{}", run.stderr);
}

#[test]
fn what_git_does_not_read_is_said_in_its_words() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    let outside = project.run(&["plan", "--changed-since", "HEAD"]);
    assert_eq!(outside.code, Some(1));
    assert!(outside.stderr.contains("forge::cli::no_work_tree"), "{}", outside.stderr);
    assert!(
        outside.stderr.contains("not a git repository") && !outside.stderr.contains("usage:"),
        "{}",
        outside.stderr
    );
}

#[test]
fn a_checkout_of_another_user_is_named_with_what_git_asks_for() {
    let project = Project::with("package a { source path \"a.spec\" }\n");
    project.spec("a", "", "true");
    let git = |arguments: &[&str]| {
        let output = std::process::Command::new("git")
            .args(["-c", "user.name=a", "-c", "user.email=a@b"])
            .args(arguments)
            .current_dir(project.path())
            .output();
        assert!(output.unwrap().status.success(), "{arguments:?}");
    };
    git(&["init", "-q"]);
    git(&["add", "a.spec", "Rpmforge.kdl"]);
    git(&["commit", "-q", "-m", "one"]);
    let mut plan = project.forge(&["plan", "--changed-since", "HEAD"]);
    // As git's own tests do it: every checkout is one of another user.
    let run = plan.env("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1").output().unwrap();
    let told = String::from_utf8_lossy(&run.stderr);
    assert!(told.contains("dubious ownership") && told.contains("safe.directory"), "{told}");
    assert!(!told.contains("usage:") && run.status.code() == Some(1), "{told}");
}
