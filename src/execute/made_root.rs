//! The root of a build, made of packages: those of repositories, and those that this manifest has built.

use std::sync::Arc;
use std::time::Duration;

use super::ExecuteError;
use super::inputs_record::write_root_record;
use super::task::Task;
use crate::chroot::making::{
    BuildWish, ChosenSet, GivenRoot, MadeRoot, PackageRoots, RootError, own_package,
};
use crate::chroot::{AvailablePackage, Checksum, LockedPackage};
use crate::engine::Root;
use crate::event::Clock;
use crate::files::{Folder, HostPath};
use crate::package::PackageRecord;
use crate::store::{Blob, RecordKind, ResultFile, Store};

/// Makes the root of a build.
///
/// # Errors
/// Packages that it needs can't be had, or no root be made of them.
pub(super) fn make_root(
    store: &Store,
    roots: &PackageRoots,
    wish: &BuildWish,
    task: &Task,
    clock: &dyn Clock,
) -> Result<Arc<MadeRoot>, ExecuteError> {
    let begun = clock.now();
    let own = list_own(store, &task.build.dependencies)?;
    let chosen: ChosenSet = match own.is_empty() {
        true => roots.chooser.choose_for_builds(std::slice::from_ref(wish))?.remove(0)?,
        false => {
            let available: Vec<AvailablePackage> = own.iter().map(|(package, _)| package.clone()).collect();
            roots.chooser.choose_with_own(wish, &available)?
        }
    };
    let is_chosen =
        |package: &AvailablePackage| chosen.own.iter().any(|chosen| chosen.checksum == package.checksum);
    let taken = own.into_iter().filter(|(package, _)| is_chosen(package));
    let blobs = taken.map(|(package, blob)| (locked(&package), blob)).collect();
    write_root_record(&task.results_folder()?, GivenRoot::new(roots.chooser.choose_minimal()?, &chosen))?;
    let chosen_at = clock.now();
    let made = roots.maker.make_for_build(&chosen, blobs)?;
    let times = [chosen_at.since(begun), clock.now().since(chosen_at)];
    let log = describe(&chosen, &made, times);
    task.results_folder()?.write_atomic("root.log", log.as_bytes())?;
    Ok(made)
}

/// What is in a root, from where, and how long each part took.
fn describe(chosen: &ChosenSet, made: &MadeRoot, [choosing, making]: [Duration; 2]) -> String {
    let mut text = format!("chosen in {} ms, made in {} ms\n", choosing.as_millis(), making.as_millis());
    let mut list = |title: &str, packages: &mut dyn Iterator<Item = String>| {
        let lines: String = packages.map(|line| format!("  {line}\n")).collect();
        if !lines.is_empty() {
            text.push_str(&format!("\n{title}\n{lines}"));
        }
    };
    let line = |package: &LockedPackage| format!("{} ({})", package.nevra(), package.repository);
    list("minimal root", &mut chosen.minimal.iter().map(line));
    list("for this build", &mut chosen.added.iter().map(line));
    if !chosen.own.is_empty() {
        let line = |package: &AvailablePackage| {
            format!("{}-{}.{} (this manifest)", package.name, package.evr, package.arch)
        };
        list("built by this manifest", &mut chosen.own.iter().map(line));
    }
    let printed = made.log();
    if !printed.is_empty() {
        text.push_str("\nscriptlets\n");
        text.push_str(&printed);
    }
    text
}

/// Remembers the folders of a build's root beside its tree, for a shell there.
///
/// # Errors
/// They can't be written.
pub(super) fn remember_root(task: &Task, layers: &[HostPath]) -> Result<(), ExecuteError> {
    let layers = layers.iter().map(|layer| format!("{layer}\n")).collect::<String>();
    Ok(Folder::create_scratch(&task.work)?.write_atomic(LAYERS, layers.as_bytes())?)
}

/// The root that [`remember_root`] was told of, if it is still there.
pub(super) fn remembered_root(work: &Folder) -> Option<Root> {
    let text = work.read_text(LAYERS).ok()?;
    let layers: Vec<HostPath> = text.lines().map(HostPath::new).collect::<Option<_>>()?;
    let is_there = layers.iter().all(|layer| Folder::open_ambient(layer).is_ok());
    is_there.then(|| Root::of_folders(layers))
}

/// The file that names them, in the work folder.
const LAYERS: &str = "root-layers";

fn list_own(store: &Store, files: &[ResultFile]) -> Result<Vec<(AvailablePackage, Blob)>, ExecuteError> {
    let mut own = Vec::new();
    for file in files.iter().filter(|file| file.package.arch != "src") {
        let gone = || ExecuteError::Task(format!("what {} says of itself is gone", file.name));
        let record: PackageRecord =
            store.record(RecordKind::Package, &file.blob.record_key()).ok_or_else(gone)?;
        let checksum = Checksum::new("sha256", &file.sha256).map_err(|_| gone())?;
        own.push((own_package(&record, &file.blob, checksum), file.blob));
    }
    Ok(own)
}

fn locked(package: &AvailablePackage) -> LockedPackage {
    LockedPackage {
        name: package.name.clone(),
        evr: package.evr.to_string(),
        arch: package.arch.clone(),
        repository: String::new(),
        href: package.href.clone(),
        checksum: package.checksum.clone(),
        size: package.size,
    }
}

impl From<RootError> for ExecuteError {
    fn from(error: RootError) -> Self {
        Self::Root(Box::new(error))
    }
}
