//! The projects that use a store: what they publish, and have built last, is not garbage.

use std::path::Path;

use super::{Store, StoreError};
use crate::digest::Encoder;
use crate::files::{HostPath, is_temporary};

/// Where they are on record, each in a file of its own.
const FOLDER: &str = "projects";

impl Store {
    /// Notes that a project uses this store.
    pub fn remember_project(&self, project: &HostPath) -> Result<(), StoreError> {
        let path = record_path(project);
        let text = project.to_string();
        if self.folder.read(&path).is_ok_and(|known| known == text.as_bytes()) {
            return Ok(());
        }
        self.folder.create(FOLDER)?;
        Ok(self.folder.write_atomic(path, text.as_bytes())?)
    }

    /// The folders of the projects that have used this store.
    pub fn projects(&self) -> Result<Vec<HostPath>, StoreError> {
        if !self.folder.is_folder(FOLDER) {
            return Ok(Vec::new());
        }
        let folder = self.folder.folder(FOLDER)?;
        let mut projects = Vec::new();
        for entry in folder.entries()? {
            let name = Path::new(&entry.name);
            let Some(project) =
                folder.read(name).ok().and_then(|text| HostPath::new(String::from_utf8(text).ok()?))
            else {
                continue;
            };
            if !is_temporary(name) && record_path(&project) == format!("{FOLDER}/{}", name.display()) {
                projects.push(project);
            }
        }
        projects.sort();
        Ok(projects)
    }

    /// Forgets a project that is not there any more.
    pub fn forget_project(&self, project: &HostPath) -> Result<(), StoreError> {
        Ok(self.folder.remove(record_path(project))?)
    }
}

fn record_path(project: &HostPath) -> String {
    let digest = Encoder::new("rpmforge project v1").text("folder", &project.to_string()).digest();
    format!("{FOLDER}/{digest}")
}
