//! Why builds can't be pinned, unpinned or compared.

use crate::event::State;

/// Why a build can't be pinned, unpinned or compared.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum PinError {
    /// It is no number of a build.
    #[error("`{written}` is no number of a build")]
    #[diagnostic(
        code(forge::cli::no_build_number),
        help("write '#12', in quotes; `forge history` lists builds with their numbers")
    )]
    NoNumber {
        /// What was written.
        written: String,
    },
    /// It has no packages.
    #[error("{build}, build #{number}, has no packages: it {}", match *.state == State::Failed {
        true => "failed",
        false => "did not come to its end",
    })]
    #[diagnostic(code(forge::cli::not_good), help("`forge history` shows how builds ended"))]
    NotGood {
        /// Its number.
        number: u64,
        /// What was built.
        build: String,
        /// How it ended.
        state: State,
    },
    /// Its packages are not there any more.
    #[error("the packages of {build}, build #{number}, are not in the store any more")]
    #[diagnostic(
        code(forge::cli::result_gone),
        help("`forge rebuild '#{number}'` builds it again from exactly what it was made of")
    )]
    ResultGone {
        /// Its number.
        number: u64,
        /// What was built.
        build: String,
    },
    /// It was not pinned.
    #[error("build #{number} is not pinned")]
    #[diagnostic(code(forge::cli::not_pinned), help("`forge pin` shows which builds are"))]
    NotPinned {
        /// Its number.
        number: u64,
    },
    /// They are of different packages.
    #[error("build #{before} is of {before_package}, and #{after} of {after_package}")]
    #[diagnostic(
        code(forge::cli::not_comparable),
        help("compare two builds of one package; `forge diff` compares any two packages")
    )]
    NotComparable {
        /// The number of one.
        before: u64,
        /// Its package.
        before_package: String,
        /// The number of the other.
        after: u64,
        /// Its package.
        after_package: String,
    },
}
