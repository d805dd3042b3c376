//! The files of a buildroot that policies concern: what begins as a program or an archive does.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use bstr::{BString, ByteSlice};
use cap_std::fs::{Dir, MetadataExt};
use rayon::prelude::*;

use crate::files::{Folder, HostPath};

/// How programs begin, libraries among them (elf(5)).
const PROGRAM: &[u8] = b"\x7fELF";

/// How archives begin (ar(5)): static libraries among them.
const ARCHIVE: &[u8] = b"!<arch>";

/// What file(1) says of a program or archive: a name that has this could be taken for it.
const DECEIVING: [&[u8]; 2] = [b"ELF", b"current ar archive"];

/// Something that a script would do otherwise than this program, or perhaps would.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unusual;

/// What a file is by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    Program,
    Archive,
}

/// A file that policies concern.
#[derive(Clone, Debug)]
pub(super) struct FoundFile {
    /// Where, below the buildroot and without a `/` at the beginning.
    pub path: BString,
    pub beginning: Beginning,
    /// Its permissions.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
    /// What it is known by, whichever of its names is used.
    pub identity: (u64, u64),
}

/// A buildroot that was looked at.
#[derive(Debug)]
pub(super) struct Buildroot {
    /// Its path, without a `/` at the end.
    pub path: HostPath,
    /// What policies concern in it, sorted by path.
    pub files: Vec<FoundFile>,
}

impl Buildroot {
    /// Looks at all files below a folder.
    pub fn look(path: &OsStr) -> Result<Self, Unusual> {
        let is_plain = path.as_bytes().starts_with(b"/") && !path.as_bytes().ends_with(b"/");
        // Scripts have the path in regular expressions: what means something else there would be no path.
        if !is_plain || !path.as_bytes().iter().all(|byte| is_ordinary(*byte) && *byte != b'+') {
            return Err(Unusual);
        }
        let path = HostPath::new(path).ok_or(Unusual)?;
        let folder = Folder::open_ambient(&path).map_err(|_| Unusual)?;
        let mut files = look_below(folder.dir(), b"")?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { path, files })
    }
}

/// What a folder has of them.
fn look_below(folder: &Dir, path: &[u8]) -> Result<Vec<FoundFile>, Unusual> {
    let mut names: Vec<(OsString, bool)> = Vec::new();
    for entry in folder.entries().map_err(|_| Unusual)? {
        let entry = entry.map_err(|_| Unusual)?;
        let kind = entry.file_type().map_err(|_| Unusual)?;
        if kind.is_dir() || kind.is_file() {
            names.push((entry.file_name(), kind.is_dir()));
        }
    }
    // Many small files are many moments, few of them are not worth a thread each.
    let found: Result<Vec<Vec<FoundFile>>, Unusual> = names
        .par_iter()
        .with_min_len(16)
        .map(|(name, is_folder)| {
            let separator = if path.is_empty() { b"".as_slice() } else { b"/" };
            let path = [path, separator, name.as_bytes()].concat();
            if *is_folder {
                return look_below(&folder.open_dir(name).map_err(|_| Unusual)?, &path);
            }
            look_at(folder, name, path).map(|file| file.into_iter().collect())
        })
        .collect();
    Ok(found?.into_iter().flatten().collect())
}

fn look_at(folder: &Dir, name: &OsStr, path: Vec<u8>) -> Result<Option<FoundFile>, Unusual> {
    let is_ordinary = path.iter().all(|byte| is_ordinary(*byte));
    if !is_ordinary && DECEIVING.iter().any(|words| path.contains_str(words)) {
        return Err(Unusual);
    }
    // What can't be opened file(1) can't read either.
    let Ok(mut file) = folder.open(name) else { return Ok(None) };
    let mut start = Vec::new();
    let most = u64::try_from(ARCHIVE.len()).unwrap_or(u64::MAX);
    if file.by_ref().take(most).read_to_end(&mut start).is_err() {
        return Ok(None);
    }
    let beginning = match start.as_slice() {
        start if start.starts_with(PROGRAM) => Beginning::Program,
        ARCHIVE => Beginning::Archive,
        _ => return Ok(None),
    };
    if !is_ordinary {
        return Err(Unusual);
    }
    let metadata = file.metadata().map_err(|_| Unusual)?;
    Ok(Some(FoundFile {
        path: path.into(),
        beginning,
        mode: metadata.mode(),
        links: metadata.nlink(),
        identity: (metadata.dev(), metadata.ino()),
    }))
}

/// Whether a character means itself in shells, in lists of file names and in what file(1) prints.
pub(super) fn is_ordinary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-+=%,@~".contains(&byte)
}
