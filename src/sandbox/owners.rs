//! Who is who: the numbers of users within a sandbox, and what they are outside (user_namespaces(7)).

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::lay_over::open_folder;
use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, StatxFlags, Uid, chownat, fchmod, fchown, open, openat,
    statx,
};
use rustix::process::{Pid, Signal, WaitOptions, getegid, geteuid, kill_process, waitpid};
use rustix::thread::{CapabilitySet, capabilities};

use super::enclosure::builder;
use super::kernel::{Cloned, NewNamespaces, clone_into};
use super::machine::describe_refusal;
use super::number_ranges::{Given, write_ranges};
use crate::process::InsideUser;

/// The first of the numbers that sandboxes of root have outside: no user of the machine has them, nor do containers of
/// systemd (its ranges end at 1879048191).
const FIRST_OUTSIDE: u32 = 1_900_000_000;

/// How many numbers a sandbox of root has.
const COUNT: u32 = 65_536;

/// Whether forge runs as root that can give a sandbox numbers of its own: not so in a container that has only some.
pub(super) fn gives_numbers() -> bool {
    // In a container, root may be without what giving numbers and showing other owners takes.
    let needed = CapabilitySet::SYS_ADMIN | CapabilitySet::SETUID | CapabilitySet::SETGID;
    let has_rights = capabilities(None).is_ok_and(|sets| sets.effective.contains(needed));
    has_rights && geteuid().is_root() && read_own_map().is_some_and(|map| covers(&map, FIRST_OUTSIDE, COUNT))
}

fn read_own_map() -> Option<String> {
    let file = openat(CWD, "/proc/self/uid_map", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let mut buffer = [0; 4096];
    let length = rustix::io::read(&file, &mut buffer).ok()?;
    Some(String::from_utf8_lossy(buffer.get(..length)?).into_owned())
}

/// Whether a map of numbers (user_namespaces(7)) has one line for all of some.
fn covers(map: &str, first: u32, count: u32) -> bool {
    map.lines().any(|line| {
        let mut fields = line.split_whitespace().filter_map(|field| field.parse::<u64>().ok());
        let (inside, length) = (fields.next(), fields.nth(1));
        inside.zip(length).is_some_and(|(inside, length)| {
            let end = u64::from(first) + u64::from(count);
            inside <= u64::from(first) && end <= inside.saturating_add(length)
        })
    })
}

/// Who `user` is within a sandbox, as a number.
pub(super) fn inside(user: InsideUser) -> u32 {
    match user {
        InsideUser::Builder | InsideUser::AnotherBuilder => builder(user).1,
        InsideUser::Root => 0,
    }
}

/// Writes the maps of a new user namespace.
///
/// # Errors
/// The machine doesn't allow it.
pub(super) fn write_maps(process: Pid, user: InsideUser) -> io::Result<()> {
    let folder = open_process(process)?;
    let inside = inside(user);
    if gives_numbers() {
        let map = format!("0 {FIRST_OUTSIDE} {COUNT}\n");
        write_at(&folder, "gid_map", &map)?;
        return write_at(&folder, "uid_map", &map);
    }
    let given = if user == InsideUser::Root { write_ranges(process) } else { Given::default() };
    if !given.groups {
        write_at(&folder, "setgroups", "deny\n")?;
        write_at(&folder, "gid_map", &format!("{inside} {} 1\n", getegid().as_raw()))?;
    }
    if !given.users {
        write_at(&folder, "uid_map", &format!("{inside} {} 1\n", geteuid().as_raw()))?;
    }
    Ok(())
}

/// Makes a folder and what is in it the builder's, as a sandbox of root sees it. What an ordinary user has made is the builder's there
/// already: whoever runs forge, a build sees the same owner.
///
/// # Errors
/// Something can't be changed.
pub fn give_to_builder(folder: &Path) -> io::Result<()> {
    give_to_user(InsideUser::Builder, folder)
}

/// The same for whoever is the user.
///
/// # Errors
/// Something can't be changed.
pub(super) fn give_to_user(user: InsideUser, folder: &Path) -> io::Result<()> {
    if !gives_numbers() {
        return Ok(());
    }
    let number = FIRST_OUTSIDE + inside(user);
    let (user, group) = (Uid::from_raw(number), Gid::from_raw(number));
    // No link is followed from here on: somebody may be at work in a tree, in another shell.
    let top = open_folder(CWD, folder)?;
    fchown(&top, Some(user), Some(group))?;
    let mut open = vec![top];
    while let Some(folder) = open.pop() {
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let status =
                statx(&folder, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE | StatxFlags::MODE)?;
            chownat(&folder, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
            match FileType::from_raw_mode(status.stx_mode.into()) {
                FileType::Directory => {
                    open.push(open_folder(folder.as_fd(), Path::new(OsStr::from_bytes(name.to_bytes())))?)
                }
                // Another owner takes these bits away.
                FileType::RegularFile if status.stx_mode & 0o6000 != 0 => {
                    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                    let file = openat(&folder, name, flags, Mode::empty())?;
                    fchmod(&file, Mode::from_raw_mode(status.stx_mode.into()))?;
                }
                _ => {}
            }
        }
    }
    Ok(())
}

/// User namespaces in which a folder's owner is who a sandbox's user is: with one, a mount of the folder belongs to that user,
/// and what it writes there belongs to the folder's owner. Only root can make such mounts, and only root needs them.
pub(super) struct Owners {
    /// Who they are shown to be.
    pub user: InsideUser,
    gives_numbers: bool,
    /// The one in which all numbers are those of the sandbox.
    of_root: Option<OwnedFd>,
    /// One for each owner that was met.
    known: Vec<((u32, u32), OwnedFd)>,
}

impl Owners {
    pub fn new(user: InsideUser) -> Self {
        Self { user, gives_numbers: gives_numbers(), of_root: None, known: Vec::new() }
    }

    /// The one for the folders of a root: who owns something there by number, owns it in the sandbox. Nothing where the machine's
    /// numbers are the sandbox's, as far as that has any.
    ///
    /// # Errors
    /// The machine doesn't allow it.
    pub fn namespace_of_root(&mut self) -> io::Result<Option<BorrowedFd<'_>>> {
        if self.gives_numbers && self.of_root.is_none() {
            let map = format!("0 {FIRST_OUTSIDE} {COUNT}\n");
            self.of_root = Some(namespace_with(&[map.clone(), map])?);
        }
        Ok(self.of_root.as_ref().map(AsFd::as_fd))
    }

    /// The one for a folder; nothing where the user is its owner already.
    ///
    /// # Errors
    /// The machine doesn't allow it.
    pub fn namespace_for(&mut self, folder: &Path) -> io::Result<Option<BorrowedFd<'_>>> {
        if !self.gives_numbers {
            return Ok(None);
        }
        let status = statx(CWD, folder, AtFlags::empty(), StatxFlags::UID | StatxFlags::GID);
        let status = status.map_err(|error| {
            let error = io::Error::from(error);
            io::Error::new(error.kind(), format!("{}: {}", folder.display(), crate::files::reason(&error)))
        })?;
        let owner = (status.stx_uid, status.stx_gid);
        if !self.known.iter().any(|(known, _)| *known == owner) {
            let outside = FIRST_OUTSIDE + inside(self.user);
            let maps = [owner.0, owner.1].map(|owner| format!("{owner} {outside} 1\n"));
            self.known.push((owner, namespace_with(&maps)?));
        }
        let found = self.known.iter().find(|(known, _)| *known == owner);
        Ok(found.map(|(_, namespace)| namespace.as_fd()))
    }
}

/// A user namespace with these maps of users and groups.
fn namespace_with([users, groups]: &[String; 2]) -> io::Result<OwnedFd> {
    let (end, kept) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
    match clone_into(NewNamespaces::OnlyUser, None).map_err(|error| describe_refusal(&error))? {
        Cloned::Child => {
            drop(kept);
            // It lives until its namespace has been opened.
            let _ = rustix::io::read(&end, &mut [0; 1]);
            std::process::exit(0);
        }
        Cloned::Parent(child) => {
            let opened = open_process(child).and_then(|folder| {
                write_at(&folder, "uid_map", users)?;
                write_at(&folder, "gid_map", groups)?;
                Ok(openat(&folder, "ns/user", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
            });
            let _ = kill_process(child, Signal::KILL);
            drop((end, kept));
            let _ = waitpid(Some(child), WaitOptions::empty());
            opened
        }
    }
}

/// Makes a folder that a sandbox of root's can't be shown as its own belong to its root.
///
/// # Errors
/// It can't be changed.
pub(super) fn give_to_root_inside(folder: &Path) -> io::Result<()> {
    let (user, group) = (Uid::from_raw(FIRST_OUTSIDE), Gid::from_raw(FIRST_OUTSIDE));
    Ok(chownat(CWD, folder, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?)
}

fn open_process(process: Pid) -> io::Result<OwnedFd> {
    let path = format!("/proc/{}", process.as_raw_nonzero());
    Ok(open(path, OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC, Mode::empty())?)
}

fn write_at(folder: impl AsFd, name: &str, text: &str) -> io::Result<()> {
    let folder: BorrowedFd<'_> = folder.as_fd();
    let file = openat(folder, name, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::io::write(&file, text.as_bytes())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_root_of_the_whole_machine_gives_a_sandbox_numbers_of_its_own() {
        assert!(covers("         0          0 4294967295\n", FIRST_OUTSIDE, COUNT));
        assert!(!covers("0 1000 1\n1 100000 65536\n", FIRST_OUTSIDE, COUNT));
        assert!(!covers("", FIRST_OUTSIDE, COUNT));
    }
}
