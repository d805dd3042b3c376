//! `forge import`

use std::path::Path;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::import_arguments::{Import, ImportCommand};
use crate::files::{Folder, HostPath, reason};
use crate::import::{ImportError, Imported, import_anda, import_mock, import_repositories};

/// The largest file that is read.
const LARGEST: u64 = 4 << 20;

/// The file that Anda's packages are in.
const ANDA: &str = "anda.hcl";

/// Writes what another tool's configuration says as KDL.
pub fn run(arguments: &Import, context: &Context) -> Result<Exit, Failure> {
    let folder = context.working_folder()?;
    let imported = match &arguments.command {
        ImportCommand::Mock { name } => import_mock(&folder, name, std::env::consts::ARCH),
        ImportCommand::Repo { file, chroot } => import_repo(&folder, file, chroot.as_deref()),
        ImportCommand::Anda { file } => import_packages(&folder, file)?,
    };
    let imported = imported.map_err(CliError::Import)?;
    for note in &imported.notes {
        context.tell(&format!("note: {note}\n"));
    }
    match &arguments.output {
        None => context.print(&imported.text)?,
        Some(output) => {
            let path = folder.join(output);
            let (parent, name) = split(&path)?;
            if parent.exists(&name) {
                return Err(CliError::FileExists { path: path.to_string() }.into());
            }
            parent.write_atomic(&name, imported.text.as_bytes()).map_err(CliError::Io)?;
            context.print(&format!(
                "wrote {path}; `include` it in a manifest, and see what `forge check` says\n"
            ))?;
        }
    }
    Ok(Exit::Success)
}

fn import_repo(folder: &HostPath, file: &Path, chroot: Option<&str>) -> Result<Imported, ImportError> {
    let shown = file.display().to_string();
    let text = read(&folder.join(file))?;
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    import_repositories(&shown, chroot.unwrap_or(&stem), &text)
}

/// Those of a file, or of all that are below a folder.
fn import_packages(folder: &HostPath, file: &Path) -> Result<Result<Imported, ImportError>, Failure> {
    let path = folder.join(file);
    if !path.as_path().is_dir() {
        let text = read(&path).map_err(CliError::Import)?;
        return Ok(import_anda(&[(file.display().to_string(), text)]));
    }
    let opened = Folder::open_ambient(&path).map_err(CliError::Io)?;
    let found = opened.search(Path::new(""), &format!("**/{ANDA}")).map_err(CliError::Io)?;
    let mut files = Vec::new();
    for name in found.unwrap_or_default() {
        let text = read(&path.join(&name)).map_err(CliError::Import)?;
        let from_here = if file == Path::new(".") { name } else { file.join(name) };
        files.push((from_here.display().to_string(), text));
    }
    match files.is_empty() {
        true => Err(CliError::NoAnda { folder: path.to_string() }.into()),
        false => Ok(import_anda(&files)),
    }
}

fn read(path: &HostPath) -> Result<String, ImportError> {
    let unreadable = |reason: String| ImportError::Unreadable { path: path.to_string(), reason };
    let (parent, name) = split(path).map_err(|error| unreadable(error.to_string()))?;
    parent.read_text_up_to(&name, LARGEST).map_err(|error| unreadable(reason(&error)))
}

/// The folder of a file, opened, and the file's name.
fn split(path: &HostPath) -> Result<(Folder, String), CliError> {
    let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let name = path.as_path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((Folder::open_ambient(&parent).map_err(CliError::Io)?, name))
}
