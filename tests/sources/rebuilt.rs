//! Source packages that somebody has made before: a repository, or an earlier build.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::keys::TestKey;
use crate::support::Project;

/// A repository with the source package of `tool`, and a project that takes it.
fn projects(more: &str) -> (Project, Project) {
    let distribution = Project::with("packages \"*.spec\"\n");
    distribution.spec("tool", "", "true");
    distribution.spec("other", "", "true");
    distribution.succeed(&["apply", "--quiet"]);
    let project = Project::new();
    let url = distribution.path().join("public/host");
    project.write(
        "Rpmforge.kdl",
        &format!(
            "rpmforge version=1\nchroot f {{ repo made baseurl=\"{}\" }}\nchroot host {{ root \"/\" }}\ndefaults {{ isolation none; \
             chroots host }}\npackage tool {{ source repo made {more} }}\n",
            url.display()
        ),
    );
    (distribution, project)
}

#[track_caller]
fn refused(project: &Project, arguments: &[&str], code: &str, words: &str) {
    let run = project.run(arguments);
    assert_eq!(run.code, Some(1), "{}\n{}", run.stdout, run.stderr);
    let shown = run.stderr.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ");
    assert!(shown.contains(code) && shown.contains(words), "{}", run.stderr);
}

#[test]
fn the_newest_source_package_of_a_repository_is_built_and_locked_until_an_update() {
    let (distribution, project) = projects("");
    refused(
        &project,
        &["plan", "--locked"],
        "forge::source::rebuilt_not_locked",
        "the source of package `tool`",
    );
    let run = project.succeed(&["apply"]);
    assert!(run.stderr.contains("tool-1.0-1.src of made is locked"), "{}", run.stderr);
    let lock = project.read("Rpmforge.lock");
    assert!(lock.contains("nevra=\"tool-1.0-1.src\"") && lock.contains("checksum=\"sha256:"), "{lock}");
    distribution.edit("tool.spec", "Version: 1.0", "Version: 1.10");
    distribution.succeed(&["apply", "--quiet"]);
    project.succeed(&["apply", "--locked", "--offline"]);
    assert_eq!(project.read("Rpmforge.lock"), lock);
    let update = project.succeed(&["update", "tool"]);
    assert!(update.stdout.contains("nevra  tool-1.0-1.src → tool-1.10-1.src"), "{}", update.stdout);
    project.succeed(&["apply"]);
    assert!(project.succeed(&["results", "tool"]).stdout.contains("tool-1.10-1"));
}

#[test]
fn what_a_repository_does_not_have_is_told_with_what_it_has() {
    let (_distribution, project) = projects("version=\"2.0\"");
    refused(
        &project,
        &["plan"],
        "forge::source::rebuilt_no_package",
        "repository `made` has no source package `tool 2.0`",
    );
    project.edit("Rpmforge.kdl", "version=\"2.0\"", "version=\"1.0\"");
    project.succeed(&["plan"]);
    project.edit("Rpmforge.kdl", "version=\"1.0\"", "name=othr");
    refused(&project, &["plan"], "forge::source::rebuilt_no_package", "did you mean `other`");
    project.edit("Rpmforge.kdl", "repo made name", "repo mad name");
    refused(&project, &["plan"], "forge::source::rebuilt_no_repository", "did you mean `made`");
}

/// The source package of `tool` in its repository.
fn source_package(distribution: &Project) -> PathBuf {
    let published = distribution.published();
    let is_it = |path: &&PathBuf| path.to_string_lossy().ends_with("tool-1.0-1.src.rpm");
    distribution.path().join(published.keys().find(is_it).unwrap())
}

/// Signs the source package of `tool`, and says so in its repository.
fn sign(distribution: &Project, path: &Path, key: &TestKey) {
    let mut package = rpm::Package::open(path).unwrap();
    package.sign(rpm::signature::pgp::Signer::from_asc(&key.secret()).unwrap()).unwrap();
    package.write_file(path).unwrap();
    let mut metadata = Command::new("createrepo_c");
    metadata.arg("--quiet").arg(distribution.path().join("public/host"));
    assert!(metadata.status().expect("createrepo_c is installed by .ci/test").success());
}

#[test]
fn a_source_package_that_is_not_what_its_repository_says_is_not_taken() {
    let (distribution, project) = projects("");
    let path = source_package(&distribution);
    let whole = fs::read(&path).unwrap();
    let mut other = whole.clone();
    *other.last_mut().unwrap() ^= 1;
    fs::write(&path, &other).unwrap();
    refused(&project, &["plan"], "forge::chroot::not_fetched", "tool-1.0-1.src.rpm");
    refused(&project, &["plan"], "forge::chroot::not_fetched", "its checksum is");
    assert!(!project.path().join("Rpmforge.lock").exists());
    fs::write(&path, &whole).unwrap();
    project.succeed(&["fetch"]);
    let lock = project.read("Rpmforge.lock");
    // With the lock, and nothing in the store, it is no better.
    fs::write(&path, &other).unwrap();
    for folder in [project.cache(), project.path().join(".forge")] {
        fs::remove_dir_all(folder).unwrap();
    }
    refused(&project, &["plan", "--locked"], "forge::chroot::not_fetched", "tool-1.0-1.src.rpm");
    assert_eq!(project.read("Rpmforge.lock"), lock);
}

#[test]
fn a_source_package_that_no_key_of_its_repository_has_signed_is_not_taken() {
    let (distribution, project) = projects("");
    let (ours, theirs) = (TestKey::new(), TestKey::new());
    project.write("ours.asc", &ours.public());
    project.edit("Rpmforge.kdl", "{ repo made", "{ repo made gpgkey=\"ours.asc\"");
    refused(&project, &["plan"], "forge::chroot::not_signed", "tool");
    let path = source_package(&distribution);
    sign(&distribution, &path, &theirs);
    refused(&project, &["plan"], "forge::chroot::undeclared_key", "tool-1.0-1.src");
    assert!(!project.path().join("Rpmforge.lock").exists());
    sign(&distribution, &path, &ours);
    project.succeed(&["plan"]);
}

#[test]
fn the_sources_of_an_earlier_build_are_built_again() {
    let project = Project::with("package tool { source path \"tool.spec\" }\n");
    project.spec("tool", "", "true");
    project.succeed(&["apply"]);
    project.edit("tool.spec", "Version: 1.0", "Version: 2.0");
    project.succeed(&["apply"]);
    project.edit("Rpmforge.kdl", "path \"tool.spec\"", "build 1");
    project.succeed(&["apply"]);
    assert!(project.succeed(&["results", "tool"]).stdout.contains("tool-1.0-1"));
    assert!(project.read("Rpmforge.lock").contains("source \"tool\" kind=\"build\""));
    project.edit("Rpmforge.kdl", "build 1", "build \"#2\"");
    project.succeed(&["apply"]);
    // The store has what is locked where the history is gone.
    std::fs::remove_dir_all(project.path().join(".forge")).unwrap();
    project.succeed(&["plan", "--locked"]);
    project.edit("Rpmforge.kdl", "\"#2\"", "99");
    refused(
        &project,
        &["plan"],
        "forge::source::rebuilt_build_gone",
        "the sources of build #99 can't be had",
    );
    project.edit("Rpmforge.kdl", "99", "last");
    let run = project.run(&["plan"]);
    assert!(run.stderr.contains("write `source build 123`"), "{}", run.stderr);
}

#[test]
fn a_newer_version_in_a_repository_is_outdated() {
    let (distribution, project) = projects("");
    let outdated = |project: &Project| {
        let run = project.run(&["outdated", "--json"]);
        let document: serde_json::Value =
            serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
        let text = |name: &str| document["sources"][0][name].as_str().unwrap_or("-").to_owned();
        (run.code, ["state", "current", "newest", "by"].map(text).join(" "))
    };
    project.succeed(&["fetch"]);
    assert_eq!(outdated(&project), (Some(0), "current 1.0-1 1.0-1 -".to_owned()));
    distribution.edit("tool.spec", "Version: 1.0", "Version: 1.10");
    distribution.succeed(&["apply", "--quiet"]);
    assert_eq!(outdated(&project), (Some(2), "outdated 1.0-1 1.10-1 update".to_owned()));
    project.succeed(&["update", "tool"]);
    assert_eq!(outdated(&project), (Some(0), "current 1.10-1 1.10-1 -".to_owned()));
    project.edit("Rpmforge.kdl", "source repo made", "source repo made version=\"1.9\"");
    assert_eq!(outdated(&project), (Some(2), "outdated 1.9 1.10-1 edit".to_owned()));
    project.edit("Rpmforge.kdl", "version=\"1.9\"", "version=\"1.10\"");
    assert_eq!(outdated(&project).0, Some(0));
}
