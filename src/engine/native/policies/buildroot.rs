//! What is in a buildroot: what each name stands for, and how each file begins.

use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;

use bstr::{BString, ByteSlice};
use cap_std::fs::{Dir, FileType, FileTypeExt, MetadataExt};
use rayon::prelude::*;

use crate::files::{Folder, HostPath};

/// How programs begin, libraries among them (elf(5)).
const PROGRAM: &[u8] = b"\x7fELF";

/// How archives begin (ar(5)): static libraries among them.
const ARCHIVE: &[u8] = b"!<arch>";

/// How archives begin that only name files.
const THIN_ARCHIVE: &[u8] = b"!<thin>";

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
    ThinArchive,
    /// Something else.
    Other,
    /// It can't be read.
    Unknown,
}

/// A regular file.
#[derive(Clone, Debug)]
pub(super) struct FoundFile {
    /// Where, below the buildroot and without a `/` at the beginning.
    pub path: BString,
    pub beginning: Beginning,
    /// Its permissions, and what else stands there.
    pub mode: u32,
    /// How many names it has.
    pub links: u64,
    /// What it is known by, whichever of its names is used.
    pub identity: (u64, u64),
}

impl FoundFile {
    /// The last part of its path.
    pub fn name(&self) -> &[u8] {
        last_part(&self.path)
    }
}

/// A buildroot that was looked at.
#[derive(Debug)]
pub(super) struct Buildroot {
    /// The open folder; its path has no `/` at the end, and nothing that means something to a shell or in a regular
    /// expression.
    pub folder: Folder,
    /// Its regular files, sorted by path.
    pub files: Vec<FoundFile>,
    /// Its symbolic links, sorted by path.
    pub links: Vec<BString>,
    /// The folders in it, sorted by path.
    pub folders: Vec<BString>,
    /// Whether what file(1) prints of the files can be told from their names, and names of programs and archives be given to
    /// shells.
    pub is_plainly_named: bool,
}

impl Buildroot {
    /// Looks at all below a folder.
    pub fn look(path: &OsStr) -> Result<Self, Unusual> {
        let is_plain = path.as_bytes().starts_with(b"/") && !path.as_bytes().ends_with(b"/");
        // Scripts have the path in regular expressions: what means something else there would be no path.
        if !is_plain || !path.as_bytes().iter().all(|byte| is_ordinary(*byte) && *byte != b'+') {
            return Err(Unusual);
        }
        let path = HostPath::new(path).ok_or(Unusual)?;
        let folder = Folder::open_ambient(&path).map_err(|_| Unusual)?;
        let mut found = Self {
            folder,
            files: Vec::new(),
            links: Vec::new(),
            folders: Vec::new(),
            is_plainly_named: true,
        };
        for item in look_below(found.folder.dir(), b"")? {
            match item {
                BuildrootItem::Folder(path) => found.folders.push(path),
                BuildrootItem::Link(path) => found.links.push(path),
                BuildrootItem::File(file) => found.files.push(file),
            }
        }
        found.files.sort_by(|a, b| a.path.cmp(&b.path));
        found.links.sort();
        found.folders.sort();
        found.is_plainly_named = found.files.iter().all(is_plainly_named);
        Ok(found)
    }
}

/// One thing below a buildroot.
enum BuildrootItem {
    Folder(BString),
    Link(BString),
    File(FoundFile),
}

/// What is below a folder.
fn look_below(folder: &Dir, path: &[u8]) -> Result<Vec<BuildrootItem>, Unusual> {
    let mut names: Vec<(OsString, FileType)> = Vec::new();
    for entry in folder.entries().map_err(|_| Unusual)? {
        let entry = entry.map_err(|_| Unusual)?;
        names.push((entry.file_name(), entry.file_type().map_err(|_| Unusual)?));
    }
    let look = |(name, kind): &(OsString, FileType)| {
        let separator = if path.is_empty() { b"".as_slice() } else { b"/" };
        let path = BString::from([path, separator, name.as_bytes()].concat());
        if kind.is_dir() {
            let mut found = look_below(&folder.open_dir(name).map_err(|_| Unusual)?, &path)?;
            found.push(BuildrootItem::Folder(path));
            return Ok(found);
        }
        if kind.is_symlink() {
            return Ok(vec![BuildrootItem::Link(path)]);
        }
        if kind.is_file() {
            return look_at(folder, name, path).map(|file| vec![BuildrootItem::File(file)]);
        }
        // Devices, sockets and pipes concern no policy, as long as their kind is known.
        let is_special =
            kind.is_fifo() || kind.is_socket() || kind.is_block_device() || kind.is_char_device();
        if is_special { Ok(Vec::new()) } else { Err(Unusual) }
    };
    // Many small files are many moments, few of them are not worth a thread each, let alone the first threads.
    let found: Result<Vec<Vec<BuildrootItem>>, Unusual> = if names.len() < 16 {
        names.iter().map(look).collect()
    } else {
        names.par_iter().with_min_len(16).map(look).collect()
    };
    Ok(found?.into_iter().flatten().collect())
}

fn look_at(folder: &Dir, name: &OsStr, path: BString) -> Result<FoundFile, Unusual> {
    let (beginning, metadata) = match folder.open(name) {
        Ok(mut file) => {
            let metadata = file.metadata().map_err(|_| Unusual)?;
            let mut start = Vec::new();
            let most = u64::try_from(ARCHIVE.len()).unwrap_or(u64::MAX);
            let is_read = file.by_ref().take(most).read_to_end(&mut start).is_ok();
            let beginning = match start.as_slice() {
                _ if !is_read => Beginning::Unknown,
                start if start.starts_with(PROGRAM) => Beginning::Program,
                ARCHIVE => Beginning::Archive,
                THIN_ARCHIVE => Beginning::ThinArchive,
                _ => Beginning::Other,
            };
            (beginning, metadata)
        }
        Err(_) => (Beginning::Unknown, folder.symlink_metadata(name).map_err(|_| Unusual)?),
    };
    Ok(FoundFile {
        path,
        beginning,
        mode: metadata.mode(),
        links: metadata.nlink(),
        identity: (metadata.dev(), metadata.ino()),
    })
}

fn is_plainly_named(file: &FoundFile) -> bool {
    if has_ordinary_name(&file.path) {
        return true;
    }
    let is_concerned = matches!(file.beginning, Beginning::Program | Beginning::Archive);
    !is_concerned && !DECEIVING.iter().any(|words| file.path.contains_str(words))
}

/// The last part of a path.
pub(super) fn last_part(path: &[u8]) -> &[u8] {
    path.rsplit_once_str("/").map_or(path, |(_, name)| name)
}

/// Whether a path has only characters that mean themselves.
pub(super) fn has_ordinary_name(path: &[u8]) -> bool {
    path.iter().all(|byte| is_ordinary(*byte))
}

/// Whether a character means itself in shells, in lists of file names and in what file(1) prints.
pub(super) fn is_ordinary(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"/._-+=%,@~".contains(&byte)
}
