//! The supervisor: the small process between forge and a program. See the [module](super).

use std::ffi::OsString;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, ExitCode, Stdio};
use std::thread;

use rustix::process::{Pid, Signal, WaitOptions, chdir, getpid, set_child_subreaper, wait};

use super::descendants::{end_all, signal_all};
use super::document::{receive, receive_request, with_paths};

/// The first argument that makes forge a supervisor; no command that a user gives.
pub const SUPERVISE: &str = "__supervise";

/// The second argument: the program's outputs stay apart, or standard error goes where standard output goes.
pub(super) const APART: &str = "apart";
pub(super) const TOGETHER: &str = "together";

/// The third argument: whether the first document is the program's standard input.
pub(super) const NO_INPUT: &str = "no-input";
pub(super) const INPUT_FIRST: &str = "input-first";

/// What forge writes to a supervisor, after the documents that the fourth argument counts, to ask the program to end; the end of the pipe ends it at once.
pub(super) const END_GENTLY: u8 = b'T';

/// What a shell gives for a program that can't be started.
const CANNOT_START: u8 = 127;

/// Runs the program that `arguments` name, in the folder that comes before it, and ends all that is left of it. Gives its exit code, or 128 and the
/// number of the signal that ended it, as a shell does.
pub fn supervise(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let mut arguments = arguments.into_iter();
    let (Some(streams), Some(input), Some(count), Some(folder), Some(program)) =
        (arguments.next(), arguments.next(), arguments.next(), arguments.next(), arguments.next())
    else {
        return ExitCode::from(CANNOT_START);
    };
    if chdir(&folder).is_err() {
        return ExitCode::from(CANNOT_START);
    }
    let count = count.to_str().and_then(|count| count.parse().ok());
    let received = count.and_then(|count: usize| {
        let mut stdin = std::io::stdin().lock();
        match input == INPUT_FIRST {
            true => {
                let request = receive_request(&mut stdin).ok()?;
                Some((Stdio::from(request), receive(count.checked_sub(1)?, &mut stdin).ok()?))
            }
            false => Some((Stdio::null(), receive(count, &mut stdin).ok()?)),
        }
    });
    let Some((input, documents)) = received else {
        return ExitCode::from(CANNOT_START);
    };
    let arguments: Vec<OsString> = arguments.map(|argument| with_paths(&argument, &documents)).collect();
    let own = getpid();
    if set_child_subreaper(Some(own)).is_err() {
        return ExitCode::from(CANNOT_START);
    }
    let Some(child) = start(program, arguments, input, streams == TOGETHER) else {
        return ExitCode::from(CANNOT_START);
    };
    drop(documents);
    thread::spawn(move || wait_for_orders(own));
    let code = wait_for(child);
    end_all(own);
    ExitCode::from(code)
}

#[expect(clippy::disallowed_methods, reason = "the one place where a program is started")]
fn start(program: OsString, arguments: Vec<OsString>, input: Stdio, together: bool) -> Option<Pid> {
    let mut command = process::Command::new(&program);
    // Where the machine has it is nobody's business in a sandbox.
    command.arg0(Path::new(&program).file_name().unwrap_or(&program));
    command.args(arguments).stdin(input).process_group(0);
    if together {
        command.stderr(std::io::stdout().as_fd().try_clone_to_owned().ok()?);
    }
    let child = command.spawn();
    // Not waited for through `Child`: the loop below collects it together with what it leaves behind.
    child.ok().map(|child| Pid::from_child(&child))
}

fn wait_for(child: Pid) -> u8 {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => {
                let code = status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal));
                return code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return u8::MAX,
        }
    }
}

/// Does what comes through the pipe from forge; its end means that forge is gone or will wait no longer.
fn wait_for_orders(own: Pid) {
    let mut orders = std::io::stdin().lock();
    let mut order = [0];
    while matches!(orders.read(&mut order), Ok(1)) {
        if order == [END_GENTLY] {
            signal_all(own, Signal::TERM);
        }
    }
    end_all(own);
    process::exit(128 + Signal::KILL.as_raw());
}
