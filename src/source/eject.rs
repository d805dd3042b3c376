//! A spec that was fetched or made, written down to be kept by hand.

use std::io;
use std::path::Path;

use super::origin::Origin;
use crate::files::{EntryKind, Folder};

/// Files beside a spec up to this size are written as well where the spec has no address for them: patches, scripts.
const SMALL: u64 = 1 << 20;

/// What was written of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ejected {
    /// The names of the files that were written; the spec first.
    pub written: Vec<String>,
    /// The names of those that were not: the spec has an address for them, or they are large.
    pub left: Vec<String>,
}

/// Writes a package's spec, and what lies beside it that is small and can't be fetched by the spec's own word, into a folder.
///
/// # Errors
/// They can't be read or written.
pub fn eject(origin: &Origin, target: &Folder) -> io::Result<Ejected> {
    let from = Folder::open_ambient(&origin.folder_path())?;
    let spec = origin.read_spec()?;
    let text = String::from_utf8_lossy(&spec);
    let has_address =
        |file: &str| text.lines().any(|line| line.contains("://") && line.trim_end().ends_with(file));
    target.write_atomic(&origin.spec.name, &spec)?;
    let mut ejected = Ejected { written: vec![origin.spec.name.clone()], left: Vec::new() };
    let files = from.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::File);
    let mut names: Vec<String> = files.map(|entry| entry.name).collect();
    names.retain(|name| *name != origin.spec.name);
    names.sort();
    for name in names {
        let is_small = from.file_size(Path::new(&name)).is_some_and(|size| size <= SMALL);
        match is_small && !has_address(&name) {
            true => {
                target.write_atomic(&name, &from.read(Path::new(&name))?)?;
                ejected.written.push(name);
            }
            false => ejected.left.push(name),
        }
    }
    Ok(ejected)
}
