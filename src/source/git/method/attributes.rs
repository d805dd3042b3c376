//! What `.gitattributes` says of archives (gitattributes(5), "Creating an archive"): `export-ignore`. Nothing else of these files
//! has an effect.

use std::io;
use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

use crate::files::{EntryKind, Folder};
use crate::source::git::limits::{CONFIG_BYTES, TREE_DEPTH};

const FILE: &str = ".gitattributes";

/// What is left out of archives of a folder.
#[derive(Default)]
pub(super) struct ExportRules(Vec<ExportRule>);

struct ExportRule {
    /// The folder whose file says it.
    folder: PathBuf,
    pattern: GlobMatcher,
    /// Whether the pattern is of names alone, wherever below the folder they are.
    is_of_names: bool,
    is_ignored: bool,
}

impl ExportRules {
    /// What the files in a folder and below it say.
    ///
    /// # Errors
    /// They can't be read.
    pub fn read(folder: &Folder) -> io::Result<Self> {
        let mut rules = Self::default();
        rules.read_folder(folder, Path::new(""), 0)?;
        Ok(rules)
    }

    /// Whether something isn't packed; what is said deeper, and later in a file, counts.
    pub fn is_left_out(&self, path: &Path) -> bool {
        let applies = |rule: &&ExportRule| {
            let Ok(below) = path.strip_prefix(&rule.folder) else { return false };
            let text = if rule.is_of_names { below.file_name().map(Path::new) } else { Some(below) };
            text.is_some_and(|text| rule.pattern.is_match(text))
        };
        self.0.iter().rev().find(applies).is_some_and(|rule| rule.is_ignored)
    }

    fn read_folder(&mut self, folder: &Folder, path: &Path, depth: usize) -> io::Result<()> {
        if folder.file_size(FILE).is_some_and(|size| size <= CONFIG_BYTES as u64) {
            let text = folder.read(FILE)?;
            self.read_lines(&String::from_utf8_lossy(&text), path);
        }
        for entry in folder.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::Folder) {
            if depth < TREE_DEPTH {
                let inner = folder.folder(&entry.name)?;
                self.read_folder(&inner, &path.join(&entry.name), depth + 1)?;
            }
        }
        Ok(())
    }

    fn read_lines(&mut self, text: &str, folder: &Path) {
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', '['])) {
            let mut words = line.split_whitespace();
            let Some(pattern) = words.next() else { continue };
            let is_ignored = words.rev().find_map(|word| match word {
                "export-ignore" | "export-ignore=true" => Some(true),
                "-export-ignore" | "!export-ignore" => Some(false),
                _ => None,
            });
            let Some(is_ignored) = is_ignored else { continue };
            let is_of_names = !pattern.contains('/');
            let glob = GlobBuilder::new(pattern.trim_start_matches('/')).literal_separator(true).build();
            let Ok(glob) = glob else { continue };
            let (folder, pattern) = (folder.to_owned(), glob.compile_matcher());
            self.0.push(ExportRule { folder, pattern, is_of_names, is_ignored });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_later_and_deeper_counts() {
        let mut rules = ExportRules::default();
        rules.read_lines(
            "*.bin export-ignore\n/docs/* export-ignore\n# x export-ignore\nkeep.bin -export-ignore\n",
            Path::new(""),
        );
        rules.read_lines("*.bin !export-ignore\n", Path::new("sub"));
        let left_out = |path: &str| rules.is_left_out(Path::new(path));
        assert!(left_out("a.bin") && left_out("deep/a.bin") && left_out("docs/x"));
        assert!(!left_out("keep.bin") && !left_out("docs/x/y") && !left_out("sub/a.bin") && !left_out("x"));
    }
}
