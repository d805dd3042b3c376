//! What a query format consists of.

use super::formatter::Formatter;
use crate::package::tag::Tag;

/// A part of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FormatPart {
    /// Text as it is.
    Text(Vec<u8>),
    /// `%{TAG}`
    Field(FormatField),
    /// `[…]`
    Iterator(Vec<FormatPart>),
    /// `%|TAG?{…}:{…}|`
    Condition {
        /// What decides by being there.
        tag: Tag,
        /// What is shown where it is there.
        present: Vec<FormatPart>,
        /// What is shown where it is not.
        absent: Vec<FormatPart>,
    },
}

/// `%{TAG:format}`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FormatField {
    /// The tag; nothing for `*`, which stands for all of them.
    pub tag: Option<Tag>,
    /// How wide it is at least; to the left where it is negative.
    pub width: i64,
    /// `=`: the first item only.
    pub is_first_only: bool,
    /// How its items are shown.
    pub formatter: Formatter,
}
