//! Programs that a macro runs: they share the terminal, and they are waited for.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, ExitStatus, Stdio};

/// Files that take the place of a program's streams.
#[derive(Debug, Default)]
pub struct Redirections {
    /// For standard input.
    pub input: Option<File>,
    /// For standard output.
    pub output: Option<File>,
    /// For standard error.
    pub errors: Option<File>,
}

/// Runs `command` with `/bin/sh` and gives what it writes to standard output, at most `limit` bytes of it. How it ends
/// does not matter: rpm asks only for what `%(…)` writes.
///
/// # Errors
/// The shell can't be started.
pub fn shell_output(
    command: &[u8],
    environment: &BTreeMap<OsString, OsString>,
    limit: u64,
) -> io::Result<Vec<u8>> {
    let mut shell = plain(OsStr::new("/bin/sh"), environment);
    let mut child =
        shell.arg0("sh").arg("-c").arg(OsStr::from_bytes(command)).stdout(Stdio::piped()).spawn()?;
    let mut output = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        pipe.take(limit).read_to_end(&mut output)?;
    }
    child.wait()?;
    Ok(output)
}

/// Runs a program and gives its exit code; minus the signal's number where a signal ended it.
///
/// # Errors
/// It can't be started.
pub fn run_plain(
    words: &[Vec<u8>],
    environment: &BTreeMap<OsString, OsString>,
    redirections: Redirections,
) -> io::Result<i32> {
    let mut words = words.iter().map(|word| OsStr::from_bytes(word));
    let Some(program) = words.next() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut command = plain(program, environment);
    let Redirections { input, output, errors } = redirections;
    command.args(words);
    if let Some(input) = input {
        command.stdin(input);
    }
    if let Some(output) = output {
        command.stdout(output);
    }
    if let Some(errors) = errors {
        command.stderr(errors);
    }
    Ok(code(command.status()?))
}

#[expect(clippy::disallowed_methods, reason = "the one place where a macro's program is started")]
fn plain(program: &OsStr, environment: &BTreeMap<OsString, OsString>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().envs(environment);
    command
}

fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap_or(-1)
}
