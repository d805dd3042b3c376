//! Values and places of KDL nodes.

use std::sync::Arc;
use std::time::Duration;

use kdl::{KdlEntry, KdlNode, KdlValue};

use super::environment::Environment;
use super::problem::{ManifestError, ManifestProblem};
use crate::engine::Value;
use crate::text::{Located, Place, SourceText, Spanned};

/// Where the name of a node stands.
pub(super) fn node_place(source: &Arc<SourceText>, node: &KdlNode) -> Place {
    let span = node.name().span();
    Place::new(source, span.offset()..span.offset() + span.len())
}

/// Where an argument or property stands.
pub(super) fn entry_place(source: &Arc<SourceText>, entry: &KdlEntry) -> Place {
    let span = entry.span();
    let (start, end) = (span.offset(), span.offset() + span.len());
    // The kdl crate counts the space before an entry to it.
    let written = source.text().get(start..end).unwrap_or_default();
    Place::new(source, start + (written.len() - written.trim_start().len())..end)
}

/// A value as it is spelt: `1.10` stays `1.10`.
pub(super) fn spelling(entry: &KdlEntry) -> String {
    match entry.value() {
        KdlValue::String(text) => text.clone(),
        KdlValue::Bool(value) => value.to_string(),
        KdlValue::Null => "#null".to_owned(),
        KdlValue::Integer(_) | KdlValue::Float(_) => {
            let written = entry.format().map(|format| format.value_repr.clone());
            written.unwrap_or_else(|| entry.value().to_string())
        }
    }
}

/// Reads values of sound nodes; what the checker has refused is left out.
pub(super) struct Values<'a> {
    /// The file.
    pub source: &'a Arc<SourceText>,
    /// What `(env)` reads.
    pub environment: &'a dyn Environment,
    /// Where mistakes go.
    pub errors: Vec<ManifestError>,
}

impl Values<'_> {
    /// All arguments as texts.
    pub fn texts(&mut self, node: &KdlNode) -> Vec<Spanned<String>> {
        let arguments = node.entries().iter().filter(|entry| entry.name().is_none());
        arguments.filter_map(|entry| self.text(entry)).collect()
    }

    /// The argument at `index` as a text.
    pub fn argument(&mut self, node: &KdlNode, index: usize) -> Option<Spanned<String>> {
        let entry = node.entries().iter().filter(|entry| entry.name().is_none()).nth(index)?;
        self.text(entry)
    }

    /// The argument as a value for builds, which remembers whether it came from the environment.
    pub fn value(&mut self, node: &KdlNode) -> Option<Value> {
        let annotation = node.entries().first().and_then(|entry| entry.ty());
        let is_secret = annotation.is_some_and(|annotation| annotation.value() == "env");
        let Spanned { value: text, place } = self.argument(node, 0)?;
        if !is_secret {
            return Some(Value::Written(text));
        }
        match self.environment.secret(&text) {
            Ok(secret) => Some(Value::Secret(secret)),
            Err(reason) => {
                let problem = ManifestProblem::SecretKey { reason };
                self.errors.push(Located::new(problem, "needed for this value", place));
                None
            }
        }
    }

    /// The property `name` as a text.
    pub fn property(&mut self, node: &KdlNode, name: &str) -> Option<Spanned<String>> {
        self.text(node.entry(name)?)
    }

    /// The argument as a duration.
    pub fn duration(&mut self, node: &KdlNode) -> Option<Duration> {
        humantime::parse_duration(&self.argument(node, 0)?).ok()
    }

    /// The argument as a number.
    pub fn count(&self, node: &KdlNode) -> Option<u32> {
        entry_count(node.entries().first()?)
    }

    /// The property `name` as a number.
    pub fn property_count(&self, node: &KdlNode, name: &str) -> Option<u32> {
        entry_count(node.entry(name)?)
    }

    /// Whether the property `name` is true.
    pub fn property_flag(&self, node: &KdlNode, name: &str) -> bool {
        node.get(name).and_then(KdlValue::as_bool).unwrap_or_default()
    }

    /// The argument as a boolean.
    pub fn boolean(&self, node: &KdlNode) -> Option<bool> {
        node.entries().first()?.value().as_bool()
    }

    /// The text of a value, with `(env)` looked up.
    fn text(&mut self, entry: &KdlEntry) -> Option<Spanned<String>> {
        let place = entry_place(self.source, entry);
        let written = spelling(entry);
        if entry.ty().is_none_or(|annotation| annotation.value() != "env") {
            return Some(Spanned::new(written, place));
        }
        match self.environment.variable(&written) {
            Some(value) => Some(Spanned::new(value.to_owned(), place)),
            None => {
                let problem = ManifestProblem::UnsetVariable { name: written };
                self.errors.push(Located::new(problem, "asked for here", place));
                None
            }
        }
    }
}

fn entry_count(entry: &KdlEntry) -> Option<u32> {
    entry.value().as_integer().and_then(|number| u32::try_from(number).ok())
}
