//! Why a program could not make a source.

use miette::Diagnostic;
use thiserror::Error;

use crate::engine::EngineError;

/// Why a program could not make a source.
#[derive(Debug, Error, Diagnostic)]
pub enum MakingError {
    /// The script can't be read.
    #[error("the script `{script}` can't be read: {reason}")]
    #[diagnostic(
        code(forge::source::making_script),
        help("`script=` names a file of the project, from the file of the manifest that says it")
    )]
    Script {
        /// As the manifest has it.
        script: String,
        /// Why.
        reason: String,
    },
    /// The repository has no makefile.
    #[error("{repository} has no `.copr/Makefile` at {commit}")]
    #[diagnostic(
        code(forge::source::making_makefile),
        help(
            "`method=make-srpm` runs the target `srpm` of that file; without `method` the spec is taken as it lies there"
        )
    )]
    NoMakefile {
        /// Where it is.
        repository: String,
        /// The commit.
        commit: String,
    },
    /// The repository has no such folder.
    #[error("{repository} has no folder `{folder}` at {commit}")]
    #[diagnostic(
        code(forge::source::making_folder),
        help("`subdir` is the folder that `.copr/Makefile` is run in, from the top of the repository")
    )]
    NoFolder {
        /// Where it is.
        repository: String,
        /// The folder.
        folder: String,
        /// The commit.
        commit: String,
    },
    /// There is no root to run it in.
    #[error("{what} can't run: the root of chroot `{chroot}` can't be had: {reason}")]
    #[diagnostic(code(forge::source::making_root))]
    NoRoot {
        /// What would run.
        what: String,
        /// The chroot.
        chroot: String,
        /// Why.
        reason: String,
        /// What may help.
        #[help]
        help: String,
    },
    /// The root lacks something, and can't get it.
    #[error("{what} needs {missing}, which the root of chroot `{chroot}` doesn't have")]
    #[diagnostic(
        code(forge::source::making_needs),
        help(
            "install it there, or let the source be made in a chroot of repositories (`chroot=`), which gets what is needed"
        )
    )]
    Needs {
        /// What would run.
        what: String,
        /// What is missing.
        missing: String,
        /// The chroot.
        chroot: String,
    },
    /// It ran, and failed.
    #[error("{what}, which makes the source of package `{package}`, failed: {reason}")]
    #[diagnostic(code(forge::source::making_failed), help("all that it printed is in {log}"))]
    Failed {
        /// What ran.
        what: String,
        /// The package.
        package: String,
        /// How it ended, and the lines that say why.
        reason: String,
        /// Where the log is.
        log: String,
    },
    /// Its result folder is not there.
    #[error("{what} left no folder `{folder}`")]
    #[diagnostic(
        code(forge::source::making_no_results),
        help("`results=` is the folder that it leaves spec and sources in; all that it printed is in {log}")
    )]
    NoResults {
        /// What ran.
        what: String,
        /// The folder.
        folder: String,
        /// Where the log is.
        log: String,
    },
    /// It made no spec and no source package, or several.
    #[error("{what} left {found}, where one spec or one source package is wanted")]
    #[diagnostic(
        code(forge::source::making_not_one_spec),
        help(
            "`spec=` says which spec is meant, `results=` in which folder; all that it printed is in {log}"
        )
    )]
    NotOneSpec {
        /// What ran.
        what: String,
        /// What there is.
        found: String,
        /// Where the log is.
        log: String,
    },
    /// A result would give a secret away.
    #[error("{what} left the value of {of} in `{file}`")]
    #[diagnostic(
        code(forge::source::making_secret),
        help(
            "sources are kept, and shown to whoever gets the source package: the script must not write it there"
        )
    )]
    HoldsSecret {
        /// What ran.
        what: String,
        /// The variable, in words.
        of: String,
        /// The file.
        file: String,
    },
    /// It is not locked, and the lock may not be changed.
    #[error("what {what} makes for package `{package}` is not in Rpmforge.lock as it is asked for now")]
    #[diagnostic(
        code(forge::source::making_not_locked),
        help("run forge without `--locked`, look at what it locks, and commit Rpmforge.lock")
    )]
    NotLocked {
        /// What would run.
        what: String,
        /// The package.
        package: String,
    },
    /// It made something else than is locked.
    #[error("{what} made other sources for package `{package}` than are in Rpmforge.lock: {names}")]
    #[diagnostic(
        code(forge::source::making_changed),
        help(
            "a script that writes times or what the network has today makes other files each time: `forge update {package}` \
             locks what it makes now"
        )
    )]
    Changed {
        /// What ran.
        what: String,
        /// The package.
        package: String,
        /// The files that differ.
        names: String,
    },
    /// It needs the network, which is not to be used.
    #[error("{what} may reach the network, what it made is not in the store, and forge is offline")]
    #[diagnostic(code(forge::source::making_offline), help("run `forge fetch` while the network is there"))]
    Offline {
        /// What would run.
        what: String,
    },
    /// No program can be run.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Engine(#[from] EngineError),
}
