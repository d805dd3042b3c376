//! What a lock keeps of where a made spec comes from: enough to have the same files again, from wherever the registry is reached.

use std::collections::BTreeMap;

use super::access::{RegistryAccess, RegistryFile};
use super::error::MadeSpecError;
use crate::digest::Checksum;
use crate::source::limits::SOURCE_BYTES;
use crate::store::Blob;

/// What was found in a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeLock {
    /// The version.
    pub version: String,
    /// What else was found: for npm, which package lies in which folder.
    pub found: BTreeMap<String, String>,
    /// By their names, the files that came from the registry.
    pub files: BTreeMap<String, LockedRegistryFile>,
}

/// A file of a registry, as a lock has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockedRegistryFile {
    /// Where everybody finds it: at the public registry, even where it came from a mirror.
    pub url: String,
    /// What it is.
    pub checksum: Checksum,
    /// How many bytes it has.
    pub size: u64,
}

impl MadeLock {
    /// The one file of a lock that has one.
    ///
    /// # Errors
    /// It has none.
    pub fn only_file(&self, project: &str) -> Result<(&str, &LockedRegistryFile), MadeSpecError> {
        let file = self.files.iter().next().map(|(name, file)| (name.as_str(), file));
        file.ok_or_else(|| MadeSpecError::LockIncomplete {
            project: project.to_owned(),
            missing: "file".to_owned(),
        })
    }
}

impl RegistryAccess<'_> {
    /// A file that an index names, in the store, and what is to be locked of it; `url` is where everybody finds it.
    ///
    /// # Errors
    /// It can't be had.
    pub fn file_to_lock(
        &self,
        file: &RegistryFile,
        url: String,
    ) -> Result<(String, LockedRegistryFile), MadeSpecError> {
        let (blob, checksum) = self.file(file)?;
        Ok((file.name.clone(), LockedRegistryFile { url, checksum, size: blob.size }))
    }

    /// A file that a lock names, in the store; where it has to be fetched it is at `url`.
    ///
    /// # Errors
    /// As [`Self::locked_file`].
    pub fn locked_file_at(
        &self,
        (name, locked): (&str, &LockedRegistryFile),
        url: String,
    ) -> Result<Blob, MadeSpecError> {
        self.locked_file(locked, || {
            Ok(RegistryFile { name: name.to_owned(), url, checksum: None, size: None, most: SOURCE_BYTES })
        })
    }

    /// A file that a lock names, in the store; `find` says where it is where it has to be fetched. What it is says the lock.
    ///
    /// # Errors
    /// It can't be had, or is another one now.
    pub fn locked_file(
        &self,
        locked: &LockedRegistryFile,
        find: impl FnOnce() -> Result<RegistryFile, MadeSpecError>,
    ) -> Result<Blob, MadeSpecError> {
        if let Some(blob) = self.stored(&locked.checksum) {
            return Ok(blob);
        }
        let found = find()?;
        let file = RegistryFile { checksum: Some(locked.checksum.clone()), size: Some(locked.size), ..found };
        Ok(self.file(&file)?.0)
    }
}
