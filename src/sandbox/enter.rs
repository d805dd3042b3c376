//! The process outside of a sandbox: forks the first one inside, says who is who, and waits.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, Signal, WaitOptions, set_parent_process_death_signal, waitpid};

use super::control_group::ControlGroup;
use super::enclosure::Enclosure;
use super::first_process::{Program, prepare, run};
use super::kernel::{Cloned, NewNamespaces, clone_into, ignore_requests_to_end, take_descriptor};
use super::machine::describe_refusal;
use super::messages::tell;
use super::opened::{Opened, open_folders};
use super::owners::{gives_numbers, write_maps};
use crate::process::{NOT_ENTERED, OVER_MEMORY};

/// The first argument that makes forge set a sandbox up; no command that a user gives.
pub const ENCLOSE: &str = "__enclose";

/// Runs the program that `arguments` name, behind the document that describes the sandbox, in the sandbox. Gives its exit
/// code as the program's supervisor does, or one of those that say how the sandbox ended.
pub fn enclose(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match enter(arguments.into_iter()) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&error.to_string());
            ExitCode::from(NOT_ENTERED)
        }
    }
}

fn enter(mut arguments: impl Iterator<Item = OsString>) -> io::Result<u8> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let documents = arguments.next().unwrap_or_default();
    let mut documents = documents.as_bytes().split(|byte| *byte == b',').map(descriptor_of);
    let document = documents.next().flatten().ok_or(io::ErrorKind::InvalidInput)?;
    let descriptors = documents.collect::<Option<Vec<RawFd>>>().ok_or(io::ErrorKind::InvalidInput)?;
    // Taken over, so that it ends here: it names paths of the machine.
    let mut document = File::from(take_descriptor(document)?);
    let mut text = Vec::new();
    document.read_to_end(&mut text)?;
    drop(document);
    let mut enclosure: Enclosure = serde_json::from_slice(&text)?;
    let words: Vec<OsString> = arguments.collect();
    let program = Program { words, descriptors };
    let opened = if gives_numbers() { Some(open_folders(&enclosure)?) } else { None };
    let (go_on, say_go_on) = pipe_with(PipeFlags::CLOEXEC)?;
    let (hear_ready, ready) = pipe_with(PipeFlags::CLOEXEC)?;
    let namespaces = if enclosure.network { NewNamespaces::AllButNetwork } else { NewNamespaces::All };
    let mut group = ControlGroup::make(&enclosure.limits);
    match clone_first(namespaces, &mut group).map_err(|error| describe_refusal(&error))? {
        Cloned::Child => {
            drop((say_go_on, hear_ready));
            if group.is_some_and(ControlGroup::leave_to_parent) {
                // The kernel watches over it.
                enclosure.limits.memory = None;
            }
            std::process::exit(i32::from(be_first(&enclosure, program, opened, (go_on, ready))));
        }
        Cloned::Parent(child) => {
            drop((go_on, ready, opened));
            ignore_requests_to_end();
            write_maps(child, enclosure.user).map_err(|error| describe_refusal(&error))?;
            rustix::io::write(&say_go_on, b"g")?;
            // Why it could not be set up, if it could not.
            let mut said = String::new();
            File::from(hear_ready).take(1 << 16).read_to_string(&mut said)?;
            let code = wait_for(child);
            if group.is_some_and(|group| group.is_over_memory()) {
                return Ok(OVER_MEMORY);
            }
            match said.is_empty() {
                true => Ok(code),
                false => Err(io::Error::other(said)),
            }
        }
    }
}

/// Forks the first process inside, in the control group if the kernel lets it.
fn clone_first(namespaces: NewNamespaces, group: &mut Option<ControlGroup>) -> io::Result<Cloned> {
    if let Some(made) = group {
        if let Ok(cloned) = clone_into(namespaces, Some(made.folder())) {
            return Ok(cloned);
        }
        *group = None;
    }
    clone_into(namespaces, None)
}

/// The life of the first process inside: its exit code.
fn be_first(
    enclosure: &Enclosure,
    program: Program,
    opened: Option<Opened>,
    (go_on, ready): (OwnedFd, OwnedFd),
) -> u8 {
    match rustix::io::read(&go_on, &mut [0; 1]) {
        Ok(1) => drop(go_on),
        // Who started it is gone.
        Ok(_) | Err(_) => return NOT_ENTERED,
    }
    let prepared = prepare(enclosure, opened, &program);
    match prepared.and_then(|mounts| end_with_parent(&ready).map(|()| mounts)) {
        Ok(mounts) => {
            drop(ready);
            let code = run(enclosure, program);
            drop(mounts);
            code
        }
        Err(error) => {
            let _ = rustix::io::write(&ready, error.to_string().as_bytes());
            NOT_ENTERED
        }
    }
}

/// Makes sure that this process ends when the one that hears of `ready` does. It was asked for before, but the kernel forgets
/// it of a process that becomes another user (prctl(2)).
fn end_with_parent(ready: &OwnedFd) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    let mut polled = [PollFd::new(ready, PollFlags::empty())];
    poll(&mut polled, Some(&Timespec { tv_sec: 0, tv_nsec: 0 }))?;
    // Nobody reads there any more: the parent was gone before.
    match polled.iter().any(|polled| polled.revents().contains(PollFlags::ERR)) {
        true => Err(io::ErrorKind::BrokenPipe.into()),
        false => Ok(()),
    }
}

fn wait_for(child: Pid) -> u8 {
    loop {
        match waitpid(Some(child), WaitOptions::empty()) {
            Ok(Some((_, status))) => {
                let code = status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal));
                return code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
            }
            Ok(None) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return u8::MAX,
        }
    }
}

/// The descriptor that a path names.
fn descriptor_of(path: &[u8]) -> Option<RawFd> {
    std::str::from_utf8(path.strip_prefix(b"/proc/self/fd/")?).ok()?.parse().ok()
}
