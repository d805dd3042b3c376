//! Repositories that are published with signatures.

use crate::site::{new_key, packages, public_key, signed_project};
use crate::support::Project;

#[test]
fn packages_and_metadata_are_signed_once_and_stay_as_they_are() {
    let project = signed_project("ed25519");
    let fingerprint = project.succeed(&["keys", "list"]).stdout.split_whitespace().nth(1).unwrap().to_owned();
    let run = project.succeed(&["apply", "--json"]);
    let published = run.events("published");
    assert_eq!(published[0]["signed_by"][0], fingerprint.as_str());
    let before = project.published();
    let asc = project.read("public/host/repodata/repomd.xml.asc");
    project.succeed(&["verify-signatures", "public/host"]);
    assert_eq!(project.run(&["plan", "--detailed-exitcode"]).code, Some(0));
    let again = project.succeed(&["apply", "--json"]);
    assert!(again.events("published").is_empty(), "{}", again.stdout);
    assert_eq!(project.published(), before);
    assert_eq!(project.read("public/host/repodata/repomd.xml.asc"), asc);
    // The store has forgotten the copies: what is published is not signed once more.
    std::fs::remove_dir_all(project.cache().join("rpmforge/fetched")).unwrap();
    project.succeed(&["apply"]);
    assert_eq!(project.published(), before);
}

#[test]
fn another_key_signs_what_is_in_the_cache() {
    let project = signed_project("ed25519");
    project.succeed(&["apply"]);
    let before = packages(&project);
    let other = new_key(&project, "other", "ed25519");
    project.edit("Rpmforge.kdl", "name=acme", "name=other");
    let plan = project.run(&["plan", "--detailed-exitcode"]);
    assert_eq!(plan.code, Some(2), "{}", plan.stdout);
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(run.states()["a"], "cached");
    assert_eq!(run.events("published")[0]["signed_by"][0], other.as_str());
    let after = packages(&project);
    assert!(
        before.iter().all(|path| path.exists() && !after.contains(path)),
        "the old ones stay for a while"
    );
    let key = public_key(&project, "other");
    for package in &after {
        project.succeed(&["verify-signatures", "--key", key.to_str().unwrap(), package.to_str().unwrap()]);
    }
}

#[test]
fn what_is_published_unsigned_again_has_no_signature_left() {
    let project = signed_project("ed25519");
    let manifest = project.read("Rpmforge.kdl");
    project.edit("Rpmforge.kdl", " { sign name=acme }", "");
    project.succeed(&["apply"]);
    let unsigned = project.published();
    project.write("Rpmforge.kdl", &manifest);
    project.succeed(&["apply"]);
    assert!(project.path().join("public/host/host.repo").exists());
    project.edit("Rpmforge.kdl", " { sign name=acme }", "");
    project.succeed(&["apply"]);
    for gone in ["repodata/repomd.xml.asc", "repodata/repomd.xml.key"] {
        assert!(!project.path().join("public/host").join(gone).exists(), "{gone}");
    }
    assert!(project.read("public/host/host.repo").contains("gpgcheck=0\n"));
    let names = |files: &std::collections::BTreeMap<std::path::PathBuf, Vec<u8>>| -> Vec<std::path::PathBuf> {
        files.keys().filter(|path| path.to_string_lossy().ends_with(".rpm")).cloned().collect()
    };
    assert_eq!(names(&project.published()), names(&unsigned));
}

#[test]
fn a_key_that_is_rotated_signs_metadata_beside_the_new_one() {
    let project = signed_project("ed25519");
    project.succeed(&["apply"]);
    let old = public_key(&project, "acme");
    let old_copy = project.beside("old.asc");
    std::fs::copy(old, &old_copy).unwrap();
    project.succeed(&["keys", "rotate", "acme", "--kind", "ed25519", "--no-passphrase"]);
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(run.events("published")[0]["signed_by"].as_array().unwrap().len(), 2);
    let repomd =
        ["verify-signatures", "--key", old_copy.to_str().unwrap(), "public/host/repodata/repomd.xml"];
    project.succeed(&repomd);
    project.succeed(&["verify-signatures", "public/host"]);
    project.succeed(&["keys", "rotate", "acme", "--finish"]);
    let run = project.succeed(&["apply", "--json"]);
    assert_eq!(run.events("published")[0]["signed_by"].as_array().unwrap().len(), 1);
    assert_eq!(project.run(&repomd).code, Some(1));
}

#[test]
fn damage_of_what_stands_beside_metadata_is_put_right() {
    let project = signed_project("ed25519");
    project.succeed(&["apply"]);
    for file in ["repodata/repomd.xml.asc", "repodata/repomd.xml.key", "host.repo"] {
        let path = project.path().join("public/host").join(file);
        std::fs::write(&path, "spoilt").unwrap();
        let run = project.succeed(&["apply", "--json"]);
        assert_eq!(run.events("repository-damaged")[0]["repaired"][0]["path"], file);
        project.succeed(&["verify-signatures", "public/host"]);
    }
}

#[test]
fn without_its_key_nothing_is_published() {
    let project = signed_project("ed25519");
    project.edit("Rpmforge.kdl", "name=acme", "name=nosuch");
    let run = project.run(&["apply", "--json"]);
    assert_eq!(run.code, Some(1));
    assert_eq!(run.events("not-published")[0]["code"], "forge::package::key");
    assert!(!project.path().join("public/host/repodata").exists());
    let variable = Project::with(
        "package a { source path \"a.spec\" }\npublish \"public/{chroot}\" { sign env=ACME_KEY }\n",
    );
    variable.spec("a", "", "true");
    let run = variable.run(&["apply"]);
    assert!(
        run.stderr.contains("in the variable ACME_KEY can't be used: the variable is not set"),
        "{}",
        run.stderr
    );
}

#[test]
fn without_its_key_no_repository_is_pruned() {
    let project = signed_project("ed25519");
    project.edit("Rpmforge.kdl", "{ sign name=acme }", "{ keep builds=2; sign name=acme }");
    project.succeed(&["apply"]);
    project.edit("a.spec", "Version: 1", "Version: 2");
    project.succeed(&["apply"]);
    let signature = project.read("public/host/repodata/repomd.xml.asc");
    project.edit("Rpmforge.kdl", "builds=2; sign name=acme", "builds=1; sign name=nosuch");
    let run = project.run(&["prune"]);
    assert_eq!(run.code, Some(1), "{}{}", run.stdout, run.stderr);
    assert!(run.stderr.contains("not pruned: host: ") && run.stderr.contains("`nosuch`"), "{}", run.stderr);
    assert!(!run.stdout.contains("left the repositories"), "{}", run.stdout);
    assert_eq!(project.read("public/host/repodata/repomd.xml.asc"), signature);
    assert!(project.read("public/host/host.repo").contains("repo_gpgcheck=1\n"));
}

#[test]
fn metadata_may_be_signed_alone() {
    let project = signed_project("ed25519");
    project.edit("Rpmforge.kdl", "name=acme", "name=acme what=metadata");
    project.succeed(&["apply"]);
    project.succeed(&["verify-signatures", "public/host/repodata/repomd.xml"]);
    let unsigned = project.run(&["verify-signatures", "public/host"]);
    assert!(unsigned.stdout.contains("noarch.rpm: not signed"), "{}", unsigned.stdout);
    assert!(project.read("public/host/host.repo").contains("gpgcheck=0\nrepo_gpgcheck=1\n"));
}

#[test]
fn an_update_that_would_break_a_package_waits_where_packages_are_signed() {
    let project = signed_project("ed25519");
    project.edit("Rpmforge.kdl", "package a { source path \"a.spec\" }", "packages \"*.spec\"");
    project.spec("a", "Provides: thing = 1", "true");
    project.spec("b", "Requires: thing = 1", "true");
    project.succeed(&["apply"]);
    let before = packages(&project);
    project.spec("a", "Provides: thing = 2", "true");
    project.run(&["apply"]);
    assert_eq!(packages(&project), before);
}

#[test]
fn what_was_superseded_and_sections_that_are_gone_are_not_complained_of() {
    let project = signed_project("ed25519");
    let manifest = project.read("Rpmforge.kdl");
    project.edit("Rpmforge.kdl", "{ sign name=acme }", "{ debuginfo separate=#true }");
    project.succeed(&["apply"]);
    let unsigned = packages(&project);
    project.write("Rpmforge.kdl", &manifest);
    project.succeed(&["apply"]);
    assert!(unsigned.iter().all(|path| path.exists()), "those who have read the metadata may ask for them");
    let run = project.succeed(&["verify-signatures", "public/host"]);
    assert_eq!(run.stdout.matches("the metadata don't name it").count(), 2, "{}", run.stdout);
    // Damage of them is told.
    std::fs::write(&unsigned[0], "spoilt").unwrap();
    assert_eq!(project.run(&["verify-signatures", "public/host"]).code, Some(1));
}

#[test]
fn a_package_that_the_metadata_do_not_mean_is_found_however_it_is_signed() {
    let project = signed_project("ed25519");
    project.succeed(&["apply"]);
    let before = packages(&project);
    let kept: Vec<Vec<u8>> = before.iter().map(|path| std::fs::read(path).unwrap()).collect();
    project.edit("a.spec", "Version: 1", "Version: 2");
    project.succeed(&["apply"]);
    project.succeed(&["verify-signatures", "public/host"]);
    let listed = packages(&project);
    std::fs::write(&listed[0], &kept[0]).unwrap();
    let run = project.run(&["verify-signatures", "public/host"]);
    assert!(run.code == Some(1) && run.stdout.contains("it is not what the metadata say"), "{}", run.stdout);
    std::fs::remove_file(&listed[0]).unwrap();
    let run = project.run(&["verify-signatures", "public/host"]);
    assert!(run.code == Some(1) && run.stdout.contains("and it is not there"), "{}", run.stdout);
}
