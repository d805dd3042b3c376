//! The buildroot: the folder that `%install` fills, and whose files are packaged.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};

use super::root_files::RootFiles;
use crate::files::{Folder, HostPath};

/// The buildroot of a build. It is opened when its files are wanted: scripts of the build make and remove it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct BuildRoot(HostPath);

impl BuildRoot {
    /// The buildroot at a path, which need not be there yet.
    pub(super) fn new(path: HostPath) -> Self {
        Self(path)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &HostPath {
        &self.0
    }

    /// The handle that its files are reached through; `None` where there is no such folder.
    pub(super) fn open(&self, files: &RootFiles) -> Option<Folder> {
        files.folder(&self.0).ok()
    }

    /// The path that scripts, programs and messages know a packaged path by: in the buildroot.
    pub(super) fn full_path(&self, path: &[u8]) -> BString {
        [self.as_bytes(), path].concat().into()
    }

    /// The path that programs know a file by, which lies at `on_disk` in the buildroot.
    pub(super) fn program_path(&self, on_disk: &Path) -> Vec<u8> {
        [self.as_bytes(), b"/", on_disk.as_os_str().as_bytes()].concat()
    }

    /// Its own path in bytes.
    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_os_str().as_bytes()
    }

    /// Where a packaged path lies, relative to the buildroot.
    pub(super) fn relative(path: &[u8]) -> PathBuf {
        path.trim_start_with(|c| c == '/').to_os_str_lossy().into_owned().into()
    }
}
