//! Expressions: `%[…]` and `%{expr:…}` (rpm-macros(7), "Expression expansion").
//!
//! An expression is parsed and worked out in one go. A part that does not count (the side of a ternary that is not
//! taken, what stands after `0 &&`) is parsed all the same, for its type; its macros are not expanded.

mod context;
mod evaluate;
mod lexer;
mod problem;
mod token;
mod value;

pub(super) use context::{ExpressionContext, TermExpansion};
pub(super) use evaluate::evaluate;
pub use problem::{ExpressionProblem, Mistake};
pub use value::ExpressionValue;
