//! What ends the work, and what is told.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;

use crate::files::reason;

/// The exit code for an order that can't be carried out.
const WRONG: i32 = 2;

/// What the environment says.
pub(super) type DebugVariables = BTreeMap<OsString, OsString>;

/// Why nothing more is done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(super) struct Refused {
    pub(super) message: String,
    pub(super) code: i32,
}

impl Refused {
    pub(super) fn wrong(message: &str) -> Self {
        Self { message: format!("*** ERROR: {message}"), code: WRONG }
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> Self {
        Self { message: format!("*** ERROR: {}: {}", path.display(), reason(error)), code: 1 }
    }
}

/// Says something to whoever reads what the build prints.
pub(super) fn tell(text: &str) {
    // Whoever does not listen has the exit code.
    let _ = writeln!(io::stderr(), "{text}");
}
