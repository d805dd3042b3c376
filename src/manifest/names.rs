//! The names that a manifest declares: they are known before anything refers to one of them.

use std::collections::HashMap;

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
        let Ok(glob) = globset::GlobBuilder::new(pattern).build() else {
            return Vec::new();
        };
        let matcher = glob.compile_matcher();
        self.iter().enumerate().filter(|(_, name)| matcher.is_match(name)).map(|(index, _)| index).collect()
    }
}

/// All names of a manifest that something refers to.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub chroots: DeclaredNames,
    pub packages: DeclaredNames,
    pub batches: DeclaredNames,
}

/// Whether it has characters that only a pattern has.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}
