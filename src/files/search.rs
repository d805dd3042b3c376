//! Files that match a pattern.

use std::io;
use std::path::{Component, Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use super::limits::DEEPEST_SEARCHED;
use super::{EntryKind, Folder, normalize};

impl Folder {
    /// The regular files below this folder whose path matches `pattern`, which is relative to `base` (itself relative
    /// to this folder), sorted. Hidden files and folders match only where the pattern names the dot. `None` where the
    /// pattern leaves this folder.
    pub fn search(&self, base: &Path, pattern: &str) -> io::Result<Option<Vec<PathBuf>>> {
        let (literal, rest) = split(pattern);
        let Some(start) = normalize(base, &literal) else {
            return Ok(None);
        };
        let Some(rest) = rest else {
            return Ok(Some(if self.file_size(&start).is_some() { vec![start] } else { Vec::new() }));
        };
        let Ok(glob) = GlobBuilder::new(&rest).literal_separator(true).build() else {
            return Ok(Some(Vec::new()));
        };
        let depth = if rest.contains("**") { DEEPEST_SEARCHED } else { rest.split('/').count() };
        let mut found = Vec::new();
        let search =
            Search { matcher: glob.compile_matcher(), hidden: rest.starts_with('.') || rest.contains("/.") };
        if self.is_folder(if start.as_os_str().is_empty() { Path::new(".") } else { &start }) {
            search.walk(self, &start, Path::new(""), depth, &mut found)?;
        }
        found.sort();
        Ok(Some(found))
    }
}

struct Search {
    matcher: GlobMatcher,
    hidden: bool,
}

impl Search {
    fn walk(
        &self,
        root: &Folder,
        start: &Path,
        below: &Path,
        depth: usize,
        found: &mut Vec<PathBuf>,
    ) -> io::Result<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Ok(());
        };
        let path = start.join(below);
        let folder = if path.as_os_str().is_empty() { root.again()? } else { root.folder(&path)? };
        for entry in folder.entries()? {
            if entry.name.starts_with('.') && !self.hidden {
                continue;
            }
            let below = below.join(&entry.name);
            match entry.kind {
                EntryKind::Folder => self.walk(root, start, &below, depth, found)?,
                EntryKind::File if self.matcher.is_match(&below) => found.push(start.join(&below)),
                EntryKind::File | EntryKind::Other => {}
            }
        }
        Ok(())
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
    fn a_pattern_may_climb_within_the_repository_and_no_further() {
        assert_eq!(search("specs/a", "../b/*.spec").unwrap(), ["specs/b/b.spec"]);
        assert_eq!(search("specs/a", "../../../*.spec"), None);
    }
}
