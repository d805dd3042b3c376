//! A store, a history and records that something has damaged: nothing of it is believed, and what is lost is made again.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::{Project, host};

/// A package whose program another package's build runs.
fn answer(number: u32) -> String {
    format!(
        "Name: answer\nVersion: 1.0\nRelease: 1\nSummary: A test\nLicense: MIT\nBuildArch: noarch\n\
         %description\nA test.\n%install\nmkdir -p %{{buildroot}}/usr/bin\n\
         printf '#!/bin/sh\\necho {number}\\n' > %{{buildroot}}/usr/bin/tell-answer\n\
         chmod 755 %{{buildroot}}/usr/bin/tell-answer\n%files\n/usr/bin/tell-answer\n"
    )
}

const QUESTION: &str = "Name: question\nVersion: 1.0\nRelease: 1\nSummary: A test\nLicense: MIT\nBuildArch: noarch\n\
    BuildRequires: answer\n%description\nA test.\n%build\ntell-answer > told\n%install\n\
    mkdir -p %{buildroot}/usr/share\ncp told %{buildroot}/usr/share/told\n%files\n/usr/share/told\n";

/// Two packages, of which one is built with the other. Payloads are not compressed, so that their sizes are known.
fn two() -> Project {
    let project = Project::with(
        "macros { _binary_payload w.ufdio }\npackage answer { source path \"answer.spec\" }\n\
         package question { source path \"question.spec\" }\n",
    );
    project.write("answer.spec", &answer(42));
    project.write("question.spec", QUESTION);
    project
}

const ANSWER: &str = "answer-1.0-1.noarch.rpm";

/// The package files of the repository, by name.
fn packages(project: &Project) -> BTreeMap<String, Vec<u8>> {
    let name = |path: PathBuf| path.file_name().unwrap().to_string_lossy().into_owned();
    let files = project.published().into_iter().map(|(path, bytes)| (name(path), bytes));
    files.filter(|(name, _)| name.ends_with(".rpm")).collect()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files_below(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn stored(project: &Project, kind: &str) -> Vec<PathBuf> {
    files_below(&project.cache().join("rpmforge").join(kind))
}

/// The blob of a package that was published.
fn blob(project: &Project, file: &str) -> PathBuf {
    let content = &packages(project)[file];
    stored(project, "blobs").into_iter().find(|path| fs::read(path).unwrap() == *content).unwrap()
}

/// Puts other content in the place of a file, which is another file then: links to the old one keep theirs.
fn replace(path: &Path, content: &[u8]) {
    fs::remove_file(path).unwrap();
    fs::write(path, content).unwrap();
}

fn flip(path: &Path, places: &[usize]) {
    let mut content = fs::read(path).unwrap();
    places.iter().for_each(|at| content[*at] ^= 1);
    replace(path, &content);
}

/// As after a checkout into a new folder: no state, no repository; the store is there.
fn check_out_again(project: &Project) {
    for folder in [".forge", "public"] {
        let _ = fs::remove_dir_all(project.path().join(folder));
    }
}

#[test]
fn emptied_blobs_are_not_believed() {
    let project = two();
    project.succeed(&["apply"]);
    let before = packages(&project);
    stored(&project, "blobs").iter().for_each(|path| replace(path, b""));
    let states = project.succeed(&["apply", "--json"]).states();
    assert!(states.values().all(|state| state == "succeeded"), "{states:?}");
    assert_eq!(packages(&project), before);
    // Logs of the first builds are left, which nothing refers to any more.
    let left = project.run(&["store", "verify"]).stdout;
    let needed = left.lines().filter(|line| line.contains("noarch")).count();
    assert_eq!(needed, 0, "{left}");
}

#[test]
fn a_blob_replaced_by_another_of_its_size_never_gets_into_a_build() {
    let project = two();
    project.succeed(&["apply"]);
    let other = two();
    other.write("answer.spec", &answer(43));
    other.succeed(&["apply"]);
    let (right, wrong) = (blob(&project, ANSWER), fs::read(blob(&other, ANSWER)).unwrap());
    assert_eq!(fs::metadata(&right).unwrap().len(), wrong.len() as u64);
    replace(&right, &wrong);
    project.edit("question.spec", "Release: 1", "Release: 2");
    let run = project.succeed(&["apply", "--json"]);
    let damage = run.events("damage-found");
    assert_eq!((damage.len(), &damage[0]["file"]), (1, &ANSWER.into()), "{damage:?}");
    assert_eq!(damage[0]["build"]["package"], "answer");
    assert_eq!(run.states()["answer"], "succeeded");
    let built = &packages(&project)["question-1.0-2.noarch.rpm"];
    let holds = |text: &[u8]| built.windows(text.len()).any(|part| part == text);
    assert!(holds(b"42\n") && !holds(b"43\n"));
}

#[test]
fn a_flipped_package_is_not_published_from_a_fresh_checkout() {
    let project = two();
    project.succeed(&["apply"]);
    let before = packages(&project);
    let damaged = blob(&project, ANSWER);
    let end = fs::metadata(&damaged).unwrap().len() as usize;
    flip(&damaged, &[end / 2, end - 20]);
    check_out_again(&project);
    let run = project.succeed(&["apply"]);
    assert!(run.stderr.contains(&format!("damaged    {ANSWER} of answer in host")), "{}", run.stderr);
    assert_eq!(packages(&project), before);
}

#[test]
fn what_is_met_damaged_while_publishing_is_built_again_in_the_same_apply() {
    let project = two();
    project.succeed(&["apply"]);
    let before = packages(&project);
    flip(&blob(&project, ANSWER), &[200]);
    fs::remove_dir_all(project.path().join("public")).unwrap();
    project.succeed(&["apply"]);
    assert_eq!(packages(&project), before);
}

#[test]
fn what_is_damaged_while_builds_run_is_built_again_in_the_same_apply() {
    let project = two();
    project.edit(
        "Rpmforge.kdl",
        "package question {",
        "package first { source path \"first.spec\" }\npackage question { after first;",
    );
    project.spec("first", "", "true");
    project.succeed(&["apply"]);
    // Everything has been found sound when this build damages what the next one needs.
    let damage = format!(
        "cp {blob} copy\nchmod u+w copy\nprintf X | dd of=copy bs=1 seek=300 conv=notrunc\nmv -f copy {blob}",
        blob = blob(&project, ANSWER).display()
    );
    project.spec("first", "", &damage);
    project.edit("question.spec", "Release: 1", "Release: 2");
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(run.events("apply-started").len(), 2);
    assert_eq!(run.events("damage-found")[0]["file"], ANSWER);
    let states = run.states();
    assert_eq!((states["answer"].as_str(), states["question"].as_str()), ("succeeded", "succeeded"));
    let skipped = run.events("build-ended").into_iter().find(|ended| ended["state"] == "skipped").unwrap();
    assert_eq!(skipped["skipped"], "the store's copy of a package that it needs was damaged");
}

#[test]
fn a_package_whose_record_can_not_be_written_is_kept_and_published() {
    let project = two();
    let store = project.cache().join("rpmforge");
    fs::create_dir_all(&store).unwrap();
    // A file where the folder of the records would be.
    fs::write(store.join("packages"), "").unwrap();
    project.succeed(&["apply"]);
    assert_eq!(packages(&project).len(), 4, "with the source packages: {:?}", packages(&project).keys());
    assert_eq!(project.actions()["answer"], "cached");
}

#[test]
fn a_flipped_source_in_the_store_is_taken_in_again() {
    let project = two();
    project.succeed(&["apply"]);
    let spec = project.read("question.spec").into_bytes();
    let blobs = stored(&project, "blobs");
    flip(blobs.iter().find(|path| fs::read(path).unwrap() == spec).unwrap(), &[0]);
    project.edit("Rpmforge.kdl", "macros {", "macros { vendor Acme;");
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(run.events("damage-found")[0]["file"], "question.spec");
    assert_eq!(run.states()["question"], "succeeded");
}

#[test]
fn a_bit_flipped_in_any_file_of_the_store_leaves_the_repository_as_it_is() {
    let project = two();
    project.succeed(&["apply"]);
    let before = packages(&project);
    let files = ["blobs", "steps", "facts"].iter().flat_map(|kind| stored(&project, kind));
    let files: Vec<PathBuf> = files.collect();
    assert!(files.len() >= 12, "{files:?}");
    let sound: Vec<Vec<u8>> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    for (turn, damaged) in files.iter().enumerate() {
        fs::remove_dir_all(project.cache()).unwrap();
        for (path, content) in files.iter().zip(&sound) {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        flip(damaged, &[sound[turn].len() * (turn + 1) / (files.len() + 1)]);
        check_out_again(&project);
        project.succeed(&["apply", "-q"]);
        assert_eq!(packages(&project), before, "{damaged:?}");
    }
}

#[test]
fn store_verify_names_what_is_wrong_and_what_needs_it() {
    let project = two();
    project.succeed(&["apply"]);
    assert!(project.succeed(&["store", "verify"]).stdout.ends_with("all as they should be\n"));
    let (changed, gone) = (blob(&project, ANSWER), blob(&project, "question-1.0-1.noarch.rpm"));
    flip(&changed, &[0]);
    fs::remove_file(&gone).unwrap();
    let found = project.run(&["store", "verify"]);
    assert_eq!(found.code, Some(1));
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    let line = |path: &Path| found.stdout.lines().find(|line| line.contains(&name(path))).unwrap();
    assert!(line(&changed).ends_with("is not what was stored (answer-1.0-1.noarch)"), "{}", found.stdout);
    assert!(line(&gone).ends_with("is missing (question-1.0-1.noarch)"), "{}", found.stdout);
    assert!(found.stdout.contains("2 wrong; `--repair` removes"), "{}", found.stdout);
    project.succeed(&["store", "verify", "--repair"]);
    project.succeed(&["store", "verify"]);
    let states = project.succeed(&["apply", "--json"]).states();
    assert_eq!((states["answer"].as_str(), states["question"].as_str()), ("succeeded", "succeeded"));
}

#[test]
fn blobs_can_not_be_written_to() {
    let project = two();
    project.succeed(&["apply"]);
    let modes =
        stored(&project, "blobs").into_iter().map(|path| fs::metadata(path).unwrap().permissions().mode());
    assert!(modes.into_iter().all(|mode| mode & 0o777 == 0o444));
}

#[test]
fn a_damaged_history_is_moved_aside_and_stops_no_apply() {
    let project = two();
    project.succeed(&["apply"]);
    let history = project.path().join(".forge/history.db");
    fs::write(&history, "no database\n".repeat(1000)).unwrap();
    let history_of = project.run(&["history"]);
    assert!(history_of.stderr.contains("forge::store::damaged_history"), "{}", history_of.stderr);
    assert!(project.succeed(&["plan"]).stderr.contains("this project's history is damaged"));
    assert_eq!(fs::read(&history).unwrap().len(), 12_000, "only an apply moves it");
    let run = project.succeed(&["apply"]);
    assert_eq!(run.stderr.matches("history.db.damaged-1").count(), 1, "{}", run.stderr);
    assert_eq!(fs::read(history.with_file_name("history.db.damaged-1")).unwrap().len(), 12_000);
    // The result folders of the old history stay, and their numbers are not given again.
    let folders = fs::read_dir(project.path().join(".forge/results/host")).unwrap();
    let mut numbers: Vec<String> =
        folders.map(|entry| entry.unwrap().file_name().to_string_lossy()[..8].to_owned()).collect();
    numbers.sort();
    assert_eq!(numbers, ["00000001", "00000002", "00000003", "00000004"]);
    assert!(!project.succeed(&["apply"]).stderr.contains("damaged"));
}

#[test]
fn gc_removes_no_folder_that_a_damaged_row_names() {
    let project = Project::new();
    project.write("Rpmforge.kdl", &format!("{}package a {{ source path \"a.spec\" }}\n", host()));
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    project.spec("a", "", "true # again");
    project.succeed(&["apply"]);
    let history = rusqlite::Connection::open(project.path().join(".forge/history.db")).unwrap();
    history.execute("UPDATE builds SET results = 'results/host' WHERE number = 1", []).unwrap();
    drop(history);
    project.succeed(&["gc", "--older", "0s"]);
    assert!(project.path().join(".forge/results/host/00000002-a/result.json").exists());
}

#[test]
fn a_record_of_a_spec_that_a_power_cut_left_unfinished_is_named_and_no_failure() {
    let project = two();
    project.succeed(&["apply"]);
    let facts = stored(&project, "facts").remove(0);
    replace(&facts, b"");
    let found = project.succeed(&["store", "verify"]).stdout;
    let name = facts.file_name().unwrap().to_string_lossy();
    assert!(
        found.contains(&format!("{name} is not what was stored (a record of what a spec says")),
        "{found}"
    );
    assert!(found.contains("nothing is lost; 1 record of no use, `--repair` removes"), "{found}");
    project.succeed(&["store", "verify", "--repair"]);
    assert!(project.succeed(&["store", "verify"]).stdout.ends_with("all as they should be\n"));
}
