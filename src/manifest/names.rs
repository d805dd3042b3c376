//! The names that a manifest declares: they are known before anything refers to one of them.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::declaration::{PackageDecl, SourceKind};
use super::limits;
use super::manifest_path::ManifestPath;
use super::resolved::Package;
use super::spec_text::find_name;
use crate::files::Folder;
use crate::text::Spanned;

/// The names of one kind of things, in the order of their declaration.
#[derive(Debug, Default)]
pub(super) struct DeclaredNames {
    names: Vec<String>,
    indices: HashMap<String, usize>,
}

impl DeclaredNames {
    /// The names as declared.
    pub fn new<'a>(names: impl Iterator<Item = &'a Spanned<String>>) -> Self {
        let names: Vec<String> = names.map(|name| name.value.clone()).collect();
        let indices = names.iter().enumerate().map(|(index, name)| (name.clone(), index)).collect();
        Self { names, indices }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Which of them a name is.
    pub fn index(&self, name: &str) -> Option<usize> {
        self.indices.get(name).copied()
    }

    /// Which of them match a pattern.
    pub fn matching(&self, pattern: &str) -> Vec<usize> {
        find_matching(pattern, self.iter().enumerate())
    }
}

fn find_matching<'a>(pattern: &str, names: impl Iterator<Item = (usize, &'a str)>) -> Vec<usize> {
    let Ok(glob) = globset::GlobBuilder::new(pattern).build() else {
        return Vec::new();
    };
    let matcher = glob.compile_matcher();
    names.filter(|(_, name)| matcher.is_match(name)).map(|(index, _)| index).collect()
}

/// The names of packages: those of the manifest, and those in their specs.
///
/// The manifest's own name, which is that of its file where a pattern has found it, goes first: the name in a spec counts where
/// no package of the manifest is called that. So specs are looked into only where somebody uses a name that no
/// package of the manifest has.
pub(super) struct PackageNames<'a> {
    own: DeclaredNames,
    sources: Vec<Option<SourceKind>>,
    repository: &'a Folder,
    in_specs: OnceCell<Vec<Option<String>>>,
}

/// What a name stands for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FoundPackage {
    /// Nothing.
    Nothing,
    /// A package.
    One(usize),
    /// Several specs have this name.
    Several(Vec<usize>),
}

impl<'a> PackageNames<'a> {
    /// The names of declared packages.
    pub fn new(packages: &[PackageDecl], repository: &'a Folder) -> Self {
        let own = DeclaredNames::new(packages.iter().map(|package| &package.name));
        let sources = packages.iter().map(|package| Some(package.source.as_ref()?.kind.clone())).collect();
        Self { own, sources, repository, in_specs: OnceCell::new() }
    }

    /// Which package a name stands for.
    pub fn find(&self, name: &str) -> FoundPackage {
        if let Some(index) = self.own.index(name) {
            return FoundPackage::One(index);
        }
        let in_specs = self.names_in_specs().filter(|(_, known)| *known == name);
        let found: Vec<usize> = in_specs.map(|(index, _)| index).collect();
        match found.as_slice() {
            [] => FoundPackage::Nothing,
            [one] => FoundPackage::One(*one),
            _ => FoundPackage::Several(found),
        }
    }

    /// Which packages a pattern matches.
    pub fn matching(&self, pattern: &str) -> Vec<usize> {
        let found = self.own.matching(pattern);
        if found.is_empty() { find_matching(pattern, self.names_in_specs()) } else { found }
    }

    /// The manifest's name of a package.
    pub fn name(&self, index: usize) -> &str {
        self.own.names.get(index).map(String::as_str).unwrap_or_default()
    }

    /// All names, of both kinds.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.own.iter().chain(self.names_in_specs().map(|(_, name)| name))
    }

    fn names_in_specs(&self) -> impl Iterator<Item = (usize, &str)> {
        let read = |source: &Option<SourceKind>| find_name(&read_spec(source.as_ref()?, self.repository)?);
        let names = self.in_specs.get_or_init(|| self.sources.iter().map(read).collect());
        names.iter().enumerate().filter_map(|(index, name)| Some((index, name.as_deref()?)))
    }
}

/// The spec of a source, where it lies in the repository.
fn find_spec(source: &SourceKind, repository: &Folder) -> Option<PathBuf> {
    let SourceKind::Path(path) = source else { return None };
    let ManifestPath::Repository(path) = &path.value else { return None };
    match path.extension() {
        Some(extension) if extension == "spec" => Some(path.clone()),
        Some(extension) if extension == "rpm" => None,
        _ => find_only_spec(path, repository),
    }
}

fn find_only_spec(folder: &Path, repository: &Folder) -> Option<PathBuf> {
    let found = repository.search(folder, "*.spec").ok()??;
    <[PathBuf; 1]>::try_from(found).ok().map(|[spec]| spec)
}

/// The text of the spec of a source, where it lies in the repository.
pub(super) fn read_spec(source: &SourceKind, repository: &Folder) -> Option<String> {
    repository.read_text_up_to(find_spec(source, repository)?, limits::LARGEST_FILE).ok()
}

/// The `Name` in a package's spec, where its text tells.
pub fn find_spec_name(package: &Package, repository: &Folder) -> Option<String> {
    find_name(&read_spec(&package.source.kind, repository)?)
}

/// All names of a manifest that something refers to.
pub(super) struct Names<'a> {
    pub chroots: DeclaredNames,
    pub packages: PackageNames<'a>,
    pub batches: DeclaredNames,
}

/// Whether it has characters that only a pattern has.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}
