//! Why a Subversion repository is of no use.

use std::io;

use crate::process::ProcessError;

/// Why a Subversion repository is of no use.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum SvnError {
    /// An address that is none of a Subversion repository.
    #[error("`{address}` is no address of a Subversion repository: {reason}")]
    #[diagnostic(
        code(forge::source::svn_address),
        help("`https://HOST/PATH`, `svn://HOST/PATH`, or `file:///PATH` for one of this machine")
    )]
    Address {
        /// The address, without its login.
        address: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A revision that is none.
    #[error("`{revision}` is no revision of Subversion's")]
    #[diagnostic(code(forge::source::svn_revision), help("it is a number; without one, the newest is taken"))]
    Revision {
        /// The revision.
        revision: String,
    },
    /// There is no `svn`.
    #[error("`svn` is not on this machine, and {repository} can't be had without")]
    #[diagnostic(code(forge::source::svn_program), help("install it (package subversion)"))]
    NoProgram {
        /// The repository.
        repository: String,
    },
    /// `svn` could not be run.
    #[error("`svn` can't be run")]
    #[diagnostic(code(forge::source::svn_not_run), help("what went wrong stands below"))]
    NotRun {
        /// Why.
        #[source]
        #[diagnostic_source]
        source: ProcessError,
    },
    /// `svn` failed.
    #[error("{repository}: {reason}")]
    #[diagnostic(
        code(forge::source::svn_failed),
        help(
            "is that the address of a folder in a repository, and may everybody read it? `svn info {repository}` asks as forge does"
        )
    )]
    Failed {
        /// The repository.
        repository: String,
        /// What it said.
        reason: String,
    },
    /// It took too long.
    #[error("{repository} took longer than {minutes} minutes")]
    #[diagnostic(
        code(forge::source::svn_timeout),
        help("is the connection sound? `subdir` takes one folder alone")
    )]
    TimedOut {
        /// The repository.
        repository: String,
        /// How long it may take.
        minutes: u64,
    },
    /// Other files than what is locked.
    #[error("{repository} has other files in revision {revision} than what is in Rpmforge.lock")]
    #[diagnostic(
        code(forge::source::svn_changed),
        help(
            "a revision doesn't change: was its history rewritten, or is it another repository? `forge update` takes what is there now"
        )
    )]
    Changed {
        /// The repository.
        repository: String,
        /// The revision.
        revision: String,
    },
    /// A name that could do harm.
    #[error("{repository} holds `{name}`, which is not taken: {reason}")]
    #[diagnostic(code(forge::source::svn_unsafe_name), help("rename it in the repository"))]
    UnsafeName {
        /// The repository.
        repository: String,
        /// The name, with odd characters escaped.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More than forge takes.
    #[error("{repository} is too large: {what}")]
    #[diagnostic(
        code(forge::source::svn_too_large),
        help("a spec's folder holds the spec, patches and archives: is it the right folder (`subdir`)?")
    )]
    TooLarge {
        /// The repository.
        repository: String,
        /// What there is too much of.
        what: String,
    },
    /// Not locked, and the lock may not be changed.
    #[error("{repository} is not in Rpmforge.lock, which may not be changed")]
    #[diagnostic(
        code(forge::source::svn_not_locked),
        help("run forge without `--locked`, look at what it locks, and commit Rpmforge.lock")
    )]
    NotLocked {
        /// The repository.
        repository: String,
    },
    /// Not there, and nothing may be fetched.
    #[error("{repository} was not fetched before, and forge is offline")]
    #[diagnostic(code(forge::source::svn_offline), help("run `forge fetch` while the network is there"))]
    Offline {
        /// The repository.
        repository: String,
    },
    /// It was called off.
    #[error("fetching {repository} was canceled")]
    #[diagnostic(code(forge::source::svn_canceled), help("run it again"))]
    Canceled {
        /// The repository.
        repository: String,
    },
    /// Files can't be read or written.
    #[error("files of a Subversion repository can't be kept: {}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::source::svn_io),
        help("is there room on the disk, and may forge write to its cache folder?")
    )]
    Io(#[from] io::Error),
}
