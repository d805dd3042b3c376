//! From the files that lines of `%files` name to those of the package: in their order, each path once, without what `%exclude`
//! takes out, with numbers that hard links share.

use std::collections::HashMap;

use bstr::BString;

use super::super::problem::BuildProblem;
use super::super::world::World;
use super::packaged_file::PackagedFile;

/// The files of a package, each path once.
pub(super) struct MergedFiles {
    /// Those that are packaged.
    pub(super) files: Vec<PackagedFile>,
    /// All paths of the buildroot that were listed, those left out included.
    pub(super) handled: Vec<BString>,
    /// The paths that `%exclude` takes out.
    pub(super) excluded: Vec<BString>,
    /// Whether some file was listed that is a hard link to another one, left out or not.
    pub(super) has_hard_links: bool,
    /// Whether something was wrong.
    pub(super) has_failed: bool,
}

/// Sorts the files, merges those of one path, and takes out what is excluded.
pub(super) fn merge_files(
    world: World<'_>,
    mut listed: Vec<PackagedFile>,
    postfixes: &[BString],
) -> MergedFiles {
    let handled = listed.iter().map(|file| file.path.clone()).collect();
    for file in &mut listed {
        remove_postfix(file, postfixes);
    }
    listed.sort_by(|a, b| a.path.cmp(&b.path));
    number_files(&mut listed);
    let has_hard_links = listed.iter().any(|file| file.repeats_inode);
    let is_fatal = world.is_on("_duplicate_files_terminate_build");
    let mut has_failed = false;
    let mut merged: Vec<PackagedFile> = Vec::with_capacity(listed.len());
    let mut first_of_path = None;
    for mut file in listed {
        match merged.pop_if(|last| last.path == file.path) {
            None => first_of_path = Some(file.inode),
            Some(before) => {
                merge_listings(&mut file, before);
                file.inode = first_of_path.unwrap_or(file.inode);
                if !file.is_excluded {
                    has_failed |= is_fatal;
                    world.tell(BuildProblem::ListedTwice { path: file.path.clone(), is_error: is_fatal });
                }
            }
        }
        merged.push(file);
    }
    let (excluded, mut files): (Vec<_>, Vec<_>) = merged.into_iter().partition(|file| file.is_excluded);
    let excluded = excluded.into_iter().map(|file| file.path).collect();
    count_links(&mut files);
    MergedFiles { files, handled, excluded, has_hard_links, has_failed }
}

/// Removes what `%files` says that no name of the package ends with.
fn remove_postfix(entry: &mut PackagedFile, postfixes: &[BString]) {
    let found = postfixes.iter().find_map(|postfix| entry.path.strip_suffix(postfix.as_slice()));
    if let Some(path) = found.map(BString::from) {
        entry.path = path;
    }
}

/// Numbers the files; hard links have the number of the first of them.
fn number_files(entries: &mut [PackagedFile]) {
    let mut known: HashMap<(u64, u64), u32> = HashMap::new();
    for (number, entry) in (1..).zip(entries) {
        entry.inode = number;
        if let Some((device, inode, 2..)) = entry.identity.filter(|_| entry.is_regular() || entry.is_link()) {
            entry.inode = *known.entry((device, inode)).or_insert(number);
            entry.repeats_inode = entry.inode != number;
        }
    }
}

/// Merges what an earlier line says of a file into what a later one does: it counts where it takes precedence.
fn merge_listings(entry: &mut PackagedFile, before: PackagedFile) {
    entry.flags |= before.flags;
    entry.is_excluded |= before.is_excluded;
    if before.mode_precedence > entry.mode_precedence {
        (entry.mode, entry.mode_precedence) = (before.mode, before.mode_precedence);
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
    if entry.capabilities.is_none() {
        entry.capabilities = before.capabilities;
    }
}

/// Counts the hard links that the archive has of each file. Symbolic links have none there, nor have ghosts.
fn count_links(entries: &mut [PackagedFile]) {
    let is_counted = |entry: &PackagedFile| entry.is_regular() && !entry.is_ghost();
    let mut counts: HashMap<u32, u32> = HashMap::new();
    for entry in entries.iter().filter(|entry| is_counted(entry)) {
        *counts.entry(entry.inode).or_default() += 1;
    }
    for entry in entries {
        entry.links = counts.get(&entry.inode).copied().filter(|_| is_counted(entry)).unwrap_or(1);
    }
}
