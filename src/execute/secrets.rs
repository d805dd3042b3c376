//! Keeps secrets out of what stays of a build: its packages, and the work folder of one that failed.

use std::io::{self, BufReader};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::ExecuteError;
use super::task::Task;
use crate::engine::{Mask, WrittenPackage};
use crate::files::Folder;
use crate::package::{SearchScope, search_package};

/// Refuses packages that would give a secret away: source packages by all that is in them, others by their headers, which
/// repositories show. (What a script writes into a file that it installs is what its author wants there.)
pub(super) fn check_for_secrets(task: &Task, packages: &[WrittenPackage]) -> Result<(), ExecuteError> {
    let mask = task.build.settings().mask();
    if mask.is_empty() {
        return Ok(());
    }
    let refused = packages.iter().find_map(|package| check_package(task, &mask, package).err());
    refused.map_or(Ok(()), |error| {
        Folder::create_ambient(&task.work)?.clear()?;
        Err(error)
    })
}

fn check_package(task: &Task, mask: &Mask, package: &WrittenPackage) -> Result<(), ExecuteError> {
    let work = Folder::open_ambient(&task.work)?;
    let path = package.path.as_path();
    let path = path.strip_prefix(task.work.as_path()).unwrap_or(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let scope = if name.ends_with(".src.rpm") { SearchScope::Whole } else { SearchScope::Header };
    let reader = BufReader::new(work.open(path)?.into_std());
    let Some((place, owner)) = search_package(&name, reader, scope, &|content| mask.find(content))? else {
        return Ok(());
    };
    let of = task.build.settings().secrets().nth(owner).map(|(of, _)| of).unwrap_or_default();
    Err(ExecuteError::HoldsSecret { package: name, of, place })
}

/// Removes what holds a secret of a build that did not end well, in its content, its name or where it links to: its scripts,
/// mostly. Its tree stays for people to look at.
pub(super) fn remove_secrets(task: &Task) -> Result<(), ExecuteError> {
    let mask = task.build.settings().mask();
    if mask.is_empty() {
        return Ok(());
    }
    let work = Folder::create_ambient(&task.work)?;
    // A tree that can't be looked through may hold anything.
    remove_below(&work, &mask, DEEPEST).or_else(|_| work.clear()).map_err(ExecuteError::from)
}

/// How deep a tree is looked through.
const DEEPEST: usize = 128;

fn remove_below(folder: &Folder, mask: &Mask, depth: usize) -> io::Result<()> {
    // Names that are no UTF-8 too, which `Folder::entries` leaves out.
    for entry in folder.dir().entries()? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let name = Path::new(&name);
        let is_named_so = mask.is_in(name.as_os_str().as_bytes());
        if is_named_so || (kind.is_symlink() && links_to_secret(folder, name, mask)) {
            folder.remove(name)?;
        } else if kind.is_dir() {
            let depth = depth.checked_sub(1).ok_or(io::ErrorKind::InvalidInput)?;
            remove_below(&folder.folder(name)?, mask, depth)?;
        } else if kind.is_file() && holds_secret(folder, name, mask) {
            folder.remove_file(name)?;
        }
    }
    Ok(())
}

/// Whether a link's text holds a secret; one that can't be read may.
fn links_to_secret(folder: &Folder, name: &Path, mask: &Mask) -> bool {
    let target = folder.dir().read_link_contents(name);
    target.map_or(true, |target| mask.is_in(target.as_os_str().as_bytes()))
}

/// Whether a file holds a secret; one that can't be read may.
fn holds_secret(folder: &Folder, name: &Path, mask: &Mask) -> bool {
    let found = folder.open(name).and_then(|file| mask.find(file));
    !matches!(found, Ok(None))
}
