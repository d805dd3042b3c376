//! The repositories of a manifest, for who looks at what they have and opens no root.

use std::sync::Arc;

use super::beside::ChrootRepositories;
use super::context::{Context, Failure};
use super::project::Project;
use super::signing_files::signing;
use crate::event::SystemClock;
use crate::manifest::Manifest;
use crate::publish::{DecodedRecords, Repositories, Verification};
use crate::store::Store;

/// The repositories of a manifest. Of what the chroots' own repositories have, nothing is known.
pub fn known_repositories(
    project: &Project,
    manifest: &Arc<Manifest>,
    store: &Arc<Store>,
    context: &Context,
) -> Result<Repositories, Failure> {
    Ok(Repositories {
        manifest: Arc::clone(manifest),
        project: Arc::clone(&project.repository),
        state: Arc::new(project.state()?),
        store: Arc::clone(store),
        clock: Arc::new(SystemClock),
        verification: Verification::TimesFirst,
        decoded: DecodedRecords::default(),
        beside: Arc::new(ChrootRepositories::default()),
        signing: signing(context),
    })
}
