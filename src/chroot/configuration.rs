//! rpm's configuration in a root: macro files, rpmrc, attributes, and the scripts and generators beside them.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use super::view::{RootFile, View};
use crate::macros::CONFIGURATION_FOLDERS;

/// What Python makes of the scripts that it runs: it says nothing that they don't, and comes and goes.
const COMPILED: &str = "__pycache__";

/// Every file of rpm's configuration.
pub(super) fn configuration_files(view: &View) -> io::Result<Vec<RootFile>> {
    let mut files = Vec::new();
    let mut open: Vec<String> = CONFIGURATION_FOLDERS.iter().map(|folder| (*folder).to_owned()).collect();
    let mut seen: HashSet<PathBuf> = HashSet::new();
    while let Some(folder) = open.pop() {
        files.extend(view.file(&folder));
        // A link may lead to a folder that was looked at, even back to where it is.
        if view.resolve(&folder).is_ok_and(|path| seen.insert(path)) {
            files.extend(view.files(&folder)?);
            let below = view.folders(&folder)?.into_iter().filter(|name| name != COMPILED);
            open.extend(below.map(|name| format!("{folder}/{name}")));
        }
    }
    Ok(files)
}
