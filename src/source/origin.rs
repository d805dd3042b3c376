//! A package's spec, and the folder that it lies in.

use std::io::BufReader;
use std::path::{Path, PathBuf};

use super::SourceError;
use crate::digest::{Digest, Encoder};
use crate::files::{EntryKind, Folder, HostPath};
use crate::manifest::declaration::SourceKind;
use crate::manifest::{ManifestPath, Package};
use crate::package::unpack;

/// A spec that is there.
#[derive(Debug)]
pub struct Origin {
    /// The folder of the spec; its files may be sources.
    pub folder: Folder,
    /// The spec's file name in it.
    pub spec_name: String,
    /// The spec's digest.
    pub spec: Digest,
    /// What else can decide what the spec says: files beside it that it may include, where it includes any.
    pub neighbours: Option<Digest>,
    /// Whether it runs programs while it is read.
    pub runs_programs: bool,
}

/// What a spec that reads other files says somewhere (rpm-spec(5), rpm-macros(7)).
const READS_FILES: [&[u8]; 4] = [b"%include", b"%{load:", b"%(", b"%{lua:"];
const RUNS_PROGRAMS: [&[u8]; 2] = [b"%(", b"%{lua:"];

impl Origin {
    /// The spec's path on this machine.
    pub fn spec_path(&self) -> HostPath {
        self.folder.path().join(&self.spec_name)
    }

    fn open(folder: Folder, spec_name: String) -> Result<Self, SourceError> {
        let text = folder.read(&spec_name)?;
        let says = |words: &[&[u8]]| words.iter().any(|word| contains(&text, word));
        let neighbours = if says(&READS_FILES) { Some(neighbours(&folder)?) } else { None };
        let (spec, runs_programs) = (Digest::of(&text), says(&RUNS_PROGRAMS));
        Ok(Self { folder, spec_name, spec, neighbours, runs_programs })
    }
}

/// Finds a package's spec. A source package is unpacked below `unpacked` first.
pub fn locate(package: &Package, repository: &Folder, unpacked: &Folder) -> Result<Origin, SourceError> {
    let SourceKind::Path(path) = &package.source.kind else {
        return Err(SourceError::NotYet { kind: package.source.kind.word().to_owned() });
    };
    let (root, relative) = reach(&path.value, repository)?;
    if root.is_folder(&relative) {
        let folder = root.folder(&relative)?;
        let spec = only_spec(&folder, &path.value)?;
        return Origin::open(folder, spec);
    }
    let name = relative.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if name.ends_with(".src.rpm") {
        return from_source_package(&root, &relative, &path.value, unpacked);
    }
    let parent = relative.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = match parent {
        Some(parent) => root.folder(parent)?,
        None => root,
    };
    Origin::open(folder, name)
}

/// The open folder from which a path of the manifest can be reached, and the path from there.
pub(super) fn reach(path: &ManifestPath, repository: &Folder) -> Result<(Folder, PathBuf), SourceError> {
    match path {
        ManifestPath::Repository(relative) => Ok((repository.again()?, relative.clone())),
        ManifestPath::Absolute(absolute) => {
            let parent =
                absolute.as_path().parent().and_then(HostPath::new).unwrap_or_else(|| absolute.clone());
            let name = absolute.as_path().file_name().map_or_else(|| PathBuf::from("."), PathBuf::from);
            Ok((Folder::open_ambient(&parent)?, name))
        }
    }
}

fn only_spec(folder: &Folder, path: &ManifestPath) -> Result<String, SourceError> {
    let specs = folder.entries()?.into_iter().filter(|entry| entry.name.ends_with(".spec"));
    let mut specs = specs.filter(|entry| entry.kind == EntryKind::File);
    specs.next().map(|entry| entry.name).ok_or_else(|| SourceError::NoSpec { file: path.to_string() })
}

fn from_source_package(
    root: &Folder,
    relative: &Path,
    path: &ManifestPath,
    unpacked: &Folder,
) -> Result<Origin, SourceError> {
    let name = Digest::of_file(root, relative)?.0.to_string();
    if !unpacked.is_folder(&name) {
        let temporary = unpacked.temporary(Path::new(&name));
        let folder = unpacked.create(&temporary)?;
        unpack(&path.to_string(), BufReader::new(root.open(relative)?.into_std()), &folder)?;
        if let Err(error) = unpacked.dir().rename(&temporary, unpacked.dir(), &name) {
            // Another forge that reads the same package may have been first.
            unpacked.remove_folder(&temporary)?;
            if !unpacked.is_folder(&name) {
                return Err(error.into());
            }
        }
    }
    let folder = unpacked.folder(&name)?;
    let spec = only_spec(&folder, path)?;
    Origin::open(folder, spec)
}

/// The digest of all regular files of a folder.
fn neighbours(folder: &Folder) -> Result<Digest, SourceError> {
    let mut encoder = Encoder::new("rpmforge spec neighbours v1");
    for entry in folder.entries()?.into_iter().filter(|entry| entry.kind == EntryKind::File) {
        encoder.digest_field(&entry.name, &Digest::of_file(folder, &entry.name)?.0);
    }
    Ok(encoder.digest())
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
