//! Which builds stay in repositories and the store, and for how long.

use crate::support::{Project, Run};

const LIBRARY: &str = "package lib { source path \"lib.spec\" }\n";
const TOOL: &str = "package tool { source path \"tool.spec\" }\n";

fn manifest(publish: &str) -> String {
    format!("publish \"public/{{chroot}}\" {{ {publish} }}\n{LIBRARY}")
}

/// A project with the library, and these words in `publish`.
fn library(publish: &str) -> Project {
    let project = Project::with(&manifest(publish));
    project.spec("lib", "", "true");
    project
}

/// Has the manifest say something else in `publish`.
fn say(project: &Project, from: &str, to: &str) {
    project.edit("Rpmforge.kdl", &format!("{{ {from} }}"), &format!("{{ {to} }}"));
}

/// Builds the library in versions 1.0 up to that.
fn build_versions(project: &Project, last: u32) {
    project.succeed(&["apply"]);
    for version in 2..=last {
        let before = format!("Version: {}.0", version - 1);
        project.edit("lib.spec", &before, &format!("Version: {version}.0"));
        project.succeed(&["apply"]);
    }
}

/// The binary packages that the metadata name, all of them there.
fn listed(project: &Project) -> Vec<String> {
    let repository = project.repository();
    repository.follow().unwrap();
    let mut binaries = repository.binaries();
    binaries.sort();
    binaries
}

fn record_form(project: &Project) -> String {
    project.read("public/host/.forge-repository").split(',').next().unwrap().to_owned()
}

fn json(run: &Run) -> serde_json::Value {
    serde_json::from_str(&run.stdout).unwrap()
}

#[test]
fn several_builds_of_a_package_stay_side_by_side() {
    let project = library("keep builds=2");
    build_versions(&project, 3);
    assert_eq!(listed(&project), ["lib-2.0-1.noarch.rpm", "lib-3.0-1.noarch.rpm"]);
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}", plan.stdout);
    assert!(project.succeed(&["status"]).stdout.contains("3.0-1"), "status tells of the newest");
    // An apply with nothing to do changes nothing.
    let before = project.published();
    project.succeed(&["apply"]);
    assert!(project.published() == before);
    say(&project, "keep builds=2", "");
    project.succeed(&["apply"]);
    assert_eq!(listed(&project), ["lib-3.0-1.noarch.rpm"]);
}

#[test]
fn a_repository_is_written_as_before_until_it_has_several_builds() {
    let project = library("");
    build_versions(&project, 2);
    let without = project.read("public/host/.forge-repository");
    assert!(!without.contains("\"came\"") && record_form(&project) == "{\"version\":1", "{without}");
    say(&project, "", "keep builds=2");
    project.succeed(&["apply"]);
    assert_eq!(record_form(&project), "{\"version\":1");
    assert_eq!(listed(&project), ["lib-2.0-1.noarch.rpm"]);
    project.edit("lib.spec", "Version: 2.0", "Version: 3.0");
    project.succeed(&["apply"]);
    assert_eq!(record_form(&project), "{\"version\":2", "one that knows of one build each must not touch it");
    say(&project, "keep builds=2", "");
    project.succeed(&["apply"]);
    assert_eq!(record_form(&project), "{\"version\":1");
    assert!(!project.read("public/host/.forge-repository").contains("\"came\""));
}

#[test]
fn several_builds_are_found_again_where_the_record_is_lost() {
    let project = library("adopt #true; keep builds=3");
    build_versions(&project, 3);
    let all = ["lib-1.0-1.noarch.rpm", "lib-2.0-1.noarch.rpm", "lib-3.0-1.noarch.rpm"];
    assert_eq!(listed(&project), all);
    std::fs::remove_file(project.path().join("public/host/.forge-repository")).unwrap();
    std::fs::remove_dir_all(project.path().join(".forge/published")).unwrap();
    project.succeed(&["apply"]);
    assert_eq!(listed(&project), all);
    let said = json(&project.succeed(&["prune", "--dry-run", "--json"]));
    assert_eq!(said["repositories"][0]["builds"][0]["version"], "3.0-1", "{said}");
}

#[test]
fn what_a_kept_package_requires_stays_and_is_named() {
    let publish = "broken allow; keep builds=1";
    let project = Project::with(&(manifest(publish) + TOOL));
    project.spec("lib", "Provides: libx.so.1()(64bit)", "true");
    project.spec("tool", "Requires: libx.so.1()(64bit)", "true");
    project.succeed(&["apply"]);
    project.edit("lib.spec", "libx.so.1", "libx.so.2");
    project.edit("lib.spec", "Version: 1.0", "Version: 2.0");
    let apply = project.succeed(&["apply", "lib"]);
    let why = "tool-1.0-1.noarch requires libx.so.1()(64bit)";
    let told = format!("lib 1.0-1 stays in the repository of host, though a newer build is there: {why}");
    assert!(apply.stderr.contains(&told), "{}", apply.stderr);
    assert_eq!(listed(&project), ["lib-1.0-1.noarch.rpm", "lib-2.0-1.noarch.rpm", "tool-1.0-1.noarch.rpm"]);
    let prune = project.succeed(&["prune", "--dry-run"]);
    assert!(prune.stdout.contains(why), "{}", prune.stdout);
    let again = project.succeed(&["apply", "lib"]);
    assert!(!again.stderr.contains("stays"), "it is told when it comes to be so: {}", again.stderr);
    project.edit("tool.spec", "libx.so.1", "libx.so.2");
    project.edit("tool.spec", "Version: 1.0", "Version: 2.0");
    project.succeed(&["apply"]);
    assert_eq!(listed(&project), ["lib-2.0-1.noarch.rpm", "tool-2.0-1.noarch.rpm"]);
}

#[test]
fn prune_says_what_goes_and_why_and_does_it() {
    let project = library("keep builds=3");
    build_versions(&project, 3);
    say(&project, "keep builds=3", "keep builds=1 superseded=\"1ms\"");
    let before = project.published();
    let planned = project.succeed(&["prune", "--dry-run"]).stdout;
    assert!(planned.contains("superseded since 20"), "{planned}");
    assert!(planned.contains("2 builds would leave the repositories, 1 stay\n"), "{planned}");
    assert!(project.published() == before, "a dry run changes nothing");
    let said = json(&project.succeed(&["prune", "--dry-run", "--json"]));
    let builds = said["repositories"][0]["builds"].as_array().unwrap();
    let verdicts: Vec<String> = builds
        .iter()
        .map(|build| format!("{} {} {}", build["version"], build["verdict"], build["rule"]).replace('"', ""))
        .collect();
    let expected = ["3.0-1 stays newest", "2.0-1 goes superseded", "1.0-1 goes superseded"];
    assert_eq!((verdicts, &said["dry_run"]), (expected.map(str::to_owned).to_vec(), &true.into()));
    assert!(said["repositories"][0]["expiring"]["bytes"].as_u64().unwrap() > 0, "{said}");
    let done = project.succeed(&["prune"]).stdout;
    assert!(done.contains("2 builds left the repositories, 1 stay\n"), "{done}");
    assert_eq!(listed(&project), ["lib-3.0-1.noarch.rpm"]);
    // Who has read the metadata before may still ask for the files.
    assert!(before.keys().all(|path| project.path().join(path).exists()));
    assert!(project.succeed(&["prune", "--dry-run"]).stdout.starts_with("0 builds would leave"));
}

#[test]
fn prune_says_where_nothing_is_declared() {
    let project = library("");
    project.succeed(&["apply"]);
    let said = project.succeed(&["prune"]).stdout;
    assert!(
        said.starts_with("the manifest says of no build how long it stays: `keep` in `publish` does\n"),
        "{said}"
    );
    assert_eq!(listed(&project), ["lib-1.0-1.noarch.rpm"]);
}

#[test]
fn a_package_that_was_not_built_for_long_leaves_and_comes_back_with_a_new_build() {
    let project = library("keep newest=\"1ms\"");
    project.succeed(&["apply"]);
    assert_eq!(listed(&project), ["lib-1.0-1.noarch.rpm"]);
    let pruned = project.succeed(&["prune"]);
    assert!(
        pruned.stderr.contains("note: lib leaves the repository of host: not built since 20"),
        "{}",
        pruned.stderr
    );
    assert!(listed(&project).is_empty());
    project.succeed(&["apply"]);
    assert!(listed(&project).is_empty(), "the same build does not come back");
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(0), "{}", plan.stdout);
    project.edit("lib.spec", "Version: 1.0", "Version: 2.0");
    project.succeed(&["apply"]);
    assert_eq!(listed(&project), ["lib-2.0-1.noarch.rpm"]);
}

#[test]
fn a_pinned_build_stays_in_repository_and_store_until_it_is_unpinned() {
    let project = library("");
    project.succeed(&["apply"]);
    assert_eq!(project.succeed(&["pin"]).stdout, "no build is pinned\n");
    assert_eq!(project.succeed(&["pin", "#1"]).stdout, "lib in host, build #1, is pinned\n");
    assert_eq!(project.succeed(&["pin", "1"]).stdout, "lib in host, build #1, was pinned already\n");
    assert!(project.succeed(&["pin"]).stdout.contains("#1  lib"), "{}", project.succeed(&["pin"]).stdout);
    project.edit("lib.spec", "Version: 1.0", "Version: 2.0");
    project.succeed(&["apply"]);
    project.edit("lib.spec", "Version: 2.0", "Version: 3.0");
    project.succeed(&["apply"]);
    let kept = ["lib-1.0-1.noarch.rpm", "lib-3.0-1.noarch.rpm"];
    assert_eq!(listed(&project), kept);
    project.succeed(&["gc", "--size", "1K", "--older", "1ms"]);
    assert!(project.path().join(".forge/results/host/00000001-lib/build.log").exists());
    assert!(!project.path().join(".forge/results/host/00000002-lib").exists());
    // The store still has it: what is lost of it is brought again.
    let path = project.published().into_keys().find(|path| path.ends_with("lib-1.0-1.noarch.rpm")).unwrap();
    std::fs::remove_file(project.path().join(path)).unwrap();
    project.run(&["apply"]);
    assert_eq!(listed(&project), kept);
    assert_eq!(project.succeed(&["unpin", "#1"]).stdout, "lib in host, build #1, is not pinned any more\n");
    project.succeed(&["prune"]);
    assert_eq!(listed(&project), ["lib-3.0-1.noarch.rpm"]);
}

#[test]
fn what_can_not_be_pinned_is_told_with_the_reason() {
    let project = library("");
    build_versions(&project, 2);
    project.spec("lib", "", "false");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    project.succeed(&["gc", "--size", "1K", "--older", "1ms"]);
    for (arguments, code) in [
        (["pin", "lib"], "forge::cli::no_build_number"),
        (["pin", "#99"], "forge::cli::no_build"),
        (["pin", "#3"], "forge::cli::not_good"),
        (["pin", "#1"], "forge::cli::result_gone"),
        (["unpin", "#2"], "forge::cli::not_pinned"),
    ] {
        let run = project.run(&arguments);
        assert!(run.code == Some(1) && run.stderr.contains(code), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn nothing_is_published_while_it_can_not_be_known_what_is_pinned() {
    let project = library("");
    build_versions(&project, 2);
    project.write(".forge/pins.json", "{}");
    let run = project.run(&["apply"]);
    assert!(
        run.code == Some(1) && run.stderr.contains("which builds are pinned can't be known"),
        "{}",
        run.stderr
    );
    let shown = project.run(&["pin"]).stderr;
    assert!(shown.contains("forge::store::damaged_pins"), "{shown}");
    assert_eq!(listed(&project), ["lib-2.0-1.noarch.rpm"]);
}

#[test]
fn results_of_builds_that_failed_stay_for_as_long_as_is_said() {
    let project = library("keep failed=\"1ms\"");
    project.spec("lib", "", "false");
    assert_eq!(project.run(&["apply"]).code, Some(1));
    assert_eq!(project.run(&["apply", "--failed"]).code, Some(1));
    let folder = |number: u32| project.path().join(format!(".forge/results/host/{number:08}-lib"));
    let planned = json(&project.succeed(&["prune", "--dry-run", "--json"]));
    assert!(planned["failed"].as_array().unwrap().is_empty(), "the apply has taken it away: {planned}");
    assert!(!folder(1).exists() && folder(2).exists(), "the newest stays: it says what is to be mended");
    project.spec("lib", "", "true");
    say(&project, "keep failed=\"1ms\"", "keep failed=\"14d\"");
    project.succeed(&["apply"]);
    project.succeed(&["gc", "--older", "1ms"]);
    assert!(folder(2).exists(), "it is no older than the manifest says");
    say(&project, "keep failed=\"14d\"", "keep failed=\"1ms\"");
    let planned = project.succeed(&["prune", "--dry-run"]).stdout;
    assert!(planned.contains("would remove 0 files of 0 B and 1 failed build of "), "{planned}");
    project.succeed(&["prune"]);
    assert!(!folder(2).exists() && folder(3).exists());
}

#[test]
fn what_is_wrong_with_keep_is_told_at_its_place() {
    let project = library("keep builds=0 newest=\"never\" superseded=14");
    let said = project.run(&["check", "--manifest-only"]).stderr;
    for (count, code) in [(2, "forge::manifest::wrong_value"), (1, "forge::manifest::bad_duration")] {
        assert_eq!(said.matches(code).count(), count, "{code}: {said}");
    }
}

#[test]
fn two_builds_are_compared_by_what_they_were_made_of_and_what_they_made() {
    let project = Project::with(&(manifest("") + TOOL));
    project.spec("lib", "", "true");
    project.spec("tool", "BuildRequires: lib", "true");
    project.succeed(&["apply"]);
    project.edit("lib.spec", "Version: 1.0", "Version: 2.0\nProvides: thing = 2");
    project.succeed(&["apply"]);
    let of = |package: &str| -> Vec<String> {
        let history = json(&project.succeed(&["history", package, "--json"]));
        let builds = history["builds"].as_array().unwrap().iter().rev();
        builds.map(|build| format!("#{}", build["number"])).collect()
    };
    let (lib, tool) = (of("lib"), of("tool"));
    let run = project.run(&["compare", &lib[0], &lib[1]]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    for part in ["made of\n  spec changed (", "thing = 2", "STAGE"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    let of_tool = project.run(&["compare", &tool[0], &tool[1]]).stdout;
    assert!(of_tool.contains("  lib-1.0-1.noarch → lib-2.0-1.noarch"), "{of_tool}");
    let said = json(&project.run(&["compare", &lib[0], &lib[1], "--json"]));
    assert_eq!(said["changed"][0]["why"], "spec", "{said}");
    assert!(
        said["packages"]["packages"][0].is_object() || said["packages"]["added"][0].is_string(),
        "{said}"
    );
    assert!(said["stages"].as_array().unwrap().iter().any(|stage| stage["before"].is_u64()), "{said}");
    let same = project.run(&["compare", &lib[1], &lib[1]]);
    assert_eq!(same.code, Some(0), "{}", same.stdout);
    let other = project.run(&["compare", &lib[0], &tool[0]]);
    assert!(other.code == Some(2) && other.stderr.contains("forge::cli::not_comparable"), "{}", other.stderr);
}
