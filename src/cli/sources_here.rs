//! The sources of packages, on this machine.

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
use crate::source::newer::{KnownPages, NewsFinder, NewsScope, SourceNews};
use crate::source::{
    FetchPrograms, Gathering, Mirrors, Neighbours, Origin, SourceMaking, SourceShelves, SourceTools,
};
use crate::store::Store;
use crate::text::Located;

/// Finds a package's spec; what is not in the project is fetched or made.
pub fn gather_source(
    package: &Package,
    manifest: &Manifest,
    (project, context): (&Project, &Context),
) -> Result<Origin, Failure> {
    let lock = read_source_lock(&project.repository)?;
    let gathered =
        with_source_tools((project, context), (manifest, &Cancel::default()), Some(package), |tools| {
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
    with_source_tools((project, context), (manifest, cancel), None, |tools| {
        NewsFinder { repository: &project.repository, tools, lock: &lock, pages, scope }.look_at_all(packages)
    })
}

/// Does something with what sources are fetched and made with on this machine. The root that `made` is made in is open, if a
/// program makes it.
fn with_source_tools<T>(
    (project, context): (&Project, &Context),
    (manifest, cancel): (&Manifest, &Cancel),
    made: Option<&Package>,
    act: impl FnOnce(SourceTools<'_>) -> T,
) -> Result<T, Failure> {
    let folders = project.source_folders()?;
    let (store, client) = (Arc::new(store(context)?), http_client(manifest.tokens(), context)?);
    let screen = source_screen(root_screen(context));
    let indexes = indexes(context);
    let NativeHere { engine: _, sandbox } = native_engine(project.repository.path(), &store)?;
    let runtime = runtime()?;
    let roots = match made {
        Some(package) => {
            let open = open_source_root((package, manifest), project, (&store, &sandbox), context);
            runtime.block_on(open)?
        }
        None => OpenRoots::default(),
    };
    let programs = SourcePrograms::new(&supervisor()?, Arc::clone(&sandbox));
    let logs = project.state()?.path().join(SOURCE_LOGS);
    let locked = read_lock(&project.repository)?;
    let repositories = all_repositories(manifest, &project.repository, &locked, OlderMetadata::Refused);
    let (history, state) = (project.history_or_none(context)?, project.state()?);
    let builds = SourcesOfBuilds { history: &history, state: &state, store: &store };
    Ok(act(SourceTools {
        store: &store,
        client: &client,
        connection: Connection::Online,
        rule: LockRule::MayChange,
        environment: &context.variables,
        programs: FetchPrograms { supervisor: &supervisor()?, sandbox: &*sandbox },
        clock: &SystemClock,
        cancel,
        folders: &folders,
        indexes: &indexes,
        mirrors: &Mirrors::new(&manifest.mirrors),
        making: SourceMaking {
            manifest,
            roots: &roots,
            programs: &programs,
            logs: &logs,
            runtime: runtime.handle(),
        },
        shelves: SourceShelves { repositories: &repositories, builds: &builds },
        progress: &*screen,
    }))
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
        given: None,
        older_metadata: OlderMetadata::Refused,
        tools: root_tools(store, sandbox, (manifest, &Cancel::default()), context)?,
    };
    opener.open_those(|id| id == chroot).await
}
