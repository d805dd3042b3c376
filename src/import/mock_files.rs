//! The files that mock's configurations consist of.

use std::path::{Path, PathBuf};

use super::ImportError;
use crate::files::{Folder, HostPath};

/// Where configurations are that are called by their names.
const FOLDER: &str = "/etc/mock";

/// The largest one.
const LARGEST: u64 = 4 << 20;

/// Finds and reads them.
pub(super) struct MockFiles {
    /// Where what is included is looked for.
    folders: Vec<PathBuf>,
}

impl MockFiles {
    /// Finds a configuration: a file's path from `folder`, or the name of one in `/etc/mock`. Gives what was found with its text.
    pub fn find(folder: &HostPath, name: &str) -> Result<(Self, PathBuf, String), ImportError> {
        let beside = folder.as_path().join(name);
        let installed = Path::new(FOLDER).join(format!("{name}.cfg"));
        let is_name = !name.contains('/');
        let candidates = [Some(beside), is_name.then_some(installed)];
        let found = candidates.into_iter().flatten().find(|path| path.is_file());
        let path = found.ok_or_else(|| ImportError::NoConfiguration { name: name.to_owned() })?;
        let text = read(&path)?;
        // As mock does, from the folder of its configurations; that of old ones is one below it.
        let above = path.ancestors().skip(1).take(2).map(Path::to_owned);
        let folders = above.chain([PathBuf::from(FOLDER)]).collect();
        Ok((Self { folders }, path, text))
    }

    /// Reads what `from` includes.
    pub fn include(&self, name: &str, from: &str) -> Result<(String, String), ImportError> {
        // Some name their templates by where they will be installed.
        let below = name.strip_prefix(FOLDER).map_or(name, |rest| rest.trim_start_matches('/'));
        let mut candidates = self.folders.iter().map(|folder| folder.join(below));
        let path = candidates.find(|path| path.is_file()).ok_or_else(|| ImportError::Unreadable {
            path: name.to_owned(),
            reason: format!("{from} includes it, and it is not there"),
        })?;
        let text = read(&path)?;
        Ok((name.to_owned(), text))
    }
}

/// Reads a text file.
fn read(path: &Path) -> Result<String, ImportError> {
    let unreadable = |reason: String| ImportError::Unreadable { path: path.display().to_string(), reason };
    let parent = path.parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let name = path.file_name().ok_or_else(|| unreadable("it is no file".to_owned()))?;
    let folder = Folder::open_ambient(&parent);
    let text = folder.and_then(|folder| folder.read_text_up_to(Path::new(name), LARGEST));
    text.map_err(|error| unreadable(crate::files::reason(&error)))
}
