//! The source of one package, on this machine.

use std::sync::Arc;

use super::context::{Context, Failure};
use super::project::{Project, store};
use super::registry_settings::indexes;
use super::root_screen::{root_screen, source_screen};
use super::tools_here::{http_client, native_engine, read_source_lock, supervisor};
use crate::chroot::Connection;
use crate::chroot::making::LockRule;
use crate::event::SystemClock;
use crate::manifest::Package;
use crate::plan::PlanError;
use crate::process::Cancel;
use crate::source::{Gathering, Neighbours, Origin, SourcePrograms, SourceTools};
use crate::text::Located;

/// Finds a package's spec; what is not in the project is fetched or made.
pub fn gather_source(package: &Package, project: &Project, context: &Context) -> Result<Origin, Failure> {
    let folders = project.source_folders()?;
    let (store, client) = (Arc::new(store(context)?), http_client(context)?);
    let lock = read_source_lock(&project.repository)?;
    let screen = source_screen(root_screen(context));
    let indexes = indexes(context);
    let sandbox = native_engine(project.repository.path(), &store)?.sandbox;
    let tools = SourceTools {
        store: &store,
        client: &client,
        connection: Connection::Online,
        rule: LockRule::MayChange,
        environment: &context.variables,
        programs: SourcePrograms { supervisor: &supervisor()?, sandbox: &*sandbox },
        clock: &SystemClock,
        cancel: &Cancel::default(),
        folders: &folders,
        indexes: &indexes,
        progress: &*screen,
    };
    let gathering = Gathering { repository: &project.repository, tools, lock: &lock };
    let gathered = gathering.gather(package, &Neighbours::default());
    Ok(gathered.origin.map_err(|error| {
        Located::new(PlanError::Source(error), "this source", package.source.place.clone())
    })?)
}
