//! A whole tree of files, such as the root of a system, with its links followed as its own programs follow them.

use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use cap_std::fs::{Dir, File};
use globset::GlobBuilder;

use super::limits::{LARGEST_TEXT, MOST_LINKS};
use super::{Folder, HostPath, about};

/// A tree. A path in it begins at its root, whether it is written with a `/` or not; no link leads out of it.
#[derive(Debug)]
pub struct Tree {
    root: Folder,
}

/// Paths of a tree that are folders and no links, as far as they were looked at.
#[derive(Debug, Default)]
pub struct KnownFolders(Mutex<HashSet<PathBuf>>);

impl KnownFolders {
    fn has(&self, path: &Path) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(path)
    }

    fn add(&self, path: &Path) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_owned());
    }
}

/// The content of a file that may be a text.
///
/// # Errors
/// Where it can't be read, or there is more than 256 MiB to read.
pub fn read_text(file: File) -> io::Result<Vec<u8>> {
    // Without a size it takes a call of the kernel for each 32 bytes at first.
    let size = file.metadata()?.len().min(LARGEST_TEXT);
    let mut content = Vec::with_capacity(usize::try_from(size).unwrap_or_default() + 1);
    file.take(LARGEST_TEXT + 1).read_to_end(&mut content)?;
    if content.len() as u64 > LARGEST_TEXT {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(content)
}

impl Tree {
    /// The tree below a folder.
    ///
    /// # Errors
    /// There is no such folder, or it can't be opened.
    pub fn open(root: &HostPath) -> io::Result<Self> {
        Folder::open_ambient(root).map(|root| Self { root })
    }

    /// Where the tree is.
    pub fn path(&self) -> &HostPath {
        self.root.path()
    }

    fn dir(&self) -> &Dir {
        self.root.dir()
    }

    /// Where a path leads within the tree, without links.
    ///
    /// # Errors
    /// Something on the way is missing or can't be read, or there are more than 40 links.
    pub fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        self.resolve_knowing(path, &KnownFolders::default())
    }

    /// As [`Tree::resolve`], for who follows many paths at one moment: a folder that was met before is not asked again
    /// whether it is a link.
    ///
    /// # Errors
    /// As [`Tree::resolve`].
    pub fn resolve_knowing(&self, path: &Path, known: &KnownFolders) -> io::Result<PathBuf> {
        let mut resolved = PathBuf::new();
        let mut ahead: Vec<OsString> = parts(path);
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part.as_bytes() == b".." {
                resolved.pop();
                continue;
            }
            let next = resolved.join(&part);
            if known.has(&next) {
                resolved = next;
                continue;
            }
            let file_type = self.dir().symlink_metadata(&next)?.file_type();
            if !file_type.is_symlink() {
                if file_type.is_dir() {
                    known.add(&next);
                }
                resolved = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(io::Error::from_raw_os_error(rustix::io::Errno::LOOP.raw_os_error()));
            }
            let target = self.dir().read_link_contents(&next)?;
            if target.is_absolute() {
                resolved = PathBuf::new();
            }
            ahead.extend(parts(&target));
        }
        Ok(if resolved.as_os_str().is_empty() { PathBuf::from(".") } else { resolved })
    }

    /// Opens a folder.
    ///
    /// # Errors
    /// As [`Tree::resolve`], and where it is no folder.
    pub fn folder(&self, path: &Path) -> io::Result<Folder> {
        match self.root.folder(relative(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                self.root.folder(self.resolve(path).map_err(about(path.display()))?)
            }
            opened => opened,
        }
    }

    /// As [`Tree::folder`], and makes the folder (and those above it) where it is missing, for content that need not last.
    ///
    /// # Errors
    /// As there, and where it can't be made.
    pub fn create_scratch(&self, path: &Path) -> io::Result<Folder> {
        match self.folder(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            opened => return opened.map(Folder::without_sync),
        }
        // Somebody else may have made it meanwhile: the last part counts as missing.
        let there = path.ancestors().skip(1).find(|path| self.exists(path)).unwrap_or(Path::new("/"));
        let missing = path.strip_prefix(there).unwrap_or(path);
        self.folder(there)?.without_sync().create(missing)
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// As [`Tree::resolve`], and where the file can't be read.
    pub fn open_file(&self, path: &Path) -> io::Result<File> {
        // Most paths have no absolute links in them: cap-std follows the others on its own.
        match self.dir().open(relative(path)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.dir().open(self.resolve(path)?),
            opened => opened,
        }
    }

    /// Reads a whole file that is text; one without an end, such as a device, is none.
    ///
    /// # Errors
    /// As [`Tree::open_file`], and where there is more than 256 MiB to read.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        read_text(self.open_file(path)?)
    }

    /// Whether there is such a file or folder.
    pub fn exists(&self, path: &Path) -> bool {
        self.resolve(path).is_ok()
    }

    /// The paths that match a pattern (glob(7), with braces), sorted; each begins as the pattern does. What begins with a
    /// dot is found only where the pattern says the dot.
    pub fn glob(&self, pattern: &str) -> Vec<PathBuf> {
        let mut found = vec![if pattern.starts_with('/') { PathBuf::from("/") } else { PathBuf::new() }];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            found = found.iter().flat_map(|folder| self.matches(folder, part)).collect();
        }
        found.retain(|path| self.dir().symlink_metadata(relative(path)).is_ok() || self.exists(path));
        found.sort();
        found
    }

    fn matches(&self, folder: &Path, part: &str) -> Vec<PathBuf> {
        let Some(matches) = matcher(part) else {
            return vec![folder.join(part)];
        };
        let listed = self.resolve(folder).and_then(|folder| self.dir().read_dir(folder));
        let names = listed.into_iter().flatten().flatten().map(|entry| entry.file_name());
        names.filter(|name| matches(name)).map(|name| folder.join(name)).collect()
    }
}

/// What says of a name whether a part of a pattern means it; nothing where that part is a plain name.
pub(super) fn matcher(part: &str) -> Option<impl Fn(&OsString) -> bool + '_> {
    if !part.contains(['*', '?', '[', '{', '\\']) {
        return None;
    }
    let glob = GlobBuilder::new(part).literal_separator(true).backslash_escape(true).build();
    let glob = glob.ok().map(|glob| glob.compile_matcher());
    let is_seen = move |name: &OsString| part.starts_with('.') || !name.as_bytes().starts_with(b".");
    Some(move |name: &OsString| is_seen(name) && glob.as_ref().is_some_and(|glob| glob.is_match(name)))
}

/// A path's parts, the last first.
pub(super) fn parts(path: &Path) -> Vec<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(part).collect()
}

fn relative(path: &Path) -> &Path {
    let relative = path.strip_prefix("/").unwrap_or(path);
    if relative.as_os_str().is_empty() { Path::new(".") } else { relative }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    fn tree() -> (tempfile::TempDir, Tree) {
        let folder = tempfile::tempdir().unwrap();
        let tree = Tree::open(&HostPath::new(folder.path()).unwrap()).unwrap();
        tree.dir().create_dir_all("usr/lib").unwrap();
        tree.dir().write("usr/lib/a.conf", "a").unwrap();
        tree.dir().write("usr/lib/.b.conf", "b").unwrap();
        tree.dir().symlink_contents("/usr/lib", "lib").unwrap();
        tree.dir().symlink_contents("../../../../usr", "up").unwrap();
        tree.dir().symlink_contents("loop", "loop").unwrap();
        (folder, tree)
    }

    #[test]
    fn absolute_links_begin_at_the_root_of_the_tree() {
        let (_folder, tree) = tree();
        assert_eq!(tree.read(Path::new("/lib/a.conf")).unwrap(), b"a");
        assert_eq!(tree.resolve(Path::new("up/lib/../lib")).unwrap(), Path::new("usr/lib"));
        assert!(!tree.exists(Path::new("/etc/passwd")));
        assert!(!tree.exists(Path::new("../../../../etc/passwd")));
        assert!(tree.resolve(Path::new("loop")).is_err());
        let machine = Tree::open(&HostPath::root()).unwrap();
        assert!(machine.read(Path::new("/dev/zero")).is_err());
    }

    #[test]
    fn folders_behind_absolute_links_are_opened_and_made_in_the_tree() {
        let (_folder, tree) = tree();
        assert!(tree.folder(Path::new("/lib")).unwrap().exists("a.conf"));
        let made = tree.create_scratch(Path::new("/lib/new/../more/below")).unwrap();
        made.write_atomic("file", b"x").unwrap();
        assert_eq!(tree.read(Path::new("/usr/lib/more/below/file")).unwrap(), b"x");
        assert!(tree.folder(Path::new("/etc")).is_err() && tree.folder(Path::new("lib/a.conf")).is_err());
        assert!(tree.folder(Path::new("/")).is_ok() && tree.create_scratch(Path::new("loop/x")).is_err());
    }

    #[test]
    fn a_folder_can_be_made_by_several_at_once() {
        let (_folder, tree) = tree();
        for number in 0..1000 {
            let path = PathBuf::from(format!("/lib/{number}/below"));
            let made = |_| tree.create_scratch(&path).map(drop).map_err(|error| error.to_string());
            assert_eq!((0..4).into_par_iter().map(made).collect::<Result<Vec<()>, _>>().map(|_| ()), Ok(()));
        }
    }

    #[test]
    fn patterns_find_what_is_not_hidden() {
        let (_folder, tree) = tree();
        assert_eq!(tree.glob("/lib/*.conf"), [PathBuf::from("/lib/a.conf")]);
        assert_eq!(
            tree.glob("/*/lib/.*"),
            [PathBuf::from("/up/lib/.b.conf"), PathBuf::from("/usr/lib/.b.conf")]
        );
        assert_eq!(tree.glob("/usr/{lib,bin}"), [PathBuf::from("/usr/lib")]);
        assert!(tree.glob("/nosuch/*").is_empty());
    }
}
