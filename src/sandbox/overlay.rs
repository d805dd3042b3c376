//! Folders of packages laid over a folder of the root (overlayfs).

use std::io;
use std::path::{Path, PathBuf};

use rustix::mount::MountAttrFlags;

use super::mounts::Detached;

/// What `lower` looks like with `layers` over it, the uppermost first. Nothing can be written there.
///
/// # Errors
/// The machine has no overlayfs, or none for this user.
pub(super) fn overlay_of(layers: &[PathBuf], lower: &Path) -> io::Result<Detached> {
    let folders: Vec<&Path> = layers.iter().map(PathBuf::as_path).chain([lower]).collect();
    overlay_folders(&folders, None)
}

/// What folders look like together, the uppermost first. With `changes`, what is written goes to the folder `upper` there,
/// and `work` is the kernel's.
///
/// Changes are believed until the machine boots again, and no longer: nothing waits for the disk to have them, neither programs that
/// ask for it nor the end of the sandbox, which would wait for all that anybody has written (`volatile`, since Linux 5.10).
///
/// # Errors
/// The machine has no overlayfs, or none for this user.
pub(super) fn overlay_folders(folders: &[&Path], changes: Option<&Path>) -> io::Result<Detached> {
    // Marks of a user's own, since this is none of the machine's root.
    let marks = ("userxattr", None);
    if changes.is_some()
        && let Ok(overlay) = overlay_with(&[marks, ("volatile", None)], folders, changes)
    {
        return Ok(overlay);
    }
    overlay_with(&[marks], folders, changes)
}

/// The same with options.
fn overlay_with(
    options: &[(&str, Option<&str>)],
    folders: &[&Path],
    changes: Option<&Path>,
) -> io::Result<Detached> {
    let text = |path: &Path| -> io::Result<String> {
        Ok(path.to_str().ok_or(io::ErrorKind::InvalidFilename)?.to_owned())
    };
    let mut common = options.to_vec();
    let written = changes.map(|changes| Ok([text(&changes.join("upper"))?, text(&changes.join("work"))?]));
    let written = written.transpose().map_err(|error: io::Error| error)?;
    if let Some([upper, work]) = &written {
        common.extend([("upperdir", Some(upper.as_str())), ("workdir", Some(work.as_str()))]);
    }
    let access = if changes.is_some() { MountAttrFlags::empty() } else { MountAttrFlags::MOUNT_ATTR_RDONLY };
    let attributes = access | MountAttrFlags::MOUNT_ATTR_NODEV;
    let mut one_by_one = common.clone();
    let names: Vec<String> = folders.iter().map(|folder| text(folder)).collect::<io::Result<_>>()?;
    one_by_one.extend(names.iter().map(|name| ("lowerdir+", Some(name.as_str()))));
    if let Ok(overlay) = Detached::new("overlay", &one_by_one, attributes) {
        return Ok(overlay);
    }
    // Before Linux 6.8 all are one text, of at most 256 bytes.
    let all: Vec<String> = names.iter().map(|name| escape(name)).collect();
    let all = all.join(":");
    common.push(("lowerdir", Some(all.as_str())));
    Detached::new("overlay", &common, attributes)
}

/// A path as one of a list of lower folders.
fn escape(path: &str) -> String {
    path.replace('\\', "\\\\").replace(':', "\\:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_in_a_path_does_not_begin_another_folder() {
        assert_eq!(escape("/a:b\\c"), "/a\\:b\\\\c");
    }
}
