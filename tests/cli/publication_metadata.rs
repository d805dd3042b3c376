//! How metadata are packed, what a manifest adds to them, and what is kept of packages for them.

use std::fs;
use std::path::PathBuf;

use crate::publication::{change, two};
use crate::support::Project;

/// The kinds and endings of the metadata files that clients see.
fn kinds(project: &Project) -> Vec<String> {
    let named = project.repository().named().unwrap();
    let names = named.iter().map(|file| file.href.rsplit_once('-').unwrap().1.to_owned());
    names.collect()
}

fn with_publish(project: &Project, block: &str) {
    let manifest = project.read("Rpmforge.kdl");
    let manifest = manifest.split("publish ").next().unwrap();
    project.write("Rpmforge.kdl", &format!("{manifest}publish \"public/{{chroot}}\" {{ {block} }}\n"));
}

const ZSTD: [&str; 3] = ["primary.xml.zst", "filelists.xml.zst", "other.xml.zst"];
const GZIP: [&str; 3] = ["primary.xml.gz", "filelists.xml.gz", "other.xml.gz"];

#[test]
fn metadata_are_packed_with_zstd_or_as_the_manifest_says_and_earlier_ones_stay_for_a_while() {
    let project = two();
    with_publish(&project, "metadata gz");
    project.succeed(&["apply"]);
    assert_eq!(kinds(&project), GZIP);
    let earlier = project.published();
    // As a forge before this one has left it.
    with_publish(&project, "");
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
    project.succeed(&["apply"]);
    assert_eq!(kinds(&project), ZSTD);
    assert_eq!(project.repository().binaries(), ["a-1.0-1.noarch.rpm", "b-1.0-1.noarch.rpm"]);
    let is_repomd = |path: &PathBuf| path.ends_with("repomd.xml");
    assert!(earlier.keys().filter(|path| !is_repomd(path)).all(|path| project.path().join(path).exists()));
    let published = project.published();
    project.succeed(&["apply"]);
    assert_eq!(project.published(), published);
    change(&project, "a", 1);
    project.succeed(&["apply"]);
    assert!(project.repository().primary().contains("round(1)"));
    with_publish(&project, "metadata gz");
    project.succeed(&["apply"]);
    assert_eq!(kinds(&project), GZIP);
    project.repository().follow().unwrap();
}

#[test]
fn the_same_packages_give_the_same_metadata_whatever_was_published_before() {
    let project = two();
    project.succeed(&["apply"]);
    let files = || {
        let mut files = project.published();
        files.retain(|path, _| !path.ends_with("repomd.xml"));
        files
    };
    let first = files();
    change(&project, "a", 1);
    project.succeed(&["apply"]);
    assert_ne!(files(), first);
    project.spec("a", "", "true");
    project.succeed(&["apply"]);
    assert_eq!(files(), first);
}

#[test]
fn what_is_kept_of_packages_is_made_anew_where_it_is_damaged_or_gone() {
    let project = two();
    project.succeed(&["apply"]);
    let kept = || -> Vec<PathBuf> {
        let below = |folder: PathBuf| fs::read_dir(folder).into_iter().flatten().map(|it| it.unwrap().path());
        below(project.cache().join("rpmforge/metadata")).flat_map(below).collect()
    };
    let first = kept();
    assert!(first.len() == 1 && first[0].to_string_lossy().ends_with(".pieces"), "{first:?}");
    let published = project.published();
    for damage in [|content: &mut Vec<u8>| content[40] ^= 1, |content: &mut Vec<u8>| content.truncate(40)] {
        let mut content = fs::read(&first[0]).unwrap();
        damage(&mut content);
        fs::write(&first[0], content).unwrap();
        fs::remove_dir_all(project.path().join("public/host/repodata")).unwrap();
        project.succeed(&["apply"]);
        assert_eq!(project.published(), published);
        assert_eq!(kept(), first);
        project.succeed(&["store", "verify"]);
    }
    // What is no longer published is no longer kept.
    change(&project, "a", 1);
    project.succeed(&["apply"]);
    assert!(kept().len() == 1 && kept() != first);
}

#[test]
fn groups_and_advisories_of_the_manifest_are_published_and_leave_with_it() {
    let project = two();
    project.write("comps.xml", "<comps><group><id>tools</id></group></comps>\n");
    project.write("updateinfo.xml", "<updates></updates>\n");
    with_publish(&project, "comps \"comps.xml\"; updateinfo \"updateinfo.xml\"");
    project.succeed(&["apply"]);
    let with = ["comps.xml.zst", "updateinfo.xml.zst"];
    assert_eq!(kinds(&project), [ZSTD.as_slice(), &with].concat());
    let repomd = project.read("public/host/repodata/repomd.xml");
    assert!(repomd.contains("<data type=\"group\">") && repomd.contains("<data type=\"updateinfo\">"));
    project.write("comps.xml", "<comps><group><id>others</id></group></comps>\n");
    project.succeed(&["apply"]);
    assert_ne!(project.read("public/host/repodata/repomd.xml"), repomd);
    with_publish(&project, "metadata gz; comps \"comps.xml\"");
    project.succeed(&["apply"]);
    assert_eq!(kinds(&project), [GZIP.as_slice(), &["comps.xml", "comps.xml.gz"]].concat());
    let repomd = project.read("public/host/repodata/repomd.xml");
    assert!(repomd.contains("<data type=\"group\">") && repomd.contains("<data type=\"group_gz\">"));
    with_publish(&project, "");
    project.succeed(&["apply"]);
    assert_eq!(kinds(&project), ZSTD);
}

#[test]
fn a_file_of_groups_that_is_none_is_an_error_with_its_place_before_anything_is_built() {
    let project = two();
    with_publish(&project, "comps \"comps.xml\"");
    for (text, reason) in [
        (Some("<updates/>"), "has `<updates>` where one `<comps>` has to be (line 1)"),
        (Some("<comps>\n<a></comps>"), "is not well-formed"),
        (None, "such file"),
    ] {
        match text {
            Some(text) => project.write("comps.xml", text),
            None => fs::remove_file(project.path().join("comps.xml")).unwrap(),
        }
        for command in ["check", "apply"] {
            let run = project.run(&[command]);
            assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
            let said = format!("{}{}", run.stdout, run.stderr);
            assert!(said.contains("forge::publish::wrong_metadata") && said.contains(reason), "{said}");
            assert!(said.contains("Rpmforge.kdl:"), "{said}");
        }
        assert!(!project.path().join("public").exists());
    }
}
