//! The values that expressions work with.

use std::cmp::Ordering;

use rpm_version::Evr;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExpressionValue {
    /// A number of 32 bits, which wraps, as in rpm.
    Integer(i32),
    /// A string.
    Text(Vec<u8>),
    /// A version, with epoch and release if it says them.
    Version(String),
}

impl ExpressionValue {
    /// Whether it counts as true; a version never does.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Integer(number) => *number != 0,
            Self::Text(text) => !text.is_empty(),
            Self::Version(_) => false,
        }
    }

    /// The text that the expression expands to.
    pub fn into_text(self) -> Vec<u8> {
        match self {
            Self::Integer(number) => number.to_string().into_bytes(),
            Self::Text(text) => text,
            Self::Version(version) => version.into_bytes(),
        }
    }

    pub(super) fn has_type_of(&self, other: &Self) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }

    /// How it compares with a value of its own type.
    pub(super) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Integer(left), Self::Integer(right)) => Some(left.cmp(right)),
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Version(left), Self::Version(right)) => Some(Evr::parse(left).cmp(&Evr::parse(right))),
            _ => None,
        }
    }

    /// A version as rpm reads one: `[epoch:]version[-release]`; nothing where it is none.
    pub(super) fn version(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok().filter(|text| !text.is_empty())?;
        // An epoch that is not written is 0.
        Some(Self::Version(if text.starts_with(':') { format!("0{text}") } else { text.to_owned() }))
    }
}
