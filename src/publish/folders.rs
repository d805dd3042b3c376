//! The folders that repositories lie in: where they really are, what they must not be, and how new ones are made.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::{MetadataExt, Permissions, PermissionsExt};

use super::Refusal;
use crate::files::{Folder, HostPath};
use crate::manifest::ManifestPath;

/// The folder at `path`, or the nearest one above it, and what is missing below that.
pub(super) fn nearest_folder(path: &HostPath) -> io::Result<(Folder, PathBuf)> {
    let path = path.as_path();
    for above in path.ancestors() {
        if let Some(above) = HostPath::new(above)
            && let Ok(folder) = Folder::open_ambient(&above)
            && let Ok(missing) = path.strip_prefix(above.as_path())
        {
            return Ok((folder, missing.to_owned()));
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Sees to it that the folder at `path`, which the manifest says as `shown`, is for nothing else, wherever links lead. `own`
/// are folders of forge's.
pub(super) fn refuse_taken(
    path: &HostPath,
    shown: &ManifestPath,
    own: [(&Folder, &'static str); 2],
) -> io::Result<Result<(), Refusal>> {
    let (above, missing) = nearest_folder(path)?;
    let real = above.real_path()?.join(missing);
    let mut what = is_used_by_name(&real);
    for (folder, name) in own {
        if real.starts_with(folder.real_path()?) {
            what = Some(name);
        }
    }
    Ok(what.map_or(Ok(()), |what| Err(Refusal::TakenFolder { folder: shown.to_string(), what })))
}

fn is_used_by_name(path: &Path) -> Option<&'static str> {
    let has = |name: &str| path.components().any(|component| component.as_os_str() == name);
    match path.parent() {
        None => Some("the root of all folders"),
        Some(_) if has(".git") => Some("in a folder of git's"),
        Some(_) if has(".forge") => Some("in the folder of a project's state"),
        Some(_) => None,
    }
}

/// Makes the folder at `path`, and those above it, so that everybody can read what comes there.
pub(super) fn create_public(path: &HostPath) -> io::Result<Folder> {
    let (base, below) = nearest_folder(path)?;
    if below.as_os_str().is_empty() {
        return Ok(base);
    }
    let above = below.ancestors().take_while(|path| !path.as_os_str().is_empty());
    let missing: Vec<&Path> = above.filter(|path| !base.is_folder(path)).collect();
    let folder = base.create(&below)?;
    missing.into_iter().try_for_each(|path| open_to_readers(&base, path))?;
    Ok(folder)
}

/// Makes the folder `path` of a repository, if it is not there.
pub(super) fn make_public(repository: &Folder, path: &Path) -> io::Result<()> {
    match repository.dir().create_dir(path) {
        Ok(()) => open_to_readers(repository, path),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

/// Lets everybody read a new folder, and nobody but owner and group write to it, whatever the umask. The group of a folder that
/// several packagers share stays as it is.
fn open_to_readers(folder: &Folder, path: &Path) -> io::Result<()> {
    let mode = folder.dir().metadata(path)?.mode() & 0o7777;
    set_mode(folder, path, mode, (mode | 0o755) & !0o002)
}

/// Lets everybody read a new file. One that is a link to the store's can be read already.
pub(super) fn make_readable(folder: &Folder, path: &Path) -> io::Result<()> {
    let mode = folder.dir().metadata(path)?.mode() & 0o7777;
    let is_readable = mode & 0o444 == 0o444;
    set_mode(folder, path, mode, if is_readable { mode } else { 0o644 })
}

fn set_mode(folder: &Folder, path: &Path, mode: u32, wanted: u32) -> io::Result<()> {
    match mode == wanted {
        true => Ok(()),
        false => folder.dir().set_permissions(path, Permissions::from_mode(wanted)),
    }
}
