//! A path that a manifest says.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::files::{HostPath, normalize};

/// A path of a manifest, worked out: below the repository, or absolute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ManifestPath {
    /// Relative to the repository, without `.` and `..`.
    Repository(PathBuf),
    /// Absolute, as it was written.
    Absolute(HostPath),
}

impl ManifestPath {
    /// `written` in a file of the folder `folder`; `None` where it leaves the repository.
    pub fn new(folder: &Path, written: &str) -> Option<Self> {
        match HostPath::new(written) {
            Some(path) => Some(Self::Absolute(path)),
            None => normalize(folder, Path::new(written)).map(Self::Repository),
        }
    }

    /// As a path: relative to the repository, or absolute.
    pub fn as_path(&self) -> &Path {
        match self {
            Self::Repository(path) => path,
            Self::Absolute(path) => path.as_path(),
        }
    }

    /// The path with `{chroot}` replaced by a chroot's name.
    pub fn with_chroot(&self, chroot: &str) -> Self {
        let replace = |path: &Path| PathBuf::from(path.to_string_lossy().replace("{chroot}", chroot));
        match self {
            Self::Repository(path) => Self::Repository(replace(path)),
            Self::Absolute(path) => {
                HostPath::new(replace(path.as_path())).map_or_else(|| self.clone(), Self::Absolute)
            }
        }
    }

    /// Where it is on this machine, in the repository at `repository`.
    pub fn on_host(&self, repository: &HostPath) -> HostPath {
        match self {
            Self::Repository(path) => repository.join(path),
            Self::Absolute(path) => path.clone(),
        }
    }
}

impl fmt::Display for ManifestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_path().display().fmt(f)
    }
}
