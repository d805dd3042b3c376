//! Source texts, places in them, and errors that point at a place.
//!
//! Every diagnostic of forge points into a text: a manifest, a spec, a macro file. Spans are byte offsets
//! everywhere; what a reader sees (line, column) is worked out by miette when the message is shown.

mod located;
mod nearest;
mod quote;

use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

pub use located::{Located, Note};
pub use nearest::{nearest, suggestion};
pub use quote::{is_unseen, quote_kdl};

/// One text that was read, with the name that messages call it by (a path relative to the repository).
#[derive(Debug)]
pub struct SourceText {
    name: String,
    text: String,
    /// As it is shown: of the same length, without what would move the cursor of a terminal.
    shown: String,
}

impl SourceText {
    /// A text under the name that messages give it.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Arc<Self> {
        let text = text.into();
        let is_shown = |c: char| !c.is_ascii_control() || matches!(c, '\n' | '\r' | '\t');
        let shown = text.chars().map(|c| if is_shown(c) { c } else { '?' }).collect();
        Arc::new(Self { name: name.into(), text, shown })
    }

    /// The name that messages call it by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The whole text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The line that holds the byte `offset`, counted from 1.
    pub fn line_of(&self, offset: usize) -> usize {
        let end = offset.min(self.text.len());
        1 + self.text.as_bytes().iter().take(end).filter(|byte| **byte == b'\n').count()
    }
}

/// A range of bytes of one text.
#[derive(Clone)]
pub struct Place {
    source: Arc<SourceText>,
    span: Range<usize>,
}

impl Place {
    /// The bytes `span` of `source`.
    pub fn new(source: &Arc<SourceText>, span: Range<usize>) -> Self {
        Self { source: Arc::clone(source), span }
    }

    /// A line of `source`, counted from 1, without the blanks around it; the end of the text where there is no such line.
    pub fn line(source: &Arc<SourceText>, number: usize) -> Self {
        let text = source.text.as_str();
        let begin = match number.checked_sub(2) {
            None => 0,
            Some(before) => {
                let mut ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
                ends.nth(before).map_or(text.len(), |(at, _)| at + 1)
            }
        };
        let line = text[begin..].lines().next().unwrap_or_default();
        let blanks = line.len() - line.trim_start().len();
        Self::new(source, begin + blanks..begin + line.trim_end().len().max(blanks))
    }

    /// A place for what no text says, such as the command line: messages name it and show no excerpt.
    pub fn outside(name: &str) -> Self {
        Self { source: SourceText::new(name, ""), span: 0..0 }
    }

    /// The text that it lies in.
    pub fn source(&self) -> &Arc<SourceText> {
        &self.source
    }

    /// Its bytes.
    pub fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    /// Whether both lie in the same text.
    pub fn same_source(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.source, &other.source)
    }
}

impl fmt::Display for Place {
    /// `file:line`, or the bare name where there is no text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.source.text.is_empty() {
            return f.write_str(&self.source.name);
        }
        write!(f, "{}:{}", self.source.name, self.source.line_of(self.span.start))
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// A value and the place where it is written.
#[derive(Clone, Debug)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where.
    pub place: Place,
}

impl<T> Spanned<T> {
    /// `value`, written at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Spanned<U> {
        Spanned { value: change(self.value), place: self.place }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}
