//! The macro language around an expression.

use super::problem::ExpressionProblem;
use super::value::ExpressionValue;
use crate::macros::Stop;

/// What an expression asks of the macro language around it.
pub(in crate::macros) trait ExpressionContext {
    /// Expands a term.
    fn expand(&self, text: &[u8]) -> Result<Vec<u8>, Stop>;
    /// Where the macro call that begins at `at`, a `%`, ends; one that is never closed ends with the text.
    fn end_of_macro(&self, text: &[u8], at: usize) -> usize;
    /// Calls a Lua function; where Lua fails, in its words.
    fn call_lua(
        &self,
        function: &[u8],
        arguments: &[ExpressionValue],
    ) -> Result<ExpressionValue, Result<Stop, Vec<u8>>>;
    /// Whether a word without quotes is a text, as it was before rpm 4.16.
    fn takes_bare_words(&self) -> bool;
    /// Takes note of what is wrong.
    fn fail(&self, problem: ExpressionProblem) -> Stop;
}

/// When the macros within terms are expanded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::macros) enum TermExpansion {
    /// `%[…]`: each with its term, if the term is evaluated at all.
    WithTheTerm,
    /// `%{expr:…}`: before the expression is read.
    Before,
}
