//! The one way to reach files: [`Folder`] handles that cannot be left by any relative path, atomic writes, locks.
//!
//! A `Folder` holds a `cap_std::fs::Dir`, so that a path read from a manifest, a spec or a package never reaches
//! outside the folder it belongs to, symbolic links included. Beside the handle stands the folder's own path,
//! for messages and for the programs that are told where to work.

mod durability;
mod folder;
mod freed_space;
mod limits;
mod links;
mod lock;
mod mount;
mod prepared;
mod reach;
mod real_path;
mod remove;
mod root_path;
mod search;
mod spread;
mod sync;
mod times;
mod tree;

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::{Component, Path, PathBuf};

pub use durability::Durability;
pub use folder::{Destination, EntryKind, Folder, FolderEntry, Sharing, is_temporary};
pub use freed_space::FreedSpace;
pub use links::Resolved;
pub use lock::{Lock, LockKind};
pub use mount::{Mount, MountAccess};
pub use prepared::PreparedFile;
pub use reach::{LastLink, Reach, is_out_of_reach};
pub use root_path::RootPath;
pub use times::change_times;
pub use tree::{KnownFolders, Tree, read_text};

/// An absolute path of the machine that forge runs on, not of a root that it builds in.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPath(PathBuf);

impl HostPath {
    /// `path`, if it is absolute.
    pub fn new(path: impl Into<PathBuf>) -> Option<Self> {
        let path = path.into();
        path.is_absolute().then_some(Self(path))
    }

    /// The root of the machine's file system.
    pub fn root() -> Self {
        Self(PathBuf::from("/"))
    }

    /// This path and `relative` below it.
    pub fn join(&self, relative: impl AsRef<Path>) -> Self {
        Self(self.0.join(relative))
    }

    /// As the standard library's type.
    pub fn as_path(&self) -> &Path {
        &self.0
    }

    /// As an argument of a program.
    pub fn as_os_str(&self) -> &OsStr {
        self.0.as_os_str()
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl fmt::Debug for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// `base` and `relative` below it with `.` and `..` worked out by their words alone; `None` where it climbs
/// out of the folder that both are relative to.
pub fn normalize(base: &Path, relative: &Path) -> Option<PathBuf> {
    let mut parts = Vec::new();
    for component in base.components().chain(relative.components()) {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::Normal(part) => parts.push(part),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.iter().collect())
}

/// Says which path an input or output error is about.
pub fn about(path: impl fmt::Display) -> impl FnOnce(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{path}: {}", reason(&error)))
}

/// The words of an error without the `(os error 2)` that the standard library adds.
pub fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_climbs_out_is_refused() {
        assert_eq!(normalize(Path::new("packages/curl"), Path::new("../../../etc")), None);
    }

    #[test]
    fn a_path_that_climbs_and_comes_back_is_worked_out() {
        let path = normalize(Path::new("packages/curl"), Path::new("../zlib/./zlib.spec"));
        assert_eq!(path, Some(PathBuf::from("packages/zlib/zlib.spec")));
    }
}
