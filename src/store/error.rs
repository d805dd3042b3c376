//! What can be wrong with the store and the history.

use std::io;

/// Why the store or the history can't be used.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum StoreError {
    /// Its files can't be read or written.
    #[error("the store can't be used: {}", crate::files::reason(.0))]
    #[diagnostic(
        code(forge::store::io),
        help(
            "is there room on the disk, and may forge write to its cache folder? XDG_CACHE_HOME says where that is"
        )
    )]
    Io(#[from] io::Error),
    /// The history can't be read or written.
    #[error("this project's history can't be used: {0}")]
    #[diagnostic(
        code(forge::store::history),
        help("`.forge/history.db` can be deleted: what was built stays in the store")
    )]
    History(#[from] rusqlite::Error),
    /// The history is not what was written.
    #[error("this project's history is damaged: {reason}")]
    #[diagnostic(
        code(forge::store::damaged_history),
        help(
            "run `forge apply`: it moves the file aside and begins a new history; what was built stays in the store"
        )
    )]
    DamagedHistory {
        /// What was found.
        reason: String,
    },
    /// The list of pinned builds is not what was written.
    #[error("which builds are pinned can't be known: {reason}")]
    #[diagnostic(
        code(forge::store::damaged_pins),
        help(
            "mend `.forge/pins.json`, or delete it and pin again with `forge pin` what is to stay: until then nothing is published"
        )
    )]
    DamagedPins {
        /// What was found.
        reason: String,
    },
    /// A blob is not there, or is not what its name says.
    #[error("the store's blob {0} is missing or damaged")]
    #[diagnostic(code(forge::store::damaged), help("run `forge apply` again: what is missing is built anew"))]
    Damaged(String),
    /// Somebody collects garbage, or checks what there is.
    #[error("the store is being cleaned or checked by {0}")]
    #[diagnostic(code(forge::store::busy), help("wait until it has ended, then try again"))]
    Busy(String),
    /// Somebody builds.
    #[error("the store is in use by a running `forge apply`")]
    #[diagnostic(
        code(forge::store::in_use),
        help("wait until it has ended, then try again: what it is building is not yet what it will be")
    )]
    InUse,
}
