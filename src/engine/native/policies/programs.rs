//! Programs that policies run.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use cap_std::fs::OpenOptions;

use crate::files::{Folder, HostPath};
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

/// Runs a program that reads nothing and whose words nobody hears; gives whether it did what it was to do.
pub(super) fn run_silently(words: &[Vec<u8>], environment: &PolicyVariables, folder: &Path) -> bool {
    let nothing = || {
        let root = Folder::open_ambient(&HostPath::root()).ok()?;
        let file = root.dir().open_with("dev/null", OpenOptions::new().read(true).write(true)).ok()?;
        Some(file.into_std())
    };
    let redirections = Redirections { input: nothing(), output: nothing(), errors: nothing() };
    run_plain(words, environment, Some(folder), redirections).is_ok_and(|code| code == 0)
}

/// Says something to whoever reads what the build prints.
pub(super) fn tell(text: &str) {
    // Whoever does not listen has the exit code.
    let _ = writeln!(io::stderr(), "{text}");
}
