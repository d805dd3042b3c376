//! The files of a package, written into a folder.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::io::{self, BufRead, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::{Permissions, PermissionsExt};

use super::{ArchivedFile, PackageError, PackageFile, PayloadError, PayloadReader, read_headers_of};
use crate::files::Folder;

/// Writes the files, folders and links of a package below `target`, streaming; devices and ghosts are left out.
///
/// Every path is taken as relative to `target`, and one that would leave it is an error: what a package says is
/// hostile until checked. Links are written as they are; `target` itself is never left through them.
pub fn unpack(file: &str, reader: impl BufRead, target: &Folder) -> Result<(), PackageError> {
    unpack_at_most(file, reader, target, u64::MAX)
}

/// As [`unpack`], and stops before more than `most_bytes` of content are written: a payload can say other sizes than the
/// header does.
///
/// # Errors
/// [`PackageError::TooMuch`], beside what [`unpack`] says.
pub fn unpack_at_most(
    file: &str,
    mut reader: impl BufRead,
    target: &Folder,
    most_bytes: u64,
) -> Result<(), PackageError> {
    let headers = read_headers_of(file, &mut reader)?;
    let unreadable =
        |error: PayloadError| PackageError::Content { file: file.to_owned(), reason: error.to_string() };
    let unwritten = |source| PackageError::Io { file: file.to_owned(), source };
    let mut payload = PayloadReader::open(&headers, reader).map_err(unreadable)?;
    let listed = payload.files().to_vec();
    let mut hard_links = HardLinks::default();
    let mut left = most_bytes;
    while let Some(archived) = payload.next_file().map_err(unreadable)? {
        let Some(entry) = listed.get(archived.index).filter(|entry| !entry.is_ghost()) else { continue };
        let content = UnpackedContent { reader: &mut payload.content(), archived, most_bytes: left };
        let written = write_entry(entry, content, target, &mut hard_links).map_err(unwritten)?;
        let too_much = || PackageError::TooMuch { file: file.to_owned(), bytes: most_bytes };
        left = left.saturating_sub(written.ok_or_else(too_much)?);
    }
    hard_links.finish(target).map_err(unwritten)
}

/// Files of one inode: the payload holds the content with only one of them (rpm-payload: the last).
#[derive(Default)]
struct HardLinks {
    without_content: Vec<(PathBuf, (u64, u64))>,
    with_content: HashMap<(u64, u64), PathBuf>,
}

impl HardLinks {
    fn finish(self, target: &Folder) -> io::Result<()> {
        for (path, inode) in self.without_content {
            if let Some(origin) = self.with_content.get(&inode) {
                target.remove_file(&path)?;
                target.dir().hard_link(origin, target.dir(), &path)?;
            }
        }
        Ok(())
    }
}

/// What an archive has of a file.
struct UnpackedContent<'a, R> {
    reader: &'a mut R,
    archived: ArchivedFile,
    most_bytes: u64,
}

/// Gives how many bytes of content were written; `None` where there are more than may be.
fn write_entry(
    entry: &PackageFile,
    content: UnpackedContent<'_, impl Read>,
    target: &Folder,
    hard_links: &mut HardLinks,
) -> io::Result<Option<u64>> {
    let path = relative(Path::new(OsStr::from_bytes(&entry.path)))?;
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        target.dir().create_dir_all(parent)?;
    }
    if entry.is_folder() && !path.as_os_str().is_empty() {
        target.dir().create_dir_all(&path)?;
    } else if entry.is_link() {
        target.remove_file(&path)?;
        target.dir().symlink_contents(OsStr::from_bytes(&entry.link), &path)?;
    } else if entry.is_regular() {
        return write_regular(entry, content, target, path, hard_links);
    }
    Ok(Some(0))
}

fn write_regular(
    entry: &PackageFile,
    content: UnpackedContent<'_, impl Read>,
    target: &Folder,
    path: PathBuf,
    hard_links: &mut HardLinks,
) -> io::Result<Option<u64>> {
    let UnpackedContent { reader, archived, most_bytes } = content;
    if archived.size == 0 && entry.size > 0 {
        hard_links.without_content.push((path, entry.inode));
        return Ok(Some(0));
    }
    target.remove_file(&path)?;
    let mut file = target.new_file(&path, 0o644)?;
    let written = io::copy(&mut reader.take(most_bytes), &mut file)?;
    if written == most_bytes && reader.read(&mut [0])? > 0 {
        return Ok(None);
    }
    if written != archived.size {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mode = (entry.mode & 0o777) | 0o600;
    file.set_permissions(Permissions::from_mode(mode))?;
    hard_links.with_content.insert(entry.inode, path);
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
