//! Where links lead, and that they stay below the folder that is open.

use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::limits::MOST_LINKS;
use super::{Folder, HostPath};

/// Where a path leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// To this path below the folder, which has no links in it.
    Inside(PathBuf),
    /// Out of the folder.
    Outside {
        /// The link that leads there, below the folder.
        link: PathBuf,
        /// What the link says.
        target: PathBuf,
    },
}

impl Folder {
    /// Follows every link on the way to `path`, but none that leads out of this folder. A link that says an absolute path
    /// is inside where that path begins with this folder's own.
    ///
    /// # Errors
    /// Something on the way is missing or can't be read, or there are more than 40 links.
    pub fn resolve(&self, path: impl AsRef<Path>) -> io::Result<Resolved> {
        let mut resolved = PathBuf::new();
        let mut ahead = parts(path.as_ref());
        let mut last_link: Option<(PathBuf, PathBuf)> = None;
        let mut links = 0;
        while let Some(part) = ahead.pop() {
            if part == ".." {
                match (resolved.pop(), &last_link) {
                    (true, _) => continue,
                    (false, Some((link, target))) => {
                        return Ok(Resolved::Outside { link: link.clone(), target: target.clone() });
                    }
                    (false, None) => {
                        let path = path.as_ref().to_owned();
                        return Ok(Resolved::Outside { link: path.clone(), target: path });
                    }
                }
            }
            let next = resolved.join(&part);
            let metadata =
                self.dir().symlink_metadata(&next).map_err(super::about(self.path().join(&next)))?;
            if !metadata.is_symlink() {
                resolved = next;
                continue;
            }
            links += 1;
            if links > MOST_LINKS {
                let error = io::Error::from(rustix::io::Errno::LOOP);
                return Err(super::about(self.path().join(&next))(error));
            }
            let target = self.dir().read_link_contents(&next)?;
            if target.is_absolute() {
                match strip_folder(&target, self.path()) {
                    Some(_) => resolved = PathBuf::new(),
                    None => return Ok(Resolved::Outside { link: next, target }),
                }
            }
            let inside = strip_folder(&target, self.path()).unwrap_or_else(|| target.clone());
            ahead.extend(parts(&inside));
            last_link = Some((next, target));
        }
        Ok(Resolved::Inside(if resolved.as_os_str().is_empty() { PathBuf::from(".") } else { resolved }))
    }

    /// Where the file or folder is that `path` stands for; `None` where there is none. Only where the system itself can't
    /// follow a link, it is [resolved](Self::resolve).
    ///
    /// # Errors
    /// As [`Folder::resolve`], but for what is missing.
    pub fn follow(&self, path: impl AsRef<Path>) -> io::Result<Option<Resolved>> {
        let path = if path.as_ref().as_os_str().is_empty() { Path::new(".") } else { path.as_ref() };
        if self.dir().metadata(path).is_ok() {
            return Ok(Some(Resolved::Inside(path.to_owned())));
        }
        match self.resolve(path) {
            Ok(resolved) => Ok(Some(resolved)),
            Err(error) if is_nothing_there(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn is_nothing_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

fn strip_folder(target: &Path, folder: &HostPath) -> Option<PathBuf> {
    target.strip_prefix(folder.as_path()).ok().map(Path::to_owned)
}

/// A path's parts, the last first.
fn parts(path: &Path) -> Vec<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some(OsString::from("..")),
        Component::CurDir | Component::RootDir | Component::Prefix(_) => None,
    };
    path.components().rev().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        folder.create("shared").unwrap().write_atomic("data", b"x").unwrap();
        folder.create("specs").unwrap();
        (temp, folder)
    }

    fn link(folder: &Folder, target: impl AsRef<Path>, path: &str) {
        folder.dir().symlink_contents(target, path).unwrap();
    }

    #[test]
    fn links_within_the_folder_are_followed() {
        let (_temp, folder) = project();
        link(&folder, "../shared/data", "specs/relative");
        link(&folder, folder.path().join("shared").as_path(), "specs/absolute");
        let data = Resolved::Inside(PathBuf::from("shared/data"));
        assert_eq!(folder.resolve("specs/relative").unwrap(), data);
        assert_eq!(folder.resolve("specs/absolute/data").unwrap(), data);
        assert_eq!(folder.follow("specs/absolute/data").unwrap(), Some(data));
    }

    #[test]
    fn the_link_that_leads_out_is_named() {
        let (_temp, folder) = project();
        link(&folder, "../../elsewhere", "specs/climbs");
        link(&folder, "/etc/passwd", "specs/users");
        let outside =
            |link: &str, target: &str| Resolved::Outside { link: link.into(), target: target.into() };
        assert_eq!(folder.resolve("specs/climbs").unwrap(), outside("specs/climbs", "../../elsewhere"));
        let found = folder.follow("specs/users").unwrap();
        assert_eq!(found, Some(outside("specs/users", "/etc/passwd")));
    }

    #[test]
    fn a_circle_of_links_ends() {
        let (_temp, folder) = project();
        link(&folder, "two", "one");
        link(&folder, "one", "two");
        assert!(folder.resolve("one").is_err());
        assert!(folder.follow("one").is_err());
    }

    #[test]
    fn a_link_to_nothing_is_nothing() {
        let (_temp, folder) = project();
        link(&folder, "missing", "dangling");
        assert_eq!(folder.follow("dangling").unwrap(), None);
    }
}
