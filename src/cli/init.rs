//! `forge init`

use super::Exit;
use super::arguments::Init;
use super::context::{CliError, Context, Failure};
use crate::files::Folder;
use crate::manifest::{MANIFEST_FILE, first_manifest};

/// Writes a manifest for the specs in this folder.
pub fn run(arguments: &Init, context: &Context) -> Result<Exit, Failure> {
    let path = context.working_folder()?;
    let folder = Folder::open_ambient(&path).map_err(CliError::Io)?;
    if folder.exists(MANIFEST_FILE) {
        return Err(CliError::ManifestExists { path: path.join(MANIFEST_FILE).to_string() }.into());
    }
    let own_name = path.as_path().file_name().map(|name| name.to_string_lossy().into_owned());
    let name = arguments.name.clone().or(own_name).unwrap_or_default();
    let text = first_manifest(&folder, &name).map_err(CliError::Io)?;
    let text = text.ok_or_else(|| CliError::NoSpec { folder: path.to_string() })?;
    folder.write_atomic(MANIFEST_FILE, text.as_bytes()).map_err(CliError::Io)?;
    context.print(&format!("wrote {}; next: `forge plan`\n", path.join(MANIFEST_FILE)))?;
    Ok(Exit::Success)
}
