//! Files that match a pattern.

use std::io;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::limits::DEEPEST_SEARCHED;
use super::{EntryKind, Folder, Resolved, normalize};

impl Folder {
    /// The regular files below this folder whose path matches `pattern`, which is relative to `base` (itself relative
    /// to this folder), sorted. Hidden files and folders match only where the pattern names the dot. A link matches as the
    /// file that it leads to; so does one that can't be followed, which whoever opens it says. `None` where the pattern
    /// leaves this folder.
    pub fn search(&self, base: &Path, pattern: &str) -> io::Result<Option<Vec<PathBuf>>> {
        let (literal, rest) = split(pattern);
        let Some(start) = normalize(base, &literal) else {
            return Ok(None);
        };
        let Some(rest) = rest else {
            return Ok(Some(if is_file(self, &start) { vec![start] } else { Vec::new() }));
        };
        let Ok(glob) = GlobBuilder::new(&rest).literal_separator(true).build() else {
            return Ok(Some(Vec::new()));
        };
        let depth = if rest.contains("**") { DEEPEST_SEARCHED } else { rest.split('/').count() };
        let mut search = Search {
            root: self,
            start: &start,
            matcher: glob.compile_matcher(),
            hidden: rest.starts_with('.') || rest.contains("/."),
            // Through links to folders above, `**` would find everything many times.
            follows_links: !rest.contains("**"),
            found: Vec::new(),
        };
        if self.is_folder(if start.as_os_str().is_empty() { Path::new(".") } else { &start }) {
            search.walk(Path::new(""), depth)?;
        }
        search.found.sort();
        Ok(Some(search.found))
    }
}

struct Search<'a> {
    root: &'a Folder,
    /// Where the search begins; what is matched are paths from there.
    start: &'a Path,
    matcher: GlobMatcher,
    hidden: bool,
    follows_links: bool,
    found: Vec<PathBuf>,
}

impl Search<'_> {
    /// Adds the files of the folder `below` the start and of those in it, down to a depth.
    fn walk(&mut self, below: &Path, depth: usize) -> io::Result<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Ok(());
        };
        let (root, start) = (self.root, self.start);
        let path = start.join(below);
        let folder = if path.as_os_str().is_empty() { root.again()? } else { root.folder(&path)? };
        for entry in folder.entries()? {
            if entry.name.starts_with('.') && !self.hidden {
                continue;
            }
            let below = below.join(&entry.name);
            match entry.kind {
                EntryKind::Folder => self.walk(&below, depth)?,
                EntryKind::File if self.matcher.is_match(&below) => self.found.push(start.join(&below)),
                EntryKind::Other if self.follows_links && root.is_folder(start.join(&below)) => {
                    self.walk(&below, depth)?;
                }
                EntryKind::Other if self.matcher.is_match(&below) => {
                    self.found.extend(Some(start.join(&below)).filter(|path| is_file(root, path)));
                }
                EntryKind::File | EntryKind::Other => {}
            }
        }
        Ok(())
    }
}

/// Whether a path stands for a regular file, or is a link that can't be followed.
fn is_file(folder: &Folder, path: &Path) -> bool {
    match folder.follow(path) {
        Ok(None) => false,
        Ok(Some(Resolved::Inside(path))) => folder.file_size(path).is_some(),
        Ok(Some(Resolved::Outside { .. })) | Err(_) => true,
    }
}

/// Splits a pattern into the folders that stand before its first special character, and the rest, if any.
fn split(pattern: &str) -> (PathBuf, Option<String>) {
    let mut literal = PathBuf::new();
    let mut components = Path::new(pattern).components();
    loop {
        let rest = components.as_path().to_string_lossy().into_owned();
        match components.next() {
            None => return (literal, None),
            Some(Component::Normal(part)) if part.to_string_lossy().contains(['*', '?', '[', '{', '\\']) => {
                return (literal, Some(rest));
            }
            Some(component) => literal.push(component),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::HostPath;

    fn repository() -> (tempfile::TempDir, Folder) {
        let temp = tempfile::tempdir().unwrap();
        let folder = Folder::open_ambient(&HostPath::new(temp.path()).unwrap()).unwrap();
        for path in ["specs/a/a.spec", "specs/b/b.spec", "specs/.git/c.spec", "specs/a/deep/d.spec"] {
            folder.create(Path::new(path).parent().unwrap()).unwrap();
            folder.write_atomic(path, b"").unwrap();
        }
        (temp, folder)
    }

    fn search(base: &str, pattern: &str) -> Option<Vec<String>> {
        let (_temp, folder) = repository();
        let found = folder.search(Path::new(base), pattern).unwrap()?;
        Some(found.iter().map(|path| path.display().to_string()).collect())
    }

    #[test]
    fn a_star_stays_in_its_folder_and_two_go_deeper() {
        assert_eq!(search("", "specs/*/*.spec").unwrap(), ["specs/a/a.spec", "specs/b/b.spec"]);
        assert_eq!(search("specs", "**/*.spec").unwrap().len(), 3);
    }

    #[test]
    fn links_are_found_as_what_they_lead_to() {
        let (_temp, folder) = repository();
        folder.dir().symlink_contents("a", "specs/c").unwrap();
        folder.dir().symlink_contents("../b/b.spec", "specs/a/z.spec").unwrap();
        folder.dir().symlink_contents("/nowhere/x.spec", "specs/b/x.spec").unwrap();
        folder.dir().symlink_contents("missing", "specs/b/y.spec").unwrap();
        let found = folder.search(Path::new(""), "specs/*/*.spec").unwrap().unwrap();
        let found: Vec<String> = found.iter().map(|path| path.display().to_string()).collect();
        let wanted = [
            "specs/a/a.spec",
            "specs/a/z.spec",
            "specs/b/b.spec",
            "specs/b/x.spec",
            "specs/c/a.spec",
            "specs/c/z.spec",
        ];
        assert_eq!(found, wanted);
        assert_eq!(folder.search(Path::new(""), "specs/a/z.spec").unwrap().unwrap().len(), 1);
    }

    #[test]
    fn a_pattern_may_climb_within_the_repository_and_no_further() {
        assert_eq!(search("specs/a", "../b/*.spec").unwrap(), ["specs/b/b.spec"]);
        assert_eq!(search("specs/a", "../../../*.spec"), None);
    }
}
