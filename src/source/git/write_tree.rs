//! Writes the files of a commit, without git: what names and links there may be is decided here.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cap_std::fs::File;
use gix_hash::ObjectId;

use super::error::GitError;
use super::large_file_pointer::LargeFilePointer;
use super::limits::{LINK_BYTES, TREE_BYTES, TREE_DEPTH, TREE_ENTRIES};
use super::repository::{CommitEntry, CommitEntryKind, Repository};
use crate::files::{Folder, normalize};

/// Whether two names may differ only by upper and lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CaseClash {
    /// They may: they are two files on Linux.
    #[default]
    Allowed,
    /// They may not.
    Refused,
}

/// Whether the folders of a folder are written too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subfolders {
    /// They are.
    Written,
    /// Only its files, and what its links lead to within the commit, as files.
    LeftOut,
}

/// Gives the large file that a pointer in the place of a file stands for, open; nothing where the pointer itself is written.
pub type OpenLargeFile<'a> = dyn FnMut(&Path, &LargeFilePointer) -> Result<Option<File>, GitError> + 'a;

/// The files of a commit, or of a folder of it, on their way to the disk.
pub struct TreeWriter<'a> {
    repository: &'a Repository,
    /// The commit's own folder.
    root: ObjectId,
    case: CaseClash,
    large_files: &'a mut OpenLargeFile<'a>,
    entries: usize,
    bytes: u64,
    submodules: Vec<(PathBuf, ObjectId)>,
}

impl<'a> TreeWriter<'a> {
    /// A writer of the files of a commit whose tree is `root`.
    pub fn new(
        repository: &'a Repository,
        root: ObjectId,
        case: CaseClash,
        large_files: &'a mut OpenLargeFile<'a>,
    ) -> Self {
        Self { repository, root, case, large_files, entries: 0, bytes: 0, submodules: Vec::new() }
    }

    /// Writes the folder `below` of the commit into `into`, and gives the submodules that were met, by their paths in the
    /// commit: their folders are made, and empty.
    ///
    /// # Errors
    /// A name or a link that could do harm; then what was written so far is of no use.
    pub fn write(
        mut self,
        below: &Path,
        subfolders: Subfolders,
        into: &Folder,
    ) -> Result<Vec<(PathBuf, ObjectId)>, GitError> {
        let tree = find_folder(self.repository, self.root, below)?;
        let Some(tree) = tree else {
            return Err(self.unsafe_name(below, "there is no such folder"));
        };
        self.write_folder(tree, (below, 0), subfolders, into)?;
        Ok(self.submodules)
    }

    fn write_folder(
        &mut self,
        tree: ObjectId,
        (path, depth): (&Path, usize),
        subfolders: Subfolders,
        into: &Folder,
    ) -> Result<(), GitError> {
        if depth > TREE_DEPTH {
            return Err(self.too_large(format!("more than {TREE_DEPTH} folders lie in each other")));
        }
        let entries = self.repository.tree(tree)?;
        self.check_names(path, &entries)?;
        for entry in entries {
            self.entries += 1;
            if self.entries > TREE_ENTRIES {
                return Err(self.too_large(format!("it has more than {TREE_ENTRIES} files")));
            }
            let below = path.join(&entry.name);
            match (entry.kind, subfolders) {
                (CommitEntryKind::File, _) => self.write_file(&entry, &below, 0o644, into)?,
                (CommitEntryKind::Executable, _) => self.write_file(&entry, &below, 0o755, into)?,
                (CommitEntryKind::Link, Subfolders::Written) => self.write_link(&entry, &below, into)?,
                (CommitEntryKind::Link, Subfolders::LeftOut) => self.write_linked(&entry, &below, into)?,
                (CommitEntryKind::Folder | CommitEntryKind::Submodule, Subfolders::LeftOut) => {}
                (CommitEntryKind::Folder, Subfolders::Written) => {
                    let folder = into.create(&entry.name)?;
                    self.write_folder(entry.id, (&below, depth + 1), subfolders, &folder)?;
                }
                (CommitEntryKind::Submodule, Subfolders::Written) => {
                    into.create(&entry.name)?;
                    self.submodules.push((below, entry.id));
                }
            }
        }
        Ok(())
    }

    fn write_file(
        &mut self,
        entry: &CommitEntry,
        path: &Path,
        mode: u32,
        into: &Folder,
    ) -> Result<(), GitError> {
        let size = self.repository.blob_size(entry.id)?;
        self.count(size)?;
        let content = self.repository.blob(entry.id)?;
        let large = match LargeFilePointer::parse(&content) {
            None => None,
            Some(pointer) => (self.large_files)(path, &pointer)?,
        };
        let mut file = into.new_file(&entry.name, mode)?;
        match large {
            None => file.write_all(&content)?,
            Some(mut large) => self.count(io::copy(&mut large, &mut file)?)?,
        }
        // The mask of the process must not decide what is built.
        file.set_permissions(cap_std::fs::PermissionsExt::from_mode(mode))?;
        Ok(())
    }

    fn count(&mut self, bytes: u64) -> Result<(), GitError> {
        self.bytes = self.bytes.saturating_add(bytes);
        match self.bytes > TREE_BYTES {
            true => Err(self.too_large(format!("its files have more than {} GiB", TREE_BYTES >> 30))),
            false => Ok(()),
        }
    }

    fn write_link(&mut self, entry: &CommitEntry, path: &Path, into: &Folder) -> Result<(), GitError> {
        let target = self.link_target(entry, path)?;
        into.dir().symlink(&target, &entry.name).map_err(|error| into_io(path, error))?;
        Ok(())
    }

    /// Writes what a link stands for, if that is a file of the commit.
    fn write_linked(&mut self, entry: &CommitEntry, path: &Path, into: &Folder) -> Result<(), GitError> {
        if let Some((found, mode)) = self.resolve_link(entry, path)? {
            let found = CommitEntry { name: entry.name.clone(), ..found };
            self.write_file(&found, path, mode, into)?;
        }
        Ok(())
    }

    /// Where a link leads, if that is within the commit by its words, and by those of the links on the way.
    fn link_target(&mut self, entry: &CommitEntry, path: &Path) -> Result<PathBuf, GitError> {
        let content = self.repository.blob(entry.id)?;
        let text =
            String::from_utf8(content).ok().filter(|text| !text.is_empty() && text.len() <= LINK_BYTES);
        let Some(text) = text.filter(|text| !text.contains('\0')) else {
            return Err(self.unsafe_name(path, "what it links to has no name that can be"));
        };
        let above = path.parent().unwrap_or(Path::new(""));
        let leads_out = || GitError::LinkOut {
            repository: self.repository.shown().to_owned(),
            path: shown(path),
            target: text.escape_debug().to_string(),
        };
        // By its words alone it must stay, and so must each step where a part of it is a link itself.
        if normalize(above, Path::new(&text)).is_none() || !self.stays_inside(above, Path::new(&text), 0)? {
            return Err(leads_out());
        }
        Ok(PathBuf::from(text))
    }

    /// Follows a path step by step, links among its parts too.
    fn stays_inside(&self, from: &Path, path: &Path, depth: usize) -> Result<bool, GitError> {
        Ok(matches!(self.walk(from, path, depth)?, Walked::Inside(..)))
    }

    fn walk(&self, from: &Path, path: &Path, depth: usize) -> Result<Walked, GitError> {
        let mut at: PathBuf = from.to_owned();
        let mut entry = None;
        let parts: Vec<_> = path.components().collect();
        for part in parts {
            match part {
                std::path::Component::CurDir => {}
                std::path::Component::ParentDir => {
                    if !at.pop() {
                        return Ok(Walked::Outside);
                    }
                    entry = None;
                }
                std::path::Component::Normal(name) => {
                    at.push(name);
                    entry = find_entry(self.repository, self.root, &at)?;
                    let Some(link) = entry.as_ref().filter(|entry| entry.kind == CommitEntryKind::Link)
                    else {
                        continue;
                    };
                    // A link that leads to itself leads nowhere: that does no harm.
                    if depth >= 40 {
                        return Ok(Walked::Inside(at, None));
                    }
                    let content = self.repository.blob(link.id)?;
                    let target = String::from_utf8_lossy(&content).into_owned();
                    at.pop();
                    match self.walk(&at, Path::new(&target), depth + 1)? {
                        Walked::Inside(path, found) => (at, entry) = (path, found),
                        Walked::Outside => return Ok(Walked::Outside),
                    }
                }
                std::path::Component::RootDir | std::path::Component::Prefix(_) => {
                    return Ok(Walked::Outside);
                }
            }
        }
        Ok(Walked::Inside(at, entry))
    }

    fn resolve_link(
        &mut self,
        entry: &CommitEntry,
        path: &Path,
    ) -> Result<Option<(CommitEntry, u32)>, GitError> {
        let target = self.link_target(entry, path)?;
        let above = path.parent().unwrap_or(Path::new(""));
        let Walked::Inside(_, Some(found)) = self.walk(above, &target, 0)? else { return Ok(None) };
        Ok(match found.kind {
            CommitEntryKind::File => Some((found, 0o644)),
            CommitEntryKind::Executable => Some((found, 0o755)),
            CommitEntryKind::Link | CommitEntryKind::Folder | CommitEntryKind::Submodule => None,
        })
    }

    fn check_names(&self, path: &Path, entries: &[CommitEntry]) -> Result<(), GitError> {
        let mut seen: HashMap<&str, ()> = HashMap::new();
        let mut folded: BTreeMap<String, &str> = BTreeMap::new();
        for entry in entries {
            if let Some(reason) = check_name(&entry.name) {
                return Err(self.unsafe_name(&path.join(&entry.name), reason));
            }
            if seen.insert(&entry.name, ()).is_some() {
                return Err(self.unsafe_name(&path.join(&entry.name), "the name stands there twice"));
            }
            if self.case == CaseClash::Refused
                && let Some(one) = folded.insert(entry.name.to_lowercase(), &entry.name)
            {
                let (one, other) = (shown(&path.join(one)), shown(&path.join(&entry.name)));
                return Err(GitError::CaseClash {
                    repository: self.repository.shown().to_owned(),
                    one,
                    other,
                });
            }
        }
        Ok(())
    }

    fn unsafe_name(&self, path: &Path, reason: &'static str) -> GitError {
        GitError::UnsafeName { repository: self.repository.shown().to_owned(), path: shown(path), reason }
    }

    fn too_large(&self, what: String) -> GitError {
        GitError::TooLarge { repository: self.repository.shown().to_owned(), what }
    }
}

/// Where a path leads within a commit.
enum Walked {
    /// There, and what is there.
    Inside(PathBuf, Option<CommitEntry>),
    Outside,
}

fn into_io(path: &Path, error: io::Error) -> GitError {
    GitError::Io(crate::files::about(path.display())(error))
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().escape_debug().to_string()
}

/// The folder of a commit at a path.
pub(super) fn find_folder(
    repository: &Repository,
    root: ObjectId,
    path: &Path,
) -> Result<Option<ObjectId>, GitError> {
    if path.as_os_str().is_empty() {
        return Ok(Some(root));
    }
    let entry = find_entry(repository, root, path)?;
    Ok(entry.filter(|entry| entry.kind == CommitEntryKind::Folder).map(|entry| entry.id))
}

/// What is at a path of a commit; links are not followed.
pub(super) fn find_entry(
    repository: &Repository,
    root: ObjectId,
    path: &Path,
) -> Result<Option<CommitEntry>, GitError> {
    let mut found: Option<CommitEntry> = None;
    let mut tree = root;
    for part in path.components() {
        if let Some(entry) = &found {
            match entry.kind {
                CommitEntryKind::Folder => tree = entry.id,
                _ => return Ok(None),
            }
        }
        let std::path::Component::Normal(name) = part else { return Ok(None) };
        let entries = repository.tree(tree)?;
        let Some(entry) = entries.into_iter().find(|entry| std::ffi::OsStr::new(&entry.name) == name) else {
            return Ok(None);
        };
        found = Some(entry);
    }
    Ok(found)
}

/// What is wrong with a name (git's `verify_path`, with its `core.protectHFS` and `core.protectNTFS`).
fn check_name(name: &str) -> Option<&'static str> {
    // Characters that HFS+ leaves out when it compares names.
    let is_ignored = |c: &char| matches!(c, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}');
    let plain: String = name.chars().filter(|c| !is_ignored(c)).collect::<String>().to_lowercase();
    let plain = plain.split([':', '\\']).next().unwrap_or_default().trim_end_matches([' ', '.']);
    match name {
        "" => Some("a name is empty"),
        "." | ".." => Some("it leads elsewhere"),
        _ if name.contains('/') => Some("a name has a slash in it"),
        _ if name.chars().any(char::is_control) => Some("it has control characters"),
        _ if name.len() > 255 => Some("a name is longer than 255 bytes"),
        _ if plain == ".git" || plain == "git~1" => Some("git's own files would be there"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_gits_own_files_are_refused_however_they_are_written() {
        for name in [
            ".git",
            ".GIT",
            ".Git ",
            ".git.",
            "git~1",
            "GIT~1",
            ".g\u{200c}it",
            ".git::$INDEX_ALLOCATION",
            ".git\\x",
        ] {
            assert!(check_name(name).is_some(), "{name:?}");
        }
        for name in ["..", ".", "", "a/b", "a\nb", "a\0", "\u{1b}[31m"] {
            assert!(check_name(name).is_some(), "{name:?}");
        }
        for name in [".gitignore", ".gitmodules", "git", "a b", "é", ".github", "..a"] {
            assert_eq!(check_name(name), None, "{name:?}");
        }
    }
}
