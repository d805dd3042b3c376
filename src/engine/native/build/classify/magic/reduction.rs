//! What file(1) is asked with when there are many small files: databases of the entries that may match them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bstr::ByteSlice;
use rayon::prelude::*;

use super::super::super::world::World;
use super::content::is_plain_with_lines;
use super::database::Database;
use crate::files::HostPath;

/// Fewer files are not worth reading the database for.
const LEAST: usize = 100;

/// How many databases there are at most for files that entries are searched for in, and how many files each is worth.
const MOST_PARTS: usize = 24;
const LEAST_OF_PART: usize = 50;

/// The versions 5.x of file(1) of which it is known what they say of plain texts.
const KNOWN_VERSIONS: std::ops::RangeInclusive<u32> = 41..=47;

/// What is known of a file before file(1) is asked about it.
#[derive(Clone, Copy)]
pub(crate) struct KnownFile<'k> {
    /// What it holds, if that was kept.
    pub(crate) content: Option<&'k [u8]>,
    /// Whether its mode has no bits that file(1) tells.
    pub(crate) has_plain_mode: bool,
}

/// How file(1) is asked; what is not in it is for the whole database.
#[derive(Default)]
pub(crate) struct Reduction {
    pub(crate) parts: Vec<ReducedDatabase>,
    /// Files, by their places, of which file(1) says what it says of another, which is asked about.
    pub(crate) alike: Vec<(usize, usize)>,
}

/// A reduced database, and the files that it is for.
pub(crate) struct ReducedDatabase {
    /// Where it is; whoever asks with it removes it.
    pub(crate) file: HostPath,
    /// The files that are asked about with it, by their places.
    pub(crate) members: Vec<usize>,
    /// Whether what it describes as a plain text has the MIME type of one.
    pub(crate) tells_types_by_words: bool,
}

/// Reduces the database of file(1) to what may match some of `files` each. Nothing is in the reduction where that can't be
/// done, or is not worth it.
pub(crate) fn reduce(world: World<'_>, files: &[KnownFile<'_>]) -> Reduction {
    if files.iter().filter(|file| file.content.is_some()).count() < LEAST {
        return Reduction::default();
    }
    let program = find_program(world);
    let read = |program: &FileProgram| Database::read(world.macros.read_file(&program.database).ok()?);
    let Some((program, database)) = program.and_then(|program| read(&program).map(|read| (program, read)))
    else {
        return Reduction::default();
    };
    let found: Vec<Option<Vec<u32>>> =
        files.par_iter().map(|file| database.find_candidates(file.content?)).collect();
    let mut first_of: HashMap<bool, usize> = HashMap::new();
    let mut alike = Vec::new();
    // What is searched for takes file(1) long: files that need the same of it are asked about together.
    let mut by_searches: BTreeMap<Vec<u32>, Vec<(usize, &[u32])>> = BTreeMap::new();
    for (at, (found, file)) in found.iter().zip(files).enumerate() {
        if let Some(found) = found {
            let is_plain = found.is_empty() && file.has_plain_mode && program.is_known;
            let lines = file.content.filter(|_| is_plain).and_then(is_plain_with_lines);
            if let Some(first) = lines.map(|lines| *first_of.entry(lines).or_insert(at))
                && first != at
            {
                alike.push((at, first));
                continue;
            }
            let searches = found.iter().copied().filter(|group| database.is_search(*group)).collect();
            by_searches.entry(searches).or_default().push((at, found));
        }
    }
    let count: usize = by_searches.values().map(Vec::len).sum();
    if count + alike.len() < LEAST {
        return Reduction::default();
    }
    let enough = (count / MOST_PARTS).max(LEAST_OF_PART);
    let mut parts = Vec::new();
    let (mut members, mut candidates) = (Vec::new(), BTreeSet::new());
    let mut left = by_searches.into_values().peekable();
    while let Some(files) = left.next() {
        for (at, found) in files {
            members.push(at);
            candidates.extend(found);
        }
        if members.len() >= enough || left.peek().is_none() {
            let candidates = std::mem::take(&mut candidates);
            // file(1) takes a database for a compiled one by the end of its name.
            if let Ok(file) = world.write_temporary_named(&database.reduce_to(&candidates), ".mgc") {
                let tells_types_by_words = database.tells_types_by_words(&candidates);
                parts.push(ReducedDatabase {
                    file,
                    members: std::mem::take(&mut members),
                    tells_types_by_words,
                });
            }
            members.clear();
        }
    }
    Reduction { parts, alike }
}

/// file(1), as it is here.
struct FileProgram {
    /// The one compiled database that it reads.
    database: Vec<u8>,
    /// Whether it is of a version whose checks of texts are known: those besides its database.
    is_known: bool,
}

/// Finds file(1), where what it reads besides a compiled database holds nothing.
fn find_program(world: World<'_>) -> Option<FileProgram> {
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
    let version = output.lines().find_map(|line| line.strip_prefix(b"file-5."));
    let version = version.and_then(|version| version.to_str().ok()?.parse().ok());
    Some(FileProgram {
        database: found?,
        is_known: version.is_some_and(|version| KNOWN_VERSIONS.contains(&version)),
    })
}
