//! The files of a package, written into a folder.

use std::io::{self, BufRead, Read};
use std::path::{Component, Path, PathBuf};

use cap_std::fs::{Permissions, PermissionsExt};
use rpm::{FileType, PackageReader};

use super::{PackageError, check, content_error};
use crate::files::Folder;

/// Writes the files, folders and links of a package below `target`, streaming; devices and ghosts are left out.
///
/// Every path is taken as relative to `target`, and one that would leave it is an error: what a package says is
/// hostile until checked. Links are written as they are; `target` itself is never left through them.
pub fn unpack(file: &str, reader: impl BufRead + 'static, target: &Folder) -> Result<(), PackageError> {
    unpack_at_most(file, reader, target, u64::MAX)
}

/// As [`unpack`], and stops before more than `most_bytes` of content are written: a payload can say other sizes than the
/// header does.
///
/// # Errors
/// [`PackageError::TooMuch`], beside what [`unpack`] says.
pub fn unpack_at_most(
    file: &str,
    mut reader: impl BufRead + 'static,
    target: &Folder,
    most_bytes: u64,
) -> Result<(), PackageError> {
    let headers =
        check(&mut reader).map_err(|source| PackageError::Header { file: file.to_owned(), source })?;
    let whole = io::Cursor::new(headers).chain(reader);
    let mut package = PackageReader::parse(whole).map_err(|error| content_error(file, &error))?;
    let mut hard_links = HardLinks::default();
    let mut left = most_bytes;
    while let Some(mut entry) = package.next_file().map_err(|error| content_error(file, &error))? {
        let written = write_entry(&mut entry, target, &mut hard_links, left);
        let Some(written) = written.map_err(|source| PackageError::Io { file: file.to_owned(), source })?
        else {
            // Dropped, an entry reads on to its end, and that end may be 4 GiB of zeros away.
            std::mem::forget(entry);
            return Err(PackageError::TooMuch { file: file.to_owned(), bytes: most_bytes });
        };
        left = left.saturating_sub(written);
        entry.finish().map_err(|source| PackageError::Io { file: file.to_owned(), source })?;
    }
    hard_links.finish(target).map_err(|source| PackageError::Io { file: file.to_owned(), source })
}

/// Files of one inode: the payload holds the content with only one of them (rpm-payload: the last).
#[derive(Default)]
struct HardLinks {
    without_content: Vec<(PathBuf, Option<String>)>,
    with_content: Vec<(PathBuf, Option<String>)>,
}

impl HardLinks {
    fn finish(self, target: &Folder) -> io::Result<()> {
        for (path, digest) in self.without_content {
            let origin = self.with_content.iter().find(|(_, other)| digest.is_some() && *other == digest);
            if let Some((origin, _)) = origin {
                target.dir().hard_link(origin, target.dir(), &path)?;
            }
        }
        Ok(())
    }
}

/// Gives how many bytes of content were written; `None` where there are more than `most_bytes`.
fn write_entry(
    entry: &mut rpm::StreamingRpmFile<'_>,
    target: &Folder,
    hard_links: &mut HardLinks,
    most_bytes: u64,
) -> io::Result<Option<u64>> {
    let path = relative(&entry.metadata.path())?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        target.dir().create_dir_all(parent)?;
    }
    match entry.metadata.file_type() {
        FileType::Dir if !path.as_os_str().is_empty() => target.dir().create_dir_all(&path)?,
        FileType::SymbolicLink => {
            target.remove_file(&path)?;
            target.dir().symlink_contents(entry.metadata.linkto().unwrap_or_default(), &path)?;
        }
        FileType::Regular => return write_regular(entry, target, path, hard_links, most_bytes),
        FileType::Dir
        | FileType::Fifo
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Socket
        | FileType::Other
        | _ => {}
    }
    Ok(Some(0))
}

fn write_regular(
    entry: &mut rpm::StreamingRpmFile<'_>,
    target: &Folder,
    path: PathBuf,
    hard_links: &mut HardLinks,
    most_bytes: u64,
) -> io::Result<Option<u64>> {
    let digest = entry.metadata.digest().map(|digest| digest.as_hex().to_owned());
    if !entry.has_payload() {
        if entry.metadata.flags().contains(rpm::FileFlags::GHOST) {
            return Ok(Some(0));
        }
        hard_links.without_content.push((path, digest));
        return Ok(Some(0));
    }
    target.remove_file(&path)?;
    let mut file = target.new_file(&path, 0o644)?;
    let written = io::copy(&mut entry.by_ref().take(most_bytes), &mut file)?;
    if written == most_bytes && entry.read(&mut [0])? > 0 {
        return Ok(None);
    }
    let mode = u32::from(entry.metadata.permissions() & 0o777) | 0o600;
    file.set_permissions(Permissions::from_mode(mode))?;
    hard_links.with_content.push((path, digest));
    Ok(Some(written))
}

fn relative(path: &Path) -> io::Result<PathBuf> {
    let mut parts = PathBuf::new();
    for component in path.components() {
        match component {
            Component::RootDir | Component::CurDir => {}
            Component::Normal(part) => parts.push(part),
            Component::ParentDir | Component::Prefix(_) => {
                let message =
                    format!("the package has a file at {}, outside of where it is unpacked", path.display());
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        }
    }
    Ok(parts)
}
