//! Keeps the list of mounts from telling where on the machine the folders of a sandbox are.
//!
//! `/proc/PID/mountinfo` says of each mount which folder of its file system is seen there, and for the folders of a build that is
//! where the project is, in whose home. No file of `/proc` can be covered for all processes to come. But the kernel lists the
//! mounts of a process's mount namespace that can be reached from the process's root (proc_pid_mountinfo(5)): so the sandbox's
//! processes go to another namespace, a copy, and keep the root that they have. Of what the copy has, nothing can be reached from
//! there: the list is empty, as are those of `/proc/PID/mounts` and `mountstats`, and listmount(2) finds nothing. Nor can anything
//! be mounted any more, whatever rights somebody has: the kernel allows that in a process's own namespace only.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{chroot, fchdir};

use super::kernel::copy_mount_namespace;
use super::view::said;

/// The namespace that what a sandbox sees is mounted in. It is there as long as this is.
#[derive(Debug)]
pub(super) struct KeptMounts {
    _namespace: OwnedFd,
}

/// Goes to a copy of the mount namespace, and stays where it is.
///
/// # Errors
/// The kernel doesn't allow it.
pub(super) fn hide_mounts() -> io::Result<KeptMounts> {
    let open = |path: &str, flags| -> io::Result<OwnedFd> {
        Ok(openat(CWD, Path::new(path), flags | OFlags::CLOEXEC, Mode::empty())?)
    };
    let namespace = said("/proc/self/ns/mnt", open("/proc/self/ns/mnt", OFlags::RDONLY))?;
    let (root, folder) = (open("/", OFlags::PATH)?, open(".", OFlags::PATH)?);
    said("a mount namespace for the list of mounts", copy_mount_namespace())?;
    fchdir(&root)?;
    said("chroot", chroot(".").map_err(io::Error::from))?;
    fchdir(&folder)?;
    Ok(KeptMounts { _namespace: namespace })
}
