//! Trees that somebody has a shell open in, and what shells have left that were killed.
//!
//! A shell holds a lock on a file in its tree's work folder. Who needs the folder finds it, and moves the folder aside instead of
//! emptying it: the shell sees its tree by mounts and notices nothing. What was moved aside, and what shells make for
//! themselves, is removed by the shell that ends last there, or by a collection of garbage.

use std::io;
use std::path::Path;

use super::ExecuteError;
use super::results::work_folder;
use crate::event::BuildName;
use crate::files::{EntryKind, Folder, HostPath, Lock, LockKind};

/// The file that a shell holds a lock on, in its folder.
const HELD: &str = "shell.lock";

/// What the names of folders in a project's state begin with that belong to shells.
const OF_SHELLS: &str = "shell-";

/// A folder that a shell holds.
#[derive(Debug)]
pub struct HeldFolder {
    state: Folder,
    lock: Lock,
}

impl HeldFolder {
    /// Holds the tree of a build.
    ///
    /// # Errors
    /// The lock can't be taken: an apply is about to clear the tree.
    pub fn hold_tree(state: &Folder, build: &BuildName) -> Result<Self, ExecuteError> {
        Self::hold(state, &state.folder(work_folder(build))?)
    }

    /// Makes a folder for a shell, and holds it.
    ///
    /// # Errors
    /// It can't be made.
    pub fn make(state: &Folder) -> Result<(Self, Folder), ExecuteError> {
        let folder = state.create(state.unique(OF_SHELLS)?)?;
        Ok((Self::hold(state, &folder)?, folder))
    }

    fn hold(state: &Folder, folder: &Folder) -> Result<Self, ExecuteError> {
        let lock = Lock::take(folder, HELD, LockKind::Shared)?;
        let lock = lock.map_err(|_| io::Error::from(io::ErrorKind::ResourceBusy))?;
        Ok(Self { state: Folder::open_ambient(state.path())?, lock })
    }

    /// Lets go of it, and removes what no shell holds any more.
    ///
    /// # Errors
    /// Something can't be removed.
    pub fn release(self) -> Result<(), ExecuteError> {
        drop(self.lock);
        remove_ended_shells(&self.state).map(drop)
    }
}

/// Removes folders of shells that have ended; gives how many.
///
/// # Errors
/// Something can't be removed.
pub fn remove_ended_shells(state: &Folder) -> Result<usize, ExecuteError> {
    let mut removed = 0;
    for entry in state.entries()? {
        let is_of_shell = entry.name.starts_with(OF_SHELLS);
        if is_of_shell && entry.kind == EntryKind::Folder && !is_held(&state.folder(&entry.name)?)? {
            state.remove_folder(&entry.name)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// Moves a work folder aside that a shell is open in.
///
/// # Errors
/// It can't be looked at or moved.
pub(super) fn spare_open_shell(work: &HostPath) -> Result<(), ExecuteError> {
    let Ok(folder) = Folder::open_ambient(work) else { return Ok(()) };
    if !is_held(&folder)? {
        return Ok(());
    }
    // `.forge/work/CHROOT/PACKAGE`
    let state = work.as_path().ancestors().nth(3).and_then(HostPath::new);
    let state = Folder::open_ambient(&state.unwrap_or_else(HostPath::root))?;
    let below = work.as_path().strip_prefix(state.path().as_path()).unwrap_or(work.as_path());
    Ok(state.dir().rename(below, state.dir(), state.unique(OF_SHELLS)?)?)
}

/// Whether a shell is open in a folder.
fn is_held(folder: &Folder) -> io::Result<bool> {
    if !folder.exists(Path::new(HELD)) {
        return Ok(false);
    }
    Ok(Lock::take(folder, HELD, LockKind::Exclusive)?.is_err())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build() -> BuildName {
        BuildName { package: "a".to_owned(), chroot: "host".to_owned() }
    }

    fn state(temp: &tempfile::TempDir) -> Folder {
        let state = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        state.create("work/host/a/builddir").unwrap();
        state
    }

    fn of_shells(state: &Folder) -> usize {
        let entries = state.entries().unwrap();
        entries.iter().filter(|entry| entry.name.starts_with(OF_SHELLS)).count()
    }

    #[test]
    fn a_tree_that_a_shell_is_open_in_is_moved_aside_until_the_shell_ends() {
        let temp = tempfile::tempdir().unwrap();
        let state = state(&temp);
        let work = state.path().join(work_folder(&build()));
        let held = HeldFolder::hold_tree(&state, &build()).unwrap();
        spare_open_shell(&work).unwrap();
        assert!(!state.exists("work/host/a") && of_shells(&state) == 1);
        assert_eq!(remove_ended_shells(&state).unwrap(), 0, "the shell is open");
        held.release().unwrap();
        assert_eq!(of_shells(&state), 0);
    }

    #[test]
    fn a_tree_that_no_shell_is_open_in_stays_where_it_is() {
        let temp = tempfile::tempdir().unwrap();
        let state = state(&temp);
        let work = state.path().join(work_folder(&build()));
        spare_open_shell(&work).unwrap();
        HeldFolder::hold_tree(&state, &build()).unwrap().release().unwrap();
        spare_open_shell(&work).unwrap();
        assert!(state.exists("work/host/a/builddir"));
    }

    #[test]
    fn what_a_killed_shell_has_left_goes_and_what_an_open_one_has_stays() {
        let temp = tempfile::tempdir().unwrap();
        let state = state(&temp);
        state.create("shell-left/over/usr").unwrap();
        let (held, folder) = HeldFolder::make(&state).unwrap();
        assert_eq!(remove_ended_shells(&state).unwrap(), 1);
        assert!(folder.exists(HELD) && !state.exists("shell-left"));
        held.release().unwrap();
    }
}
