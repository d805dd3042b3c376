//! Query formats: text with tags of a header in it (rpm-queryformat(7)).

mod formatter;
mod names;
mod parse;
mod show;
mod whole;

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

use super::tag::Tag;
use formatter::Formatter;

/// A query format that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFormat {
    parts: Vec<Part>,
}

/// What formats need to know besides the header.
pub struct Surroundings<'s> {
    /// Expands macros, for `:expand`; nothing where that fails.
    pub expand: &'s dyn Fn(&[u8]) -> Option<Vec<u8>>,
    /// The languages that texts are wanted in, the best first: `de_DE`, `de`.
    pub languages: &'s [String],
    /// Whether every detail is wanted: `%|VERBOSE?{…}|`.
    pub is_verbose: bool,
}

/// What can be wrong with a format, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
#[error("incorrect format: {0}")]
#[diagnostic(code(forge::package::query_format), help("rpm-queryformat(7) describes the language"))]
pub struct QueryProblem(pub BString);

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// Text as it is.
    Text(Vec<u8>),
    /// `%{TAG}`
    Field(Field),
    /// `[…]`
    Iterator(Vec<Part>),
    /// `%|TAG?{…}:{…}|`
    Condition {
        /// What decides by being there.
        tag: Tag,
        /// What is shown where it is there.
        present: Vec<Part>,
        /// What is shown where it is not.
        absent: Vec<Part>,
    },
}

/// `%{TAG:format}`
#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    /// The tag; nothing for `*`, which stands for all of them.
    tag: Option<Tag>,
    /// How wide it is at least; to the left where it is negative.
    width: i64,
    /// `=`: the first item only.
    is_first_only: bool,
    formatter: Formatter,
}
