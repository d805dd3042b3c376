//! What the processes of a sandbox have no right to.

use std::io;

use rustix::fs::{Gid, Mode, OFlags, Uid, open};
use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::{
    CapabilitySet, CapabilitySets, clear_ambient_capability_set, remove_capability_from_bounding_set,
    set_capabilities, set_keep_capabilities, set_no_new_privs, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid,
};

use super::owners::inside;
use crate::process::{InsideUser, SandboxLimits};

/// What root may do within a sandbox: what packages and their scriptlets need.
const OF_ROOT: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_NICE);

/// What the first process needs to watch over the others. No program inherits it.
const OF_FIRST: CapabilitySet =
    CapabilitySet::DAC_READ_SEARCH.union(CapabilitySet::SYS_PTRACE).union(CapabilitySet::KILL);

/// How readily the kernel ends the programs of a sandbox where memory is short (proc_pid_oom_score_adj(5)).
const ENDED_FIRST: &[u8] = b"500";

/// Becomes `user`, with all rights within the sandbox until [`give_up_rights`].
///
/// # Errors
/// The kernel doesn't allow it.
pub(super) fn become_user(user: InsideUser, had_root: bool) -> io::Result<()> {
    if !had_root {
        // The only number there is stands for that user already.
        return Ok(());
    }
    set_keep_capabilities(true)?;
    let number = inside(user);
    set_thread_groups(&[])?;
    let (group, owner) = (Gid::from_raw(number), Uid::from_raw(number));
    set_thread_res_gid(group, group, group)?;
    set_thread_res_uid(owner, owner, owner)?;
    let all = CapabilitySet::all();
    let known = rustix::thread::capabilities(None)?.permitted.intersection(all);
    set_capabilities(
        None,
        CapabilitySets { effective: known, permitted: known, inheritable: CapabilitySet::empty() },
    )?;
    set_dumpable_behavior(DumpableBehavior::Dumpable)?;
    Ok(())
}

/// Sets the limits that each process inherits.
///
/// # Errors
/// The kernel doesn't allow it.
pub(super) fn limit_processes(limits: &SandboxLimits) -> io::Result<()> {
    let at_most = |resource, most: u64| {
        let own = getrlimit(resource).maximum;
        let most = own.map_or(most, |own| own.min(most));
        setrlimit(resource, Rlimit { current: Some(most), maximum: Some(most) })
    };
    at_most(Resource::Nofile, limits.open_files)?;
    at_most(Resource::Nproc, limits.processes)?;
    at_most(Resource::Core, 0)?;
    // Without it, the kernel chooses as it always does.
    if let Ok(file) = open("/proc/self/oom_score_adj", OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty()) {
        let _ = rustix::io::write(&file, ENDED_FIRST);
    }
    Ok(())
}

/// Gives up what is not needed any more: programs that are started now have what `user` may have, and can't get more.
///
/// # Errors
/// The kernel doesn't allow it.
pub(super) fn give_up_rights(user: InsideUser) -> io::Result<()> {
    let of_programs = match user {
        InsideUser::Builder | InsideUser::AnotherBuilder => CapabilitySet::empty(),
        InsideUser::Root => OF_ROOT,
    };
    for bit in 0..u64::BITS {
        let capability = CapabilitySet::from_bits_retain(1 << bit);
        if !of_programs.contains(capability) && remove_capability_from_bounding_set(capability).is_err() {
            // Numbers beyond the last that the kernel knows.
            break;
        }
    }
    clear_ambient_capability_set()?;
    let own = OF_FIRST.union(of_programs);
    set_capabilities(
        None,
        CapabilitySets { effective: own, permitted: own, inheritable: CapabilitySet::empty() },
    )?;
    set_no_new_privs(true)?;
    Ok(set_dumpable_behavior(DumpableBehavior::NotDumpable)?)
}
