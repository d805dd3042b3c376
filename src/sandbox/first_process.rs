//! The first process of a sandbox: makes its root, gives up its rights, starts the program and waits for it. When it ends,
//! the kernel ends all others (pid_namespaces(7)).

use std::ffi::OsString;
use std::io;
use std::os::fd::RawFd;
use std::path::PathBuf;
use std::process::{self, Stdio};

use rustix::fs::Mode;
use rustix::process::{Pid, Signal, WaitOptions, set_parent_process_death_signal, umask, wait};
use rustix::system::sethostname;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

use super::composed_view::enter_composed_root;
use super::enclosure::Enclosure;
use super::hidden_mounts::{KeptMounts, hide_mounts};
use super::kernel::{bring_up_loopback, keep_descriptors, leave_keyring, take_personality_of_32_bits};
use super::landlock::restrict_writing;
use super::machine::describe_refusal;
use super::messages::tell;
use super::opened::{Opened, open_folders};
use super::rights::{become_user, give_up_rights, limit_processes};
use super::system_calls::refuse_system_calls;
use super::view::{enter_root, open_devices, open_system};
use super::watch::{Passed, watch};
use crate::process::{Circumstances, InsideUser, OVER_DISK, OVER_MEMORY, Personality};

/// What a sandbox is for.
pub(super) struct Program {
    /// The program and its arguments; none to see only whether it can be entered.
    pub words: Vec<OsString>,
    /// The descriptors that it inherits beside the three standard ones.
    pub descriptors: Vec<RawFd>,
}

/// Makes the sandbox, as the first process in its namespaces, and gives up what is not needed any more. `opened` are its
/// folders where forge, as root, has opened them already. What it gives has to be kept until the sandbox ends.
///
/// # Errors
/// What the machine doesn't allow.
pub(super) fn prepare(
    enclosure: &Enclosure,
    opened: Option<Opened>,
    program: &Program,
) -> io::Result<KeptMounts> {
    // Who started it is gone where this comes too late; it is asked again when all is set up.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    // Remembered from now on: before Linux 6.4 it is read from a file in `/proc` that this process can't read any more, once
    // it has given up its rights.
    let _ = rustix::param::page_size();
    if !enclosure.terminal {
        rustix::process::setsid()?;
    }
    let had_root = opened.is_some();
    // The first that takes a right: AppArmor may let everybody make namespaces, and give nobody rights in them.
    sethostname(enclosure.circumstances.host_name.as_bytes())
        .map_err(|error| describe_refusal(&error.into()))?;
    if !enclosure.network {
        bring_up_loopback()?;
    }
    leave_keyring();
    let Opened { binds, root } = match opened {
        Some(opened) => opened,
        None => open_folders(enclosure)?,
    };
    match root {
        Some(root) => {
            let devices = open_devices()?;
            become_user(InsideUser::Root, had_root)?;
            umask(Mode::from(0o022));
            enter_composed_root(enclosure, root, devices.into_iter().chain(binds).collect())?;
            become_user(enclosure.user, had_root)?;
        }
        None => {
            let system = open_system(enclosure)?;
            become_user(enclosure.user, had_root)?;
            umask(Mode::from(0o022));
            enter_root(enclosure, system, binds)?;
        }
    }
    let mounts = hide_mounts()?;
    if enclosure.personality == Personality::Of32Bits {
        take_personality_of_32_bits()?;
    }
    limit_processes(&enclosure.limits)?;
    give_up_rights(enclosure.user)?;
    restrict_writing(enclosure).map_err(io::Error::other)?;
    refuse_system_calls()?;
    keep_descriptors(&program.descriptors)?;
    take_circumstances(&enclosure.circumstances)?;
    Ok(mounts)
}

/// What only its programs are to find.
fn take_circumstances(circumstances: &Circumstances) -> io::Result<()> {
    if let Some(most) = circumstances.processors {
        let own = sched_getaffinity(None)?;
        let mut fewer = CpuSet::new();
        let numbers = (0..CpuSet::MAX_CPU).filter(|number| own.is_set(*number));
        numbers.take(most.max(1)).for_each(|number| fewer.set(number));
        sched_setaffinity(None, &fewer)?;
    }
    umask(Mode::from_raw_mode(circumstances.umask));
    Ok(())
}

/// Starts the program and waits until it has ended or a limit is passed; gives the exit code, of the kind that shells give.
pub(super) fn run(enclosure: &Enclosure, program: Program) -> u8 {
    let Some((name, arguments)) = program.words.split_first() else { return 0 };
    let child = match start(name, arguments) {
        Ok(child) => child,
        Err(error) => {
            let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
            tell(&format!("{}: {}", name.display(), crate::files::reason(&error)));
            return code;
        }
    };
    let (limits, writable) = (enclosure.limits, writable_folders(enclosure));
    std::thread::spawn(move || match watch(&limits, &writable) {
        Some(Passed::Memory) => process::exit(OVER_MEMORY.into()),
        Some(Passed::Disk) => process::exit(OVER_DISK.into()),
        None => {}
    });
    wait_for(child)
}

#[expect(clippy::disallowed_methods, reason = "the one place where the program of a sandbox is started")]
fn start(name: &OsString, arguments: &[OsString]) -> io::Result<Pid> {
    let mut command = process::Command::new(name);
    command.args(arguments).stdin(Stdio::inherit());
    let child = command.spawn()?;
    // Not waited for through `Child`: the loop collects it together with what has lost its parent.
    Ok(Pid::from_child(&child))
}

/// Collects what ends until `child` does.
fn wait_for(child: Pid) -> u8 {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => {
                let code = status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal));
                let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
                // What says that a limit was passed is said by nobody else.
                return code.min(OVER_MEMORY.min(OVER_DISK) - 1);
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return u8::MAX,
        }
    }
}

/// The folders on disk that the program may write.
fn writable_folders(enclosure: &Enclosure) -> Vec<PathBuf> {
    let own = enclosure.binds.iter().filter(|bind| bind.writable).map(|bind| bind.root.clone());
    let private = super::view::PRIVATE_FOLDERS.iter().map(|(_, root)| PathBuf::from(root));
    own.chain(private.filter(|_| enclosure.private.is_some())).collect()
}
