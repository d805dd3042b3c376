//! The sources of packages, on this machine.

use std::sync::Arc;

use super::context::{Context, Failure};
use super::project::{Project, store};
use super::registry_settings::indexes;
use super::root_screen::{root_screen, source_screen};
use super::tools_here::{http_client, native_engine, read_source_lock, supervisor};
use crate::chroot::Connection;
use crate::chroot::making::LockRule;
use crate::event::SystemClock;
use crate::manifest::{Manifest, Package};
use crate::plan::PlanError;
use crate::process::Cancel;
use crate::source::newer::{KnownPages, NewsFinder, NewsScope, SourceNews};
use crate::source::{Gathering, Mirrors, Neighbours, Origin, SourcePrograms, SourceTools};
use crate::text::Located;

/// Finds a package's spec; what is not in the project is fetched or made.
pub fn gather_source(
    package: &Package,
    manifest: &Manifest,
    (project, context): (&Project, &Context),
) -> Result<Origin, Failure> {
    let lock = read_source_lock(&project.repository)?;
    let gathered = with_source_tools((project, context), (manifest, &Cancel::default()), |tools| {
        let gathering = Gathering { repository: &project.repository, tools, lock: &lock };
        gathering.gather(package, &Neighbours::default())
    })?;
    Ok(gathered.origin.map_err(|error| {
        Located::new(PlanError::Source(error), "this source", package.source.place.clone())
    })?)
}

/// Looks for what is newer of the sources of packages, in the same order.
pub fn look_for_news(
    (manifest, packages): (&Manifest, &[&Package]),
    (project, context): (&Project, &Context),
    (scope, pages): (NewsScope, &KnownPages),
    cancel: &Cancel,
) -> Result<Vec<SourceNews>, Failure> {
    let lock = read_source_lock(&project.repository)?;
    with_source_tools((project, context), (manifest, cancel), |tools| {
        NewsFinder { repository: &project.repository, tools, lock: &lock, pages, scope }.look_at_all(packages)
    })
}

/// Does something with what sources are fetched and made with on this machine.
fn with_source_tools<T>(
    (project, context): (&Project, &Context),
    (manifest, cancel): (&Manifest, &Cancel),
    act: impl FnOnce(SourceTools<'_>) -> T,
) -> Result<T, Failure> {
    let folders = project.source_folders()?;
    let (store, client) = (Arc::new(store(context)?), http_client(context)?);
    let screen = source_screen(root_screen(context));
    let indexes = indexes(context);
    let sandbox = native_engine(project.repository.path(), &store)?.sandbox;
    Ok(act(SourceTools {
        store: &store,
        client: &client,
        connection: Connection::Online,
        rule: LockRule::MayChange,
        environment: &context.variables,
        programs: SourcePrograms { supervisor: &supervisor()?, sandbox: &*sandbox },
        clock: &SystemClock,
        cancel,
        folders: &folders,
        indexes: &indexes,
        mirrors: &Mirrors::new(&manifest.mirrors),
        progress: &*screen,
    }))
}
