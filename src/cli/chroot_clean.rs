//! `forge chroot clean`: what the roots of chroots take in the store, given back.

use std::collections::HashSet;

use super::context::{Context, Failure};
use super::project::{Project, store};
use super::selection::is_matched;
use super::tools_here::read_lock;
use crate::chroot::{Lock, LockedPackage};
use crate::digest::Checksum;
use crate::event::{Clock as _, SystemClock};
use crate::files::Folder;
use crate::store::{CollectionMode, Store};
use crate::ui::{count, size};

/// Removes from the store the packages that only these chroots have locked, and their roots; the lock stays as it is.
pub fn clean(
    patterns: &[globset::GlobMatcher],
    mode: CollectionMode,
    (lock, project, context): (&Lock, &Project, &Context),
) -> Result<String, Failure> {
    let store = store(context)?;
    let _lock = match mode {
        CollectionMode::Remove => Some(project.lock("forge chroot clean")?),
        CollectionMode::Count => None,
    };
    let is_wanted = |name: &str| patterns.is_empty() || is_matched(patterns, name);
    let (wanted, others): (Vec<_>, Vec<_>) = lock.chroots.iter().partition(|(name, _)| is_wanted(name));
    let mut kept: HashSet<Checksum> =
        others.into_iter().flat_map(|(_, chroot)| chroot.packages.values()).map(checksum_of).collect();
    kept.extend(locked_by_others(&store, project, context)?);
    let packages = wanted.into_iter().flat_map(|(_, chroot)| chroot.packages.values());
    let packages: HashSet<(String, Checksum)> = packages
        .filter(|package| !kept.contains(&package.checksum))
        .map(|package| (package.nevra(), package.checksum.clone()))
        .collect();
    let packages: Vec<_> = packages.into_iter().collect();
    let released = store.release_packages(&packages, mode, SystemClock.now())?;
    let (removed, frees) = match mode {
        CollectionMode::Count => ("would remove", "would free"),
        CollectionMode::Remove => ("removed", "frees"),
    };
    Ok(format!(
        "{removed} {} and {} that nothing else uses: that {frees} {}\n",
        count(released.packages, "package"),
        count(released.roots, "root"),
        size(released.freed.bytes())
    ))
}

/// What the other projects that use the store have locked.
fn locked_by_others(store: &Store, own: &Project, context: &Context) -> Result<Vec<Checksum>, Failure> {
    let mut checksums = Vec::new();
    for path in store.projects()?.into_iter().filter(|path| path != own.repository.path()) {
        let Ok(folder) = Folder::open_ambient(&path) else { continue };
        match read_lock(&folder) {
            Ok(lock) => {
                let packages = lock.chroots.values().flat_map(|chroot| chroot.packages.values());
                checksums.extend(packages.map(checksum_of));
            }
            Err(_) => context.tell(&format!(
                "note: the lock of the project in {path} can't be read: what it needs is not known\n"
            )),
        }
    }
    Ok(checksums)
}

fn checksum_of(package: &LockedPackage) -> Checksum {
    package.checksum.clone()
}
