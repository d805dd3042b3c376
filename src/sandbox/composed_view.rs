//! The file system of a sandbox whose root is made of folders: those seen over each other, and what every root needs on top.
//!
//! What is in such a root may be anybody's: links in it lead out of it as long as this process stands outside. So the root
//! is entered first, and all else is attached from within.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{MountAttrFlags, MountFlags, UnmountFlags, mount_remount, unmount};
use rustix::process::{chdir, fchdir, pivot_root};

use super::enclosure::{Enclosure, RootFolders};
use super::kernel::MountAttributes;
use super::lay_over::{lay_over, open_folder};
use super::mounts::{Detached, make_folder};
use super::overlay::overlay_folders;
use super::owners::{Owners, give_to_root_inside};
use super::root_files::{NAMES, read_names, replaced_files};
use super::view::{
    Attachment, FOLDERS_IN_MEMORY, HIDDEN_OF_PROC, PRIVATE_FOLDERS, at, below_root, can_not_show_owners,
    hide, make_devices, make_proc, replace_file, said, show_empty,
};

/// The folders of a root, opened.
pub(super) struct OpenedRoot {
    /// The uppermost first.
    folders: Vec<Detached>,
    /// What keeps the changes.
    changes: Option<Detached>,
}

/// What is attached to a root, and is there if the root itself doesn't have it: folders, and files of `/etc`.
const NEEDED_FOLDERS: &[(&str, u32)] = &[
    ("proc", 0o555),
    ("sys", 0o555),
    ("dev", 0o755),
    ("run", 0o755),
    ("tmp", 0o1777),
    ("var/tmp", 0o1777),
    ("home", 0o755),
    ("root", 0o700),
    ("builddir", 0o755),
];
const NEEDED_FILES: &[&str] = &["etc/passwd", "etc/group", "etc/hosts", "etc/hostname", "etc/resolv.conf"];

/// Opens the folders of a root, with `layers` over them.
///
/// # Errors
/// One is not there or can't be shown.
pub(super) fn open_root(
    root: &RootFolders,
    layers: &[PathBuf],
    owners: &mut Owners,
) -> io::Result<OpenedRoot> {
    let namespace = owners.namespace_of_root()?;
    let folders = layers.iter().chain(&root.folders);
    let folders = folders.map(|folder| open_as_seen(folder, namespace, true)).collect::<io::Result<_>>()?;
    let changes = root.changes.as_ref().map(|changes| open_as_seen(changes, namespace, false)).transpose()?;
    Ok(OpenedRoot { folders, changes })
}

fn open_as_seen(path: &Path, owners: Option<BorrowedFd<'_>>, read_only: bool) -> io::Result<Detached> {
    let attributes = MountAttributes { read_only, no_devices: true, owners };
    let mount = match Detached::copy_of(path, attributes) {
        Err(error) if owners.is_some() && can_not_show_owners(&error) => {
            if !read_only {
                let own = ["", "upper", "work"].map(|name| path.join(name));
                own.iter().try_for_each(|folder| give_to_root_inside(folder))?;
            }
            Detached::copy_of(path, MountAttributes { owners: None, ..attributes })
        }
        mount => mount,
    };
    mount.map_err(|error| at(path, &error))
}

/// Makes the root of a sandbox of folders and goes there; nothing of the machine is left but what was attached.
///
/// # Errors
/// The kernel doesn't allow a step of it; it says which.
pub(super) fn enter_composed_root(
    enclosure: &Enclosure,
    root: OpenedRoot,
    attachments: Vec<Attachment>,
) -> io::Result<()> {
    let names = read_names(enclosure.network);
    let may_change = root.changes.is_some();
    let root = mount_root(enclosure, root)?;
    // Shown from the machine's, which is gone when the root has been entered: the kernel makes none where there was none.
    let no_devices = MountAttrFlags::MOUNT_ATTR_NODEV;
    let proc = make_proc()?;
    let sys = Detached::new("sysfs", &[], MountAttrFlags::MOUNT_ATTR_RDONLY | no_devices);
    fchdir(&root)?;
    said("pivot_root", pivot_root(".", ".").map_err(io::Error::from))?;
    said("the machine's root", unmount(".", UnmountFlags::DETACH).map_err(io::Error::from))?;
    chdir("/")?;
    let root = open_folder(CWD, Path::new("/"))?;
    attach_all(enclosure, root.as_fd(), attachments)?;
    drop(said("/proc", proc.attach(root.as_fd(), Path::new("proc")))?);
    for name in HIDDEN_OF_PROC {
        hide(root.as_fd(), &Path::new("proc").join(name))?;
    }
    if let Ok(sys) = sys {
        drop(sys.attach(root.as_fd(), Path::new("sys"))?);
    }
    // What changes its users itself sees them as they are.
    let files = if may_change { Vec::new() } else { replaced_files(enclosure, names.as_deref()) };
    for file in &files {
        replace_file(root.as_fd(), file.name, &file.content)?;
    }
    if may_change && let Some(names) = names {
        replace_file(root.as_fd(), NAMES, &names)?;
    }
    let access = if may_change { MountFlags::empty() } else { MountFlags::RDONLY };
    let flags = MountFlags::BIND | access | MountFlags::NOSUID | MountFlags::NODEV;
    said("the root", mount_remount("/", flags, "").map_err(io::Error::from))?;
    chdir(&enclosure.folder).map_err(|error| at(&enclosure.folder, &error.into()))
}

/// Makes one file system of the folders, attached where nobody looks any more.
fn mount_root(enclosure: &Enclosure, root: OpenedRoot) -> io::Result<OwnedFd> {
    let memory = Detached::new("tmpfs", &[("mode", Some("0755"))], MountAttrFlags::MOUNT_ATTR_NODEV)?;
    // Where it is attached does not matter: the root is put over it, and entered at once.
    let place = Path::new("/proc");
    let memory = said("the root", memory.attach(CWD, place))?;
    let below = place.join("below");
    make_folder(memory.as_fd(), Path::new("below"), 0o755)?;
    for (name, mode) in NEEDED_FOLDERS {
        make_folder(memory.as_fd(), &Path::new("below").join(name), *mode)?;
    }
    for bind in enclosure.binds.iter().filter(|bind| !is_private(&bind.root)) {
        make_folder(memory.as_fd(), &Path::new("below").join(below_root(&bind.root)), 0o755)?;
    }
    make_folder(memory.as_fd(), Path::new("below/etc"), 0o755)?;
    for name in NEEDED_FILES {
        let flags = OFlags::CREATE | OFlags::WRONLY | OFlags::CLOEXEC;
        drop(openat(&memory, Path::new("below").join(name), flags, Mode::from(0o644))?);
    }
    let mut folders = Vec::new();
    let mut opened = Vec::new();
    for (number, folder) in root.folders.into_iter().enumerate() {
        let name = number.to_string();
        opened.push(folder.attach_anew(memory.as_fd(), Path::new(&name))?);
        folders.push(place.join(name));
    }
    let changes = root.changes.map(|changes| changes.attach_anew(memory.as_fd(), Path::new("changes")));
    let changes = changes.transpose()?.map(|_| place.join("changes"));
    let all: Vec<&Path> = folders.iter().map(PathBuf::as_path).chain([below.as_path()]).collect();
    match overlay_folders(&all, changes.as_deref()) {
        Ok(overlay) => said("the root", overlay.attach(CWD, place)),
        Err(error) if changes.is_some() => {
            Err(at(Path::new("an overlay for what changes in the root"), &error))
        }
        Err(_) => lay_by_hand(memory, &opened),
    }
}

/// Attaches the folders over each other, the lowest first, where the machine has no overlayfs.
fn lay_by_hand(memory: OwnedFd, folders: &[OwnedFd]) -> io::Result<OwnedFd> {
    let below = Path::new("below");
    let attributes = MountAttributes { read_only: false, no_devices: true, owners: None };
    drop(Detached::copy_below(memory.as_fd(), below, attributes)?.attach(memory.as_fd(), below)?);
    for folder in folders.iter().rev() {
        lay_over(memory.as_fd(), below, folder.as_fd())?;
    }
    open_folder(memory.as_fd(), below)
}

/// Whether a path lies in one of the folders that a sandbox has of its own.
fn is_private(path: &Path) -> bool {
    let own = PRIVATE_FOLDERS.iter().map(|(_, root)| *root);
    let in_memory = FOLDERS_IN_MEMORY.iter().map(|(name, _)| *name);
    own.chain(in_memory).any(|folder| {
        let folder = Path::new(folder);
        below_root(path).starts_with(below_root(folder)) && path != folder
    })
}

fn attach_all(enclosure: &Enclosure, root: BorrowedFd<'_>, attachments: Vec<Attachment>) -> io::Result<()> {
    let no_devices = MountAttrFlags::MOUNT_ATTR_NODEV;
    let memory = |mode: &str| Detached::new("tmpfs", &[("mode", Some(mode))], no_devices);
    for (name, mode) in [("dev", "755"), ("run", "755")] {
        drop(said(name, memory(mode)?.attach(root, Path::new(name)))?);
    }
    drop(memory("1777")?.attach_anew(root, Path::new("dev/shm"))?);
    make_folder(root, Path::new("run/lock"), 0o755)?;
    if enclosure.private.is_none() {
        for (_, place) in PRIVATE_FOLDERS {
            let place = below_root(Path::new(place));
            let mode = if place.as_os_str() == OsStr::new("home") { "755" } else { "1777" };
            drop(memory(mode)?.attach(root, &place).map_err(|error| at(&place, &error))?);
        }
    }
    for Attachment { mount, path, over: _ } in attachments {
        mount.attach_anew(root, &path).map_err(|error| at(&path, &error))?;
    }
    for path in &enclosure.hidden {
        show_empty(root, &below_root(path))?;
    }
    make_devices(root)
}
