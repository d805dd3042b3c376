//! Why nothing can be said of where a package comes from, or what was said is not believed.

use miette::Diagnostic;
use thiserror::Error;

use crate::package::signing::SigningError;

/// Why nothing can be said of where a package comes from, or what was said is not believed.
#[derive(Debug, Error, Diagnostic)]
pub enum AttestationError {
    /// It is not known what a build was made of.
    #[error("it is not known what build #{number} was made of: {reason}")]
    #[diagnostic(
        code(forge::publish::unknown_materials),
        help(
            "a build that ended well has it in its result folder; `forge apply --force PACKAGE` builds it again"
        )
    )]
    Unknown {
        /// The build.
        number: u64,
        /// Why.
        reason: String,
    },
    /// The packages of a build are not what its record says.
    #[error("`{file}` of build #{number} is not the package that was built")]
    #[diagnostic(
        code(forge::publish::changed_package),
        help("nothing is said of a package that was changed; `forge apply --force PACKAGE` builds it again")
    )]
    ChangedPackage {
        /// The build.
        number: u64,
        /// The file.
        file: String,
    },
    /// A file is no signed statement.
    #[error("`{file}` is no signed statement of where a package comes from: {reason}")]
    #[diagnostic(
        code(forge::publish::not_a_statement),
        help("`forge attest write` writes them: an in-toto statement in a DSSE envelope")
    )]
    NotAStatement {
        /// The file.
        file: String,
        /// What is wrong with it.
        reason: String,
    },
    /// It can't be signed.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Signing(#[from] SigningError),
}
