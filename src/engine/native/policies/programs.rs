//! Programs that policies run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

use crate::process::{Redirections, run_plain};

/// The environment that policies run in.
pub(super) type PolicyVariables = BTreeMap<OsString, OsString>;

/// Runs a script as it is.
pub(super) fn run_script(command: &[OsString], environment: &PolicyVariables) -> i32 {
    let words: Vec<Vec<u8>> = command.iter().map(|word| word.as_bytes().to_vec()).collect();
    match run_plain(&words, environment, None, Redirections::default()) {
        // As a shell has it.
        Ok(code) if code < 0 => 128_i32.saturating_sub(code),
        Ok(code) => code,
        Err(error) => {
            let script = command.first().map(|word| word.to_string_lossy()).unwrap_or_default();
            tell(&format!("{script}: {}", crate::files::reason(&error)));
            if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 }
        }
    }
}

/// Says something to whoever reads what the build prints.
pub(super) fn tell(text: &str) {
    // Whoever does not listen has the exit code.
    let _ = writeln!(io::stderr(), "{text}");
}
