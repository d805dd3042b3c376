//! Where paths of a manifest lead, and what is there.

use std::io;
use std::path::{Path, PathBuf};

use cap_std::fs::{Metadata, PermissionsExt};

use super::SourceError;
use crate::files::{Folder, HostPath, Resolved};
use crate::manifest::ManifestPath;

/// The open folder from which a path of the manifest can be reached, and the path from there.
pub(super) fn open_reachable(
    path: &ManifestPath,
    repository: &Folder,
) -> Result<(Folder, PathBuf), SourceError> {
    match path {
        ManifestPath::Repository(relative) => Ok((repository.again()?, relative.clone())),
        ManifestPath::Absolute(absolute) => {
            if let Ok(relative) = absolute.as_path().strip_prefix(repository.path().as_path()) {
                return Ok((repository.again()?, relative.to_owned()));
            }
            let parent =
                absolute.as_path().parent().and_then(HostPath::new).unwrap_or_else(|| absolute.clone());
            let name = absolute.as_path().file_name().map_or_else(|| PathBuf::from("."), PathBuf::from);
            Ok((Folder::open_ambient(&parent)?, name))
        }
    }
}

/// Where a path leads within a folder.
pub(super) fn follow_inside(root: &Folder, path: &Path) -> Result<PathBuf, SourceError> {
    match root.follow(path)? {
        Some(Resolved::Inside(path)) => Ok(path),
        Some(Resolved::Outside { link, target }) => Err(SourceError::LinkLeaves {
            link: link.display().to_string(),
            target: target.display().to_string(),
            folder: root.path().to_string().trim_end_matches('/').to_owned(),
        }),
        None => {
            let missing = io::Error::from(rustix::io::Errno::NOENT);
            Err(crate::files::about(root.path().join(path))(missing).into())
        }
    }
}

/// Where the regular file is that a path stands for: what is a pipe would be waited for without end.
pub(super) fn regular_file(root: &Folder, path: &Path) -> Result<PathBuf, SourceError> {
    let found = follow_inside(root, path)?;
    match root.file_size(&found) {
        Some(_) => Ok(found),
        None => Err(SourceError::NotAFile { file: path.display().to_string() }),
    }
}

/// Whether the owner may execute a file.
pub(super) fn is_executable(root: &Folder, path: &Path) -> io::Result<bool> {
    Ok(is_owner_executable(&root.dir().metadata(path)?))
}

/// As [`is_executable`], for metadata that have been read.
pub(super) fn is_owner_executable(metadata: &Metadata) -> bool {
    metadata.permissions().mode() & 0o100 != 0
}
