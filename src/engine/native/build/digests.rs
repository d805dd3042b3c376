//! Digests of files, worked out on all threads.

use std::collections::{HashMap, HashSet};
use std::io::Read;

use bstr::BString;
use md5::Md5;
use rayon::prelude::*;
use sha1::Sha1;
use sha2::{Digest, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_256, Sha3_512};

use super::assemble::DigestAlgorithm;
use super::files::Entry;
use super::problem::BuildProblem;
use super::world::World;
use crate::files::{Folder, reason};
use crate::macros::Stop;
use crate::package::hex;

/// Sets the digests of all files that a package holds.
pub(super) fn set(
    world: World<'_>,
    root: &Folder,
    entries: &mut [Entry],
    algorithm: DigestAlgorithm,
) -> Result<(), Stop> {
    // Of hard links, one is read.
    let mut known: HashSet<u32> = HashSet::new();
    let mut is_read = |entry: &&mut Entry| {
        let is_link = entry.identity.is_some_and(|(_, _, names)| names > 1);
        entry.is_regular() && !entry.is_ghost() && (!is_link || known.insert(entry.inode))
    };
    let read: Vec<&mut Entry> = entries.iter_mut().filter(|entry| is_read(entry)).collect();
    let results: Vec<std::io::Result<()>> = read
        .into_par_iter()
        .map(|entry| {
            entry.digest = of_file(root, entry, algorithm)?;
            Ok(())
        })
        .collect();
    let mut has_failed = false;
    for error in results.into_iter().filter_map(Result::err) {
        has_failed = true;
        world.tell(BuildProblem::Unreadable { path: BString::default(), reason: reason(&error) });
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
    if has_failed { Err(Stop) } else { Ok(()) }
}

fn of_file(root: &Folder, entry: &Entry, algorithm: DigestAlgorithm) -> std::io::Result<String> {
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

fn of<D: Digest>(mut file: impl Read, size: u64) -> std::io::Result<String> {
    const LONGEST: usize = 64 * 1024;
    let mut digest = D::new();
    let mut chunk = vec![0; usize::try_from(size).unwrap_or(LONGEST).clamp(1, LONGEST)];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&digest.finalize())),
            length => digest.update(chunk.get(..length).unwrap_or_default()),
        }
    }
}
