//! A build reaches the files of its root through one handle.

use proc_macro2::{TokenStream, TokenTree};

use super::rule::check_rule;
use super::sources::library;

/// What reaches files by their paths alone, beginning wherever the process is.
const AMBIENT: [&str; 8] = [
    "open_ambient",
    "create_ambient",
    "create_scratch",
    "open_ambient_dir",
    "ambient_authority",
    "Tree",
    "CWD",
    "getcwd",
];

/// The one file that opens the root.
const HANDLE: &str = "engine/native/build/root_files";

/// Those of [`AMBIENT`] that stand in some code.
fn ambient_names(tokens: TokenStream) -> Vec<String> {
    let of_tree = |tree: TokenTree| match tree {
        TokenTree::Group(group) => ambient_names(group.stream()),
        TokenTree::Ident(name) => {
            AMBIENT.iter().filter(|ambient| name == **ambient).map(ToString::to_string).collect()
        }
        TokenTree::Punct(_) | TokenTree::Literal(_) => Vec::new(),
    };
    tokens.into_iter().flat_map(of_tree).collect()
}

#[test]
fn a_build_opens_nothing_but_through_the_handle_of_its_root() {
    let mut found = Vec::new();
    let mut opens_root = false;
    for file in library().iter().filter(|file| file.name().starts_with("engine/native/build/")) {
        let names = ambient_names(file.tokens());
        match file.name() == HANDLE {
            true => opens_root = !names.is_empty(),
            false => {
                let how = || "reaches past the root's handle".to_owned();
                found.extend(names.into_iter().map(|name| (file.name(), name, how())));
            }
        }
    }
    assert!(opens_root, "{HANDLE} does not open the root: what is this test looking at?");
    check_rule("a build reaches files through `RootFiles`", &found);
}

#[test]
fn what_opens_by_a_path_is_found_in_a_function() {
    let code = "fn f() { if x { Folder::open_ambient(&path)?; } let t: Tree = y; z.opened_ambient() }";
    assert_eq!(ambient_names(code.parse().unwrap()), ["open_ambient", "Tree"]);
}
