//! Every mistake that a manifest can have, with its message as it is shown: `tests/cases/wrong/NAME.kdl` and
//! `tests/snapshots/`. A line `--- FILE` begins a further file of the same repository.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use miette::Diagnostic;
use rpmforge::files::{Folder, HostPath};
use rpmforge::manifest::{MANIFEST_FILE, ManifestErrors, load};
use rpmforge::ui::{ReportStyle, report};

/// The files that cases may name.
const FILES: &[&str] = &["a.spec", "b.spec", "note.txt", "none/readme", "two/one.spec", "two/two.spec"];

fn cases() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/wrong");
    let mut cases: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (path.file_stem().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap())
        })
        .collect();
    cases.sort();
    cases
}

fn mistakes(case: &str) -> Result<(), ManifestErrors> {
    let temp = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = temp.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    FILES.iter().for_each(|name| write(name, ""));
    let mut parts = case.split("--- ");
    write(MANIFEST_FILE, parts.next().unwrap());
    for part in parts {
        let (name, text) = part.split_once('\n').unwrap();
        write(name, text);
    }
    let repository = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
    load(&repository, MANIFEST_FILE, &BTreeMap::new()).map(drop)
}

fn screen(errors: &ManifestErrors) -> String {
    let style = ReportStyle { colors: false, width: 100 };
    errors.0.iter().map(|error| report(error, style)).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_wrong_manifest_has_its_message() {
    let cases = cases();
    assert!(cases.len() >= 60);
    for (name, text) in cases {
        let errors = mistakes(&text).err().unwrap_or_else(|| panic!("{name} was taken for sound"));
        insta::with_settings!({ description => text, omit_expression => true, prepend_module_to_snapshot => false }, {
            insta::assert_snapshot!(name, screen(&errors));
        });
    }
}

#[test]
fn every_message_has_a_code_a_place_and_a_help() {
    for (name, text) in cases() {
        for error in mistakes(&text).unwrap_err().0 {
            assert!(error.code().is_some(), "{name}: {error} has no code");
            assert!(error.help().is_some(), "{name}: {error} has no help");
            assert!(
                error.labels().is_some_and(|mut labels| labels.next().is_some()),
                "{name}: {error} has no place"
            );
        }
    }
}

#[test]
fn every_code_of_the_manifest_has_a_case() {
    let source = include_str!("../src/manifest/problem.rs");
    let codes: BTreeSet<&str> = source
        .match_indices("code(forge::manifest::")
        .map(|(at, word)| source[at + word.len()..].split(')').next().unwrap())
        .collect();
    let mut shown = BTreeSet::new();
    for (_, text) in cases() {
        for error in mistakes(&text).unwrap_err().0 {
            shown.insert(error.code().unwrap().to_string().replace("forge::manifest::", ""));
        }
    }
    let unseen: Vec<_> = codes.iter().filter(|code| !shown.contains(**code)).collect();
    // A file that can't be read, and a key of another user, need another machine than a case can make.
    // A profile is named on the command line: `tests/cli/settings.rs`. What is too large for a case is in `tests/cli/limits.rs`.
    assert_eq!(
        unseen,
        [&"many_mistakes", &"secret_key", &"too_much_text", &"unknown_profile", &"unreadable"]
    );
}
