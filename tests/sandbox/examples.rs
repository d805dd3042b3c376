//! The examples give the same packages, whoever builds them and wherever: root or somebody else, each with both engines.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use crate::site::{Site, Who};
use crate::support::{Project, copy, repository};

/// Examples that are built here; another one builds programs for minutes.
const EXAMPLES: &[&str] = &["hello", "libraries", "batches", "chroots"];

/// What an example gives: the packages by their names, as digests.
fn build(example: &str, who: Who, engine: &str) -> Result<BTreeMap<String, String>, String> {
    let mut site = Site::new(who);
    copy(&repository().join("examples").join(example), &site.path());
    let manifest = site.path().join("Rpmforge.kdl");
    let text = std::fs::read_to_string(&manifest).unwrap();
    assert!(!text.contains("defaults"), "{example} says who builds");
    site.replace_manifest(format!("{text}\ndefaults {{ engine {engine} }}\n"));
    let run = site.run(&["apply"]);
    if run.code != Some(0) {
        return Err(format!("{}\n{}", run.stdout, run.stderr));
    }
    Ok(digests(&site.path().join("public")))
}

fn digests(folder: &Path) -> BTreeMap<String, String> {
    let mut command = Command::new("find");
    command.arg(folder).args(["-name", "*.rpm", "-exec", "sha256sum", "{}", "+"]);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    text.lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(digest, path)| (name(path), digest.to_owned()))
        .collect()
}

#[test]
fn examples_give_the_same_packages_to_root_and_to_an_ordinary_user() {
    for example in EXAMPLES {
        for engine in ["native", "rpmbuild"] {
            let built: Vec<_> = Who::all().into_iter().map(|who| build(example, who, engine)).collect();
            for packages in &built {
                let packages =
                    packages.as_ref().unwrap_or_else(|error| panic!("{example}, {engine}: {error}"));
                assert!(!packages.is_empty(), "{example}, {engine}");
                assert_eq!(
                    Some(packages),
                    built.first().and_then(|built| built.as_ref().ok()),
                    "{example}, {engine}"
                );
            }
        }
    }
}

#[test]
fn examples_give_the_same_packages_whatever_is_varied() {
    for example in EXAMPLES {
        let project = Project::example(example);
        project.succeed(&["apply"]);
        let said = project.succeed(&["verify"]).stdout;
        let expected =
            "the packages are the same, bit for bit, with another time, hostname, folder, umask, locale";
        assert!(said.contains(expected), "{example}: {said}");
    }
}
