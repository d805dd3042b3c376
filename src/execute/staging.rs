//! Packages of other builds, for a build in a root that they are not installed in.
//!
//! The machine's own root is only read. The packages that a build requires of other builds are unpacked below its work
//! folder instead, and the compilers' and loaders' search paths name those folders before the root's own.

use std::io::BufReader;

use super::ExecuteError;
use super::task::Task;
use crate::files::Folder;
use crate::package::{Dependency, unpack};
use crate::store::{PackageSummary, Store};

/// Where dependencies are unpacked, below the work folder.
const FOLDER: &str = "dependencies";

/// Search paths and the folders, relative to a root, that belong to them.
const SEARCHED: &[(&str, &[&str])] = &[
    ("PATH", &["usr/local/bin", "usr/bin", "usr/sbin", "bin", "sbin"]),
    ("C_INCLUDE_PATH", &["usr/include"]),
    ("CPLUS_INCLUDE_PATH", &["usr/include"]),
    ("LIBRARY_PATH", &["usr/lib64", "usr/lib", "lib64", "lib"]),
    ("LD_LIBRARY_PATH", &["usr/lib64", "usr/lib", "lib64", "lib"]),
    ("PKG_CONFIG_PATH", &["usr/lib64/pkgconfig", "usr/lib/pkgconfig", "usr/share/pkgconfig"]),
    ("CMAKE_PREFIX_PATH", &["usr"]),
    ("ACLOCAL_PATH", &["usr/share/aclocal"]),
    ("XDG_DATA_DIRS", &["usr/share"]),
];

/// Environment variables and the folders to put before what they say.
pub(super) type SearchPaths = Vec<(String, String)>;

/// What each of a task's dependencies provides, files included.
pub(super) fn provided(task: &Task) -> Vec<Vec<Dependency>> {
    let of_package = |package: &PackageSummary| {
        let files = package.files.iter().chain(&package.other_files).map(Dependency::any);
        package.provides.iter().cloned().chain(files).collect()
    };
    task.build.dependencies.iter().map(|file| of_package(&file.package)).collect()
}

/// Unpacks a task's dependencies and gives the search paths that find them.
pub(super) fn stage(store: &Store, task: &Task) -> Result<SearchPaths, ExecuteError> {
    if task.build.dependencies.is_empty() {
        return Ok(Vec::new());
    }
    let folder = Folder::create_scratch(&task.work)?.create(FOLDER)?;
    for file in &task.build.dependencies {
        // What is unpacked of a damaged package is in the work folder only, and no build begins there.
        store.read_blob(&file.blob, |content| {
            unpack(&file.name, BufReader::new(content), &folder).map_err(ExecuteError::from)
        })?;
    }
    let paths = SEARCHED.iter().filter_map(|(variable, folders)| {
        let there = folders.iter().filter(|below| folder.is_folder(below));
        let there: Vec<String> = there.map(|below| folder.path().join(below).to_string()).collect();
        (!there.is_empty()).then(|| ((*variable).to_owned(), there.join(":")))
    });
    Ok(paths.collect())
}
