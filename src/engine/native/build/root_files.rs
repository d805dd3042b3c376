//! Files of the root that a build names by absolute paths: its inputs and its packages. They are reached here only, each through
//! a handle of its folder.

use std::ffi::OsStr;
use std::io::{self, BufReader};

use crate::files::{Folder, HostPath, reason};

/// The folder that a file lies in, and the file's name there.
pub(super) fn open_folder_of(path: &HostPath) -> io::Result<(Folder, &OsStr)> {
    let (parent, name) = split_path(path);
    Ok((Folder::open_ambient(&parent)?, name))
}

/// The folder that a file is to lie in, made where it is not there, and the file's name there. Whoever takes the file over
/// makes it last, as with rpm.
pub(super) fn create_folder_of(path: &HostPath) -> io::Result<(Folder, &OsStr)> {
    let (parent, name) = split_path(path);
    Ok((Folder::create_scratch(&parent)?, name))
}

/// Opens a file for reading.
pub(super) fn open_file(path: &HostPath) -> io::Result<BufReader<std::fs::File>> {
    let (folder, name) = open_folder_of(path)?;
    Ok(BufReader::new(folder.open(name)?.into_std()))
}

/// Removes a file; one that is gone already does no harm.
pub(super) fn remove_file(path: &HostPath) {
    if let Ok((folder, name)) = open_folder_of(path) {
        let _ = folder.remove_file(name);
    }
}

/// The words of the operating system for what went wrong, without the path before them.
pub(super) fn plain_reason(error: &io::Error) -> String {
    let text = reason(error);
    text.rsplit_once(": ").map_or(text.clone(), |(_, words)| words.to_owned())
}

fn split_path(path: &HostPath) -> (HostPath, &OsStr) {
    let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    (parent, path.as_path().file_name().unwrap_or_default())
}
