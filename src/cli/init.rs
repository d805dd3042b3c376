//! `forge init`

use std::io;

use super::Exit;
use super::arguments::Init;
use super::context::{CliError, Context, Failure};
use crate::files::Folder;
use crate::manifest::{MANIFEST_FILE, first_manifest, missing_ignores};

/// What git is not to keep.
const GITIGNORE: &str = ".gitignore";

/// Writes a manifest for the specs in this folder, and has git leave out what forge makes.
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
    let ignored = ignore(&folder).map_err(CliError::Io)?;
    context.print(&format!("wrote {}{ignored}; next: `forge plan`\n", path.join(MANIFEST_FILE)))?;
    Ok(Exit::Success)
}

/// Adds what forge makes to `.gitignore`; gives what was done, in words.
fn ignore(folder: &Folder) -> io::Result<String> {
    let is_there = folder.dir().symlink_metadata(GITIGNORE).is_ok();
    let before = if is_there { folder.read(GITIGNORE)? } else { Vec::new() };
    let missing = missing_ignores(&String::from_utf8_lossy(&before));
    if missing.is_empty() {
        return Ok(String::new());
    }
    let mut text = before;
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    missing.iter().for_each(|line| text.extend([line.as_bytes(), b"\n"].concat()));
    match is_there {
        true => folder.rewrite(GITIGNORE, &text)?,
        false => folder.write_atomic(GITIGNORE, &text)?,
    }
    let lines = missing.join(" and ");
    Ok(if is_there { format!("; added {lines} to {GITIGNORE}") } else { format!(" and {GITIGNORE}") })
}
