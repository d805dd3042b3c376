//! What commands work with on this machine: engines, sandboxes, the lock, what roots are made with.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use cap_std::fs::PermissionsExt;

use super::context::{CliError, Context, Failure};
use super::root_screen::root_screen;
use crate::chroot::making::RootTools;
use crate::chroot::{Connection, LOCK_FILE, Lock};
use crate::engine::{Engine, Native, ScriptletWorker};
use crate::event::SystemClock;
use crate::fetch::{BearerToken, Client, ClientSettings, Logins, Netrc, Proxies};
use crate::files::{Folder, HostPath};
use crate::manifest::Manifest;
use crate::process::{Cancel, Sandbox, Supervisor};
use crate::sandbox::Namespaces;
use crate::source::SourceLock;
use crate::store::Store;
use crate::ui::plain_text;

/// What is locked; nothing where there is no lock.
pub fn read_lock(repository: &Folder) -> Result<Lock, Failure> {
    read_lock_renewing(repository, |_| false)
}

/// As [`read_lock`], for who chooses the packages of some chroots anew.
pub fn read_lock_renewing(repository: &Folder, is_renewed: impl Fn(&str) -> bool) -> Result<Lock, Failure> {
    let text = repository.read_text_if_there(LOCK_FILE).map_err(CliError::Io)?;
    let read = text.map_or_else(|| Ok(Lock::default()), |text| Lock::parse_renewing(&text, is_renewed));
    Ok(read.map_err(CliError::Lock)?)
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
    (manifest, cancel): (&Manifest, &Cancel),
    context: &Context,
) -> Result<RootTools, Failure> {
    let client = http_client(manifest.tokens(), context)?;
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

/// What fetches files from other machines, which are shown these tokens.
pub fn http_client(tokens: Vec<BearerToken>, context: &Context) -> Result<Client, Failure> {
    let proxies = Proxies::from_environment(|name| context.environment.get(name).cloned());
    let logins = Logins { netrc: read_netrc(context), tokens };
    Ok(Client::with_logins(ClientSettings::default(), proxies, &[], logins).map_err(CliError::Fetch)?)
}

/// How large `.netrc` may be, in bytes.
const LARGEST_NETRC: u64 = 1 << 20;

/// Whether it was said that `.netrc` can't be used.
static TOLD_OF_NETRC: AtomicBool = AtomicBool::new(false);

/// Who logs in where: what the file says that `NETRC` names, or `~/.netrc`. One that others may read is left out, with a word.
fn read_netrc(context: &Context) -> Netrc {
    let variable = |name: &str| context.environment.get(name).filter(|value| !value.is_empty()).cloned();
    let path = variable("NETRC").or_else(|| Some(variable("HOME")? + "/.netrc")).and_then(HostPath::new);
    let Some(path) = path else { return Netrc::default() };
    let (Some(parent), Some(name)) =
        (path.as_path().parent().and_then(HostPath::new), path.as_path().file_name())
    else {
        return Netrc::default();
    };
    let Ok(folder) = Folder::open_ambient(&parent) else { return Netrc::default() };
    let Ok(metadata) = folder.dir().metadata(name) else { return Netrc::default() };
    let is_private = metadata.permissions().mode() & 0o077 == 0;
    let text = folder.read_text_up_to(name, LARGEST_NETRC).ok().filter(|_| is_private);
    if text.is_none() && !TOLD_OF_NETRC.swap(true, Ordering::Relaxed) {
        let why = if is_private { "it can't be read" } else { "others may read it: `chmod 600` it" };
        context.tell(&plain_text(&format!("note: {path} is not used for logins: {why}\n")));
    }
    text.map(|text| Netrc::parse(&text)).unwrap_or_default()
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
