//! The project that a command works on: its manifest, its state.

use std::path::PathBuf;
use std::sync::Arc;

use super::context::{CliError, Context, Failure};
use crate::files::{Folder, HostPath, Lock, LockKind};
use crate::manifest::{MANIFEST_FILE, Manifest, load};
use crate::store::{History, Store};

/// The folder of a project's state.
pub const STATE_FOLDER: &str = ".forge";

/// A project.
pub struct Project {
    /// The repository: the folder of the manifest.
    pub repository: Arc<Folder>,
}

impl Project {
    /// Finds the project of the folder that the command works in: there, or above.
    pub fn find(context: &Context) -> Result<Self, Failure> {
        let start = context.working_folder()?;
        let mut path: PathBuf = start.as_path().to_owned();
        loop {
            if path.join(MANIFEST_FILE).is_file()
                && let Some(path) = HostPath::new(&path)
            {
                let repository = Folder::open_ambient(&path).map_err(CliError::Io)?;
                return Ok(Self { repository: Arc::new(repository) });
            }
            if !path.pop() {
                return Err(CliError::NoManifest { folder: start.to_string() }.into());
            }
        }
    }

    /// Its manifest.
    pub fn manifest(&self, context: &Context) -> Result<Arc<Manifest>, Failure> {
        let loaded = load(&self.repository, MANIFEST_FILE, &context.environment);
        loaded.map(Arc::new).map_err(Failure::Manifest)
    }

    /// Its state folder, made where it is missing.
    pub fn state(&self) -> Result<Folder, Failure> {
        Ok(self.repository.create(STATE_FOLDER).map_err(CliError::Io)?)
    }

    /// Its history.
    pub fn history(&self) -> Result<History, Failure> {
        let state = self.state()?;
        Ok(History::open(&state.path().join("history.db"))?)
    }

    /// Keeps every other apply out until the lock is dropped.
    pub fn lock(&self) -> Result<Lock, Failure> {
        let state = self.state()?;
        let lock = Lock::take(&state, "lock", LockKind::Exclusive).map_err(CliError::Io)?;
        let mut lock = lock.map_err(|holder| CliError::Locked { holder })?;
        lock.sign(&format!("forge apply, process {}", std::process::id())).map_err(CliError::Io)?;
        Ok(lock)
    }
}

/// The user's store.
pub fn store(context: &Context) -> Result<Store, Failure> {
    Ok(Store::open(&context.store_folder()?)?)
}
