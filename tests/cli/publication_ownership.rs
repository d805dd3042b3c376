//! Whose a repository is: what is not on record as this project's is never touched.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use rpmforge::digest::Digest;

use crate::publication::{change, two, two_published_beside};
use crate::support::{Project, Repository};

/// Everything in a folder, with its content.
pub fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            match entry.unwrap().path() {
                path if path.is_dir() => open.push(path),
                path => drop(files.insert(path.clone(), fs::read(path).unwrap())),
            }
        }
    }
    files
}

/// A project of one package that publishes to `folder`.
fn of_one(name: &str, folder: &Path) -> Project {
    let project = Project::with(&format!(
        "package {name} {{ source path \"{name}.spec\" }}\npublish \"{}\"\n",
        folder.display()
    ));
    project.spec(name, "", "true");
    project
}

pub fn adopt(project: &Project, folder: &Path) {
    let written = format!("publish \"{}\"", folder.display());
    project.edit("Rpmforge.kdl", &written, &format!("{written} {{ adopt #true }}"));
}

/// Changes a record as forge would write it.
pub fn rewrite_record(record: &Path, version: u64, change: impl Fn(&mut serde_json::Value)) {
    let text = fs::read_to_string(record).unwrap();
    let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
    change(&mut json["repository"]);
    let content = json["repository"].to_string();
    let digest = Digest::compute(format!("{version}:{content}").as_bytes());
    let text = format!("{{\"version\":{version},\"blake3\":\"{digest}\",\"repository\":{content}}}\n");
    fs::write(record, text).unwrap();
}

#[test]
fn a_second_project_is_refused_by_name_and_nothing_is_touched() {
    let (first, repository) = two_published_beside();
    first.succeed(&["apply"]);
    let folder = first.beside("repository");
    let before = everything(&folder);
    let second = of_one("c", &folder);
    for command in ["apply", "plan"] {
        let run = second.run(&[command]);
        assert_eq!(run.code, Some(1));
        assert!(run.stderr.contains("forge::publish::foreign"), "{}", run.stderr);
        assert!(run.stderr.contains(&format!("the project in {}", first.path().display())), "{}", run.stderr);
        assert!(run.stderr.contains("[Rpmforge.kdl:5:9]"), "{}", run.stderr);
    }
    assert_eq!(everything(&folder), before);
    assert!(second.succeed(&["history"]).stdout.contains("nothing has been built"));
    first.succeed(&["apply"]);
    assert_eq!(repository.binaries().len(), 2);
}

#[test]
fn adopt_takes_over_after_the_plan_has_said_what_leaves() {
    let (first, repository) = two_published_beside();
    first.succeed(&["apply"]);
    let second = of_one("c", &first.beside("repository"));
    adopt(&second, &first.beside("repository"));
    let plan = second.succeed(&["plan"]);
    assert!(plan.stdout.contains("a leaves the repository of host"), "{}", plan.stdout);
    let apply = second.succeed(&["apply"]);
    assert!(apply.stderr.contains("was taken over from the project in"), "{}", apply.stderr);
    assert_eq!(repository.binaries(), ["c-1.0-1.noarch.rpm"]);
    assert!(first.run(&["apply"]).stderr.contains("forge::publish::foreign"));
}

#[test]
fn what_others_have_put_into_a_folder_stays_whatever_its_name() {
    let project = two();
    let others = [
        "x-deadbeef0123/x.rpm",
        "repodata/other.xml.gz",
        ".forge-tmp-1-1/y",
        "repodata/.forge-tmp-2",
        "note",
    ];
    for path in others {
        project.write(&format!("public/host/{path}"), "theirs");
    }
    project.succeed(&["apply"]);
    change(&project, "a", 1);
    project.succeed(&["apply"]);
    let record = project.path().join("public/host/.forge-repository");
    rewrite_record(&record, 1, |record| {
        record["superseded"].as_array_mut().unwrap().iter_mut().for_each(|file| file["since"] = 0.into());
    });
    project.succeed(&["apply"]);
    for path in others {
        assert_eq!(project.read(&format!("public/host/{path}")), "theirs");
    }
    assert_eq!(project.repository().binaries().len(), 2);
}

#[test]
fn a_forged_record_has_nothing_removed_or_replaced_that_is_not_forges() {
    let project = two();
    project.succeed(&["apply"]);
    let paths = ["../theirs/a.rpm", "theirs/a.rpm", "note", "/tmp/forge-forged", "../../Rpmforge.kdl"];
    project.write("public/theirs/a.rpm", "theirs");
    project.write("public/host/theirs/a.rpm", "theirs");
    project.write("public/host/note", "theirs");
    let record = project.path().join("public/host/.forge-repository");
    let written = fs::read(&record).unwrap();
    let copies = || fs::read_dir(project.path().join(".forge/published")).unwrap();
    for path in paths {
        for list in ["superseded", "packages"] {
            fs::write(&record, &written).unwrap();
            rewrite_record(&record, 1, |record| {
                let mut file = record["packages"][0]["files"][0].clone();
                file["path"] = path.into();
                match list {
                    "packages" => record["packages"][0]["files"][0] = file,
                    _ => record[list] = serde_json::json!([{ "file": file, "since": 0 }]),
                }
            });
            for copy in copies() {
                fs::copy(&record, copy.unwrap().path()).unwrap();
            }
            let run = project.run(&["apply"]);
            assert_eq!(run.code, Some(1));
            assert!(run.stderr.contains("forge::publish::damaged_record"), "{}", run.stderr);
        }
    }
    for path in ["public/theirs/a.rpm", "public/host/theirs/a.rpm", "public/host/note"] {
        assert_eq!(project.read(path), "theirs");
    }
}

#[test]
fn what_a_link_in_the_place_of_a_folder_leads_to_is_not_touched() {
    let project = two();
    project.succeed(&["apply"]);
    let repository = project.path().join("public/host");
    fs::rename(repository.join("repodata"), repository.join("theirs")).unwrap();
    std::os::unix::fs::symlink("theirs", repository.join("repodata")).unwrap();
    let before = everything(&repository.join("theirs"));
    change(&project, "a", 1);
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("`repodata` in the repository"), "{}", run.stderr);
    assert_eq!(everything(&repository.join("theirs")), before);
}

#[test]
fn what_is_superseded_stays_for_a_while_then_goes() {
    let project = two();
    project.succeed(&["apply"]);
    let repository = project.repository();
    let before = repository.follow().unwrap();
    let metadata = repository.metadata().unwrap();
    let path = |href: &str| project.path().join("public/host").join(href);
    let is_there = |href: &str| path(href).exists();
    change(&project, "b", 1);
    project.succeed(&["apply"]);
    assert!(before.iter().chain(&metadata).all(|file| is_there(&file.href)));
    rewrite_record(&path(".forge-repository"), 1, |record| {
        record["superseded"].as_array_mut().unwrap().iter_mut().for_each(|file| file["since"] = 0.into());
    });
    project.succeed(&["apply"]);
    let kept = repository.follow().unwrap();
    let gone: Vec<_> = before.iter().filter(|file| !kept.contains(file)).collect();
    assert!(gone.len() == 2 && gone.iter().all(|file| file.href.starts_with("b-")));
    assert!(gone.into_iter().chain(&metadata).all(|file| !is_there(&file.href)));
    assert!(
        !path(before.iter().find(|file| !kept.contains(file)).unwrap().href.split('/').next().unwrap())
            .exists()
    );
}

#[test]
fn a_repository_that_nobody_has_recorded_is_refused_until_it_is_adopted() {
    let folder = tempfile::tempdir().unwrap();
    let repomd = folder.path().join("repodata/repomd.xml");
    fs::create_dir(folder.path().join("repodata")).unwrap();
    fs::write(&repomd, "<repomd/>").unwrap();
    fs::write(folder.path().join("theirs.rpm"), "theirs").unwrap();
    let project = of_one("c", folder.path());
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::publish::unrecorded"), "{}", run.stderr);
    assert_eq!(fs::read_to_string(&repomd).unwrap(), "<repomd/>");
    assert_eq!(everything(folder.path()).len(), 2);
    adopt(&project, folder.path());
    project.succeed(&["apply"]);
    assert_eq!(Repository::new(folder.path()).binaries(), ["c-1.0-1.noarch.rpm"]);
    assert_eq!(fs::read_to_string(folder.path().join("theirs.rpm")).unwrap(), "theirs");
}

#[test]
fn a_file_of_others_in_the_way_is_named_and_stays() {
    let project = two();
    project.succeed(&["apply"]);
    let href = project.repository().follow().unwrap()[0].href.clone();
    for folder in ["public", ".forge"] {
        fs::remove_dir_all(project.path().join(folder)).unwrap();
    }
    project.write(&format!("public/host/{href}"), "theirs");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(run.code, Some(1));
    let refused = &run.events("not-published")[0];
    assert_eq!(refused["code"], "forge::publish::in_the_way");
    assert!(refused["cause"].as_str().unwrap().contains(&format!("`{href}` in the repository")), "{refused}");
    assert_eq!(project.read(&format!("public/host/{href}")), "theirs");
    assert!(!project.path().join("public/host/repodata").exists());
    fs::remove_file(project.path().join("public/host").join(href)).unwrap();
    project.succeed(&["apply"]);
    assert_eq!(project.repository().binaries().len(), 2);
}

#[test]
fn a_record_of_a_newer_forge_is_left_alone() {
    let project = two();
    project.succeed(&["apply"]);
    let before = project.published();
    rewrite_record(&project.path().join("public/host/.forge-repository"), 5, |_| {});
    change(&project, "a", 1);
    let run = project.run(&["apply"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("forge::publish::newer_record"), "{}", run.stderr);
    assert_eq!(project.published(), before);
}

#[test]
fn without_record_and_copy_nothing_is_lost_and_adopt_goes_on() {
    for damage in [|path: PathBuf| fs::remove_file(path).unwrap(), |path| fs::write(path, "{}").unwrap()] {
        let project = two();
        project.succeed(&["apply"]);
        let before = project.published();
        damage(project.path().join("public/host/.forge-repository"));
        fs::remove_dir_all(project.path().join(".forge")).unwrap();
        fs::remove_dir_all(project.cache()).unwrap();
        project.spec("b", "", "exit 1");
        let run = project.run(&["apply"]);
        assert_eq!(run.code, Some(1));
        let codes = ["forge::publish::unrecorded", "forge::publish::damaged_record"];
        assert!(codes.iter().any(|code| run.stderr.contains(code)), "{}", run.stderr);
        assert_eq!(project.published(), before);
        let manifest = project.read("Rpmforge.kdl");
        project
            .write("Rpmforge.kdl", &format!("{manifest}publish \"public/{{chroot}}\" {{ adopt #true }}\n"));
        assert_eq!(project.run(&["apply"]).code, Some(1));
        assert_eq!(project.repository().binaries(), ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm"]);
    }
}
