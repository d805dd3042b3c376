//! A root, as engines are told of it.

use super::{EngineError, Isolation, Settings};
use crate::digest::Digest;
use crate::files::HostPath;
use crate::process::LayeredRoot;

/// A root to read specs and to build in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Root {
    /// The folders that it is made of, the uppermost first; none where it is the machine's own.
    folders: Vec<HostPath>,
    /// What identifies the packages that it was made of, where that is all that it depends on.
    packages: Option<Digest>,
}

impl Root {
    /// The root that forge itself runs in.
    pub fn of_this_machine() -> Self {
        Self { folders: Vec::new(), packages: None }
    }

    /// The root that folders are together, the uppermost first.
    pub fn of_folders(folders: Vec<HostPath>) -> Self {
        Self { folders, packages: None }
    }

    /// The root that was made of packages, which `packages` identifies.
    pub fn of_packages(folders: Vec<HostPath>, packages: Digest) -> Self {
        Self { folders, packages: Some(packages) }
    }

    /// The root in a folder of the machine.
    pub fn at(path: &HostPath) -> Self {
        if *path == HostPath::root() { Self::of_this_machine() } else { Self::of_folders(vec![path.clone()]) }
    }

    /// Whether it is the machine's own.
    pub fn is_own(&self) -> bool {
        self.folders.is_empty()
    }

    /// What identifies the packages that it was made of, where it depends on nothing else.
    pub(super) fn packages(&self) -> Option<&Digest> {
        self.packages.as_ref()
    }

    /// As a sandbox is told of it; nothing where it is the machine's own.
    pub fn layered(&self) -> Option<LayeredRoot> {
        (!self.is_own()).then(|| LayeredRoot { folders: self.folders.clone(), changes: None })
    }

    /// Its folders on the machine, the uppermost first.
    pub fn folders_on_host(&self) -> Vec<HostPath> {
        if self.is_own() { vec![HostPath::root()] } else { self.folders.clone() }
    }

    /// Programs of another root than the machine's own run in sandboxes only.
    ///
    /// # Errors
    /// It is another one, and they would not.
    pub(super) fn check_isolation(&self, settings: &Settings) -> Result<(), EngineError> {
        match self.folders.first() {
            Some(path) if settings.isolation == Isolation::None => {
                Err(EngineError::OtherRoot { path: path.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// What asks the root itself runs with: in another root than the machine's own, in a sandbox.
    pub(super) fn settings_to_ask(&self) -> Settings {
        let isolation = if self.is_own() { Isolation::None } else { Isolation::Sandbox };
        Settings { isolation, ..Settings::default() }
    }
}
