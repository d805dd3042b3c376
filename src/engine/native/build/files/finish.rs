//! What becomes of all that was collected: sorted, what is listed twice made one, hard links and times settled.

use std::collections::HashMap;

use bstr::BString;

use super::super::problem::BuildProblem;
use super::super::world::World;
use super::packaged_file::PackagedFile;

/// The packaged files, and all paths on disk that are dealt with, those left out included.
pub(super) struct Finished {
    pub(super) entries: Vec<PackagedFile>,
    pub(super) handled: Vec<BString>,
    pub(super) excluded: Vec<BString>,
    pub(super) has_failed: bool,
}

/// Sorts the entries and merges those of one path.
pub(super) fn finish(world: World<'_>, mut entries: Vec<PackagedFile>, postfixes: &[BString]) -> Finished {
    let handled = entries.iter().map(|entry| entry.path.clone()).collect();
    for entry in &mut entries {
        remove_postfix(entry, postfixes);
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    number(&mut entries);
    let is_fatal = world.is_on("_duplicate_files_terminate_build");
    let mut has_failed = false;
    let mut merged: Vec<PackagedFile> = Vec::with_capacity(entries.len());
    let mut first_of_path = None;
    for mut entry in entries {
        match merged.pop_if(|last| last.path == entry.path) {
            None => first_of_path = Some(entry.inode),
            Some(before) => {
                merge(&mut entry, before);
                entry.inode = first_of_path.unwrap_or(entry.inode);
                if !entry.is_excluded {
                    has_failed |= is_fatal;
                    world.tell(BuildProblem::ListedTwice { path: entry.path.clone(), is_error: is_fatal });
                }
            }
        }
        merged.push(entry);
    }
    let (excluded, mut merged): (Vec<_>, Vec<_>) = merged.into_iter().partition(|entry| entry.is_excluded);
    let excluded = excluded.into_iter().map(|entry| entry.path).collect();
    count_links(&mut merged);
    Finished { entries: merged, handled, excluded, has_failed }
}

fn remove_postfix(entry: &mut PackagedFile, postfixes: &[BString]) {
    let found = postfixes.iter().find_map(|postfix| entry.path.strip_suffix(postfix.as_slice()));
    if let Some(path) = found.map(BString::from) {
        entry.path = path;
    }
}

/// Numbers the files; hard links have the number of the first of them.
fn number(entries: &mut [PackagedFile]) {
    let mut known: HashMap<(u64, u64), u32> = HashMap::new();
    for (number, entry) in (1..).zip(entries) {
        entry.inode = number;
        if let Some((device, inode, 2..)) = entry.identity.filter(|_| entry.is_regular()) {
            entry.inode = *known.entry((device, inode)).or_insert(number);
        }
    }
}

/// What was said of a file before counts, where it was said more firmly.
fn merge(entry: &mut PackagedFile, before: PackagedFile) {
    entry.flags |= before.flags;
    entry.is_excluded |= before.is_excluded;
    if before.mode_said > entry.mode_said {
        (entry.mode, entry.mode_said) = (before.mode, before.mode_said);
    }
    if before.user.1 > entry.user.1 {
        entry.user = before.user;
    }
    if before.group.1 > entry.group.1 {
        entry.group = before.group;
    }
    if before.verifies.1 > entry.verifies.1 {
        entry.verifies = before.verifies;
    }
    if entry.languages.is_empty() {
        entry.languages = before.languages;
    }
    if entry.capabilities.is_empty() {
        entry.capabilities = before.capabilities;
    }
}

fn count_links(entries: &mut [PackagedFile]) {
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for entry in entries.iter() {
        *counts.entry(entry.inode).or_default() += 1;
    }
    for entry in entries {
        entry.links = counts.get(&entry.inode).copied().unwrap_or(1);
    }
}
