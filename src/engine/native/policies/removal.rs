//! What policies take away: libtool's descriptions of libraries, and the permission to run what is no program.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use cap_std::fs::{Permissions, PermissionsExt};
use rayon::prelude::*;

use super::buildroot::{Beginning, FoundFile, Unusual};
use super::content::contains;
use super::known::LibtoolRule;
use super::situation::{Done, Situation};
use crate::files::{HostPath, Tree};
use crate::process::filter_all;

/// How libtool's descriptions end.
const LIBTOOL: &[u8] = b".la";

/// What they say of themselves.
const LIBTOOL_MARK: &[u8] = b".la - a libtool library file";

/// Tells programs from libraries.
const CLASSIFIER: &str = "/usr/bin/eu-elfclassify";

/// What somebody may run.
const ANY_PROGRAM: u32 = 0o111;

/// Removes libtool's descriptions.
pub(super) fn remove_libtool(situation: &Situation<'_>, rule: LibtoolRule) -> Result<Done, Unusual> {
    let found = situation.found;
    let dir = found.folder.dir();
    if rule == LibtoolRule::MarkedAndLinks && found.links.iter().any(|path| path.ends_with(LIBTOOL)) {
        return Err(Unusual);
    }
    let mut wanted = Vec::new();
    for file in found.files.iter().filter(|file| file.path.ends_with(LIBTOOL)) {
        // Whether find(1) knows other names by their ends depends on the language.
        if !file.path.is_ascii() {
            return Err(Unusual);
        }
        if rule == LibtoolRule::Named || contains(dir, file, LIBTOOL_MARK)? {
            wanted.push(file);
        }
    }
    for file in &wanted {
        dir.remove_file(Path::new(OsStr::from_bytes(&file.path))).map_err(|_| Unusual)?;
    }
    Ok(if wanted.is_empty() { Done::UNCHANGED } else { Done::CHANGED })
}

/// Takes the permission to run from what eu-elfclassify(1) calls a library and no program.
pub(super) fn take_permissions(situation: &Situation<'_>) -> Result<Done, Unusual> {
    let found = situation.found;
    if !is_program(CLASSIFIER) {
        return Ok(Done::UNCHANGED);
    }
    let may_run = |file: &&FoundFile| file.mode & ANY_PROGRAM != 0;
    // The program gets the names of all of them, one in a line.
    if found.files.iter().filter(may_run).any(|file| file.path.contains(&b'\n')) {
        return Err(Unusual);
    }
    let is_asked = |file: &&FoundFile| matches!(file.beginning, Beginning::Program | Beginning::Unknown);
    let asked: Vec<&FoundFile> = found.files.iter().filter(may_run).filter(is_asked).collect();
    if asked.is_empty() {
        return Ok(Done::UNCHANGED);
    }
    let input: Vec<u8> =
        asked.iter().flat_map(|file| [situation.absolute(&file.path), b"\n".to_vec()].concat()).collect();
    let words = [CLASSIFIER, "--shared", "--print0", "--stdin"].map(|word| word.as_bytes().to_vec());
    let mut answers = filter_all(&[(words.to_vec(), input)], situation.environment, None, 1).into_iter();
    let Some(Ok((_, output))) = answers.next() else { return Err(Unusual) };
    let libraries: Vec<&[u8]> = output.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
    let mut known = asked.iter().map(|file| (situation.absolute(&file.path), *file));
    let mut meant = Vec::new();
    for library in libraries {
        // They come in the order that they are asked for.
        let (_, file) = known.find(|(name, _)| name == library).ok_or(Unusual)?;
        meant.push(file);
    }
    let has_failed = meant.par_iter().with_min_len(64).any(|file| {
        let permissions = Permissions::from_mode(file.mode & 0o7777 & !ANY_PROGRAM);
        let path = Path::new(OsStr::from_bytes(&file.path));
        found.folder.dir().set_permissions(path, permissions).is_err()
    });
    match (has_failed, meant.is_empty()) {
        (true, _) => Err(Unusual),
        (false, true) => Ok(Done::UNCHANGED),
        (false, false) => Ok(Done::CHANGED),
    }
}

/// Whether there is something at a path of the root that can be run.
pub(super) fn is_program(path: &str) -> bool {
    let file = Tree::open(&HostPath::root()).and_then(|tree| tree.open_file(Path::new(path)));
    file.and_then(|file| file.metadata())
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & ANY_PROGRAM != 0)
}
