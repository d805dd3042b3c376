//! Why a source package can't be had that somebody has made before.

use miette::Diagnostic;
use thiserror::Error;

use crate::chroot::RepositoryError;

/// Why a source package can't be had that somebody has made before.
#[derive(Debug, Error, Diagnostic)]
pub enum RebuiltError {
    /// No chroot declares the repository.
    #[error("no chroot has a repository `{name}`")]
    #[diagnostic(code(forge::source::rebuilt_no_repository))]
    NoRepository {
        /// Its name.
        name: String,
        /// Which there are.
        #[help]
        help: String,
    },
    /// The repository has no such source package.
    #[error("repository `{repository}` has no source package `{wanted}`")]
    #[diagnostic(code(forge::source::rebuilt_no_package))]
    NoPackage {
        /// The repository.
        repository: String,
        /// What is wanted.
        wanted: String,
        /// What it has.
        #[help]
        help: String,
    },
    /// It is not locked, and the lock may not be changed.
    #[error("the source of package `{package}` is not in Rpmforge.lock as it is asked for now")]
    #[diagnostic(
        code(forge::source::rebuilt_not_locked),
        help("run forge without `--locked`, look at what it locks, and commit Rpmforge.lock")
    )]
    NotLocked {
        /// The package.
        package: String,
    },
    /// A build whose source package is gone.
    #[error("the sources of build #{build} can't be had: {reason}")]
    #[diagnostic(
        code(forge::source::rebuilt_build_gone),
        help(
            "`forge history` lists the builds of this project; `forge gc` removes what nothing needs any more"
        )
    )]
    BuildGone {
        /// Its number.
        build: u64,
        /// Why.
        reason: String,
    },
    /// The repository can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Repository(Box<RepositoryError>),
}

impl From<RepositoryError> for RebuiltError {
    fn from(error: RepositoryError) -> Self {
        Self::Repository(Box::new(error))
    }
}
