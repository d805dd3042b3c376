//! A made spec as files, to be built from.

use std::path::Path;

use super::{MadeSpec, MadeSpecError};
use crate::files::{Folder, Sharing};
use crate::store::Store;

impl MadeSpec {
    /// The name of the spec's file.
    pub fn file_name(&self) -> String {
        format!("{}.spec", self.name)
    }

    /// Writes the spec and all its sources into a folder.
    ///
    /// # Errors
    /// They can't be written, or a source is not in the store any more.
    pub fn write_all(&self, store: &Store, folder: &Folder) -> Result<(), MadeSpecError> {
        for source in &self.sources {
            store.place(&source.blob, folder, Path::new(&source.file), Sharing::Nothing)?;
        }
        Ok(folder.write_atomic(self.file_name(), self.text.as_bytes())?)
    }
}
