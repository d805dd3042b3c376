//! The files that a spec names, found and checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::SourceError;
use super::input_file::InputFile;
use super::limits::MISTAKES_TOLD;
use super::origin::Origin;
use super::reach::{is_executable, open_reachable, regular_file};
use crate::digest::Digest;
use crate::engine::SourceReference;
use crate::files::{Folder, HostPath};
use crate::manifest::declaration::{FileDecl, FilePlace};
use crate::manifest::{ManifestPath, Package};
use crate::store::Blob;
use crate::text::{Located, Place};

struct Candidate {
    root: HostPath,
    path: PathBuf,
    sha256: Option<String>,
    place: Place,
}

/// The files that `references` name, from beside the spec and from the manifest's `file` nodes; every one that is
/// missing or not what it should be is reported.
pub fn inputs(
    package: &Package,
    origin: &Origin,
    references: &[SourceReference],
    repository: &Folder,
) -> Result<Vec<InputFile>, Vec<Located<SourceError>>> {
    let mut errors = Vec::new();
    let declared = find_declared(&package.source.files, repository, &mut errors);
    if references.is_empty() {
        return if errors.is_empty() { Ok(Vec::new()) } else { Err(limit_mistakes(errors)) };
    }
    let beside = match Folder::open_ambient(&origin.root) {
        Ok(beside) => beside,
        Err(error) => {
            let place = package.source.place.clone();
            return Err(vec![Located::new(error.into(), "for this package", place)]);
        }
    };
    let beside = SpecFolder { root: &beside, folder: &origin.folder };
    let mut found = Vec::new();
    for reference in references {
        match find_input(package, &beside, reference, &declared) {
            Ok(input) => found.push(input),
            Err(error) => errors.push(error),
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    found.dedup_by(|a, b| a.name == b.name);
    if errors.is_empty() { Ok(found) } else { Err(limit_mistakes(errors)) }
}

/// The first mistakes, and how many more there are.
fn limit_mistakes(mut errors: Vec<Located<SourceError>>) -> Vec<Located<SourceError>> {
    let count = errors.len().saturating_sub(MISTAKES_TOLD);
    errors.truncate(MISTAKES_TOLD);
    if let Some(last) = errors.last().filter(|_| count > 0) {
        let place = last.place().clone();
        errors.push(Located::new(SourceError::AndMore { count }, "for this package", place));
    }
    errors
}

/// The folder of a spec, within the folder that nothing is followed out of.
struct SpecFolder<'a> {
    root: &'a Folder,
    folder: &'a Path,
}

/// The files of `file` nodes, by name.
fn find_declared(
    files: &[FileDecl],
    repository: &Folder,
    errors: &mut Vec<Located<SourceError>>,
) -> BTreeMap<String, Candidate> {
    let mut found: BTreeMap<String, Candidate> = BTreeMap::new();
    for file in files {
        // What is elsewhere has been fetched before.
        let FilePlace::Path(path) = &file.place else { continue };
        let place = &path.place;
        let matches = match find_matches(&path.value, repository) {
            Ok(matches) => matches,
            Err(error) => {
                errors.push(Located::new(error, "this file", place.clone()));
                continue;
            }
        };
        if matches.is_empty() {
            let error = SourceError::NoFile { pattern: path.value.to_string() };
            errors.push(Located::new(error, "this file", place.clone()));
        }
        for (root, path) in matches {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let sha256 = file.sha256.as_ref().map(|sum| sum.value.to_ascii_lowercase());
            let candidate = Candidate { root, path, sha256, place: place.clone() };
            if let Some(earlier) = found.insert(name.clone(), candidate)
                && let Some(now) = found.get(&name)
                && (now.path != earlier.path || now.root != earlier.root)
            {
                let (one, other) = (earlier.path.display().to_string(), now.path.display().to_string());
                let error =
                    Located::new(SourceError::Ambiguous { name, one, other }, "this one", place.clone());
                errors.push(error.with_note("and this one", earlier.place));
            }
        }
    }
    found
}

fn find_matches(path: &ManifestPath, repository: &Folder) -> Result<Vec<(HostPath, PathBuf)>, SourceError> {
    let (root, relative) = open_reachable(path, repository)?;
    let found = root.search(Path::new(""), &relative.to_string_lossy())?.unwrap_or_default();
    Ok(found.into_iter().map(|path| (root.path().clone(), path)).collect())
}

fn find_input(
    package: &Package,
    beside: &SpecFolder<'_>,
    reference: &SourceReference,
    declared: &BTreeMap<String, Candidate>,
) -> Result<InputFile, Located<SourceError>> {
    let at = |error: SourceError, place: &Place| Located::new(error, "for this package", place.clone());
    let name = reference.file_name.clone();
    let opened;
    let (root, path, sha256, place) = match declared.get(&name) {
        Some(file) => {
            opened = Folder::open_ambient(&file.root).map_err(|error| at(error.into(), &file.place))?;
            (&opened, file.path.clone(), file.sha256.as_deref(), &file.place)
        }
        None => {
            let (path, place) = (beside.folder.join(&name), &package.source.place);
            if matches!(beside.root.follow(&path), Ok(None)) {
                return Err(at(missing_file(package, reference), place));
            }
            (beside.root, path, None, place)
        }
    };
    read_input(root, &path, sha256, name).map_err(|error| at(error, place))
}

fn read_input(
    root: &Folder,
    path: &Path,
    sha256: Option<&str>,
    name: String,
) -> Result<InputFile, SourceError> {
    let path = regular_file(root, path)?;
    let is_executable = is_executable(root, &path)?;
    let blob = match sha256 {
        None => Digest::read_file(root, &path).map(|(digest, size)| Blob { digest, size })?,
        Some(wanted) => read_checked(root, &path, wanted)?,
    };
    Ok(InputFile { name, root: root.path().clone(), path, blob, is_executable })
}

fn missing_file(package: &Package, reference: &SourceReference) -> SourceError {
    let help =
        format!("put it beside the spec, or name it: `file \"…/{}\"` in its `source`", reference.file_name);
    SourceError::Missing { package: package.name.value.clone(), file: reference.file_name.clone(), help }
}

/// Both digests of a file in one reading of it.
fn read_checked(folder: &Folder, path: &Path, wanted: &str) -> Result<Blob, SourceError> {
    let mut sha256 = Sha256::new();
    let (digest, size) = crate::digest::copy_digested(folder.open(path)?, &mut sha256)?;
    let found: String = sha256.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    if found != wanted {
        let file = path.display().to_string();
        return Err(SourceError::Checksum { file, wanted: wanted.to_owned(), found });
    }
    Ok(Blob { digest, size })
}
