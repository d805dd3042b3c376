//! Why an earlier build can't be made again as it was.

use miette::Diagnostic;

/// Why an earlier build can't be made again as it was.
#[derive(Debug, thiserror::Error, Diagnostic)]
pub enum RebuildError {
    /// Nothing says what it was made of.
    #[error("it is not known any more what build #{number} was made of: {reason}")]
    #[diagnostic(
        code(forge::cli::rebuild_unknown),
        help(
            "`forge gc` removes old result folders, and a forge before this one did not write it down; `forge history` lists the builds there are"
        )
    )]
    Unknown {
        /// Its number.
        number: u64,
        /// Why not.
        reason: String,
    },
    /// A file that it was made of is gone.
    #[error("`{file}`, of which build #{number} was made, is not in the store any more")]
    #[diagnostic(
        code(forge::cli::rebuild_gone),
        help(
            "`forge gc` removes what nothing needs any more; with the same sources in place, `forge apply --force` builds the package anew"
        )
    )]
    Gone {
        /// Its number.
        number: u64,
        /// The file.
        file: String,
    },
    /// Its sources are not what they were.
    #[error("`{file}` is not as build #{number} had it")]
    #[diagnostic(
        code(forge::cli::rebuild_source),
        help(
            "the store's copy of its source package is another one; `forge store verify` looks for what is damaged"
        )
    )]
    Source {
        /// Its number.
        number: u64,
        /// The file.
        file: String,
    },
    /// Its chroot is not declared, and nothing else says what its root was.
    #[error("the root of build #{number} can't be had: the manifest declares no chroot `{chroot}`")]
    #[diagnostic(
        code(forge::cli::rebuild_no_chroot),
        help(
            "declare it again as it was then: of a root that is a folder or an image, and of one of today, the manifest alone knows where it is"
        )
    )]
    NoChroot {
        /// Its number.
        number: u64,
        /// The chroot.
        chroot: String,
    },
    /// What its root was is not written down.
    #[error("the root of build #{number} is not known: {reason}")]
    #[diagnostic(
        code(forge::cli::rebuild_root_unknown),
        help("`--with-current-root` takes the root of today")
    )]
    RootUnknown {
        /// Its number.
        number: u64,
        /// Why not.
        reason: String,
    },
    /// Its root is another one now.
    #[error("the root of chroot `{chroot}` is not what it was for build #{number}: {changes}")]
    #[diagnostic(
        code(forge::cli::rebuild_root_changed),
        help(
            "this machine, a folder and an image are only as they are now, where a root of packages can be made again: `--with-current-root` takes the root of today"
        )
    )]
    RootChanged {
        /// Its number.
        number: u64,
        /// The chroot.
        chroot: String,
        /// What has changed.
        changes: String,
    },
    /// A secret is not what it was.
    #[error("{of} had a secret in build #{number} that the environment does not have now")]
    #[diagnostic(
        code(forge::cli::rebuild_secret),
        help(
            "secrets are written down nowhere: set the variable that the manifest names with `(env)` to what it was then"
        )
    )]
    Secret {
        /// Its number.
        number: u64,
        /// What has it, in words.
        of: String,
    },
}
