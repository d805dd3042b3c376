//! Who has signed what builds have made, as it is published.

use std::collections::HashMap;
use std::sync::Arc;

use super::context::Context;
use super::known_repositories::known_repositories;
use super::project::{Project, store};
use super::result_record::read_record;
use crate::digest::Key;
use crate::event::BuildName;
use crate::files::Folder;
use crate::publish::PublishedBuild;
use crate::store::BuildRow;

/// The fingerprints of the keys that published builds are signed with.
#[derive(Default)]
pub struct PublishedSignatures {
    by_result: HashMap<(BuildName, Key), Vec<String>>,
}

impl PublishedSignatures {
    /// Reads them; none where the manifest or a repository can't be read, of which other commands tell.
    pub fn read(project: &Project, context: &Context) -> Self {
        let builds = project.manifest(&[], context).ok().and_then(|manifest| {
            let store = Arc::new(store(context).ok()?);
            known_repositories(project, &manifest, &store, context).ok()?.published_builds().ok()
        });
        let signed = builds.into_iter().flatten().filter(|build| !build.signed_by.is_empty());
        let by_result = signed
            .filter_map(|PublishedBuild { build, key, signed_by, .. }| Some(((build, key?), signed_by)));
        Self { by_result: by_result.collect() }
    }

    /// Those of a build, where what it has made is published and signed.
    pub fn of(&self, state: &Folder, row: &BuildRow) -> Vec<String> {
        if self.by_result.is_empty() {
            return Vec::new();
        }
        let key = read_record(state, row).map(|record| record.key);
        let signed = key.and_then(|key| self.by_result.get(&(row.build.clone(), key)));
        signed.cloned().unwrap_or_default()
    }
}
