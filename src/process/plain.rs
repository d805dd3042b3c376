//! Programs that a macro runs: they share the terminal, and they are waited for.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Access, FileType, Stat, access, stat};
use rustix::process::{Pid, Signal, kill_process_group};

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

/// How much a command of the shell may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShellLimits {
    /// How much of its output counts, in bytes.
    pub output_bytes: u64,
    /// How long it may run; nothing for as long as it likes.
    pub time: Option<Duration>,
    /// Whether what it says of errors is dropped.
    pub is_quiet: bool,
}

/// Runs `command` with `/bin/sh` and gives what it writes to standard output. How it ends does not matter: rpm asks only
/// for what `%(…)` writes.
///
/// # Errors
/// The shell can't be started, or has taken too long: then it is ended, with all that it has started.
pub fn shell_output(
    command: &[u8],
    environment: &BTreeMap<OsString, OsString>,
    folder: Option<&Path>,
    limits: ShellLimits,
) -> io::Result<Vec<u8>> {
    let mut shell = plain(OsStr::new("/bin/sh"), environment, folder);
    shell.arg0("sh").arg("-c").arg(OsStr::from_bytes(command)).stdout(Stdio::piped());
    if limits.is_quiet {
        shell.stderr(Stdio::null()).stdin(Stdio::null());
    }
    if limits.time.is_some() {
        shell.process_group(0);
    }
    let mut child = shell.spawn()?;
    let mut output = Vec::new();
    if let Some(pipe) = child.stdout.take() {
        let read = match limits.time {
            None => pipe.take(limits.output_bytes).read_to_end(&mut output).map(drop),
            Some(time) => read_in_time(pipe, limits.output_bytes, time, &mut output),
        };
        if let Err(error) = read {
            end_group(&child);
            child.wait()?;
            return Err(error);
        }
    }
    child.wait()?;
    Ok(output)
}

fn end_group(child: &Child) {
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It may have ended by itself in the meantime.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn read_in_time(pipe: ChildStdout, limit: u64, time: Duration, output: &mut Vec<u8>) -> io::Result<()> {
    let deadline = Instant::now() + time;
    let mut pipe = pipe.take(limit);
    let mut chunk = [0; 8192];
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let wait = Timespec::try_from(left).map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        let mut polled = [PollFd::new(pipe.get_ref(), PollFlags::IN)];
        if poll(&mut polled, Some(&wait))? == 0 {
            continue;
        }
        match pipe.read(&mut chunk)? {
            0 => return Ok(()),
            length => output.extend_from_slice(chunk.get(..length).unwrap_or_default()),
        }
    }
}

/// Runs a program and gives its exit code; minus the signal's number where a signal ended it.
///
/// # Errors
/// It can't be started.
pub fn run_plain(
    words: &[Vec<u8>],
    environment: &BTreeMap<OsString, OsString>,
    folder: Option<&Path>,
    redirections: Redirections,
) -> io::Result<i32> {
    let mut words = words.iter().map(|word| OsStr::from_bytes(word));
    let Some(program) = words.next() else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mut command = plain(program, environment, folder);
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

/// Where a program is that only has a name, as execvp(3) finds it; the name, where that is for the kernel to say. A program that is
/// looked for in an environment of its own would be started by a copy of all of this process.
fn locate(program: &OsStr, environment: &BTreeMap<OsString, OsString>) -> OsString {
    let name = program.as_bytes();
    if name.is_empty() || name.contains(&b'/') {
        return program.to_owned();
    }
    let folders = environment.get(OsStr::new("PATH"));
    let found = folders.and_then(|folders| find_program(program, folders));
    found.map_or_else(|| program.to_owned(), PathBuf::into_os_string)
}

/// Where a program is that only has a name, in the folders of a `PATH`, up to the first that is not absolute.
pub fn find_program(program: &OsStr, folders: &OsStr) -> Option<PathBuf> {
    for folder in std::env::split_paths(folders) {
        if !folder.is_absolute() {
            break;
        }
        let path = folder.join(program);
        let is_file = |status: Stat| FileType::from_raw_mode(status.st_mode) == FileType::RegularFile;
        if stat(&path).is_ok_and(is_file) && access(&path, Access::EXEC_OK).is_ok() {
            return Some(path);
        }
    }
    None
}

#[expect(clippy::disallowed_methods, reason = "the one place where a macro's program is started")]
pub(super) fn plain(
    program: &OsStr,
    environment: &BTreeMap<OsString, OsString>,
    folder: Option<&Path>,
) -> Command {
    let mut command = Command::new(locate(program, environment));
    command.arg0(program).env_clear().envs(environment);
    if let Some(folder) = folder {
        command.current_dir(folder);
    }
    command
}

pub(super) fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| -signal)).unwrap_or(-1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_where_the_environment_looks_for_it() {
        let looking = |folders: &str| BTreeMap::from([("PATH".into(), folders.into())]);
        let located = |name: &str, folders: &str| locate(name.as_ref(), &looking(folders));
        assert_eq!(located("sh", "/nosuch:/bin:/usr/bin"), "/bin/sh");
        assert_eq!(located("./sh", "/bin"), "./sh");
        assert_eq!(located("sh", "bin:/bin"), "sh");
        // A folder of that name is no program.
        assert_eq!(located("bin", "/usr:/nosuch"), "bin");
        assert_eq!(locate("sh".as_ref(), &BTreeMap::new()), "sh");
        let words = [b"sh".to_vec(), b"-c".to_vec(), b"test $0 = sh".to_vec()];
        assert_eq!(run_plain(&words, &looking("/usr/bin:/bin"), None, Redirections::default()).unwrap(), 0);
        let missing =
            run_plain(&[b"nosuch".to_vec()], &looking("/usr/bin:/bin"), None, Redirections::default());
        assert_eq!(missing.unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
