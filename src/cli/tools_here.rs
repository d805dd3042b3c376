//! What commands work with on this machine: engines, sandboxes, the lock, what roots are made with.

use std::sync::Arc;

use super::context::{CliError, Context, Failure};
use super::root_screen::root_screen;
use crate::chroot::making::RootTools;
use crate::chroot::{Connection, LOCK_FILE, Lock};
use crate::engine::{Engine, Native, ScriptletWorker};
use crate::event::SystemClock;
use crate::fetch::{Client, ClientSettings, Proxies};
use crate::files::{Folder, HostPath};
use crate::process::{Cancel, Sandbox, Supervisor};
use crate::sandbox::Namespaces;
use crate::source::SourceLock;
use crate::store::Store;

/// What is locked; nothing where there is no lock.
pub fn read_lock(repository: &Folder) -> Result<Lock, Failure> {
    let text = repository.read_text_if_there(LOCK_FILE).map_err(CliError::Io)?;
    Ok(text.map_or_else(|| Ok(Lock::default()), |text| Lock::parse(&text)).map_err(CliError::Lock)?)
}

/// What is locked of sources; nothing where there is no lock.
pub fn read_source_lock(repository: &Folder) -> Result<SourceLock, Failure> {
    let text = repository.read_text_if_there(LOCK_FILE).map_err(CliError::Io)?;
    Ok(SourceLock::parse(&text.unwrap_or_default()).map_err(CliError::Lock)?)
}

/// What roots of packages are chosen and made with.
pub fn root_tools(
    store: &Arc<Store>,
    sandbox: &Arc<dyn Sandbox>,
    cancel: &Cancel,
    context: &Context,
) -> Result<RootTools, Failure> {
    let client = http_client(context)?;
    Ok(RootTools {
        store: Arc::clone(store),
        client: Arc::new(client),
        connection: Connection::Online,
        clock: Arc::new(SystemClock),
        cancel: cancel.clone(),
        scriptlets: ScriptletWorker::new(&supervisor()?, &own_path()?, Arc::clone(sandbox)),
        progress: root_screen(context),
    })
}

/// What fetches files from other machines.
pub fn http_client(context: &Context) -> Result<Client, Failure> {
    let proxies = Proxies::from_environment(|name| context.environment.get(name).cloned());
    Ok(Client::new(ClientSettings::default(), proxies).map_err(CliError::Fetch)?)
}

/// The native engine on this machine.
pub struct NativeHere {
    pub engine: Arc<dyn Engine>,
    /// What puts its workers into sandboxes.
    pub sandbox: Arc<dyn Sandbox>,
}

/// The engine whose workers are this binary, and what puts them into sandboxes. Relative paths of specs begin in `folder`,
/// and what is asked of roots of packages is kept in the store.
pub fn native_engine(folder: &HostPath, store: &Arc<Store>) -> Result<NativeHere, Failure> {
    let own_binary = own_path()?;
    let sandbox: Arc<dyn Sandbox> = Arc::new(Namespaces::new(&own_binary));
    let native = Native::new(&supervisor()?, &own_binary, folder, Arc::clone(&sandbox));
    let native = native.remembering(Arc::clone(store) as Arc<_>);
    Ok(NativeHere { engine: Arc::new(native), sandbox })
}

/// This binary, which supervises what it starts.
pub fn supervisor() -> Result<Supervisor, Failure> {
    own_path().map(Supervisor::new)
}

pub fn own_path() -> Result<HostPath, Failure> {
    let path = std::env::current_exe().map_err(CliError::Io)?;
    Ok(HostPath::new(path).unwrap_or_else(HostPath::root))
}
