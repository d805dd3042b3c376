//! The file system that a sandbox sees: a root in memory that what may be seen is attached to.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, StatxFlags, fchmod, openat, readlinkat, statx};
use rustix::mount::{MountAttrFlags, MountFlags, UnmountFlags, mount_remount, unmount};
use rustix::process::{chdir, fchdir, pivot_root};

use super::enclosure::{Bind, Enclosure};
use super::kernel::MountAttributes;
use super::lay_over::{lay_over, open_folder};
use super::machine::SHOW_PROC;
use super::mounts::{Detached, make_folder, make_link};
use super::overlay::overlay_of;
use super::owners::{Owners, give_to_user};
use super::root_files::{read_names, replaced_files};
use crate::process::InsideUser;

/// What of the machine's own root is the system: other folders hold what people keep there.
const SYSTEM_FOLDERS: &[&str] =
    &["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "etc", "opt", "nix", "gnu"];

/// What of `/var` is the system: databases of what is installed, and what triggers of packages keep there.
const SYSTEM_STATE: &[&str] = &[
    "var/lib/rpm",
    "var/lib/dpkg",
    "var/lib/alternatives",
    "var/lib/pacman",
    "var/lib/texmf",
    "var/lib/ghc",
    "var/lib/sgml-base",
    "var/lib/xml-core",
    "var/lib/emacsen-common",
    "var/lib/misc",
    "var/cache/fontconfig",
];

/// The devices that programs need (the rest of the machine's are not there).
pub(super) const DEVICES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// What of `/proc` tells of the machine what no build needs.
pub(super) const HIDDEN_OF_PROC: &[&str] =
    &["kcore", "keys", "key-users", "kmsg", "timer_list", "sched_debug"];

/// How large what lies in memory may become where no limit says so: as tmpfs(5) has it, half of the memory.
pub(super) const FOLDERS_IN_MEMORY: &[(&str, u32)] = &[("run", 0o755), ("dev/shm", 0o1777)];

/// What is attached, and where.
pub(super) struct Attachment {
    pub mount: Detached,
    pub path: PathBuf,
    /// Folders to be laid over it by hand, the lowest first.
    pub over: Vec<OwnedFd>,
}

impl Attachment {
    pub fn new(mount: Detached, path: impl Into<PathBuf>) -> Self {
        Self { mount, path: path.into(), over: Vec::new() }
    }
}

/// The folders of a sandbox of its own on disk, by their names there, and where they are seen.
pub(super) const PRIVATE_FOLDERS: &[(&str, &str)] =
    &[("tmp", "/tmp"), ("var-tmp", "/var/tmp"), ("home", "/home")];

/// Opens a folder of the machine that is seen.
///
/// # Errors
/// It is not there or can't be shown.
pub(super) fn open_bind(bind: &Bind, owners: &mut Owners) -> io::Result<Attachment> {
    let user = owners.user;
    let namespace = owners.namespace_for(&bind.host)?;
    let attributes = MountAttributes { read_only: !bind.writable, no_devices: true, owners: namespace };
    let mount = match Detached::copy_of(&bind.host, attributes) {
        Err(error) if namespace.is_some() && can_not_show_owners(&error) => {
            open_without_owners(bind, user, attributes)
        }
        mount => mount,
    };
    let mount = mount.map_err(|error| at(&bind.host, &error))?;
    Ok(Attachment::new(mount, below_root(&bind.root)))
}

/// Whether a file system can't show other owners than it has: those of containers can't, nor those that are reached over a
/// network.
pub(super) fn can_not_show_owners(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported)
}

/// Opens a folder as it is. What a build writes is made the builder's before; what it reads has to be readable for all.
fn open_without_owners(
    bind: &Bind,
    user: InsideUser,
    attributes: MountAttributes<'_>,
) -> io::Result<Detached> {
    if bind.writable {
        give_to_user(user, &bind.host)?;
    }
    Detached::copy_of(&bind.host, MountAttributes { owners: None, ..attributes })
}

/// Opens what of the machine's own root is seen.
///
/// # Errors
/// Something of it can't be shown.
pub(super) fn open_system(enclosure: &Enclosure) -> io::Result<Vec<Attachment>> {
    let attributes = MountAttributes { read_only: true, no_devices: true, owners: None };
    let mut attachments = Vec::new();
    for name in SYSTEM_FOLDERS {
        let path = Path::new("/").join(name);
        if kind_of(&path) != Some(FileType::Directory) {
            continue;
        }
        let layers: Vec<PathBuf> = enclosure.layers.iter().map(|layer| layer.join(name)).collect();
        let layers: Vec<PathBuf> =
            layers.into_iter().filter(|layer| kind_of(layer) == Some(FileType::Directory)).collect();
        let attachment = laid_over(&layers, &path, attributes).map_err(|error| at(&path, &error))?;
        attachments.push(Attachment { path: PathBuf::from(name), ..attachment });
    }
    for name in SYSTEM_STATE {
        let path = Path::new("/").join(name);
        if kind_of(&path) == Some(FileType::Directory) {
            let mount = Detached::copy_of(&path, attributes).map_err(|error| at(&path, &error))?;
            attachments.push(Attachment::new(mount, name));
        }
    }
    attachments.extend(open_devices()?);
    Ok(attachments)
}

/// Opens the devices that programs need.
///
/// # Errors
/// One is not there.
pub(super) fn open_devices() -> io::Result<Vec<Attachment>> {
    let open = |name: &&str| {
        let path = Path::new("/dev").join(name);
        let attributes = MountAttributes { read_only: false, no_devices: false, owners: None };
        let mount = Detached::copy_of(&path, attributes).map_err(|error| at(&path, &error))?;
        Ok(Attachment::new(mount, Path::new("dev").join(name)))
    };
    DEVICES.iter().map(open).collect()
}

/// A folder of the root with layers over it, the uppermost first: by an overlay or, where the machine has none for it, by
/// hand.
fn laid_over(layers: &[PathBuf], path: &Path, attributes: MountAttributes<'_>) -> io::Result<Attachment> {
    if !layers.is_empty()
        && let Ok(overlay) = overlay_of(layers, path)
    {
        return Ok(Attachment::new(overlay, path));
    }
    let over = layers.iter().rev().map(|layer| open_folder(CWD, layer)).collect::<io::Result<_>>()?;
    Ok(Attachment { over, ..Attachment::new(Detached::copy_of(path, attributes)?, path) })
}

/// Makes the root of a sandbox and goes there; nothing of the machine is left but what was attached.
///
/// # Errors
/// The kernel doesn't allow a step of it; it says which.
pub(super) fn enter_root(
    enclosure: &Enclosure,
    system: Vec<Attachment>,
    binds: Vec<Attachment>,
) -> io::Result<()> {
    let no_devices = MountAttrFlags::MOUNT_ATTR_NODEV;
    let memory = |mode: &str, flags| Detached::new("tmpfs", &[("mode", Some(mode))], flags);
    let mut links = Vec::new();
    for name in SYSTEM_FOLDERS {
        if let Ok(target) = readlinkat(CWD, Path::new("/").join(name), Vec::new()) {
            links.push((*name, target.into_string().unwrap_or_default()));
        }
    }
    let files = replaced_files(enclosure, read_names(enclosure.network).as_deref());
    let root = said("tmpfs", memory("0755", no_devices))?;
    // Where it is attached does not matter: it is the root at once.
    let root = said("the root", root.attach(CWD, Path::new("/proc")))?;
    let root = root.as_fd();
    for (name, mode) in [("proc", 0o555), ("sys", 0o555), ("dev", 0o755), ("var", 0o755), ("root", 0o755)] {
        make_folder(root, Path::new(name), mode)?;
    }
    for (name, mode) in FOLDERS_IN_MEMORY {
        let made = said(name, memory(&format!("{mode:o}"), no_devices))?;
        drop(made.attach_anew(root, Path::new(name))?);
    }
    for name in ["var/lib", "var/cache", "var/log", "var/spool", "run/lock", "mnt", "srv", "media"] {
        make_folder(root, Path::new(name), 0o755)?;
    }
    make_link(root, "../run", "var/run")?;
    make_link(root, "../run/lock", "var/lock")?;
    for (name, target) in &links {
        make_link(root, target, name)?;
    }
    if enclosure.private.is_none() {
        for (name, mode) in [("tmp", "1777"), ("var/tmp", "1777"), ("home", "0755")] {
            drop(memory(mode, no_devices)?.attach_anew(root, Path::new(name))?);
        }
    }
    for Attachment { mount, path, over } in system.into_iter().chain(binds) {
        mount.attach_anew(root, &path).map_err(|error| at(&path, &error))?;
        let laid = over.iter().try_for_each(|layer| lay_over(root, &path, layer.as_fd()));
        laid.map_err(|error| at(&path, &error))?;
    }
    for path in &enclosure.hidden {
        show_empty(root, &below_root(path))?;
    }
    for file in &files {
        replace_file(root, file.name, &file.content)?;
    }
    make_devices(root)?;
    let proc = make_proc()?;
    drop(said("/proc", proc.attach(root, Path::new("proc")))?);
    for name in HIDDEN_OF_PROC {
        hide(root, &Path::new("proc").join(name))?;
    }
    // It tells of devices only, and is there only where the network is not the machine's.
    let sys = Detached::new("sysfs", &[], MountAttrFlags::MOUNT_ATTR_RDONLY | no_devices);
    if let Ok(sys) = sys {
        drop(sys.attach(root, Path::new("sys"))?);
    }
    fchdir(root)?;
    said("pivot_root", pivot_root(".", ".").map_err(io::Error::from))?;
    said("the machine's root", unmount(".", UnmountFlags::DETACH).map_err(io::Error::from))?;
    let flags = MountFlags::BIND | MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV;
    said("the root", mount_remount("/", flags, "").map_err(io::Error::from))?;
    chdir(&enclosure.folder).map_err(|error| at(&enclosure.folder, &error.into()))
}

/// A `/proc` of the sandbox's own. The kernel makes none where parts of the one that is there are hidden.
pub(super) fn make_proc() -> io::Result<Detached> {
    let attributes = MountAttrFlags::MOUNT_ATTR_NOEXEC | MountAttrFlags::MOUNT_ATTR_NODEV;
    Detached::new("proc", &[], attributes).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => {
            let reason = crate::files::reason(&error);
            io::Error::new(error.kind(), format!("it can't have a /proc of its own ({reason}): {SHOW_PROC}"))
        }
        _ => at(Path::new("/proc"), &error),
    })
}

/// `/dev`, beside the devices that are the machine's.
pub(super) fn make_devices(root: BorrowedFd<'_>) -> io::Result<()> {
    let options =
        [("newinstance", None), ("ptmxmode", Some("0666")), ("mode", Some("620")), ("max", Some("256"))];
    let terminals = said("devpts", Detached::new("devpts", &options, MountAttrFlags::MOUNT_ATTR_NOEXEC))?;
    drop(terminals.attach_anew(root, Path::new("dev/pts"))?);
    for (target, name) in [
        ("pts/ptmx", "dev/ptmx"),
        ("/proc/self/fd", "dev/fd"),
        ("/proc/self/fd/0", "dev/stdin"),
        ("/proc/self/fd/1", "dev/stdout"),
        ("/proc/self/fd/2", "dev/stderr"),
    ] {
        make_link(root, target, name)?;
    }
    Ok(())
}

/// Puts a file in the place of one below `/etc`, if that is there; a link of it to `/run` leads there.
pub(super) fn replace_file(root: BorrowedFd<'_>, name: &str, content: &str) -> io::Result<()> {
    let there = Path::new("etc").join(name);
    let status = statx(root, &there, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE);
    let Ok(status) = status else { return Ok(()) };
    match FileType::from_raw_mode(status.stx_mode.into()) {
        FileType::RegularFile => {
            let stand_in = Path::new("run/rpmforge").join(name);
            write_new(root, &stand_in, content)?;
            let flags = OFlags::PATH | OFlags::CLOEXEC;
            drop(openat(root, &stand_in, flags, Mode::empty())?);
            attach_file(root, &stand_in, &there)
        }
        FileType::Symlink => {
            let target = readlinkat(root, &there, Vec::new())?.into_string().unwrap_or_default();
            let below = target.trim_start_matches("../").trim_start_matches('/');
            match below.starts_with("run/") && !below.contains("..") {
                true => write_new(root, Path::new(below), content),
                false => Ok(()),
            }
        }
        _ => Ok(()),
    }
}

fn attach_file(root: BorrowedFd<'_>, file: &Path, place: &Path) -> io::Result<()> {
    let attributes = MountAttributes { read_only: true, no_devices: true, owners: None };
    let mount = Detached::copy_below(root, file, attributes)?;
    drop(mount.attach(root, place)?);
    Ok(())
}

/// Puts an empty folder in the place of one, or an empty file in that of a file.
pub(super) fn show_empty(root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    let Ok(status) = statx(root, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE) else { return Ok(()) };
    match FileType::from_raw_mode(status.stx_mode.into()) {
        FileType::Directory => {
            let attributes = MountAttrFlags::MOUNT_ATTR_NODEV | MountAttrFlags::MOUNT_ATTR_RDONLY;
            let empty = Detached::new("tmpfs", &[("mode", Some("0755"))], attributes)?;
            drop(empty.attach(root, path)?);
            Ok(())
        }
        FileType::RegularFile => hide(root, path),
        _ => Ok(()),
    }
}

pub(super) fn hide(root: BorrowedFd<'_>, path: &Path) -> io::Result<()> {
    if statx(root, path, AtFlags::empty(), StatxFlags::TYPE).is_err() {
        return Ok(());
    }
    let attributes = MountAttributes { read_only: true, no_devices: false, owners: None };
    drop(Detached::copy_below(root, Path::new("dev/null"), attributes)?.attach(root, path)?);
    Ok(())
}

pub(super) fn write_new(root: BorrowedFd<'_>, path: &Path, content: &str) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        make_folder(root, parent, 0o755)?;
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::TRUNC | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file: OwnedFd = openat(root, path, flags, Mode::from(0o644))?;
    let mut written = 0;
    while let Some(rest) = content.as_bytes().get(written..).filter(|rest| !rest.is_empty()) {
        written += rustix::io::write(&file, rest)?;
    }
    Ok(fchmod(&file, Mode::from(0o644))?)
}

pub(super) fn below_root(path: &Path) -> PathBuf {
    path.strip_prefix("/").unwrap_or(path).to_owned()
}

fn kind_of(path: &Path) -> Option<FileType> {
    let status = statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE).ok()?;
    Some(FileType::from_raw_mode(status.stx_mode.into()))
}

/// An error of the kernel's with what it is about.
pub(super) fn said<T>(what: &str, result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| at(Path::new(what), &error))
}

pub(super) fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {}", path.display(), crate::files::reason(error)))
}
