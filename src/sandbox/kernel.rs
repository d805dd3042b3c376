//! System calls that rustix has no safe face for. All `unsafe` of the sandbox is here.

#![expect(
    unsafe_code,
    reason = "the system calls that nothing safe stands for; each block says why it is sound"
)]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use rustix::process::Pid;

/// Who goes on after [`clone_into`].
pub(super) enum Cloned {
    /// The process that called it.
    Parent(Pid),
    /// The new one, the first in its namespaces.
    Child,
}

/// Which new namespaces a process gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NewNamespaces {
    /// One of users.
    OnlyUser,
    /// All kinds but that of the network.
    AllButNetwork,
    /// All kinds.
    All,
}

impl NewNamespaces {
    fn flags(self) -> libc::c_int {
        let most = libc::CLONE_NEWUSER
            | libc::CLONE_NEWNS
            | libc::CLONE_NEWPID
            | libc::CLONE_NEWIPC
            | libc::CLONE_NEWUTS
            | libc::CLONE_NEWCGROUP;
        match self {
            Self::OnlyUser => libc::CLONE_NEWUSER,
            Self::AllButNetwork => most,
            Self::All => most | libc::CLONE_NEWNET,
        }
    }
}

/// Forks into new namespaces, and into a control group if there is one for it (clone(2)).
///
/// # Errors
/// As clone(2): the machine allows no user namespaces, or no more of them. [`io::ErrorKind::Other`] where this process has
/// more than one thread.
pub(super) fn clone_into(namespaces: NewNamespaces, group: Option<BorrowedFd<'_>>) -> io::Result<Cloned> {
    if thread_count()? != 1 {
        return Err(io::Error::other("a process with several threads can't enter a sandbox"));
    }
    // SAFETY: `clone_args` is plain numbers, for which zeros are valid.
    let mut arguments: libc::clone_args = unsafe { std::mem::zeroed() };
    arguments.flags = u64::from(namespaces.flags().cast_unsigned());
    if let Some(group) = group {
        arguments.flags |= CLONE_INTO_CGROUP;
        arguments.cgroup = u64::from(group.as_raw_fd().cast_unsigned());
    }
    arguments.exit_signal = u64::from(libc::SIGCHLD.cast_unsigned());
    let size = size_of::<libc::clone_args>();
    // SAFETY: without `CLONE_VM` the child has a copy of all memory, and no stack is given, so it goes on with the copy of
    // this one, as after fork(2). This process has one thread, as was checked above: no lock is held by a thread that the
    // child doesn't have. `arguments` lives through the call, and `size` is its size.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const arguments, size) };
    match i32::try_from(result) {
        Ok(0) => Ok(Cloned::Child),
        Ok(pid) if pid > 0 => Ok(Pid::from_raw(pid).map_or(Cloned::Child, Cloned::Parent)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// `CLONE_INTO_CGROUP` of `linux/sched.h`.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// Goes to a new mount namespace, a copy of the one that this process was in (unshare(2)).
///
/// # Errors
/// The machine allows no more of them.
pub(super) fn copy_mount_namespace() -> io::Result<()> {
    // SAFETY: `CLONE_NEWNS` changes what paths lead to; descriptors and memory stay as they are.
    match unsafe { libc::unshare(libc::CLONE_NEWNS) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// How a mount is to be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MountAttributes<'a> {
    pub read_only: bool,
    pub no_devices: bool,
    /// The user namespace whose map says which owners files are seen to have.
    pub owners: Option<BorrowedFd<'a>>,
}

/// Changes a mount and all below it (mount_setattr(2)), and cuts it off from the mounts that it is a copy of; programs
/// there get no rights by set-user-ID.
///
/// # Errors
/// As mount_setattr(2): the file system can't show other owners, say.
pub(super) fn change_mount(mount: BorrowedFd<'_>, attributes: MountAttributes<'_>) -> io::Result<()> {
    let mut set = libc::MOUNT_ATTR_NOSUID;
    if attributes.read_only {
        set |= libc::MOUNT_ATTR_RDONLY;
    }
    if attributes.no_devices {
        set |= libc::MOUNT_ATTR_NODEV;
    }
    let mut owners = 0;
    if let Some(namespace) = attributes.owners {
        set |= libc::MOUNT_ATTR_IDMAP;
        owners = u64::from(namespace.as_raw_fd().cast_unsigned());
    }
    let attribute =
        libc::mount_attr { attr_set: set, attr_clr: 0, propagation: libc::MS_PRIVATE, userns_fd: owners };
    let flags = libc::AT_EMPTY_PATH | libc::AT_RECURSIVE;
    let size = size_of::<libc::mount_attr>();
    // SAFETY: the path is empty and ends with NUL, `attribute` lives through the call, and `size` is its size; both
    // descriptors are open, as they are borrowed.
    let result = unsafe {
        let path: &CStr = c"";
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_raw_fd(),
            path.as_ptr(),
            flags,
            &raw const attribute,
            size,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Switches the loopback device of this network namespace on (netdevice(7)).
///
/// # Errors
/// There is none, or it is not ours.
pub(super) fn bring_up_loopback() -> io::Result<()> {
    // SAFETY: socket(2) takes three numbers; its result is checked before it is owned.
    let raw = unsafe { libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0) };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was just opened, and nobody else has it.
    let socket = unsafe { OwnedFd::from_raw_fd(raw) };
    // SAFETY: `ifreq` is plain numbers, for which zeros are valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = from.cast_signed();
    }
    request.ifr_ifru.ifru_flags = i16::try_from(libc::IFF_UP | libc::IFF_RUNNING).unwrap_or(i16::MAX);
    // SAFETY: `SIOCSIFFLAGS` reads an `ifreq`, which lives through the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw mut request) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Leaves the keyring of the session that started this one (keyctl(2)): there may be secrets in it.
pub(super) fn leave_keyring() {
    // SAFETY: `KEYCTL_JOIN_SESSION_KEYRING` with a null name reads no memory. A kernel without keyrings has none to leave.
    let _ = unsafe { libc::syscall(libc::SYS_keyctl, libc::KEYCTL_JOIN_SESSION_KEYRING, 0usize) };
}

/// Has this process, and all that it starts, told that the machine is one of 32 bits (personality(2)).
///
/// # Errors
/// The kernel knows no other machine that this one can stand for.
pub(super) fn take_personality_of_32_bits() -> io::Result<()> {
    // SAFETY: it takes a number, and changes what uname(2) answers to this process; it reads and writes no memory of it.
    match unsafe { libc::personality(PER_LINUX32) } {
        0.. => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// `PER_LINUX32` of `linux/personality.h`.
const PER_LINUX32: libc::c_ulong = 0x8;

/// Marks all descriptors but the three standard ones and `kept` as such that programs don't inherit (close_range(2)).
///
/// # Errors
/// The kernel is older than 5.11, or one of `kept` is not open.
pub(super) fn keep_descriptors(kept: &[RawFd]) -> io::Result<()> {
    // SAFETY: it changes a flag of descriptors and closes none.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    for raw in kept {
        // SAFETY: it is borrowed for one call that changes a flag; that fails where it is not open.
        let descriptor = unsafe { BorrowedFd::borrow_raw(*raw) };
        rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::empty())?;
    }
    Ok(())
}

/// Takes over a descriptor that this process was started with.
///
/// # Errors
/// It is not open.
pub(super) fn take_descriptor(raw: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: it is borrowed for one call, which fails where it is not open.
    rustix::io::fcntl_getfd(unsafe { BorrowedFd::borrow_raw(raw) })?;
    // SAFETY: it is open, and was named to this process as its own by the one that started it; it is taken once, before
    // anything else here has opened any.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

/// Ignores what asks this process to end: what it waits for is asked, too, and ends first.
pub(super) fn ignore_requests_to_end() {
    for signal in [libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT] {
        // SAFETY: `SIG_IGN` runs no code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

fn thread_count() -> io::Result<usize> {
    let folder = rustix::fs::open(
        "/proc/self/task",
        rustix::fs::OFlags::DIRECTORY | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    let names = rustix::fs::Dir::new(folder)?;
    Ok(names.flatten().filter(|entry| !entry.file_name().to_bytes().starts_with(b".")).count())
}
