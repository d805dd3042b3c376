//! The layers of `src/`: a module may use what stands below it.

use std::collections::BTreeSet;
use std::fs;

use super::paths::paths;
use super::sources::{repository, rust_files, top_module};

/// The modules from the top layer down: one may use what stands after it.
const LAYERS: &[&str] = &[
    "cli",
    "serve",
    "ui",
    "rebuild",
    "publish",
    "execute",
    "import",
    "plan",
    "source",
    "manifest",
    "chroot",
    "sandbox",
    "store",
    "engine",
    "spec",
    "macros",
    "package",
    "signature",
    "event",
    "fetch",
    "digest",
    "text",
    "process",
    "files",
];

fn rank(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| *layer == module)
}

/// The modules that a file names, in code (grouped or not), in tests and in comments.
fn used(text: &str) -> BTreeSet<String> {
    let in_code = paths(text.parse().unwrap())
        .into_iter()
        .filter(|path| path.first().is_some_and(|word| word == "crate"))
        .filter_map(|path| path.into_iter().nth(1));
    let rests = text.match_indices("crate::").map(|(at, word)| &text[at + word.len()..]);
    let word = |rest: &str| {
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default().to_owned()
    };
    in_code.chain(rests.map(word)).collect()
}

#[test]
fn no_module_uses_one_of_a_higher_layer() {
    let mut upward = Vec::new();
    for path in rust_files("src") {
        let Some(own) = top_module(&path).and_then(|module| rank(&module)) else {
            continue;
        };
        let text = fs::read_to_string(&path).unwrap();
        for module in used(&text) {
            if rank(&module).is_some_and(|other| other < own) {
                upward.push(format!("{} uses crate::{module}", path.display()));
            }
        }
    }
    assert!(upward.is_empty(), "{upward:#?}");
}

#[test]
fn a_module_that_is_named_in_a_group_or_within_code_is_seen() {
    let text =
        "use crate::{text, files::{self, Folder}};\n// [`crate::plan`]\nfn f() { g!(crate::cli::x()) }";
    let used: Vec<String> = used(text).into_iter().filter(|module| rank(module).is_some()).collect();
    assert_eq!(used, ["cli", "files", "plan", "text"]);
}

#[test]
fn every_module_has_its_layer_and_its_line_in_lib_rs() {
    let lib = fs::read_to_string(repository().join("src/lib.rs")).unwrap();
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
