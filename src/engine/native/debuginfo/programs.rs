//! The programs of a buildroot that may have debug information.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_std::fs::{MetadataExt, PermissionsExt};
use std::io::Read;

use super::refused::Refused;
use crate::files::Folder;

/// Where debug information goes, below the buildroot.
pub(super) const DEBUG: &str = "usr/lib/debug";

/// How names of debug information end.
pub(super) const END: &str = ".debug";

/// How programs begin, libraries among them (elf(5)).
const PROGRAM: &[u8] = b"\x7fELF";

/// What somebody may run.
const ANY_PROGRAM: u32 = 0o111;

/// A program, with all its names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Program {
    /// Its first name, below the buildroot.
    pub(super) path: PathBuf,
    /// All others.
    pub(super) others: Vec<PathBuf>,
    /// Its permissions.
    pub(super) mode: u32,
}

/// What a buildroot has.
#[derive(Debug, Default)]
pub(super) struct FoundPrograms {
    pub(super) programs: Vec<Program>,
    /// Links that lie outside of the debug information.
    pub(super) links: Vec<PathBuf>,
}

/// Looks for programs, sorted by their first names.
pub(super) fn find_programs(root: &Folder) -> Result<FoundPrograms, Refused> {
    let mut found = FoundPrograms::default();
    let mut files: Vec<(PathBuf, (u64, u64), u32)> = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(folder) = open.pop() {
        let place = if folder.as_os_str().is_empty() { Path::new(".") } else { folder.as_path() };
        let entries = root.dir().read_dir(place).map_err(|error| Refused::unreadable(place, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Refused::unreadable(place, &error))?;
            let path = folder.join(entry.file_name());
            let metadata = entry.metadata().map_err(|error| Refused::unreadable(&path, &error))?;
            if metadata.is_dir() {
                open.push(path);
            } else if metadata.is_symlink() {
                if !path.starts_with(DEBUG) {
                    found.links.push(path);
                }
            } else if metadata.is_file() && is_program(root, &path, metadata.permissions().mode()) {
                files.push((path, (metadata.dev(), metadata.ino()), metadata.permissions().mode()));
            }
        }
    }
    files.sort_by(|a, b| a.0.as_os_str().as_bytes().cmp(b.0.as_os_str().as_bytes()));
    found.links.sort();
    let mut known = std::collections::HashMap::new();
    for (path, identity, mode) in files {
        match known.get(&identity).and_then(|at: &usize| found.programs.get_mut(*at)) {
            Some(program) => program.others.push(path),
            None => {
                known.insert(identity, found.programs.len());
                found.programs.push(Program { path, others: Vec::new(), mode });
            }
        }
    }
    Ok(found)
}

fn is_program(root: &Folder, path: &Path, mode: u32) -> bool {
    let is_debug = path.starts_with(DEBUG) && path.as_os_str().as_bytes().ends_with(END.as_bytes());
    if mode & ANY_PROGRAM == 0 || is_debug {
        return false;
    }
    let mut start = [0; 4];
    let read = root.dir().open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == PROGRAM
}

/// Where the debug information of a program goes, below the buildroot.
pub(super) fn debug_path(program: &Path, suffix: &[u8]) -> PathBuf {
    let name = program.file_name().map(OsStrExt::as_bytes).unwrap_or_default();
    let name = name.strip_suffix(END.as_bytes()).filter(|name| !name.is_empty()).unwrap_or(name);
    let name = [name, suffix, END.as_bytes()].concat();
    let folder = program.parent().unwrap_or(Path::new(""));
    Path::new(DEBUG).join(folder).join(std::ffi::OsStr::from_bytes(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_information_lies_where_the_program_does() {
        let path = |program: &str, suffix: &str| {
            debug_path(Path::new(program), suffix.as_bytes()).to_string_lossy().into_owned()
        };
        assert_eq!(path("usr/bin/a", "-1-1.x86_64"), "usr/lib/debug/usr/bin/a-1-1.x86_64.debug");
        assert_eq!(path("usr/bin/a.debug", ""), "usr/lib/debug/usr/bin/a.debug");
        assert_eq!(path("a", ""), "usr/lib/debug/a.debug");
    }
}
