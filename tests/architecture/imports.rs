//! Which file needs which other.
//!
//! A file needs another where its code names something that is defined there: by an import or by a path within code, both
//! followed through `pub use` to the file that defines it. Three things name a file without needing it, and don't count:
//! code that only tests have; the `pub use` of a `mod.rs`, which only says what the folder offers; and a method that a
//! file adds to a type of another one (`impl Folder` in `links.rs`): who calls it names the type, and needs the type's
//! file. The file that adds it names the type, too, so that it stands above it.

use std::collections::{BTreeSet, HashMap, HashSet};

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, UseTree, Visibility};

use super::paths::paths;
use super::sources::SourceFile;

/// What a file needs, as indices of files.
pub fn needs(files: &[SourceFile]) -> Vec<BTreeSet<usize>> {
    let modules: HashMap<Vec<String>, Module> = files
        .iter()
        .enumerate()
        .map(|(index, file)| (file.module.clone(), Module::new(index, file)))
        .collect();
    let needs_of = |(index, file): (usize, &SourceFile)| {
        let offers = |item: &&Item| matches!(item, Item::Use(import) if file.is_folder && !matches!(import.vis, Visibility::Inherited));
        let code = file.items.iter().filter(|item| !offers(item)).map(ToTokens::to_token_stream);
        let named = paths(code.collect());
        let needed = named.iter().filter_map(|path| match follow(&modules, &file.module, path, 0)? {
            Target::Item(file) => Some(file),
            Target::Module(_) => None,
        });
        needed.filter(|needed| *needed != index).collect()
    };
    files.iter().enumerate().map(needs_of).collect()
}

/// What can be named in a module.
struct Module {
    file: usize,
    /// What it defines itself.
    defined: HashSet<String>,
    /// What it imports or offers, by name.
    imported: HashMap<String, Vec<String>>,
    /// What it imports all of.
    globs: Vec<Vec<String>>,
}

enum Target {
    /// Something in a file.
    Item(usize),
    /// A module, whichever of its names is meant.
    Module(Vec<String>),
}

impl Module {
    fn new(index: usize, file: &SourceFile) -> Self {
        let mut module =
            Self { file: index, defined: HashSet::new(), imported: HashMap::new(), globs: Vec::new() };
        module.define(file.tokens());
        for item in &file.items {
            if let Item::Use(import) = item {
                module.import(&import.tree, Vec::new());
            }
        }
        module
    }

    /// What stands behind the words that define something; in tables that macros make items of, too.
    fn define(&mut self, tokens: TokenStream) {
        let mut before = String::new();
        for token in tokens {
            match token {
                TokenTree::Ident(word) => {
                    let word = word.to_string();
                    if ["struct", "enum", "trait", "type", "fn", "const", "static"].contains(&before.as_str())
                    {
                        self.defined.insert(word.clone());
                    }
                    before = word;
                }
                TokenTree::Group(group) => self.define(group.stream()),
                TokenTree::Punct(_) | TokenTree::Literal(_) => before.clear(),
            }
        }
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(part) => {
                path.push(part.ident.to_string());
                self.import(&part.tree, path);
            }
            UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = path.last().cloned() {
                    self.imported.insert(last, path);
                }
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.imported.insert(name.ident.to_string(), path);
            }
            UseTree::Rename(name) => {
                path.push(name.ident.to_string());
                self.imported.insert(name.rename.to_string(), path);
            }
            UseTree::Glob(_) => self.globs.push(path),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(tree, path.clone());
                }
            }
        }
    }
}

/// Where a path leads from a module; `None` where it leads out of the library.
fn follow(
    modules: &HashMap<Vec<String>, Module>,
    from: &[String],
    path: &[String],
    depth: usize,
) -> Option<Target> {
    if depth > 20 {
        return None;
    }
    let mut current = from.to_vec();
    let mut words = path.iter().map(String::as_str).peekable();
    while let Some(word) = words.next_if(|word| ["crate", "self", "super"].contains(word)) {
        match word {
            "crate" => current.clear(),
            "super" => drop(current.pop()),
            _ => {}
        }
    }
    for word in words {
        let module = modules.get(&current)?;
        if word == "*" {
            return Some(Target::Item(module.file));
        }
        let child = [current.as_slice(), &[word.to_owned()]].concat();
        if modules.contains_key(&child) {
            current = child;
            continue;
        }
        if module.defined.contains(word) {
            return Some(Target::Item(module.file));
        }
        let imported = module.imported.get(word).cloned().into_iter();
        let by_glob = module.globs.iter().map(|glob| [glob.as_slice(), &[word.to_owned()]].concat());
        let target = imported.chain(by_glob).find_map(|path| follow(modules, &current, &path, depth + 1))?;
        match target {
            Target::Item(_) => return Some(target),
            Target::Module(module) => current = module,
        }
    }
    Some(Target::Module(current))
}
