//! `forge init`: a first manifest for the specs of a repository.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use crate::files::Folder;

/// What git should not keep of a project: its state, and the repositories that it is published to.
const IGNORED: [&str; 2] = ["/.forge/", "/public/"];

/// A manifest that builds every spec below `repository` on this machine; `None` where there is no spec.
pub fn first_manifest(repository: &Folder, name: &str) -> io::Result<Option<String>> {
    let all = repository.search(Path::new(""), "**/*.spec")?.unwrap_or_default();
    if all.is_empty() {
        return Ok(None);
    }
    let pattern = common_pattern(&all);
    // The pattern may find more: through links, which `**` does not follow.
    let found = repository.search(Path::new(""), &pattern)?.unwrap_or(all);
    let mut text = format!(
        "rpmforge version=1\n\nproject {} {{\n    description \"\"\n}}\n\n\
         // This machine's own root.\nchroot host {{ root \"/\" }}\n\n\
         // A package for each spec, by its file's name; `package NAME {{ … }}` adds settings to one.\n\
         packages {}\n",
        quote(&as_name(name)),
        quote(&pattern)
    );
    let own_names = name_apart(&found);
    if !own_names.is_empty() {
        text.push_str(
            "\n// Two packages can't have one name, and a name has only letters, digits and `._+-`: these have names of their own.\n",
        );
    }
    for (name, spec) in own_names {
        text.push_str(&format!(
            "package {} {{ source path {} }}\n",
            quote(&name),
            quote(&spec.to_string_lossy())
        ));
    }
    Ok(Some(text))
}

/// The lines that a `.gitignore` of this content lacks.
pub fn missing_ignores(gitignore: &str) -> Vec<&'static str> {
    let bare = |line: &str| line.trim().trim_matches('/').to_owned();
    let said: Vec<String> = gitignore.lines().map(bare).collect();
    IGNORED.into_iter().filter(|line| !said.contains(&bare(line))).collect()
}

/// One pattern that finds all these files: the folders that they have in common, and `*` for each in which they differ, or
/// `**` where they lie at several depths.
fn common_pattern(specs: &[PathBuf]) -> String {
    let folders: Vec<Vec<String>> = specs.iter().map(|spec| folders_of(spec)).collect();
    let common = common_folders(&folders);
    let deepest = folders.iter().map(Vec::len).max().unwrap_or_default();
    let is_even = folders.iter().all(|folders| folders.len() == deepest);
    let between = match is_even {
        true => vec!["*".to_owned(); deepest - common.len()],
        false => vec!["**".to_owned()],
    };
    [common, between, vec!["*.spec".to_owned()]].concat().join("/")
}

fn folders_of(path: &Path) -> Vec<String> {
    let folders = path.parent().unwrap_or(Path::new("")).components();
    folders.map(|folder| folder.as_os_str().to_string_lossy().into_owned()).collect()
}

/// The folders that all paths begin with, as far as their names stand for themselves in a pattern.
fn common_folders(paths: &[Vec<String>]) -> Vec<String> {
    let Some((first, others)) = paths.split_first() else { return Vec::new() };
    let is_plain = |folder: &str| !folder.contains(['*', '?', '[', ']', '{', '}', '\\', '!']);
    let shared = first.iter().enumerate().take_while(|(index, folder)| {
        is_plain(folder) && others.iter().all(|path| path.get(*index) == Some(*folder))
    });
    shared.map(|(_, folder)| folder.clone()).collect()
}

/// The specs that a pattern can't name: their files' names are taken by one before them, or can't be names. A name for each:
/// the folder's before the file's.
fn name_apart(specs: &[PathBuf]) -> BTreeMap<String, &Path> {
    let stem = |spec: &Path| spec.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut names: BTreeSet<String> = BTreeSet::new();
    let (_, others): (Vec<&PathBuf>, Vec<&PathBuf>) =
        specs.iter().partition(|spec| as_name(&stem(spec)) == stem(spec) && names.insert(stem(spec)));
    let mut apart = BTreeMap::new();
    for spec in others {
        let own = as_name(&stem(spec));
        let folder = folders_of(spec).pop().unwrap_or_default();
        let with_folder = as_name(&format!("{folder}-{own}"));
        let numbered = (2..).map(|number| format!("{own}-{number}"));
        let mut candidates = [own.clone(), with_folder].into_iter().chain(numbered);
        let Some(name) = candidates.find(|name| names.insert(name.clone())) else { continue };
        apart.insert(name, spec.as_path());
    }
    apart
}

/// `text` with only what a name may have.
fn as_name(text: &str) -> String {
    let name: String =
        text.chars().map(|c| if c.is_alphanumeric() || "._+-".contains(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(|c: char| !c.is_alphanumeric());
    if name.is_empty() { "project".to_owned() } else { name.to_owned() }
}

/// As KDL writes it: bare where it can be.
fn quote(text: &str) -> String {
    let is_bare = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
        && !matches!(text, "true" | "false" | "null" | "inf" | "nan");
    if is_bare { text.to_owned() } else { format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")) }
}
