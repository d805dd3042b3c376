//! The lists that `%files -f` of packages of debug information name.

use std::collections::{BTreeSet, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::ByteSlice;
use regex::bytes::Regex;

use super::options::DebugOptions;
use super::programs::{DEBUG, END};
use super::refused::Refused;
use crate::files::{Folder, HostPath, Tree};

/// Where sources go, below the buildroot.
pub(super) const SOURCES: &str = "usr/src/debug";

/// Links in the debug information, each with the path that it points at; both begin with `/`.
pub(super) type DebugLinks = Vec<(Vec<u8>, Vec<u8>)>;

/// Folders, and what is in them.
type DebugPaths = (BTreeSet<Vec<u8>>, Vec<Vec<u8>>);

/// Writes all lists that are asked for to the folder of the build.
pub(super) fn write_lists(
    options: &DebugOptions,
    root: &Folder,
    folder: &HostPath,
    links: &DebugLinks,
) -> Result<(), Refused> {
    let build = Tree::open(folder).map_err(|error| Refused::unreadable(folder.as_path(), &error))?;
    let (folders, mut all) = list_debug(root)?;
    let sources = list_sources(root);
    if options.source_list.is_none() {
        all.extend(sources.iter().cloned());
    }
    let write = |name: &[u8], lines: Vec<Vec<u8>>| {
        let path = Path::new(std::ffi::OsStr::from_bytes(name));
        let text: Vec<u8> = lines.into_iter().flat_map(|line| [line, b"\n".to_vec()].concat()).collect();
        let target = Folder::open_ambient(folder).and_then(|folder| folder.write_atomic(path, &text));
        target.map_err(|error| Refused::unreadable(path, &error))
    };
    if let Some(list) = &options.source_list {
        write(list, sources)?;
    }
    if options.wanted.is_empty() {
        let folders = folders.iter().map(|folder| [b"%dir ".as_slice(), folder].concat());
        return write(&options.list, folders.chain(all).collect());
    }
    for wanted in &options.wanted {
        let mut taken: Vec<Vec<u8>> = Vec::new();
        let mut programs: HashSet<Vec<u8>> = HashSet::new();
        for list in &wanted.lists {
            let path = Path::new(std::ffi::OsStr::from_bytes(list));
            let text = build.read(path).map_err(|error| Refused::unreadable(path, &error))?;
            programs.extend(text.lines().filter_map(listed_path));
        }
        let debug_of = |program: &[u8]| [b"/", DEBUG.as_bytes(), program, END.as_bytes()].concat();
        let known: HashSet<Vec<u8>> = programs.iter().map(|program| debug_of(program)).collect();
        taken.extend(all.iter().filter(|line| known.contains(*line)).cloned());
        let of_lists = links.iter().filter(|(_, target)| programs.contains(target) || known.contains(target));
        taken.extend(of_lists.map(|(link, _)| link.clone()));
        if let Some(pattern) = wanted.pattern.as_ref().and_then(|pattern| whole(pattern)) {
            taken.extend(all.iter().filter(|line| pattern.is_match(line)).cloned());
            let of_pattern = links.iter().filter(|(link, _)| pattern.is_match(link));
            taken.extend(of_pattern.map(|(link, _)| link.clone()));
        }
        let mut seen = HashSet::new();
        taken.retain(|line| seen.insert(line.clone()));
        all.retain(|line| !seen.contains(line));
        write(&wanted.output, with_folders(&folders, taken))?;
    }
    write(&options.list, with_folders(&folders, all))
}

/// A pattern that is to match all of a path.
fn whole(pattern: &[u8]) -> Option<Regex> {
    Regex::new(&format!("^(?:{})$", pattern.to_str().ok()?)).ok()
}

/// The path of a line of `%files`, without what says how it is packaged.
fn listed_path(line: &[u8]) -> Option<Vec<u8>> {
    let mut rest = line.trim_ascii();
    while rest.starts_with(b"%") {
        let end = match (rest.find_byte(b'('), rest.find_byte(b')'), rest.find_byteset(b" \t")) {
            (Some(open), Some(close), space) if space.is_none_or(|space| open < space) => close + 1,
            (_, _, Some(space)) => space,
            _ => return None,
        };
        rest = rest.get(end..)?.trim_ascii();
    }
    (!rest.is_empty()).then(|| rest.to_vec())
}

/// Lines with those of the folders that they lie in.
fn with_folders(folders: &BTreeSet<Vec<u8>>, lines: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let mut above = BTreeSet::new();
    for line in &lines {
        let folders_above = Path::new(std::ffi::OsStr::from_bytes(line)).ancestors().skip(1);
        above.extend(folders_above.map(|folder| folder.as_os_str().as_bytes().to_vec()));
    }
    let known = above.into_iter().filter(|folder| folders.contains(folder));
    known.map(|folder| [b"%dir ".as_slice(), &folder].concat()).chain(lines).collect()
}

/// All folders of the debug information, and all that is in them.
fn list_debug(root: &Folder) -> Result<DebugPaths, Refused> {
    let (mut folders, mut files) = (BTreeSet::new(), BTreeSet::new());
    let mut open = vec![PathBuf::from(DEBUG)];
    while let Some(folder) = open.pop().filter(|folder| root.is_folder(folder)) {
        folders.insert(absolute(&folder));
        let entries = root.dir().read_dir(&folder).map_err(|error| Refused::unreadable(&folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| Refused::unreadable(&folder, &error))?;
            let path = folder.join(entry.file_name());
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push(path);
            } else {
                files.insert(absolute(&path));
            }
        }
    }
    Ok((folders, files.into_iter().collect()))
}

fn list_sources(root: &Folder) -> Vec<Vec<u8>> {
    let entries = root.dir().read_dir(SOURCES).into_iter().flatten().flatten();
    let mut found: Vec<_> =
        entries.map(|entry| absolute(&Path::new(SOURCES).join(entry.file_name()))).collect();
    found.sort();
    found
}

pub(super) fn absolute(path: &Path) -> Vec<u8> {
    [b"/", path.as_os_str().as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_of_listed_files_are_no_part_of_their_paths() {
        let read = |line: &str| listed_path(line.as_bytes()).map(|path| String::from_utf8(path).unwrap());
        assert_eq!(read("%attr(755, root, root) %config /usr/bin/a").as_deref(), Some("/usr/bin/a"));
        assert_eq!(read("/usr/bin/a (b)").as_deref(), Some("/usr/bin/a (b)"));
        assert_eq!(read("%dir"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn lists_begin_with_their_folders() {
        let folders = BTreeSet::from([b"/usr/lib/debug".to_vec(), b"/usr/lib/debug/usr".to_vec()]);
        let lines = with_folders(&folders, vec![b"/usr/lib/debug/usr/a.debug".to_vec()]);
        let expected: [&[u8]; 3] =
            [b"%dir /usr/lib/debug", b"%dir /usr/lib/debug/usr", b"/usr/lib/debug/usr/a.debug"];
        assert_eq!(lines, expected);
    }
}
