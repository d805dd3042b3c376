//! Taking spec and sources into the store, and out of it into a work folder.

use std::path::Path;

use cap_std::fs::{Permissions, PermissionsExt};
use rayon::prelude::*;

use super::ExecuteError;
use super::open_shells::spare_open_shell;
use super::task::Task;
use crate::files::{Folder, RootPath, Sharing};
use crate::plan::Inputs;
use crate::source::InputFile;
use crate::store::{Store, StoreError};

/// Takes every file that the store does not have, or not any more as it was.
///
/// # Errors
/// [`ExecuteError::Changed`] where a file is no longer what the plan was made from.
pub(super) fn import(store: &Store, inputs: &Inputs) -> Result<(), ExecuteError> {
    let files: Vec<&InputFile> = inputs.files().collect();
    files
        .into_par_iter()
        .filter(|file| !store.has_sound(&file.blob))
        .try_for_each(|file| take_in(store, file))
}

fn take_in(store: &Store, file: &InputFile) -> Result<(), ExecuteError> {
    let (blob, _) = store.take_in(&file.folder()?, &file.path)?;
    if blob == file.blob {
        return Ok(());
    }
    Err(ExecuteError::Changed { file: file.path.display().to_string() })
}

/// Lays out an empty work folder with the spec in `SPECS` and its files in `SOURCES`; all of them have one time, so that
/// a source package does not tell when they were checked out.
pub(super) fn lay_out(store: &Store, task: &Task) -> Result<(), ExecuteError> {
    spare_open_shell(&task.work)?;
    let work = Folder::create_scratch(&task.work)?;
    // What a build makes belongs to whoever runs forge, root maybe: nobody else may run a program that it has set user ID on.
    work.dir().set_permissions(".", Permissions::from_mode(0o700))?;
    // What the build before has left goes away now, and what takes its place is not to be put between that.
    work.spread_folders();
    work.clear()?;
    let top = Folder::create_scratch(&task.top())?;
    let specs = top.create("SPECS")?;
    let sources = top.create("SOURCES")?;
    let spec = &task.build.inputs.spec;
    place(store, spec, &specs, task.build.epoch())?;
    for file in &task.build.inputs.sources {
        place(store, file, &sources, task.build.epoch())?;
    }
    Ok(())
}

/// Where a build sees the spec and its sources that [`lay_out`] has put there.
pub(super) fn laid_out(task: &Task, top: &RootPath) -> (RootPath, RootPath) {
    (top.join("SPECS").join(&task.build.inputs.spec.name), top.join("SOURCES"))
}

/// A file's mode gets into the source package, and builds run what is executable; what else differs from checkout to
/// checkout, such as what the user's umask takes away, does not count.
fn place(store: &Store, file: &InputFile, folder: &Folder, epoch: u64) -> Result<(), ExecuteError> {
    let place = || store.place(&file.blob, folder, Path::new(&file.name), Sharing::Nothing);
    match place() {
        // It was sound when it was imported, and the source is still where it came from.
        Err(StoreError::Damaged(_)) => {
            take_in(store, file)?;
            place()?;
        }
        placed => placed?,
    }
    let mode = if file.is_executable { 0o755 } else { 0o644 };
    folder.dir().set_permissions(&file.name, Permissions::from_mode(mode))?;
    Ok(folder.set_modified(&file.name, epoch)?)
}
