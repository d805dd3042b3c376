//! Packages of other builds, for a build in a root that they are not installed in.
//!
//! The machine's own root is only read. The packages that a build requires of other builds are unpacked beside its work. In
//! a sandbox they are seen over the root, where they belong. Without one, the compilers' and loaders' search paths name
//! their folders before the root's own.

use std::io::{self, BufReader};
use std::path::Component;

use cap_std::fs::{Permissions, PermissionsExt};

use super::ExecuteError;
use super::task::Task;
use crate::engine::{Isolation, Root};
use crate::files::{Folder, HostPath};
use crate::package::{Dependency, unpack};
use crate::sandbox::give_to_builder;
use crate::store::{PackageSummary, ResultFile, Store};

/// Where dependencies are unpacked, below the work folder.
const FOLDER: &str = "dependencies";

/// Where what is private to a sandbox is, below the work folder.
pub(super) const PRIVATE: &str = "private";

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

/// What a root of Debian does not search by itself, of the folders that packages of RPM have their libraries in.
const NOT_SEARCHED_BY_DEBIAN: &[(&str, &[&str])] = &[
    ("LIBRARY_PATH", &["usr/lib64", "lib64"]),
    ("LD_LIBRARY_PATH", &["usr/lib64", "lib64"]),
    ("PKG_CONFIG_PATH", &["usr/lib64/pkgconfig"]),
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

/// Where packages are to be found.
#[derive(Clone, Copy, Debug)]
pub struct StagingPlace<'a> {
    /// The root.
    pub root: &'a Root,
    /// How it is entered.
    pub isolation: Isolation,
}

/// What makes a build find the packages of other builds.
#[derive(Default)]
pub(super) struct Staged {
    /// Environment variables and the folders to put before what they say.
    pub search: SearchPaths,
    /// Folders that are seen over the root's own.
    pub layers: Vec<HostPath>,
}

/// Unpacks a task's dependencies.
pub(super) fn stage(store: &Store, task: &Task, root: &Root) -> Result<Staged, ExecuteError> {
    if task.build.dependencies.is_empty() {
        return Ok(Staged::default());
    }
    let work = Folder::create_scratch(&task.work)?;
    work.remove_folder(FOLDER)?;
    let folder = work.create(FOLDER)?;
    let isolation = task.build.settings().isolation;
    unpack_packages(store, &task.build.dependencies, &folder, StagingPlace { root, isolation })?;
    staged(task, root)
}

/// Unpacks packages below a folder that is to be seen over a root.
///
/// # Errors
/// One is damaged, or can't be unpacked.
pub fn unpack_packages(
    store: &Store,
    packages: &[ResultFile],
    folder: &Folder,
    place: StagingPlace<'_>,
) -> Result<(), ExecuteError> {
    let StagingPlace { root, isolation } = place;
    if isolation.is_sandbox() {
        copy_links(root, folder)?;
    }
    for file in packages {
        // What is unpacked of a damaged package is in this folder only, and no build begins there.
        store.read_blob(&file.blob, |content| {
            unpack(&file.name, BufReader::new(content), folder).map_err(ExecuteError::from)
        })?;
    }
    if isolation.is_sandbox() {
        give_to_builder(folder.path().as_path())?;
    }
    Ok(())
}

/// What makes a build find what was unpacked for it.
pub(super) fn staged(task: &Task, root: &Root) -> Result<Staged, ExecuteError> {
    staged_in(&task.work, StagingPlace { root, isolation: task.build.settings().isolation })
}

/// What makes a build find what was unpacked below its work folder, if anything was.
pub(super) fn staged_in(work: &HostPath, place: StagingPlace<'_>) -> Result<Staged, ExecuteError> {
    let work = Folder::open_ambient(work)?;
    if !work.is_folder(FOLDER) {
        return Ok(Staged::default());
    }
    find_in_root(&work.folder(FOLDER)?, place)
}

/// What makes programs find what was unpacked below a folder.
///
/// # Errors
/// The root can't be looked at.
pub(super) fn find_in_root(folder: &Folder, place: StagingPlace<'_>) -> Result<Staged, ExecuteError> {
    match place.isolation.is_sandbox() {
        false => Ok(Staged { search: search_paths(folder, folder.path(), SEARCHED), layers: Vec::new() }),
        true => {
            // Its programs look elsewhere than packages of RPM have it; in other roots they look there by themselves.
            let is_of_debian = open_root(place.root)?.iter().any(|root| root.exists("etc/debian_version"));
            let searched = if is_of_debian { NOT_SEARCHED_BY_DEBIAN } else { &[] };
            let search = search_paths(folder, &HostPath::root(), searched);
            Ok(Staged { search, layers: vec![folder.path().clone()] })
        }
    }
}

/// The search paths that find what is in `folder`, which builds see at `seen`.
fn search_paths(folder: &Folder, seen: &HostPath, searched: &[(&str, &[&str])]) -> SearchPaths {
    let paths = searched.iter().filter_map(|(variable, folders)| {
        let there = folders.iter().filter(|below| folder.is_folder(below));
        let there: Vec<String> = there.map(|below| seen.join(below).to_string()).collect();
        (!there.is_empty()).then(|| ((*variable).to_owned(), there.join(":")))
    });
    paths.collect()
}

/// Makes the links that the root has at its top (`/lib64` to `usr/lib64`): what a package has there lies where the root
/// has it.
fn copy_links(root: &Root, folder: &Folder) -> io::Result<()> {
    for root in open_root(root)? {
        for entry in root.entries()? {
            let Ok(target) = root.dir().read_link_contents(&entry.name) else { continue };
            let stays = target.components().all(|part| matches!(part, Component::Normal(_)));
            if stays && folder.dir().symlink_metadata(&entry.name).is_err() {
                folder.create(&target)?;
                folder.dir().symlink_contents(&target, &entry.name)?;
            }
        }
    }
    Ok(())
}

/// The folders that a root is made of, the uppermost first.
fn open_root(root: &Root) -> io::Result<Vec<Folder>> {
    root.folders_on_host().iter().map(Folder::open_ambient).collect()
}

/// The folder that holds what is private to a build in a sandbox.
pub(super) fn private(task: &Task) -> io::Result<Option<HostPath>> {
    if !task.build.settings().isolation.is_sandbox() {
        return Ok(None);
    }
    let folder = Folder::create_scratch(&task.work)?.create(PRIVATE)?;
    for (name, mode) in [("tmp", 0o1777), ("var-tmp", 0o1777), ("home", 0o755)] {
        folder.create(name)?;
        folder.dir().set_permissions(name, Permissions::from_mode(mode))?;
    }
    Ok(Some(folder.path().clone()))
}
