//! Digests of files, worked out on all threads.

use std::collections::HashMap;
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
    let results: Vec<std::io::Result<()>> = entries
        .par_iter_mut()
        .filter(|entry| entry.is_regular() && !entry.is_ghost())
        .map(|entry| {
            let is_link = entry.identity.is_some_and(|(_, _, names)| names > 1);
            if is_link {
                return Ok(());
            }
            entry.digest = of_file(root, entry, algorithm)?;
            Ok(())
        })
        .collect();
    let mut has_failed = false;
    let mut tell = |error: std::io::Error| {
        has_failed = true;
        world.tell(BuildProblem::Unreadable { path: BString::default(), reason: reason(&error) });
    };
    results.into_iter().filter_map(Result::err).for_each(&mut tell);
    // Of hard links, one is read.
    let mut known: HashMap<u32, String> = HashMap::new();
    for entry in entries.iter_mut().filter(|entry| entry.is_regular() && !entry.is_ghost()) {
        if !entry.digest.is_empty() {
            continue;
        }
        let digest = match known.get(&entry.inode) {
            Some(digest) => Ok(digest.clone()),
            None => of_file(root, entry, algorithm),
        };
        match digest {
            Ok(digest) => {
                known.insert(entry.inode, digest.clone());
                entry.digest = digest;
            }
            Err(error) => tell(error),
        }
    }
    if has_failed { Err(Stop) } else { Ok(()) }
}

fn of_file(root: &Folder, entry: &Entry, algorithm: DigestAlgorithm) -> std::io::Result<String> {
    let file = root.open(&entry.on_disk)?;
    match algorithm {
        DigestAlgorithm::Md5 => of::<Md5>(file),
        DigestAlgorithm::Sha1 => of::<Sha1>(file),
        DigestAlgorithm::Sha224 => of::<Sha224>(file),
        DigestAlgorithm::Sha256 => of::<Sha256>(file),
        DigestAlgorithm::Sha384 => of::<Sha384>(file),
        DigestAlgorithm::Sha512 => of::<Sha512>(file),
        DigestAlgorithm::Sha3_256 => of::<Sha3_256>(file),
        DigestAlgorithm::Sha3_512 => of::<Sha3_512>(file),
    }
}

fn of<D: Digest>(mut file: impl Read) -> std::io::Result<String> {
    let mut digest = D::new();
    let mut chunk = vec![0; 64 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok(hex(&digest.finalize())),
            length => digest.update(chunk.get(..length).unwrap_or_default()),
        }
    }
}
