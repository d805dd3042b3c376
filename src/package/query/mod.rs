//! Query formats: text with tags of a header in it (rpm-queryformat(7)).

mod format_part;
mod formatter;
mod names;
mod parse;
mod show;
mod surroundings;
mod whole;

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

use format_part::FormatPart;

pub use surroundings::Surroundings;

/// A query format that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFormat {
    parts: Vec<FormatPart>,
}

/// What can be wrong with a format, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
#[error("incorrect format: {0}")]
#[diagnostic(code(forge::package::query_format), help("rpm-queryformat(7) describes the language"))]
pub struct QueryProblem(pub BString);
