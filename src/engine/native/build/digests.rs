//! Digests of files, worked out on all threads, and what small files hold, for those that look at it next.

use std::collections::{HashMap, HashSet};
use std::io::Read;
use std::sync::Arc;

use bstr::BString;
use md5::Md5;
use rayon::prelude::*;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_256, Sha3_512};

use super::assemble::DigestAlgorithm;
use super::files::PackagedFile;
use super::problem::BuildProblem;
use super::world::World;
use crate::files::{Folder, reason};
use crate::macros::Stop;
use crate::package::hex;

/// How many bytes a file has at most that is kept, and how many all of a package have together.
const LONGEST_KEPT: usize = 64 * 1024;
pub(super) const MOST_KEPT: u64 = 32 << 20;

/// What small files of a package hold, by the files' numbers.
#[derive(Clone, Default)]
pub(super) struct Contents(Arc<HashMap<u32, Vec<u8>>>);

impl Contents {
    /// What a file holds, if that was kept.
    pub(super) fn of(&self, entry: &PackagedFile) -> Option<&[u8]> {
        self.numbered(entry.inode)
    }

    /// What the file of a number holds, if that was kept.
    pub(super) fn numbered(&self, number: u32) -> Option<&[u8]> {
        self.0.get(&number).map(Vec::as_slice)
    }

    /// How many bytes there are.
    pub(super) fn size(&self) -> u64 {
        self.0.values().map(|content| content.len() as u64).sum()
    }

    /// All of it where there is room for so many bytes, which takes it up; nothing where there is not.
    pub(super) fn within(self, room: &mut u64) -> Self {
        match room.checked_sub(self.size()) {
            Some(left) => {
                *room = left;
                self
            }
            None => Self::default(),
        }
    }
}

/// What a file holds, if it is kept, and the file's number.
type Kept = Option<(u32, Vec<u8>)>;

/// Sets the digests of all files that a package holds; gives what was read of small ones.
pub(super) fn set(
    world: World<'_>,
    root: &Folder,
    entries: &mut [PackagedFile],
    algorithm: DigestAlgorithm,
) -> Result<Contents, Stop> {
    // Of hard links, one is read.
    let mut known: HashSet<u32> = HashSet::new();
    let mut is_read = |entry: &&mut PackagedFile| {
        let is_link = entry.identity.is_some_and(|(_, _, names)| names > 1);
        entry.is_regular() && !entry.is_ghost() && (!is_link || known.insert(entry.inode))
    };
    let read: Vec<&mut PackagedFile> = entries.iter_mut().filter(|entry| is_read(entry)).collect();
    let mut kept = 0;
    let mut is_kept = |entry: &&mut PackagedFile| {
        let is_small = entry.size <= LONGEST_KEPT as u64 && kept + entry.size <= MOST_KEPT;
        kept += if is_small { entry.size } else { 0 };
        is_small
    };
    let read: Vec<(bool, &mut PackagedFile)> =
        read.into_iter().map(|entry| (is_kept(&entry), entry)).collect();
    let results: Vec<std::io::Result<Kept>> = read
        .into_par_iter()
        .map(|(is_kept, entry)| {
            let (digest, content) = of_file(root, entry, algorithm)?;
            entry.digest = digest;
            Ok(content.filter(|_| is_kept).map(|content| (entry.inode, content)))
        })
        .collect();
    let mut has_failed = false;
    let mut contents = HashMap::new();
    for result in results {
        match result {
            Ok(content) => contents.extend(content),
            Err(error) => {
                has_failed = true;
                world.tell(BuildProblem::Unreadable { path: BString::default(), reason: reason(&error) });
            }
        }
    }
    let digests: HashMap<u32, String> = entries
        .iter()
        .filter(|entry| known.contains(&entry.inode) && !entry.digest.is_empty())
        .map(|entry| (entry.inode, entry.digest.clone()))
        .collect();
    for entry in entries.iter_mut().filter(|entry| entry.is_regular() && !entry.is_ghost()) {
        if entry.digest.is_empty()
            && let Some(digest) = digests.get(&entry.inode)
        {
            entry.digest.clone_from(digest);
        }
    }
    if has_failed { Err(Stop) } else { Ok(Contents(Arc::new(contents))) }
}

fn of_file(
    root: &Folder,
    entry: &PackagedFile,
    algorithm: DigestAlgorithm,
) -> std::io::Result<(String, Option<Vec<u8>>)> {
    let file = root.open(&entry.on_disk)?;
    match algorithm {
        DigestAlgorithm::Md5 => of::<Md5>(file, entry.size),
        DigestAlgorithm::Sha1 => of::<Sha1>(file, entry.size),
        DigestAlgorithm::Sha224 => of::<Sha224>(file, entry.size),
        DigestAlgorithm::Sha256 => of::<Sha256>(file, entry.size),
        DigestAlgorithm::Sha384 => of::<Sha384>(file, entry.size),
        DigestAlgorithm::Sha512 => of::<Sha512>(file, entry.size),
        DigestAlgorithm::Sha3_256 => of::<Sha3_256>(file, entry.size),
        DigestAlgorithm::Sha3_512 => of::<Sha3_512>(file, entry.size),
    }
}

/// The digest, and all that was read, where one chunk was all.
fn of<D: Digest>(mut file: impl Read, size: u64) -> std::io::Result<(String, Option<Vec<u8>>)> {
    let mut digest = D::new();
    // One byte more tells whether that was all.
    let length = usize::try_from(size).unwrap_or(LONGEST_KEPT).min(LONGEST_KEPT) + 1;
    let mut chunk = vec![0; length];
    let mut filled = 0;
    loop {
        let place = chunk.get_mut(filled..).unwrap_or_default();
        filled += match file.read(place)? {
            0 => {
                chunk.truncate(filled);
                digest.update(&chunk);
                return Ok((hex(&digest.finalize()), Some(chunk)));
            }
            length => length,
        };
        if filled == chunk.len() {
            break;
        }
    }
    loop {
        digest.update(chunk.get(..filled).unwrap_or_default());
        filled = file.read(&mut chunk)?;
        if filled == 0 {
            return Ok((hex(&digest.finalize()), None));
        }
    }
}
