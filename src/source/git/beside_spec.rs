//! Writes the files beside a spec: what a build may take as its sources.

use std::io;
use std::path::Path;

use cap_std::fs::PermissionsExt;

use super::checkout::Checkout;
use super::commit_place::CommitPlace;
use super::error::GitError;
use super::write_tree::Subfolders;
use crate::files::{EntryKind, Folder, Resolved};

/// Where a commit is written whole, beside what is taken of it.
const WHOLE: &str = ".checkout";

/// Writes the files of a folder of a commit into `into`, which is empty; what its links lead to as files.
///
/// # Errors
/// Something of it could do harm, or can't be had.
pub(super) fn write_files_beside(
    checkout: &Checkout<'_>,
    place: &CommitPlace,
    below: &Path,
    into: &Folder,
) -> Result<(), GitError> {
    let has_submodules = checkout.options.submodules && place.entry(Path::new(".gitmodules"))?.is_some();
    if !has_submodules {
        let commit = (&place.address, place.commit);
        return checkout.write(&place.repository, commit, (below, Subfolders::LeftOut), into);
    }
    // A link may lead into a submodule, and that is seen only where both are written.
    let whole = write_whole(checkout, place, into)?;
    take_files(&whole, below, into)?;
    remove_whole(into)
}

/// Writes a whole commit, below `into` and out of the way of what will be there.
///
/// # Errors
/// As [`write_files_beside`].
pub(super) fn write_whole(
    checkout: &Checkout<'_>,
    place: &CommitPlace,
    into: &Folder,
) -> Result<Folder, GitError> {
    let whole = into.create(WHOLE)?;
    let commit = (&place.address, place.commit);
    checkout.write(&place.repository, commit, (Path::new(""), Subfolders::Written), &whole)?;
    Ok(whole)
}

/// Removes what [`write_whole`] has written.
///
/// # Errors
/// It can't be removed.
pub(super) fn remove_whole(into: &Folder) -> Result<(), GitError> {
    Ok(into.remove_folder(WHOLE)?)
}

/// Copies the files of a folder of what was written, and what its links lead to.
///
/// # Errors
/// They can't be read or written.
pub(super) fn take_files(whole: &Folder, below: &Path, into: &Folder) -> Result<(), GitError> {
    let folder = if below.as_os_str().is_empty() { whole.again()? } else { whole.folder(below)? };
    for entry in folder.entries()?.into_iter().filter(|entry| entry.kind != EntryKind::Folder) {
        // Links that lead nowhere, or to a folder, are of no use to a build.
        let Ok(Resolved::Inside(path)) = whole.resolve(below.join(&entry.name)) else { continue };
        if whole.file_size(&path).is_none() || into.exists(&entry.name) {
            continue;
        }
        let mut file = whole.open(&path)?;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        let mut copy = into.new_file(&entry.name, mode)?;
        io::copy(&mut file, &mut copy)?;
        copy.set_permissions(cap_std::fs::Permissions::from_mode(mode))?;
    }
    Ok(())
}
