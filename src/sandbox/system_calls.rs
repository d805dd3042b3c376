//! System calls that no build needs, and that the kernel's faults were often found behind (seccomp(2)).

use std::collections::BTreeMap;
use std::io;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter, sock_filter,
};

/// Calls that fail with `EPERM`, as they do for somebody without rights.
const REFUSED: &[libc::c_long] = &[
    // Mounts, and namespaces to have rights in.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_setns,
    libc::SYS_unshare,
    // Keys of the kernel.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Programs in the kernel, and looking into it.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_syslog,
    libc::SYS_lookup_dcookie,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    // The machine as a whole.
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    libc::SYS_open_by_handle_at,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    OPEN_TREE_ATTR,
    // What is mounted, and where on the machine that is.
    STATMOUNT,
    LISTMOUNT,
];

/// The numbers of open_tree_attr(2), statmount(2) and listmount(2), the same everywhere.
const OPEN_TREE_ATTR: libc::c_long = 467;
const STATMOUNT: libc::c_long = 457;
const LISTMOUNT: libc::c_long = 458;

/// The number of clone3(2), the same everywhere.
const CLONE3: u32 = 435;

/// The same calls by their numbers in programs of 32 bits (`asm/unistd_32.h`), which x86_64 runs too.
#[cfg(target_arch = "x86_64")]
const REFUSED_OF_I386: &[u32] = &[
    21, 22, 52, 217, 61, 429, 428, 430, 431, 432, 433, 442, 346, 310, 286, 287, 288, 357, 336, 374, 103, 253,
    128, 350, 129, 283, 88, 87, 115, 51, 131, 79, 25, 264, 404, 343, 124, 405, 74, 121, 111, 342, 425, 426,
    427, 467, 457, 458,
];

/// Commands of ioctl(2) that write to the terminal as if somebody had typed it.
const TERMINAL_INPUT: &[u64] = &[libc::TIOCSTI, libc::TIOCLINUX];

/// Refuses those calls to this process and all that it starts.
///
/// # Errors
/// The kernel has no seccomp, or this machine is of a kind that forge doesn't know.
pub(super) fn refuse_system_calls() -> io::Result<()> {
    let program = filter().map_err(io::Error::other)?;
    apply_filter(&program).map_err(io::Error::other)
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let typed = TERMINAL_INPUT.iter().map(|command| {
        let is_command = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, *command)?;
        SeccompRule::new(vec![is_command])
    });
    rules.insert(libc::SYS_ioctl, typed.collect::<Result<_, _>>()?);
    let new_user = u64::from(libc::CLONE_NEWUSER.cast_unsigned());
    let asks = SeccompCondition::new(0, SeccompCmpArgLen::Qword, SeccompCmpOp::MaskedEq(new_user), new_user)?;
    rules.insert(libc::SYS_clone, vec![SeccompRule::new(vec![asks])?]);
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let known: BpfProgram = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch)?.try_into()?;
    Ok(beside_other_abis(&[clone3_is_absent(), known].concat()))
}

/// What clone3(2) asks stands in memory, where no filter can look: told that there is none, programs call clone(2).
fn clone3_is_absent() -> BpfProgram {
    vec![load(NUMBER), unless_equal(CLONE3, 1), give(fail_with(libc::ENOSYS))]
}

/// The filter for x86_64, beside one for programs of 32 bits, which would be ended otherwise; calls of the x32 kind, with
/// numbers of their own, are absent.
#[cfg(target_arch = "x86_64")]
fn beside_other_abis(own: &[sock_filter]) -> BpfProgram {
    let x32_is_absent = [load(NUMBER), unless_at_least(X32, 1), give(fail_with(libc::ENOSYS))];
    let own = [&x32_is_absent, own].concat();
    let mut i386 = clone3_is_absent();
    for number in REFUSED_OF_I386 {
        i386.extend([unless_equal(*number, 1), give(fail_with(libc::EPERM))]);
    }
    let new_user = libc::CLONE_NEWUSER.cast_unsigned();
    i386.extend([unless_equal(I386_CLONE, 3), load(FIRST_ARGUMENT)]);
    i386.extend([unless_has(new_user, 1), give(fail_with(libc::EPERM)), give(libc::SECCOMP_RET_ALLOW)]);
    let length = u32::try_from(i386.len()).unwrap_or(u32::MAX);
    let which = [load(ARCHITECTURE), if_equal(AUDIT_ARCH_I386, 1), jump(length)];
    [&which, i386.as_slice(), own.as_slice()].concat()
}

#[cfg(not(target_arch = "x86_64"))]
fn beside_other_abis(own: &[sock_filter]) -> BpfProgram {
    own.to_vec()
}

/// Where the kernel puts what it asks of (`struct seccomp_data`).
const NUMBER: u32 = 0;
#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 4;
#[cfg(target_arch = "x86_64")]
const FIRST_ARGUMENT: u32 = 16;

/// How calls of programs of 32 bits are marked (`linux/audit.h`).
#[cfg(target_arch = "x86_64")]
const AUDIT_ARCH_I386: u32 = 0x4000_0003;

/// From this number on they are those of x32.
#[cfg(target_arch = "x86_64")]
const X32: u32 = 0x4000_0000;

#[cfg(target_arch = "x86_64")]
const I386_CLONE: u32 = 120;

// Instructions (`linux/bpf_common.h`): what is loaded is compared by those that follow, which skip as many as they say.

fn load(place: u32) -> sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, place, 0, 0)
}

fn unless_equal(value: u32, skipped: u8) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value, 0, skipped)
}

#[cfg(target_arch = "x86_64")]
fn if_equal(value: u32, skipped: u8) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, value, skipped, 0)
}

#[cfg(target_arch = "x86_64")]
fn unless_at_least(value: u32, skipped: u8) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, value, 0, skipped)
}

#[cfg(target_arch = "x86_64")]
fn unless_has(bits: u32, skipped: u8) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K, bits, 0, skipped)
}

#[cfg(target_arch = "x86_64")]
fn jump(over: u32) -> sock_filter {
    instruction(libc::BPF_JMP | libc::BPF_JA, over, 0, 0)
}

fn give(answer: u32) -> sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, answer, 0, 0)
}

fn fail_with(error: libc::c_int) -> u32 {
    libc::SECCOMP_RET_ERRNO | error.cast_unsigned()
}

fn instruction(code: u32, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code: u16::try_from(code).unwrap_or_default(), jt, jf, k }
}
