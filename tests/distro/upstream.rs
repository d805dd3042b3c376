//! Real upstream projects, built in roots of the distribution: by both engines, as root and as an ordinary user.

use std::collections::BTreeMap;
use std::fs;

use rpmforge::package::{Compared, difference};
use rpmforge::ui::diff_screen;

use super::make;
use super::site::{Site, published};
use crate::support::{Project, repository};

/// The example, in roots of the distribution. What it needs has the names of another one there, whose loader doesn't look where
/// packages of RPM have their libraries.
fn upstream(settings: &str) -> Site {
    let tarballs = repository().join("examples/upstream/tarballs");
    assert!(
        tarballs.join("hello-2.10.tar.gz").exists(),
        "run .ci/upstream-tarballs examples/upstream/tarballs"
    );
    let project = Project::example("upstream");
    let chroot = format!("chroot host {{ repo distro baseurl=\"{}\" }}", make::repository().display());
    project.edit("Rpmforge.kdl", "chroot host { root \"/\" }", &chroot);
    project.edit(
        "Rpmforge.kdl",
        "defaults {",
        &format!("defaults {{\n    {settings}\n    env {{ LD_LIBRARY_PATH \"/usr/lib64\" }}"),
    );
    project.edit("sed/sed.spec", "BuildRequires:  xz\n", "BuildRequires:  xz-utils\n");
    Site(project)
}

fn compared(site: &Site) -> BTreeMap<String, Compared> {
    let files = published(&site.0).into_iter();
    files.map(|(name, bytes)| (name.clone(), Compared::read(&name, bytes.as_slice()).unwrap())).collect()
}

#[test]
fn upstream_projects_come_out_the_same_of_both_engines_and_for_an_ordinary_user() {
    let native = upstream("engine native");
    let states = native.succeed(&["apply", "--json"]).states();
    assert_eq!(states.len(), 8);
    assert!(states.values().all(|state| state == "succeeded"), "{states:?}");
    let lock = native.0.read("Rpmforge.lock");
    assert!(lock.contains("build \"jq\"") && lock.contains("\"xz-utils-"), "{lock}");

    // rpmbuild writes who owns the sources on disk into a source package; forge writes root.
    let other = upstream("engine rpmbuild; macros { _srcdefattr \"(-,root,root)\" }");
    other.succeed(&["apply"]);
    let (ours, theirs) = (compared(&native), compared(&other));
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    assert!(ours.len() >= 20, "{} packages", ours.len());
    let mut wrong = String::new();
    for (name, theirs) in &theirs {
        let mut found = difference(theirs, &ours[name]);
        // The spec as it was read: how %setup is written in it changes with every rpm.
        found.tags.retain(|change| change.tag != "spec");
        if !found.is_volatile() || found.payload.is_some() {
            wrong.push_str(&diff_screen(&found, name, name, false));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");

    let of_user = upstream("engine native");
    of_user.succeed_as_ordinary_user(&["apply"]);
    assert_eq!(of_user.0.read("Rpmforge.lock"), lock);
    let (one, user) = (published(&native.0), published(&of_user.0));
    assert_eq!(one.keys().collect::<Vec<_>>(), user.keys().collect::<Vec<_>>());
    let other: Vec<&String> = one.keys().filter(|name| one[*name] != user[*name]).collect();
    assert!(other.is_empty(), "they have other bytes: {other:?}");
    fs::remove_dir_all(of_user.0.path()).unwrap();
}
