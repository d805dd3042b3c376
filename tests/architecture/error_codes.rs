//! Every error has a code, and a test that shows it.

use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;

use super::sources::{repository, rust_files, top_module};

/// Codes that no test can bring about on a sound machine: a full or forbidden disk, a damaged store, a bug.
const OUT_OF_REACH: &[&str] = &[
    "manifest::unreadable",
    "process::not_run",
    "engine::no_rpm", // its words are in a unit test
    "engine::odd_rpm",
    "engine::not_mounted", // its words are in a unit test
    "publish::too_much",
    "publish::not_a_statement", // told without its code, as what is wrong with a package: tests/signing/attestations.rs
    "engine::work_folder",
    "source::making_needs", // a machine whose own packages are of rpm
    "package::content",
    "package::io",
    "package::signing_io",
    "fetch::io",
    "store::io",
    "store::history",
    "store::damaged",
    "store::busy",
    "source::io",
    "source::git_io",
    "source::made_io",       // in a unit test
    "source::git_too_large", // more than there is room for
    "source::svn_not_run",
    "source::svn_io",
    "source::svn_timeout", // an hour
    "source::svn_canceled",
    "source::svn_too_large",   // more than there is room for
    "source::svn_unsafe_name", // Subversion keeps no such name
    "source::too_many_files",  // its words are in a unit test
    "source::changed",
    "source::not_yet", // told of the build, in words
    "chroot::too_many_packages",
    "chroot::arch",    // manifests name known ones only
    "chroot::index",   // a repository of more packages than there are
    "chroot::changed", // another program writes to the store at the same time
    "chroot::io",
    "execute::changed",
    "execute::io",
    "execute::bug",
    "plan::root",
    "macros::no_shell",
    "publish::io",
    "publish::not_yet",
    "publish::place_io",
    "publish::busy", // in a unit test: it is told after two minutes
    "cli::no_home",
    "engine::root_silent", // in a unit test: the worker that is asked lives for milliseconds
    "engine::unreadable_file", // root, who runs the tests in CI, can read everything
    "cli::io",
];

#[test]
fn every_error_code_is_shown_by_a_test() {
    let mut shown = String::new();
    let mut open = vec![repository().join("tests")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.ends_with("architecture") => {}
                path if path.is_dir() => open.push(path),
                path => shown.push_str(&fs::read_to_string(path).unwrap_or_default()),
            }
        }
    }
    let unseen: Vec<String> =
        codes().into_iter().filter(|code| !shown.contains(&format!("forge::{code}"))).collect();
    let unseen: Vec<&String> = unseen.iter().filter(|code| !OUT_OF_REACH.contains(&code.as_str())).collect();
    assert!(unseen.is_empty(), "{unseen:#?}");
}

fn codes() -> Vec<String> {
    let mut codes = Vec::new();
    for path in rust_files("src") {
        let text = fs::read_to_string(&path).unwrap();
        let found = text.match_indices("code(forge::").map(|(at, word)| &text[at + word.len()..]);
        codes.extend(found.map(|rest| rest.split(')').next().unwrap_or_default().to_owned()));
    }
    codes
}

#[test]
fn every_error_code_is_named_once_and_for_its_own_module() {
    let mut seen: HashMap<String, PathBuf> = HashMap::new();
    for path in rust_files("src") {
        let text = fs::read_to_string(&path).unwrap();
        let module = top_module(&path).unwrap_or_default();
        for (at, word) in text.match_indices("code(forge::") {
            let rest = &text[at + word.len()..];
            let code = rest.split(')').next().unwrap_or_default().to_owned();
            assert!(code.starts_with(&format!("{module}::")), "{}: {code}", path.display());
            let earlier = seen.insert(code.clone(), path.clone());
            assert!(
                earlier.is_none(),
                "{code} stands in {} and in {}",
                path.display(),
                earlier.unwrap().display()
            );
        }
    }
    assert!(seen.len() > 40, "the codes were not found: {}", seen.len());
}
