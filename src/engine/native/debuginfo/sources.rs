//! Sources for debuggers: copied out of the folder of the build.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use cap_std::fs::{MetadataExt, Permissions, PermissionsExt};
use rayon::prelude::*;

use super::refused::Refused;
use crate::files::{Folder, HostPath, Tree, change_times};

/// Copies sources of `base` to a folder of the buildroot, with their times; what is not there is left out: compilers name what
/// they made themselves, too.
pub(super) fn copy_sources(
    sources: &BTreeSet<Vec<u8>>,
    base: &HostPath,
    root: &Folder,
    destination: &Path,
) -> Result<(), Refused> {
    let refused = |error: io::Error| Refused::unreadable(destination, &error);
    let target = root.create(destination).map_err(refused)?;
    // Links of the build lead where they do: into the root.
    let tree = Tree::open(&HostPath::root()).map_err(refused)?;
    let wanted: Vec<&[u8]> = sources.iter().map(Vec::as_slice).filter(|path| is_source(path)).collect();
    let mut folders = BTreeSet::new();
    for path in &wanted {
        let path = Path::new(OsStr::from_bytes(path));
        let is_folder = tree.folder(base.join(path).as_path()).is_ok();
        folders.extend(if is_folder { Some(path) } else { path.parent() });
    }
    for folder in folders.into_iter().filter(|folder| !folder.as_os_str().is_empty()) {
        // Only those that something comes of.
        if tree.folder(base.join(folder).as_path()).is_ok() {
            target.create(folder).map_err(refused)?;
        }
    }
    wanted.par_iter().try_for_each(|path| {
        let path = Path::new(OsStr::from_bytes(path));
        copy(&tree, base.join(path).as_path(), &target, path)
            .map_err(|error| Refused::unreadable(&destination.join(path), &error))
    })
}

fn copy(tree: &Tree, from: &Path, target: &Folder, to: &Path) -> io::Result<()> {
    let Ok(mut source) = tree.open_file(from) else {
        return Ok(());
    };
    let metadata = source.metadata()?;
    if !metadata.is_file() {
        return Ok(());
    }
    target.remove_file(to)?;
    let mut copy = target.new_file(to, 0o644)?;
    if rustix::fs::ioctl_ficlone(&copy, &source).is_err() {
        io::copy(&mut source, &mut copy)?;
    }
    copy.set_permissions(Permissions::from_mode(metadata.permissions().mode() & 0o777))?;
    let modified = u64::try_from(metadata.mtime()).unwrap_or_default();
    Ok(rustix::fs::futimens(&copy, &change_times(modified))?)
}

/// Whether a path may be a source: names in angle brackets are the compiler's own.
fn is_source(path: &[u8]) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    let inner = name.strip_prefix(b"<").and_then(|name| name.strip_suffix(b">"));
    let is_own = inner.is_some_and(|inner| {
        !inner.is_empty() && inner.iter().all(|byte| byte.is_ascii_lowercase() || b" _-".contains(byte))
    });
    !path.is_empty() && !is_own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_compiler_made_is_no_source() {
        assert!(is_source(b"src/a.c") && is_source(b"src/<a>.c") && is_source(b"<A>"));
        assert!(!is_source(b"src/<built-in>") && !is_source(b"<artificial>") && !is_source(b""));
    }
}
