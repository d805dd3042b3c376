//! Taking spec and sources into the store, and out of it into a work folder.

use std::path::Path;

use super::ExecuteError;
use super::task::Task;
use crate::files::{Folder, HostPath, Sharing};
use crate::plan::Inputs;
use crate::store::Store;

/// Takes every file that the store does not have.
///
/// # Errors
/// [`ExecuteError::Changed`] where a file is no longer what the plan was made from.
pub(super) fn import(store: &Store, inputs: &Inputs) -> Result<(), ExecuteError> {
    for file in inputs.files().filter(|file| !store.has(&file.blob)) {
        let (blob, _) = store.take_in(&file.folder()?, &file.path)?;
        if blob != file.blob {
            return Err(ExecuteError::Changed { file: file.path.display().to_string() });
        }
    }
    Ok(())
}

/// Lays out an empty work folder with the spec in `SPECS` and its files in `SOURCES`; all of them have one time, so that
/// a source package does not tell when they were checked out.
pub(super) fn lay_out(store: &Store, task: &Task) -> Result<(HostPath, HostPath), ExecuteError> {
    let work = Folder::create_ambient(&task.work)?;
    work.clear()?;
    let specs = work.create("SPECS")?;
    let sources = work.create("SOURCES")?;
    let spec = &task.inputs.spec;
    place(store, spec.blob, &specs, &spec.name, task.epoch())?;
    for file in &task.inputs.sources {
        place(store, file.blob, &sources, &file.name, task.epoch())?;
    }
    Ok((specs.path().join(&spec.name), sources.path().clone()))
}

fn place(
    store: &Store,
    blob: crate::store::Blob,
    folder: &Folder,
    name: &str,
    epoch: u64,
) -> Result<(), ExecuteError> {
    store.place(&blob, folder, Path::new(name), Sharing::Nothing)?;
    Ok(folder.set_modified(name, epoch)?)
}
