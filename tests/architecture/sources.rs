//! The files of the repository, and those of `src/` as syntax.

use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{Attribute, ImplItem, Item, TraitItem};

/// All Rust files below a folder of the repository.
pub fn rust_files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![repository().join(folder)];
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

/// The root of the repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The module at the top of the crate that a file of `src/` belongs to.
pub fn top_module(path: &Path) -> Option<String> {
    let below = path.strip_prefix(repository().join("src")).ok()?;
    let first = below.components().next()?.as_os_str().to_str()?.trim_end_matches(".rs").to_owned();
    Some(first)
}

/// A file of the library.
pub struct SourceFile {
    /// The module that it is: `["engine", "native"]` for `src/engine/native/mod.rs`.
    pub module: Vec<String>,
    /// Whether it is a `mod.rs` (or `lib.rs`), whose `pub use` say what the folder offers.
    pub is_folder: bool,
    /// Its items, but for those that only tests have.
    pub items: Vec<Item>,
}

impl SourceFile {
    /// The module at the top of the crate; `lib` for `lib.rs` itself.
    pub fn top(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }

    /// Its place below the module at the top: `native/build/sign`, `mod` for the module's own file.
    pub fn below_top(&self) -> String {
        let below = self.module.get(1..).unwrap_or_default().join("/");
        match (self.is_folder, below.is_empty()) {
            (true, true) => "mod".to_owned(),
            (true, false) => below + "/mod",
            (false, _) => below,
        }
    }

    /// As people call it: `engine/native/build/sign`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.top(), self.below_top())
    }

    /// The tokens of its items.
    pub fn tokens(&self) -> TokenStream {
        self.items.iter().map(ToTokens::to_token_stream).collect()
    }
}

/// The files of the library, without what only tests have.
pub fn library() -> Vec<SourceFile> {
    let mut files: Vec<SourceFile> = Vec::new();
    let mut only_tests: Vec<Vec<String>> = Vec::new();
    for path in rust_files("src") {
        let below = path.strip_prefix(repository().join("src")).unwrap().with_extension("");
        let mut module: Vec<String> =
            below.components().map(|part| part.as_os_str().to_str().unwrap().to_owned()).collect();
        if ["main", "build"].map(|name| vec![name.to_owned()]).contains(&module) {
            continue;
        }
        let is_folder = ["mod", "lib"].contains(&module.last().unwrap().as_str());
        if is_folder {
            module.pop();
        }
        let mut items = syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap().items;
        for item in &items {
            if let Item::Mod(inner) = item
                && is_only_for_tests(&inner.attrs)
            {
                only_tests.push([module.as_slice(), &[inner.ident.to_string()]].concat());
            }
        }
        remove_tests(&mut items);
        files.push(SourceFile { module, is_folder, items });
    }
    files.retain(|file| !only_tests.contains(&file.module));
    assert!(files.len() > 300, "the sources were not found: {}", files.len());
    files
}

fn remove_tests(items: &mut Vec<Item>) {
    items.retain(|item| !is_only_for_tests(attributes(item)));
    for item in items {
        match item {
            Item::Impl(block) => block.items.retain(|item| match item {
                ImplItem::Fn(function) => !is_only_for_tests(&function.attrs),
                _ => true,
            }),
            Item::Trait(block) => block.items.retain(|item| match item {
                TraitItem::Fn(function) => !is_only_for_tests(&function.attrs),
                _ => true,
            }),
            _ => {}
        }
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_only_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.to_token_stream().to_string().contains("(test)")
    })
}
