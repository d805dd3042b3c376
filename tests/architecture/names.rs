//! Names that say what something is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use proc_macro2::{Delimiter, TokenStream, TokenTree};

use super::rule::check_rule;
use super::sources::{library, rust_files};

const VAGUE: &[&str] = &["util", "utils", "helper", "helpers", "common", "misc", "shared"];

/// In how many modules a type's name may stand. Each file is a module.
const MOST_MODULES: usize = 2;

#[test]
fn no_file_has_a_name_that_explains_nothing() {
    let is_vague = |path: &PathBuf| {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let folder =
            path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy().into_owned();
        VAGUE.contains(&stem.as_str()) || VAGUE.contains(&folder.as_str())
    };
    let vague: Vec<PathBuf> = rust_files("src").into_iter().filter(is_vague).collect();
    assert!(vague.is_empty(), "{vague:?}");
}

#[test]
fn no_type_has_a_name_that_two_other_modules_use_for_something_else() {
    let mut modules: BTreeMap<String, BTreeSet<(String, String)>> = BTreeMap::new();
    for file in library() {
        for name in types(file.tokens()) {
            modules.entry(name).or_default().insert((file.top().to_owned(), file.name()));
        }
    }
    assert!(modules.len() > 500, "the types were not found: {}", modules.len());
    modules.retain(|_, files| files.len() > MOST_MODULES);
    let mut found = Vec::new();
    for (name, files) in modules {
        let all: Vec<&str> = files.iter().map(|(_, file)| file.as_str()).collect();
        let stands_in = format!("stands in {}", all.join(", "));
        let tops: BTreeSet<&String> = files.iter().map(|(top, _)| top).collect();
        found.extend(tops.into_iter().map(|top| (top.clone(), name.clone(), stands_in.clone())));
    }
    check_rule("one name means one thing", &found);
}

/// The types that a text defines, in bodies of functions and in what macros make as well; not those that belong to a trait
/// (`type Item`), whose names are the trait's.
fn types(tokens: TokenStream) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect_types(tokens, false, &mut found);
    found
}

fn collect_types(tokens: TokenStream, belong_to_trait: bool, found: &mut BTreeSet<String>) {
    let (mut before, mut is_trait) = (String::new(), false);
    for token in tokens {
        match token {
            TokenTree::Ident(word) => {
                let word = word.to_string();
                match before.as_str() {
                    "struct" | "enum" | "trait" => drop(found.insert(word.clone())),
                    "type" if !belong_to_trait => drop(found.insert(word.clone())),
                    _ => {}
                }
                is_trait |= ["impl", "trait"].contains(&word.as_str());
                before = word;
            }
            TokenTree::Group(group) => {
                let is_block = group.delimiter() == Delimiter::Brace;
                collect_types(group.stream(), is_trait && is_block, found);
                is_trait &= !is_block;
                before.clear();
            }
            TokenTree::Punct(_) | TokenTree::Literal(_) => before.clear(),
        }
    }
}

#[test]
fn types_are_found_wherever_they_are_defined() {
    let text =
        "pub struct A; impl B for A { type C = (); fn f() { enum D {} } } type E = A; table! { trait F {} }";
    let found: Vec<String> = types(text.parse().unwrap()).into_iter().collect();
    assert_eq!(found, ["A", "D", "E", "F"]);
}
