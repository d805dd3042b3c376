//! Why a root can't be had.

use miette::Diagnostic;
use thiserror::Error;

use crate::chroot::RepositoryError;
use crate::chroot::compose::ComposeError;
use crate::chroot::database::DatabaseError;
use crate::chroot::solve::{SolveError, TooManyPackages};
use crate::engine::EngineError;
use crate::package::PackageError;
use crate::store::StoreError;

impl RootError {
    /// Why, in one line: with each thing that stands in the way, where no packages do.
    pub fn in_words(&self) -> String {
        let Self::Solve(SolveError::Unsolvable(unsolvable)) = self else { return self.to_string() };
        let words = unsolvable.problems.iter().map(|problem| problem.to_string().replace('\n', ": "));
        words.collect::<Vec<_>>().join("; ")
    }

    /// What may help, in one text: what each thing has beside it that stands in the way, where no packages do.
    pub fn help_in_words(&self) -> String {
        let Self::Solve(SolveError::Unsolvable(unsolvable)) = self else {
            return self.help().map(|help| help.to_string()).unwrap_or_default();
        };
        let help: Vec<&str> =
            unsolvable.problems.iter().filter_map(|problem| problem.help.as_deref()).collect();
        help.join("\n")
    }
}

impl RootError {
    /// Whether it is a matter of what one chroot declares, of its repositories and packages: other chroots can go on.
    pub fn is_of_chroot(&self) -> bool {
        match self {
            Self::Repository(_)
            | Self::Solve(_)
            | Self::Index { .. }
            | Self::Compose(_)
            | Self::Database(_)
            | Self::Package(_)
            | Self::Locked { .. }
            | Self::NoGroup { .. }
            | Self::Arch { .. }
            | Self::Foreign { .. }
            | Self::Scriptlet { .. } => true,
            Self::Store(_) | Self::Engine(_) | Self::Io(_) => false,
        }
    }
}

/// Why a root can't be had.
#[derive(Debug, Error, Diagnostic)]
pub enum RootError {
    /// A repository can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Repository(#[from] RepositoryError),
    /// No packages do.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Solve(#[from] SolveError),
    /// A repository has too many packages.
    #[error("repository `{repository}`: {source}")]
    #[diagnostic(
        code(forge::chroot::index),
        help("name the packages that you need in `includepkgs` of the repository")
    )]
    Index {
        /// The repository.
        repository: String,
        /// What there is too much of.
        source: TooManyPackages,
    },
    /// Packages don't go together on disk.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Compose(#[from] ComposeError),
    /// The package database can't be written.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Database(#[from] DatabaseError),
    /// A package can't be read.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Package(#[from] PackageError),
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
    /// What is locked is not what is asked for any more, and the lock is not to change.
    #[error("{what} in chroot `{chroot}` is not in Rpmforge.lock as it is asked for now")]
    #[diagnostic(
        code(forge::chroot::locked),
        help(
            "`forge update`, or an apply without `--locked`, locks it: commit what changes in Rpmforge.lock"
        )
    )]
    Locked {
        /// The chroot.
        chroot: String,
        /// What is not locked.
        what: String,
    },
    /// A group that no repository has.
    #[error("no repository of chroot `{chroot}` has the group `@{group}`")]
    #[diagnostic(code(forge::chroot::no_group), help("{help}"))]
    NoGroup {
        /// The chroot.
        chroot: String,
        /// The group.
        group: String,
        /// What groups there are.
        help: String,
    },
    /// An architecture that nothing is known of.
    #[error("`{arch}` is no architecture of packages")]
    #[diagnostic(code(forge::chroot::arch), help("name one in the chroot, such as `arch x86_64`"))]
    Arch {
        /// The architecture.
        arch: String,
    },
    /// An architecture that this machine can't run.
    #[error("chroot `{chroot}` is for {arch}, whose programs this machine ({own}) can't run: {reason}")]
    #[diagnostic(code(forge::chroot::foreign), help("{help}"))]
    Foreign {
        /// The chroot.
        chroot: String,
        /// Its architecture.
        arch: String,
        /// The machine's.
        own: &'static str,
        /// What is missing.
        reason: String,
        /// What to do.
        help: String,
    },
    /// No worker can run scriptlets.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(Box<EngineError>),
    /// A scriptlet that packages can't do without has failed.
    #[error("{package}: {scriptlet} failed: {reason}")]
    #[diagnostic(
        code(forge::chroot::scriptlet),
        help(
            "what it printed last stands above: take another version of the package with `exclude`, or do without what needs it"
        )
    )]
    Scriptlet {
        /// The package.
        package: String,
        /// Its scriptlet.
        scriptlet: String,
        /// How it ended.
        reason: String,
    },
    /// The store can't be written.
    #[error("{}", crate::files::reason(.0))]
    #[diagnostic(code(forge::chroot::io), help("is there room on the disk, and may forge write there?"))]
    Io(#[from] std::io::Error),
}
