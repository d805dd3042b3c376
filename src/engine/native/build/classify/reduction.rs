//! What file(1) is asked with when there are many small files: databases of the entries that may match them.

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice;
use rayon::prelude::*;

use super::super::world::World;
use super::magic::Database;
use crate::files::HostPath;

/// Fewer files are not worth reading the database for.
const LEAST: usize = 100;

/// How many databases there are at most for files that entries are searched for in, and how many files each is worth.
const MOST_PARTS: usize = 24;
const LEAST_OF_PART: usize = 50;

/// A reduced database, and the files that it is for.
pub(super) struct Part {
    /// Where it is; whoever asks with it removes it.
    pub(super) file: HostPath,
    /// The files that are asked about with it, by their places.
    pub(super) members: Vec<usize>,
    /// Whether what it describes as a plain text has the MIME type of one.
    pub(super) tells_types_by_words: bool,
}

/// Reduces the database of file(1) to what may match some files each, of which it knows what these hold; the others are for
/// the whole of it. There are none where that can't be done, or is not worth it.
pub(super) fn reduce(world: World<'_>, held: &[Option<&[u8]>]) -> Vec<Part> {
    if held.iter().flatten().count() < LEAST {
        return Vec::new();
    }
    let read = || Database::read(world.macros.read_file(&compiled(world)?).ok()?);
    let Some(database) = read() else {
        return Vec::new();
    };
    let found: Vec<Option<Vec<u32>>> =
        held.par_iter().map(|content| database.candidates((*content)?)).collect();
    // What is searched for takes file(1) long: files that need the same of it are asked about together.
    let mut alike: BTreeMap<Vec<u32>, Vec<(usize, &[u32])>> = BTreeMap::new();
    for (at, found) in found.iter().enumerate() {
        if let Some(found) = found {
            let searches = found.iter().copied().filter(|group| database.is_search(*group)).collect();
            alike.entry(searches).or_default().push((at, found));
        }
    }
    let count: usize = alike.values().map(Vec::len).sum();
    if count < LEAST {
        return Vec::new();
    }
    let enough = (count / MOST_PARTS).max(LEAST_OF_PART);
    let mut parts = Vec::new();
    let (mut members, mut candidates) = (Vec::new(), BTreeSet::new());
    let mut left = alike.into_values().peekable();
    while let Some(files) = left.next() {
        for (at, found) in files {
            members.push(at);
            candidates.extend(found);
        }
        if members.len() >= enough || left.peek().is_none() {
            let candidates = std::mem::take(&mut candidates);
            // file(1) takes a database for a compiled one by the end of its name.
            if let Ok(file) = world.temporary_named(&database.with(&candidates), ".mgc") {
                let tells_types_by_words = database.tells_types_by_words(&candidates);
                parts.push(Part { file, members: std::mem::take(&mut members), tells_types_by_words });
            }
            members.clear();
        }
    }
    parts
}

/// The one compiled database that file(1) reads here, where what else it reads holds nothing.
fn compiled(world: World<'_>) -> Option<Vec<u8>> {
    let words = [b"file".to_vec(), b"--version".to_vec()];
    let (code, output) = world.macros.filter(&words, b"").ok()?;
    let list =
        output.lines().find_map(|line| line.strip_prefix(b"magic file from ")).filter(|_| code == 0)?;
    let mut found = None;
    for path in list.split_str(":") {
        let compiled = if path.ends_with(b".mgc") { path.to_vec() } else { [path, b".mgc"].concat() };
        if world.macros.exists(&compiled) {
            if found.replace(compiled).is_some() {
                return None;
            }
        } else if world.macros.exists(path) {
            let text = world.macros.read_file(path).ok()?;
            let is_comment = |line: &[u8]| line.trim_ascii().is_empty() || line.starts_with(b"#");
            if !text.lines().all(is_comment) {
                return None;
            }
        }
    }
    found
}
