//! The source packages of the builds of a project.

use super::result_record::read_record;
use crate::digest::Checksum;
use crate::files::Folder;
use crate::source::{BuiltSource, BuiltSources};
use crate::store::{History, Store};

/// Finds them by the history, in the store.
pub struct SourcesOfBuilds<'a> {
    /// The history.
    pub history: &'a History,
    /// The project's state: result folders are there.
    pub state: &'a Folder,
    /// The store.
    pub store: &'a Store,
}

impl BuiltSources for SourcesOfBuilds<'_> {
    fn source_package(&self, build: u64) -> Result<BuiltSource, String> {
        let row = self.history.build(build).map_err(|error| error.to_string())?;
        let row = row.ok_or("this project has no such build")?;
        let record = read_record(self.state, &row).ok_or("its result folder is gone")?;
        let result = self.store.result(&record.key);
        let result = result.ok_or("the store has nothing of it any more, or it has failed")?;
        let source = result.files.into_iter().find(|file| file.package.is_source());
        let source = source.ok_or("it has made no source package")?;
        let checksum = Checksum::new("sha256", &source.sha256).map_err(|error| error.to_string())?;
        Ok(BuiltSource { name: source.name, blob: source.blob, checksum })
    }
}
