//! The words of an expression.

use super::value::ExpressionValue;

/// One word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    End,
    Add,
    Minus,
    Multiply,
    Divide,
    Open,
    Close,
    Not,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    And,
    Or,
    Question,
    Colon,
    Comma,
    /// A name and the parenthesis after it.
    Function(Vec<u8>),
    Value(ExpressionValue),
}
