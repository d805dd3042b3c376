//! Paths within a root.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize};

use super::HostPath;

/// An absolute path within a root that packages are built in, which is the machine's own only where that is the root. It
/// never climbs: `..` is no part of it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct RootPath(PathBuf);

impl RootPath {
    /// `path`, if it is absolute and does not climb; without a `/` at its end, and what else means nothing in it.
    pub fn new(path: impl Into<PathBuf>) -> Option<Self> {
        let path: PathBuf = path.into().components().collect();
        let climbs = path.components().any(|component| component == Component::ParentDir);
        (path.is_absolute() && !climbs).then_some(Self(path))
    }

    /// The root itself.
    pub fn root() -> Self {
        Self(PathBuf::from("/"))
    }

    /// Where a path of the machine is in its own root.
    pub fn in_own_root(path: &HostPath) -> Option<Self> {
        Self::new(path.as_path())
    }

    /// Where this is on the machine, if the root is the machine's own.
    pub fn on_host(&self) -> HostPath {
        HostPath(self.0.clone())
    }

    /// This path and `relative` below it.
    pub fn join(&self, relative: impl AsRef<Path>) -> Self {
        Self(self.0.join(relative))
    }

    /// As the standard library's type.
    pub fn as_path(&self) -> &Path {
        &self.0
    }
}

impl fmt::Display for RootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.display().fmt(f)
    }
}

impl fmt::Debug for RootPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<'de> Deserialize<'de> for RootPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let path = PathBuf::deserialize(deserializer)?;
        let shown = path.display().to_string();
        Self::new(path).ok_or_else(|| serde::de::Error::custom(format!("`{shown}` is no path of a root")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_of_a_root_is_absolute_and_does_not_climb() {
        assert!(RootPath::new("/builddir/build").is_some());
        for path in ["builddir", "/builddir/../etc", ""] {
            assert!(RootPath::new(path).is_none(), "{path}");
            assert!(serde_json::from_value::<RootPath>(path.into()).is_err(), "{path}");
        }
    }

    #[test]
    fn a_folder_has_one_spelling() {
        for path in ["/builddir/build/", "/builddir//build", "/builddir/./build"] {
            assert_eq!(RootPath::new(path).unwrap().to_string(), "/builddir/build");
        }
    }
}
