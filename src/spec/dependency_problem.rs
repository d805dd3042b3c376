//! What can be wrong with a dependency, in the words of rpm.

use bstr::BString;
use miette::Diagnostic;
use thiserror::Error;

/// What can be wrong with a dependency, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum DependencyProblem {
    /// A name that begins with something else.
    #[error("Dependency tokens must begin with alpha-numeric, '_' or '/'")]
    #[diagnostic(
        code(forge::spec::dependency_start),
        help("a comparison needs a name before it and spaces around it: `name >= 1.0`")
    )]
    Start,
    /// A comparison without a version.
    #[error("Version required")]
    #[diagnostic(code(forge::spec::version_required), help("write a version after the comparison"))]
    VersionRequired,
    /// A file with a version.
    #[error("Versioned file name not permitted")]
    #[diagnostic(code(forge::spec::versioned_file), help("files have no versions: name the package"))]
    VersionedFile,
    /// A character that versions, or names of packages, can't have.
    #[error("Illegal char '{}' (0x{:x}) in", shown(*.byte), signed(*.byte))]
    #[diagnostic(
        code(forge::spec::illegal_char),
        help("letters, digits and `.`, `_`, `+` and `-` can be used; in versions `~`, `^` and `:` as well")
    )]
    IllegalCharacter {
        /// The character's last byte.
        byte: u8,
    },
    /// Something in `Obsoletes` that is no package's name.
    #[error("Only package names are allowed in Obsoletes")]
    #[diagnostic(code(forge::spec::obsoletes_name), help("what a package provides can't be obsoleted"))]
    ObsoletesName,
    /// A version with two hyphens.
    #[error("Invalid version (double separator '-'): {version}")]
    #[diagnostic(code(forge::spec::double_separator), help("a hyphen separates version and release, once"))]
    DoubleSeparator {
        /// The version.
        version: BString,
    },
    /// An epoch that is no number.
    #[error("Invalid version (epoch must be unsigned integer): {version}")]
    #[diagnostic(code(forge::spec::epoch), help("what stands before a colon is the epoch: a number"))]
    Epoch {
        /// The version.
        version: BString,
    },
    /// A rich dependency where none can be.
    #[error("No rich dependencies allowed for this type")]
    #[diagnostic(code(forge::spec::no_rich), help("only tags that ask for something can ask in parentheses"))]
    NoRich,
    /// A rich dependency that is wrong in itself.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Rich(#[from] RichProblem),
}

fn shown(byte: u8) -> char {
    if byte.is_ascii_graphic() { char::from(byte) } else { '?' }
}

/// As C shows a `char` that is negative.
fn signed(byte: u8) -> u32 {
    i32::from(byte.cast_signed()).cast_unsigned()
}

/// What can be wrong with a rich dependency, in rpm's words.
#[derive(Clone, Debug, Error, Diagnostic, PartialEq, Eq)]
pub enum RichProblem {
    /// A parenthesis that is never closed.
    #[error("Unterminated rich dependency: {text}")]
    #[diagnostic(code(forge::spec::unterminated_rich), help("close the parenthesis"))]
    Unterminated {
        /// The text from there.
        text: BString,
    },
    /// Nothing in the parentheses.
    #[error("Empty rich dependency")]
    #[diagnostic(code(forge::spec::empty_rich), help("write what is needed: `(a or b)`"))]
    Empty,
    /// Nothing after an operator.
    #[error("Missing argument to rich dependency op")]
    #[diagnostic(code(forge::spec::missing_argument), help("an operator stands between two dependencies"))]
    MissingArgument,
    /// A word that is no operator.
    #[error("Unknown rich dependency op '{word}'")]
    #[diagnostic(
        code(forge::spec::unknown_operator),
        help("there are `and`, `or`, `if`, `unless`, `else`, `with` and `without`")
    )]
    UnknownOperator {
        /// The word.
        word: BString,
    },
    /// Operators of several kinds without parentheses.
    #[error("Cannot chain different ops")]
    #[diagnostic(code(forge::spec::chained_operators), help("say with parentheses what belongs together"))]
    DifferentOperators,
    /// An operator more than once that can stand only once.
    #[error("Can only chain and/or/with ops")]
    #[diagnostic(code(forge::spec::unchainable_operator), help("say with parentheses what belongs together"))]
    Unchainable,
    /// `if` in a conflict, `unless` in a requirement.
    #[error("Illegal context for '{operator}', please use '{instead}' instead")]
    #[diagnostic(
        code(forge::spec::operator_context),
        help("`if` makes sense for what must be there, `unless` for what must not")
    )]
    Context {
        /// The operator.
        operator: &'static str,
        /// What rpm proposes.
        instead: &'static str,
    },
    /// Something within `with` that is not about one package.
    #[error("Illegal ops in with/without")]
    #[diagnostic(
        code(forge::spec::operator_in_with),
        help("only `or`, `with` and `without` say something of a single package")
    )]
    InWith,
    /// More parentheses than anyone needs.
    #[error("Rich dependencies are nested more than {limit} deep")]
    #[diagnostic(code(forge::spec::rich_depth), help("say it with fewer parentheses"))]
    TooDeep {
        /// How deep they may be.
        limit: usize,
    },
}
