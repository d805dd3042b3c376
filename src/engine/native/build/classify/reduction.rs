//! What file(1) is asked with when there are many small texts: a database of the entries that may match them.

use std::io::Read;
use std::path::Path;

use bstr::ByteSlice;

use super::super::world::World;
use super::magic::{Candidates, Database, LONGEST};
use crate::files::{Folder, HostPath};

/// Fewer texts are not worth reading the database for.
const LEAST: usize = 100;

/// A reduced database, and the files that it is for.
pub(super) struct Reduction {
    /// Where it is; whoever asks with it removes it.
    pub(super) file: HostPath,
    /// Whether a file, by its place, is asked about with it.
    pub(super) is_for: Vec<bool>,
    /// Whether what it describes as a plain text has the MIME type of one.
    pub(super) tells_types_by_words: bool,
}

/// Reduces the database of file(1) to what may match `files`; `None` where that can't be done, or is not worth it.
pub(super) fn reduce(
    world: World<'_>,
    root: &Folder,
    files: &[(u64, &Path)],
    threads: usize,
) -> Option<Reduction> {
    if files.iter().filter(|(length, _)| is_small(*length)).count() < LEAST {
        return None;
    }
    let database = Database::read(world.macros.read_file(&compiled(world)?).ok()?)?;
    let each = files.len().div_ceil(threads.max(1)).max(1);
    let looks: Vec<(Candidates, Vec<bool>)> = std::thread::scope(|scope| {
        let database = &database;
        let looks: Vec<_> =
            files.chunks(each).map(|chunk| scope.spawn(move || look(database, root, chunk))).collect();
        looks.into_iter().map(|look| look.join().ok()).collect::<Option<_>>()
    })?;
    let mut candidates = database.open();
    let mut is_for = Vec::new();
    for (found, chunk) in looks {
        candidates.add(&found);
        is_for.extend(chunk);
    }
    if is_for.iter().filter(|is_for| **is_for).count() < LEAST {
        return None;
    }
    // file(1) takes a database for a compiled one by the end of its name.
    let file = world.temporary_named(&database.with(&candidates), ".mgc").ok()?;
    let tells_types_by_words = database.tells_types_by_words(&candidates);
    Some(Reduction { file, is_for, tells_types_by_words })
}

fn is_small(length: u64) -> bool {
    usize::try_from(length).is_ok_and(|length| length <= LONGEST)
}

/// What may match some files, and which of them it is for.
fn look(database: &Database, root: &Folder, files: &[(u64, &Path)]) -> (Candidates, Vec<bool>) {
    let mut candidates = database.open();
    let mut content = Vec::new();
    let mut is_for = |(length, path): &(u64, &Path)| {
        if !is_small(*length) {
            return false;
        }
        content.clear();
        let read = root.open(path).and_then(|file| file.take(*length + 1).read_to_end(&mut content));
        let found = read.ok().and_then(|_| database.candidates(&content));
        found.is_some_and(|found| {
            candidates.add(&found);
            true
        })
    };
    let is_for = files.iter().map(&mut is_for).collect();
    (candidates, is_for)
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
