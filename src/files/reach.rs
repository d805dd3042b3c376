//! Folders that may be looked at, and nothing else: what hostile text may learn of a machine.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use cap_std::fs::{File, Metadata, OpenOptions, OpenOptionsExt};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::limits::{MOST_LINKS, MOST_NAMES_OF_A_PATTERN};
use super::tree::{matcher, parts};
use super::{Folder, Tree};

/// What a project keeps for programs, tokens among it, and not for its specs.
const PRIVATE: [&[u8]; 2] = [b".git", b".forge"];

/// The folders of a tree that may be looked at. A path is followed link by link from handle to handle: where it leaves
/// the folders it is refused, and nothing outside is asked whether it is there.
#[derive(Debug)]
pub struct Reach {
    places: Vec<Allowed>,
}

/// One of the folders.
#[derive(Debug)]
struct Allowed {
    /// As it was named.
    named: PathBuf,
    /// Where it is in the tree, without links.
    real: PathBuf,
    /// Nothing where there is no such folder: then there is nothing in it.
    folder: Option<Folder>,
    /// Whether all of it may be looked at, [`PRIVATE`] names too.
    is_whole: bool,
}

/// Something within reach: the folder it is in, and the path from there, which no link is part of.
struct Reached<'a> {
    folder: &'a Folder,
    path: PathBuf,
}

/// Whether a link at the end of a path is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LastLink {
    /// What it points to is meant.
    Followed,
    /// The link itself is meant.
    Kept,
}

/// Why a path was refused.
#[derive(Debug, thiserror::Error)]
#[error("out of reach")]
struct OutOfReach;

/// Why a pattern was refused.
#[derive(Debug, thiserror::Error)]
#[error("the pattern makes one look at more than {most} names")]
struct TooManyNames {
    most: usize,
}

/// Whether a path was refused, whatever is there.
pub fn is_out_of_reach(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<OutOfReach>())
}

fn out_of_reach() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, OutOfReach)
}

impl Reach {
    /// These folders of a tree, those that are not there included.
    pub fn new(tree: &Tree, folders: impl IntoIterator<Item = PathBuf>) -> Self {
        let place = |named: PathBuf| {
            let real = tree.resolve(&named).map(|real| Path::new("/").join(real));
            let real = real.map(|real| real.components().filter(|part| *part != Component::CurDir).collect());
            let real: PathBuf = real.unwrap_or_else(|_| named.clone());
            let folder =
                Folder::open_ambient(&tree.path().join(real.strip_prefix("/").unwrap_or(&real))).ok();
            Allowed { named, real, folder, is_whole: false }
        };
        Self { places: folders.into_iter().map(place).collect() }
    }

    /// All of a tree.
    pub fn of_whole_tree(tree: &Tree) -> Self {
        let root = PathBuf::from("/");
        let folder = Folder::open_ambient(tree.path()).ok();
        Self { places: vec![Allowed { named: root.clone(), real: root, folder, is_whole: true }] }
    }

    /// Opens a file for reading. Devices and pipes, which may have no end or no beginning, are no files.
    ///
    /// # Errors
    /// It is out of reach, there is none, or it can't be read.
    pub fn open(&self, path: &Path) -> io::Result<File> {
        let found = self.find(path, LastLink::Followed)?;
        let mut options = OpenOptions::new();
        let flags = OFlags::NONBLOCK | OFlags::NOFOLLOW;
        options.read(true).custom_flags(flags.bits().cast_signed());
        let file = found.folder.dir().open_with(&found.path, &options)?;
        match file.metadata()?.file_type() {
            kind if kind.is_file() => Ok(file),
            kind if kind.is_dir() => Err(Errno::ISDIR.into()),
            _ => Err(Errno::OPNOTSUPP.into()),
        }
    }

    /// What is known of a file or folder.
    ///
    /// # Errors
    /// It is out of reach, or there is none.
    pub fn status(&self, path: &Path, last: LastLink) -> io::Result<Metadata> {
        let found = self.find(path, last)?;
        found.folder.dir().symlink_metadata(&found.path)
    }

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// It is out of reach, or there is none that can be read.
    pub fn names(&self, path: &Path) -> io::Result<Vec<OsString>> {
        let found = self.find(path, LastLink::Followed)?;
        let entries = found.folder.dir().read_dir(&found.path)?;
        let mut names: Vec<OsString> =
            entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<_>>()?;
        names.sort();
        Ok(names)
    }

    /// Where a link points to.
    ///
    /// # Errors
    /// It is out of reach, or no link.
    pub fn link_target(&self, path: &Path) -> io::Result<PathBuf> {
        let found = self.find(path, LastLink::Kept)?;
        found.folder.dir().read_link_contents(&found.path)
    }

    /// Whether a path leads out of the folders.
    pub fn refuses(&self, path: &Path) -> bool {
        self.find(path, LastLink::Followed).is_err_and(|error| is_out_of_reach(&error))
    }

    /// The paths that match a pattern, as [`Tree::glob`] has it; what is out of reach matches nothing.
    ///
    /// # Errors
    /// To find them takes too much.
    pub fn glob(&self, pattern: &str) -> io::Result<Vec<PathBuf>> {
        self.glob_within(pattern, MOST_NAMES_OF_A_PATTERN)
    }

    /// The same, looking at no more than so many names.
    fn glob_within(&self, pattern: &str, most: usize) -> io::Result<Vec<PathBuf>> {
        let mut left = most;
        let mut found = vec![if pattern.starts_with('/') { PathBuf::from("/") } else { PathBuf::new() }];
        for part in pattern.split('/').filter(|part| !part.is_empty()) {
            let mut matching = Vec::new();
            for folder in &found {
                self.add_matches(folder, part, &mut left, &mut matching)
                    .ok_or_else(|| io::Error::other(TooManyNames { most }))?;
            }
            found = matching;
        }
        found.retain(|path| self.status(path, LastLink::Kept).is_ok());
        found.sort();
        Ok(found)
    }

    /// Adds what is called `part` in a folder; nothing where that would look at more names than are left.
    fn add_matches(
        &self,
        folder: &Path,
        part: &str,
        left: &mut usize,
        matching: &mut Vec<PathBuf>,
    ) -> Option<()> {
        *left = left.checked_sub(1)?;
        let Some(matches) = matcher(part) else {
            matching.push(folder.join(part));
            return Some(());
        };
        let names = self.names(folder).unwrap_or_default();
        *left = left.checked_sub(names.len())?;
        matching.extend(names.into_iter().filter(|name| matches(name)).map(|name| folder.join(name)));
        Some(())
    }

    /// Follows a path from the top of the tree.
    fn find(&self, path: &Path, last: LastLink) -> io::Result<Reached<'_>> {
        let mut at = PathBuf::from("/");
        let mut ahead = parts(&self.without_links_above(path));
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part.as_bytes() == b".." {
                at.pop();
                continue;
            }
            let next = at.join(&part);
            if self.is_above_a_place(&next) {
                at = next;
                continue;
            }
            let reached = self.place_of(&next)?;
            let is_meant = last == LastLink::Kept && ahead.is_empty();
            if is_meant || !reached.folder.dir().symlink_metadata(&reached.path)?.is_symlink() {
                at = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                return Err(Errno::LOOP.into());
            }
            let target = reached.folder.dir().read_link_contents(&reached.path)?;
            if target.is_absolute() {
                at = PathBuf::from("/");
                ahead.extend(parts(&self.without_links_above(&target)));
            } else {
                ahead.extend(parts(&target));
            }
        }
        self.place_of(&at)
    }

    /// The path with the name of a folder that may be looked at replaced by where that is.
    fn without_links_above(&self, path: &Path) -> PathBuf {
        let rest = |place: &Allowed| Some(place.real.join(path.strip_prefix(&place.named).ok()?));
        let nearest = self.places.iter().filter(|place| path.starts_with(&place.named));
        let nearest = nearest.max_by_key(|place| place.named.components().count());
        nearest.and_then(rest).unwrap_or_else(|| path.to_owned())
    }

    /// Whether the way to one of the folders leads through here; it is known that this is no link.
    fn is_above_a_place(&self, path: &Path) -> bool {
        self.places.iter().any(|place| place.real.starts_with(path))
    }

    /// The innermost of the folders that a path without links lies in.
    fn place_of(&self, path: &Path) -> io::Result<Reached<'_>> {
        let around = self.places.iter().filter(|place| path.starts_with(&place.real));
        let place = around.max_by_key(|place| place.real.components().count()).ok_or_else(out_of_reach)?;
        let below = path.strip_prefix(&place.real).unwrap_or(path);
        let is_private = |part: &OsStr| PRIVATE.contains(&part.as_bytes());
        if !place.is_whole && below.iter().any(is_private) {
            return Err(out_of_reach());
        }
        let folder = place.folder.as_ref().ok_or(Errno::NOENT)?;
        let path = if below.as_os_str().is_empty() { PathBuf::from(".") } else { below.to_owned() };
        Ok(Reached { folder, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;

    /// A tree with a project, a folder beside it, and links that try to lead from the one to the other.
    fn tree() -> (tempfile::TempDir, Tree) {
        let temporary = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temporary.path()).unwrap()).unwrap();
        for (path, text) in
            [("home/project/a.inc", "a"), ("home/secret", "s"), ("home/project/.git/config", "t")]
        {
            folder.create(Path::new(path).parent().unwrap()).unwrap();
            folder.write_atomic(path, text.as_bytes()).unwrap();
        }
        let links = [
            ("a.inc", "inside"),
            ("../secret", "outside"),
            ("/home/secret", "outside-absolute"),
            ("/home/project/a.inc", "inside-absolute"),
            ("..", "up"),
            (".git", "token"),
            ("loop", "loop"),
            ("/home/nosuch", "dangling"),
        ];
        for (target, name) in links {
            folder.dir().symlink_contents(target, Path::new("home/project").join(name)).unwrap();
        }
        folder.dir().symlink_contents("home/project", "alias").unwrap();
        (temporary, Tree::open(folder.path()).unwrap())
    }

    fn reach(tree: &Tree) -> Reach {
        Reach::new(tree, [PathBuf::from("/alias"), PathBuf::from("/usr/lib/rpm")])
    }

    #[test]
    fn what_lies_in_the_folders_is_found_by_each_of_its_names() {
        let (_temporary, tree) = tree();
        let reach = reach(&tree);
        for name in [
            "/alias/a.inc",
            "/home/project/a.inc",
            "/alias/inside",
            "/alias/inside-absolute",
            "/alias//./a.inc",
        ] {
            assert!(reach.open(Path::new(name)).is_ok(), "{name}");
        }
        assert_eq!(
            reach.glob("/alias/in*").unwrap(),
            ["/alias/inside", "/alias/inside-absolute"].map(PathBuf::from)
        );
        let missing = reach.open(Path::new("/usr/lib/rpm/macros")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn what_lies_elsewhere_is_refused_whether_it_is_there_or_not() {
        let (_temporary, tree) = tree();
        let reach = reach(&tree);
        for name in [
            "/home/secret",
            "/home/nosuch",
            "/home",
            "/",
            "/alias/outside",
            "/alias/outside-absolute",
            "/alias/dangling",
            "/alias/../secret",
            "/alias/up/secret",
            "/alias/up/nosuch",
            "/usr/lib/rpm/../../../home/secret",
            "/alias/.git/config",
            "/alias/token/config",
            "/proc/self/root/home/secret",
        ] {
            assert!(reach.refuses(Path::new(name)), "{name}");
            assert!(reach.open(Path::new(name)).is_err(), "{name}");
            assert!(reach.names(Path::new(name)).is_err(), "{name}");
        }
        for pattern in ["/*/secret", "/alias/*/secret"] {
            assert!(reach.glob(pattern).unwrap().is_empty());
        }
        assert!(!reach.refuses(Path::new("/alias/loop")) && reach.open(Path::new("/alias/loop")).is_err());
    }

    #[test]
    fn a_link_may_be_looked_at_where_it_leads_may_not() {
        let (_temporary, tree) = tree();
        let reach = reach(&tree);
        assert!(reach.status(Path::new("/alias/outside"), LastLink::Kept).unwrap().is_symlink());
        assert!(reach.status(Path::new("/alias/outside"), LastLink::Followed).is_err());
        assert_eq!(reach.link_target(Path::new("/alias/outside")).unwrap(), Path::new("../secret"));
    }

    #[test]
    fn a_pattern_that_goes_up_and_down_comes_to_an_end() {
        let (_temporary, tree) = tree();
        let reach = Reach::of_whole_tree(&tree);
        let climbing = format!("/home/project{}/*", "/*/..".repeat(12));
        let error = reach.glob_within(&climbing, 1000).unwrap_err();
        assert_eq!(error.to_string(), "the pattern makes one look at more than 1000 names");
        assert_eq!(reach.glob_within("/home/project/a*", 20).unwrap().len(), 1);
    }

    #[test]
    fn a_pipe_keeps_nobody_waiting() {
        let (temporary, tree) = tree();
        let pipe = temporary.path().join("home/project/pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let error = reach(&tree).open(Path::new("/alias/pipe")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}
