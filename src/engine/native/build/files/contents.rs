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

use super::super::problem::BuildProblem;
use super::super::world::World;
use super::digest_algorithm::DigestAlgorithm;
use super::packaged_file::PackagedFile;
use crate::files::{Folder, reason};
use crate::macros::Stop;
use crate::package::hex;

/// How many bytes a file has at most that is kept, and how many all of a package have together.
const LONGEST_KEPT: usize = 64 * 1024;
pub(crate) const MOST_KEPT: u64 = 32 << 20;

/// What small files of a package hold, by the files' numbers.
#[derive(Clone, Default)]
pub(crate) struct Contents(Arc<HashMap<u32, Vec<u8>>>);

impl Contents {
    /// What a file holds, if that was kept.
    pub(crate) fn content_of(&self, entry: &PackagedFile) -> Option<&[u8]> {
        self.content_of_inode(entry.inode)
    }

    /// What the file of a number holds, if that was kept.
    pub(crate) fn content_of_inode(&self, number: u32) -> Option<&[u8]> {
        self.0.get(&number).map(Vec::as_slice)
    }

    /// How many bytes there are.
    pub(crate) fn size(&self) -> u64 {
        self.0.values().map(|content| content.len() as u64).sum()
    }

    /// All of it where there is room for so many bytes, which takes it up; nothing where there is not.
    pub(crate) fn limit_to(self, room: &mut u64) -> Self {
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

/// Reads the files of a package: sets the digests of all of them, and gives what small ones hold.
pub(crate) fn read_contents(
    world: World<'_>,
    root: &Folder,
    entries: &mut [PackagedFile],
    algorithm: DigestAlgorithm,
) -> Result<Contents, Stop> {
    let mut linked: HashSet<u32> = HashSet::new();
    let results: Vec<std::io::Result<Kept>> = choose_files(entries, &mut linked)
        .into_par_iter()
        .map(|(is_kept, entry)| {
            let (digest, content) = digest_file(root, entry, algorithm)?;
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
    share_digests(entries, &linked);
    if has_failed { Err(Stop) } else { Ok(Contents(Arc::new(contents))) }
}

/// The files that are read, each with whether its content is kept. Of hard links one is read; `linked` gets their numbers.
fn choose_files<'e>(
    entries: &'e mut [PackagedFile],
    linked: &mut HashSet<u32>,
) -> Vec<(bool, &'e mut PackagedFile)> {
    let mut chosen = Vec::new();
    let mut kept = 0;
    for entry in entries.iter_mut().filter(|entry| entry.is_regular() && !entry.is_ghost()) {
        let is_link = entry.identity.is_some_and(|(_, _, names)| names > 1);
        if is_link && !linked.insert(entry.inode) {
            continue;
        }
        let is_kept = entry.size <= LONGEST_KEPT as u64 && kept + entry.size <= MOST_KEPT;
        kept += if is_kept { entry.size } else { 0 };
        chosen.push((is_kept, entry));
    }
    chosen
}

/// Gives all hard links the digest of the one that was read.
fn share_digests(entries: &mut [PackagedFile], linked: &HashSet<u32>) {
    let digests: HashMap<u32, String> = entries
        .iter()
        .filter(|entry| linked.contains(&entry.inode) && !entry.digest.is_empty())
        .map(|entry| (entry.inode, entry.digest.clone()))
        .collect();
    for entry in entries.iter_mut().filter(|entry| entry.is_regular() && !entry.is_ghost()) {
        if entry.digest.is_empty()
            && let Some(digest) = digests.get(&entry.inode)
        {
            entry.digest.clone_from(digest);
        }
    }
}

/// The digest of a file in hexadecimal digits, and what it holds, if it is small.
fn digest_file(
    root: &Folder,
    entry: &PackagedFile,
    algorithm: DigestAlgorithm,
) -> std::io::Result<(String, Option<Vec<u8>>)> {
    let file = root.open(&entry.on_disk)?;
    match algorithm {
        DigestAlgorithm::Md5 => digest_content::<Md5>(file, entry.size),
        DigestAlgorithm::Sha1 => digest_content::<Sha1>(file, entry.size),
        DigestAlgorithm::Sha224 => digest_content::<Sha224>(file, entry.size),
        DigestAlgorithm::Sha256 => digest_content::<Sha256>(file, entry.size),
        DigestAlgorithm::Sha384 => digest_content::<Sha384>(file, entry.size),
        DigestAlgorithm::Sha512 => digest_content::<Sha512>(file, entry.size),
        DigestAlgorithm::Sha3_256 => digest_content::<Sha3_256>(file, entry.size),
        DigestAlgorithm::Sha3_512 => digest_content::<Sha3_512>(file, entry.size),
    }
}

/// The digest, and all that was read, where one chunk was all.
fn digest_content<D: Digest>(mut file: impl Read, size: u64) -> std::io::Result<(String, Option<Vec<u8>>)> {
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
