//! What root of a sandbox has given to others, given back to the user that forge runs as: nobody else could remove it.
//!
//! An ordinary user is root in a sandbox with numbers of other users that newuidmap(1) lends. Files of those users stay on
//! the disk when it has ended. They are given back in a namespace of the same numbers.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, StatxFlags, Uid, chownat, fchmod, openat, statx,
};
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Signal, WaitOptions, set_parent_process_death_signal, waitpid};

use super::kernel::{Cloned, NewNamespaces, clone_into};
use super::lay_over::open_folder;
use super::machine::describe_refusal;
use super::messages::tell;
use super::owners::write_maps;
use crate::files::reason;
use crate::process::InsideUser;

/// The first argument that makes forge give a folder back; no command that a user gives.
pub const SETTLE: &str = "__settle";

/// Gives a folder, and all that is in it, to the user that forge runs as.
pub fn settle(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let Some(folder) = arguments.into_iter().next() else { return ExitCode::from(2) };
    match settle_inside(Path::new(&folder)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&reason(&error));
            ExitCode::FAILURE
        }
    }
}

fn settle_inside(folder: &Path) -> io::Result<()> {
    let (go_on, say_go_on) = pipe_with(PipeFlags::CLOEXEC)?;
    let (hear, say) = pipe_with(PipeFlags::CLOEXEC)?;
    match clone_into(NewNamespaces::OnlyUser, None).map_err(|error| describe_refusal(&error))? {
        Cloned::Child => {
            drop((say_go_on, hear));
            let _ = set_parent_process_death_signal(Some(Signal::KILL));
            if rustix::io::read(&go_on, &mut [0; 1]) == Ok(1)
                && let Err(error) = give_to_root(folder)
            {
                let _ = rustix::io::write(&say, reason(&error).as_bytes());
            }
            std::process::exit(0);
        }
        Cloned::Parent(child) => {
            drop((go_on, say));
            let mapped = write_maps(child, InsideUser::Root);
            if mapped.is_ok() {
                rustix::io::write(&say_go_on, b"g")?;
            }
            drop(say_go_on);
            let mut said = String::new();
            File::from(hear).take(1 << 12).read_to_string(&mut said)?;
            waitpid(Some(child), WaitOptions::empty())?;
            mapped?;
            if said.is_empty() { Ok(()) } else { Err(io::Error::other(said)) }
        }
    }
}

/// Gives everything that belongs to somebody else to root, which is the user outside; folders can be looked into and written
/// by it afterwards. No link is followed.
fn give_to_root(folder: &Path) -> io::Result<()> {
    let mut open: Vec<OwnedFd> = vec![open_folder(CWD, folder)?];
    while let Some(folder) = open.pop() {
        for entry in Dir::read_from(&folder)? {
            let entry = entry?;
            let name = entry.file_name();
            if name == c"." || name == c".." {
                continue;
            }
            let asked = StatxFlags::TYPE | StatxFlags::MODE | StatxFlags::UID | StatxFlags::GID;
            let status = statx(&folder, name, AtFlags::SYMLINK_NOFOLLOW, asked)?;
            let kind = FileType::from_raw_mode(status.stx_mode.into());
            if status.stx_uid != 0 || status.stx_gid != 0 {
                let (user, group) = (Uid::ROOT, Gid::ROOT);
                chownat(&folder, name, Some(user), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
                if kind == FileType::RegularFile {
                    // Another owner takes set-user-ID and the like away.
                    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
                    let file = openat(&folder, name, flags, Mode::empty())?;
                    fchmod(&file, Mode::from_raw_mode(status.stx_mode.into()))?;
                }
            }
            if kind == FileType::Directory {
                let inner = open_folder(folder.as_fd(), Path::new(OsStr::from_bytes(name.to_bytes())))?;
                fchmod(&inner, Mode::from_raw_mode(u32::from(status.stx_mode) | 0o700))?;
                open.push(inner);
            }
        }
    }
    Ok(())
}
