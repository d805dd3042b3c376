//! What this machine says of places, and sending to them.

use std::panic::resume_unwind;
use std::thread;

use super::context::{Context, Failure};
use super::tools_here::{http_client, supervisor};
use crate::event::What;
use crate::files::{Folder, HostPath};
use crate::process::Cancel;
use crate::publish::Repositories;
use crate::publish::places::{AwsFiles, AwsSettings, OciLogins, PlacePrograms, PlaceRequest, PlaceTools};

/// How large a file of settings may be, in bytes.
const LARGEST_SETTINGS: u64 = 1 << 20;

/// Sends repositories to places; gives how many there were.
///
/// # Errors
/// No connections can be made at all.
pub fn send_all(
    repositories: &Repositories,
    request: &PlaceRequest,
    (cancel, tell): (&Cancel, &(dyn Fn(What) + Sync)),
    context: &Context,
) -> Result<usize, Failure> {
    let client = http_client(Vec::new(), context)?;
    let (aws, logins, supervisor) = (aws_settings(context), registry_logins(context), supervisor()?);
    let runtime = tokio::runtime::Handle::current();
    let programs =
        PlacePrograms { supervisor: &supervisor, runtime: &runtime, variables: &context.environment };
    let tools = PlaceTools { client: &client, aws: &aws, logins: &logins, programs, cancel, tell };
    // What waits must be none of the runtime's threads.
    let sent = thread::scope(|scope| scope.spawn(|| repositories.send_to_places(request, &tools)).join());
    Ok(sent.unwrap_or_else(|panic| resume_unwind(panic)))
}

fn aws_settings(context: &Context) -> AwsSettings {
    let files = AwsFiles {
        credentials: read_settings("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", context),
        config: read_settings("AWS_CONFIG_FILE", ".aws/config", context),
    };
    AwsSettings::new(&context.environment, &files)
}

/// The logins that docker, podman and oras have noted, those first that a variable names.
fn registry_logins(context: &Context) -> OciLogins {
    let set = |name: &str| context.environment.get(name).filter(|value| !value.is_empty());
    let folder = |name: &str| set(name).and_then(HostPath::new);
    let home = folder("HOME");
    let config = folder("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")));
    let below = |folder: Option<HostPath>, path: &str| Some(folder?.join(path));
    let paths = [
        folder("REGISTRY_AUTH_FILE"),
        below(folder("DOCKER_CONFIG"), "config.json"),
        below(folder("XDG_RUNTIME_DIR"), "containers/auth.json"),
        below(config, "containers/auth.json"),
        below(home, ".docker/config.json"),
    ];
    let texts: Vec<String> = paths.iter().flatten().map(read_text).collect();
    OciLogins::new(texts.iter().map(String::as_str))
}

/// The text of the file that a variable names, or of that below the user's folder; empty where there is none.
fn read_settings(variable: &str, usual: &str, context: &Context) -> String {
    let set = |name: &str| context.environment.get(name).filter(|value| !value.is_empty());
    let named = set(variable).and_then(HostPath::new);
    let path = named.or_else(|| Some(set("HOME").and_then(HostPath::new)?.join(usual)));
    path.as_ref().map(read_text).unwrap_or_default()
}

/// The text of a file; empty where there is none.
fn read_text(path: &HostPath) -> String {
    let read = || {
        let path = path.as_path();
        let folder = Folder::open_ambient(&HostPath::new(path.parent()?)?).ok()?;
        folder.read_text_up_to(path.file_name()?, LARGEST_SETTINGS).ok()
    };
    read().unwrap_or_default()
}
