//! What can be wrong with an expression, in the words of rpm.

use bstr::{BString, ByteSlice};
use miette::Diagnostic;
use thiserror::Error;

/// What can be wrong with an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mistake {
    /// Something that belongs elsewhere.
    Syntax,
    /// A single `=`, `&` or `|`.
    HalfOperator(&'static str),
    /// It ends too early.
    End,
    /// A parenthesis that is never closed.
    Unmatched,
    /// A character that means nothing.
    Parse,
    /// A string that is never closed.
    UnterminatedString,
    /// A word without quotes.
    BareWord,
    /// A macro that stands for a word without quotes.
    ExpandedBareWord,
    /// A macro that stands for no number.
    NoInteger,
    /// No version.
    Version,
    /// An operator between values that are not of one type.
    Types,
    /// A number divided by zero.
    DivisionByZero,
    /// A minus before what is no number.
    Minus,
    /// An operator that values of this type don't have.
    Unsupported(&'static str),
    /// A function that does not exist.
    Function,
    /// A value that can't be given to a function.
    FunctionArgument,
    /// A function that failed.
    FunctionFailed,
    /// More parentheses than anyone needs.
    TooDeep,
}

impl Mistake {
    /// In rpm's words.
    fn words(self) -> String {
        match self {
            Self::Syntax => "syntax error in expression".to_owned(),
            Self::HalfOperator(operator) => format!("syntax error while parsing {operator}"),
            Self::End => "unexpected end of expression".to_owned(),
            Self::Unmatched => "unmatched (".to_owned(),
            Self::Parse => "parse error in expression".to_owned(),
            Self::UnterminatedString => "unterminated string in expression".to_owned(),
            Self::BareWord => "bare words are no longer supported, please use \"...\"".to_owned(),
            Self::ExpandedBareWord => "macro expansion returned a bare word, please use \"...\"".to_owned(),
            Self::NoInteger => "macro expansion did not return an integer".to_owned(),
            Self::Version => "invalid version".to_owned(),
            Self::Types => "types must match".to_owned(),
            Self::DivisionByZero => "division by zero".to_owned(),
            Self::Minus => "- only on numbers".to_owned(),
            Self::Unsupported(what) => what.to_owned(),
            Self::Function => "unsupported function".to_owned(),
            Self::FunctionArgument => "unsupported function argument type".to_owned(),
            Self::FunctionFailed => String::new(),
            Self::TooDeep => "too many parentheses in expression".to_owned(),
        }
    }

    fn help(self) -> &'static str {
        match self {
            Self::BareWord | Self::ExpandedBareWord => "put quotes around the word: `\"%{name}\" == \"x\"`",
            Self::Types => "compare numbers with numbers, `\"…\"` with `\"…\"`, `v\"…\"` with `v\"…\"`",
            Self::NoInteger => "what stands without quotes must expand to a number, or to nothing",
            Self::Function => "only Lua functions can be called: `lua:string.rep(\"a\", 3)`",
            Self::Syntax
            | Self::HalfOperator(_)
            | Self::End
            | Self::Unmatched
            | Self::Parse
            | Self::UnterminatedString
            | Self::Version
            | Self::DivisionByZero
            | Self::Minus
            | Self::Unsupported(_)
            | Self::FunctionArgument
            | Self::FunctionFailed
            | Self::TooDeep => "rpm-macros(7), \"Expression expansion\", lists terms and operators",
        }
    }
}

/// A mistake in an expression, with the place.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
#[error("{}", String::from_utf8_lossy(&self.head()))]
#[diagnostic(code(forge::macros::expression), help("{}", .mistake.help()))]
pub struct ExpressionProblem {
    /// What is wrong.
    pub mistake: Mistake,
    /// The whole expression.
    pub expression: BString,
    /// Where rpm draws its caret: an offset in the expression, one less than 0 included.
    pub at: Option<isize>,
    /// What a macro expanded to, or in what words a function failed.
    pub detail: Option<BString>,
}

impl ExpressionProblem {
    fn head(&self) -> Vec<u8> {
        match (&self.mistake, &self.detail) {
            (Mistake::FunctionFailed, Some(detail)) => detail.to_vec(),
            _ => [self.mistake.words().as_bytes(), b": ", self.expression.as_slice()].concat(),
        }
    }

    /// What is wrong, without the expression.
    pub fn words(&self) -> String {
        self.mistake.words()
    }

    /// The lines that rpm writes, each of them a message of its own.
    pub fn lines(&self) -> Vec<Vec<u8>> {
        let mut lines = vec![self.head()];
        let width = self.at.map(|at| (self.mistake.words().len() + 2).saturating_add_signed(at));
        lines.extend(width.map(|width| [" ".repeat(width).as_bytes(), b"^"].concat()));
        if let (false, Some(detail)) = (self.mistake == Mistake::FunctionFailed, &self.detail) {
            lines.push([b"expanded string: ", detail.as_bytes()].concat());
        }
        lines
    }
}
