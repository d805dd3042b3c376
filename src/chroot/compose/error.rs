//! Why a root can't be composed.

use std::io;

use super::conflict::FileConflict;
use crate::store::{StoreError, TreeError};

/// Why there is no root of some packages.
#[derive(Debug, thiserror::Error, miette::Diagnostic)]
pub enum ComposeError {
    /// Two packages have something at the same place that is not the same.
    #[error("{conflict}{}", more_conflicts(*more))]
    #[diagnostic(
        code(forge::chroot::file_conflict),
        help(
            "rpm would not install both: leave one out with `exclude`, or take versions of them that go together"
        )
    )]
    Conflict {
        /// The first of those.
        conflict: FileConflict,
        /// How many there are beside it.
        more: usize,
    },
    /// A path of a package leads over links that lead to each other, or through a file.
    #[error("`/{path}` of {package} can't be reached: `/{at}` {reason}")]
    #[diagnostic(
        code(forge::chroot::no_way),
        help(
            "the packages contradict each other: leave one out with `exclude`, or take versions of them that go together"
        )
    )]
    NoWay {
        /// What can't be reached.
        path: String,
        /// The package that has it.
        package: String,
        /// How far it can be reached.
        at: String,
        /// What is there.
        reason: &'static str,
    },
    /// A package can't be unpacked.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Tree(#[from] TreeError),
    /// Somebody changes the store at the same time.
    #[error("files in the store change while a root is composed of them")]
    #[diagnostic(
        code(forge::chroot::changed),
        help("nothing but forge may write to its cache folder: does another program clean it up?")
    )]
    Changed,
    /// The store can't be used.
    #[error(transparent)]
    #[diagnostic(transparent)]
    Store(#[from] StoreError),
}

impl From<io::Error> for ComposeError {
    fn from(error: io::Error) -> Self {
        Self::Store(error.into())
    }
}

fn more_conflicts(more: usize) -> String {
    match more {
        0 => String::new(),
        1 => "; one more file is like that".to_owned(),
        more => format!("; {more} more files are like that"),
    }
}
