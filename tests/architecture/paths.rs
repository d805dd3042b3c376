//! Paths as they stand in code: in imports, grouped or not, in types, calls and the arguments of macros.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// All paths of two or more words in a text: `use crate::{a, b::{self, c}}` has `crate::a`, `crate::b::self` and
/// `crate::b::c`, all that a path has in common with `*` ends with `*`.
pub fn paths(tokens: TokenStream) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    collect(tokens, &[], &mut found);
    found
}

fn collect(tokens: TokenStream, before: &[String], found: &mut Vec<Vec<String>>) {
    let mut path: Vec<String> = Vec::new();
    let mut colons = 0;
    let finish = |path: &mut Vec<String>, found: &mut Vec<Vec<String>>| {
        let path = std::mem::take(path);
        if !path.is_empty() && before.len() + path.len() > 1 {
            found.push([before, &path].concat());
        }
    };
    for token in tokens {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
            TokenTree::Ident(word) => {
                if colons != 2 {
                    finish(&mut path, found);
                }
                path.push(word.to_string());
                colons = 0;
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' && colons == 2 && !path.is_empty() => {
                path.push("*".to_owned());
                finish(&mut path, found);
                colons = 0;
            }
            TokenTree::Group(group) => {
                if colons == 2 && group.delimiter() == Delimiter::Brace && !path.is_empty() {
                    collect(group.stream(), &[before, &path].concat(), found);
                    path.clear();
                } else {
                    finish(&mut path, found);
                    collect(group.stream(), &[], found);
                }
                colons = 0;
            }
            _ => {
                finish(&mut path, found);
                colons = 0;
            }
        }
    }
    finish(&mut path, found);
}

#[test]
fn grouped_and_nested_paths_are_found() {
    let text = "use crate::{a, b::{self, c}, d::*}; fn f(x: super::T) { g!(e::f::<u8>(1), h) }";
    let found: Vec<String> = paths(text.parse().unwrap()).iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["crate::a", "crate::b::self", "crate::b::c", "crate::d::*", "super::T", "e::f"]);
}
