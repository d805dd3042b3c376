//! The layers of `src/`, and what every file must keep to.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "tests set up the machine that forge works on, and fail by panicking"
)]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the top layer down: one may use what stands after it.
const LAYERS: &[&str] = &[
    "cli", "serve", "ui", "rebuild", "publish", "execute", "plan", "source", "manifest", "chroot", "sandbox",
    "store", "engine", "spec", "macros", "package", "event", "digest", "text", "process", "files",
];

const LONGEST_FILE: usize = 600;

const VAGUE: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "shared"];

fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("target") {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn module_of(path: &Path) -> Option<String> {
    let below = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).ok()?;
    let first = below.components().next()?.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    Some(first)
}

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

/// The modules that a text names as `crate::MODULE`, and as `crate::{…}`.
fn used(text: &str) -> Vec<&str> {
    let rests = text.match_indices("crate::").map(|(at, word)| &text[at + word.len()..]);
    rests
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default())
        .collect()
}

#[test]
fn no_module_uses_one_of_a_higher_layer() {
    let mut upward = Vec::new();
    for path in rust_files("src") {
        let Some(own) = module_of(&path).and_then(|module| rank(&module)) else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        for module in used(&text) {
            if rank(module).is_some_and(|other| other < own) {
                upward.push(format!("{} uses crate::{module}", path.display()));
            }
        }
    }
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn every_module_has_its_layer_and_its_line_in_lib_rs() {
    let lib = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod "))
        .map(|line| line.trim_end_matches(';'))
        .collect();
    let ranks: Vec<Option<usize>> = declared.iter().map(|module| rank(module)).collect();
    assert!(ranks.iter().all(Option::is_some), "{declared:?}");
    assert!(ranks.is_sorted(), "lib.rs lists the modules in the order of their layers: {declared:?}");
    for module in declared {
        assert!(lib.contains(&format!("//! - [`{module}`]: ")), "lib.rs has no line on {module}");
    }
}

#[test]
fn no_file_is_longer_than_600_lines() {
    let files = ["src", "tests", "benches", "fuzz"].into_iter().flat_map(rust_files);
    let long: Vec<String> = files
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), path))
        .filter(|(lines, _)| *lines > LONGEST_FILE)
        .map(|(lines, path)| format!("{}: {lines}", path.display()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_name_explains_nothing() {
    let is_vague = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder =
            path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        VAGUE.contains(&stem.as_str()) || VAGUE.contains(&folder.as_str())
    };
    let vague: Vec<PathBuf> = rust_files("src").into_iter().filter(is_vague).collect();
    assert!(vague.is_empty(), "{vague:?}");
}

/// Codes that no test can bring about on a sound machine: a full or forbidden disk, a damaged store, a bug.
const OUT_OF_REACH: &[&str] = &[
    "manifest::unreadable",
    "process::not_run",
    "engine::no_rpm", // its words are in a unit test
    "engine::odd_rpm",
    "publish::too_much",
    "engine::work_folder",
    "package::content",
    "package::io",
    "store::io",
    "store::history",
    "store::damaged",
    "store::busy",
    "source::io",
    "source::too_many_files", // its words are in a unit test
    "source::changed",
    "source::not_yet", // told of the build, in words
    "execute::changed",
    "execute::io",
    "execute::bug",
    "plan::root",
    "macros::no_shell",
    "publish::io",
    "publish::not_yet",
    "publish::busy", // in a unit test: it is told after two minutes
    "cli::no_home",
    "engine::unreadable_file", // root, who runs the tests in CI, can read everything
    "cli::io",
];

#[test]
fn every_error_code_is_shown_by_a_test() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut shown = String::new();
    let mut open = vec![tests];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            match entry.path() {
                path if path.is_dir() => open.push(path),
                path if path.ends_with("architecture.rs") => {}
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
        let module = module_of(&path).unwrap_or_default();
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
