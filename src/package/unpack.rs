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
pub fn unpack(file: &str, mut reader: impl BufRead + 'static, target: &Folder) -> Result<(), PackageError> {
    let headers =
        check(&mut reader).map_err(|source| PackageError::Header { file: file.to_owned(), source })?;
    let whole = io::Cursor::new(headers).chain(reader);
    let mut package = PackageReader::parse(whole).map_err(|error| content_error(file, &error))?;
    let mut hard_links = HardLinks::default();
    while let Some(mut entry) = package.next_file().map_err(|error| content_error(file, &error))? {
        let written = write_entry(&mut entry, target, &mut hard_links).and_then(|()| entry.finish());
        written.map_err(|source| PackageError::Io { file: file.to_owned(), source })?;
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

fn write_entry(
    entry: &mut rpm::StreamingRpmFile<'_>,
    target: &Folder,
    hard_links: &mut HardLinks,
) -> io::Result<()> {
    let path = relative(&entry.metadata.path())?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        target.dir().create_dir_all(parent)?;
    }
    match entry.metadata.file_type() {
        FileType::Dir if !path.as_os_str().is_empty() => target.dir().create_dir_all(&path),
        FileType::SymbolicLink => {
            target.remove_file(&path)?;
            target.dir().symlink_contents(entry.metadata.linkto().unwrap_or_default(), &path)
        }
        FileType::Regular => write_regular(entry, target, path, hard_links),
        _ => Ok(()),
    }
}

fn write_regular(
    entry: &mut rpm::StreamingRpmFile<'_>,
    target: &Folder,
    path: PathBuf,
    hard_links: &mut HardLinks,
) -> io::Result<()> {
    let digest = entry.metadata.digest().map(|digest| digest.as_hex().to_owned());
    if !entry.has_payload() {
        if entry.metadata.flags().contains(rpm::FileFlags::GHOST) {
            return Ok(());
        }
        hard_links.without_content.push((path, digest));
        return Ok(());
    }
    target.remove_file(&path)?;
    let mut file = target.new_file(&path, 0o644)?;
    io::copy(entry, &mut file)?;
    let mode = u32::from(entry.metadata.permissions() & 0o777) | 0o600;
    file.set_permissions(Permissions::from_mode(mode))?;
    hard_links.with_content.push((path, digest));
    Ok(())
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
