//! The source of one package, on this machine.

use std::sync::Arc;

use super::built_sources::SourcesOfBuilds;
use super::chroot_requests::all_repositories;
use super::context::{Context, Failure};
use super::planning::runtime;
use super::project::{Project, SOURCE_LOGS, store};
use super::registry_settings::indexes;
use super::root_screen::{root_screen, source_screen};
use super::roots::RootOpener;
use super::tools_here::{
    NativeHere, http_client, native_engine, read_lock, read_source_lock, root_tools, supervisor,
};
use crate::chroot::making::LockRule;
use crate::chroot::{Connection, OlderMetadata};
use crate::engine::SourcePrograms;
use crate::event::SystemClock;
use crate::manifest::{Manifest, Package};
use crate::plan::{OpenRoots, PlanError};
use crate::process::{Cancel, Sandbox};
use crate::source::{Gathering, Neighbours, Origin, SourceMaking, SourceShelves, SourceTools};
use crate::store::Store;
use crate::text::Located;

/// Finds a package's spec; what is not in the project is fetched or made.
pub fn gather_source(
    (package, manifest): (&Package, &Manifest),
    project: &Project,
    context: &Context,
) -> Result<Origin, Failure> {
    let folders = project.source_folders()?;
    let (store, client) = (Arc::new(store(context)?), http_client(context)?);
    let lock = read_source_lock(&project.repository)?;
    let screen = source_screen(root_screen(context));
    let indexes = indexes(context);
    let NativeHere { engine: _, sandbox } = native_engine(project.repository.path(), &store)?;
    let runtime = runtime()?;
    let open = open_source_root((package, manifest), project, (&store, &sandbox), context);
    let roots = runtime.block_on(open)?;
    let programs = SourcePrograms::new(&supervisor()?, sandbox);
    let logs = project.state()?.path().join(SOURCE_LOGS);
    let locked = read_lock(&project.repository)?;
    let repositories = all_repositories(manifest, &project.repository, &locked, OlderMetadata::Refused);
    let (history, state) = (project.history_or_none(context)?, project.state()?);
    let builds = SourcesOfBuilds { history: &history, state: &state, store: &store };
    let tools = SourceTools {
        store: &store,
        client: &client,
        connection: Connection::Online,
        rule: LockRule::MayChange,
        environment: &context.variables,
        clock: &SystemClock,
        cancel: &Cancel::default(),
        folders: &folders,
        indexes: &indexes,
        making: SourceMaking {
            manifest,
            roots: &roots,
            programs: &programs,
            logs: &logs,
            runtime: runtime.handle(),
        },
        shelves: SourceShelves { repositories: &repositories, builds: &builds },
        progress: &*screen,
    };
    let gathering = Gathering { repository: &project.repository, tools, lock: &lock };
    let gathered = gathering.gather(package, &Neighbours::default());
    Ok(gathered.origin.map_err(|error| {
        Located::new(PlanError::Source(error), "this source", package.source.place.clone())
    })?)
}

/// Opens the root that a package's source is made in, where a program makes it; no other.
async fn open_source_root(
    (package, manifest): (&Package, &Manifest),
    project: &Project,
    (store, sandbox): (&Arc<Store>, &Arc<dyn Sandbox>),
    context: &Context,
) -> Result<OpenRoots, Failure> {
    let Some(chroot) = package.source_chroot() else { return Ok(OpenRoots::default()) };
    let (state, supervisor) = (project.state()?, supervisor()?);
    let lock = read_lock(&project.repository)?;
    let opener = RootOpener {
        manifest,
        repository: &project.repository,
        store,
        state: state.path(),
        supervisor: &supervisor,
        native: native_engine(project.repository.path(), store)?.engine,
        sandbox: Arc::clone(sandbox),
        lock: &lock,
        rule: LockRule::MayChange,
        older_metadata: OlderMetadata::Refused,
        tools: root_tools(store, sandbox, &Cancel::default(), context)?,
    };
    opener.open_those(|id| id == chroot).await
}
