//! A folder that is copied to be a root.

use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use bstr::BString;
use cap_std::fs::MetadataExt;

use super::image_entries::{ImageEntries, ImageMetadata};
use super::package::special_kind;
use super::{EntryFault, TreeError};
use crate::files::{Folder, HostPath};

/// Reads all that is in a folder. No link is followed.
pub(super) fn read_image_folder(image: &mut ImageEntries<'_>, path: &HostPath) -> Result<(), TreeError> {
    let folder = Folder::open_ambient(path).map_err(|error| image.unreadable(error))?;
    let mut hard_links: HashMap<(u64, u64), BString> = HashMap::new();
    let mut open = vec![BString::default()];
    while let Some(at) = open.pop() {
        let name: &OsStr = if at.is_empty() { OsStr::new(".") } else { OsStr::from_bytes(&at) };
        let metadata = folder.dir().symlink_metadata(name).map_err(|error| image.unreadable(error))?;
        let known = ImageMetadata {
            mode: metadata.mode(),
            user: metadata.uid().into(),
            group: metadata.gid().into(),
            modified: u64::try_from(metadata.mtime()).unwrap_or_default(),
        };
        let checked = image.path(&at)?;
        match metadata.file_type() {
            kind if kind.is_dir() => {
                let entries = folder.dir().read_dir(name);
                let names = entries.and_then(|all| all.map(|entry| Ok(entry?.file_name())).collect());
                let names: Vec<OsString> = names.map_err(|error| image.unreadable(error))?;
                open.extend(names.into_iter().map(|name| below(&at, name)));
                image.add_folder(checked, known)?;
            }
            kind if kind.is_symlink() => {
                let target = folder.dir().read_link_contents(name);
                let target = target.map_err(|error| image.unreadable(error))?;
                image.add_link(checked, known, target.as_os_str().as_bytes())?;
            }
            kind if kind.is_file() => match hard_links.get(&(metadata.dev(), metadata.ino())) {
                Some(first) => image.add_hard_link(checked, first)?,
                None => {
                    hard_links.insert((metadata.dev(), metadata.ino()), checked.clone());
                    let (mut file, now) =
                        folder.open_regular_with_metadata(name).map_err(|error| image.unreadable(error))?;
                    if now.ino() != metadata.ino() {
                        return Err(
                            image.refused(&at, EntryFault::Special("file that changes while it is read"))
                        );
                    }
                    image.add_file(checked, known, &mut file)?;
                }
            },
            _ => image.check_special(&checked, special_kind(metadata.mode()))?,
        }
    }
    Ok(())
}

fn below(folder: &BString, name: OsString) -> BString {
    let separator: &[u8] = if folder.is_empty() { b"" } else { b"/" };
    [folder.as_slice(), separator, &name.into_vec()].concat().into()
}
