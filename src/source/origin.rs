//! A package's spec, and the folder that it lies in.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cap_std::fs::{File, Metadata};

use super::SourceError;
use super::input_file::InputFile;
use super::limits::SPEC_BYTES;
use super::neighbours::Neighbours;
use super::reach::{follow_inside, is_owner_executable, open_reachable, regular_file};
use super::source_folders::SourceFolders;
use super::source_package::only_spec;
use super::tarball::Tarball;
use crate::digest::Digest;
use crate::files::{Folder, HostPath};
use crate::manifest::declaration::SourceKind;
use crate::manifest::{Manifest, ManifestPath, Package, tarball_stem};
use crate::store::Blob;

/// A spec that is there. It holds paths and nothing that is open: there may be thousands.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The folder that no link leads out of: the project, what a source package was unpacked to, or the folder that an
    /// absolute path names.
    pub root: HostPath,
    /// The folder of the spec, from there; its files may be sources.
    pub folder: PathBuf,
    /// The spec.
    pub spec: InputFile,
    /// What else can decide what the spec says: files beside it that it may read, where it reads any.
    pub neighbours: Option<Digest>,
    /// Whether it runs programs while it is read.
    pub runs_programs: bool,
    /// The first line that ends with CR LF, counted from 1.
    pub carriage_return: Option<u32>,
}

/// What a spec that reads other files says somewhere (rpm-spec(5), rpm-macros(7)).
const READS_FILES: [&[u8]; 4] = [b"%include", b"%{load:", b"%(", b"%{lua:"];
const RUNS_PROGRAMS: [&[u8]; 2] = [b"%(", b"%{lua:"];

impl Origin {
    /// The spec's path on this machine.
    pub fn spec_path(&self) -> HostPath {
        self.folder_path().join(&self.spec.name)
    }

    /// The path of the spec's folder on this machine.
    pub fn folder_path(&self) -> HostPath {
        if self.folder.as_os_str().is_empty() { self.root.clone() } else { self.root.join(&self.folder) }
    }

    /// The text of the spec.
    ///
    /// # Errors
    /// It can't be read any more.
    pub fn read_spec(&self) -> io::Result<Vec<u8>> {
        self.spec.folder()?.read(&self.spec.path)
    }

    /// That of a folder of sources which were fetched or made.
    pub(super) fn in_folder(
        folder: &Folder,
        spec: String,
        neighbours: &Neighbours,
    ) -> Result<Self, SourceError> {
        Self::open(folder, PathBuf::new(), spec, neighbours)
    }

    fn open(
        root: &Folder,
        folder: PathBuf,
        name: String,
        neighbours: &Neighbours,
    ) -> Result<Self, SourceError> {
        let path = regular_file(root, &folder.join(&name))?;
        let (file, metadata) = root.open_regular_with_metadata(&path)?;
        Self::read_opened(root, (folder, name), (path, file, metadata), neighbours)
    }

    /// With a spec that is open: a plan looks at thousands, and asks the kernel for each once.
    fn read_opened(
        root: &Folder,
        (folder, name): (PathBuf, String),
        (path, file, metadata): (PathBuf, File, Metadata),
        neighbours: &Neighbours,
    ) -> Result<Self, SourceError> {
        let too_large = |bytes: u64| {
            let file = folder.join(&name).display().to_string();
            SourceError::SpecTooLarge { file, bytes, most: SPEC_BYTES }
        };
        if metadata.len() > SPEC_BYTES {
            return Err(too_large(metadata.len()));
        }
        let mut text = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or_default() + 1);
        let read = file.take(SPEC_BYTES + 1).read_to_end(&mut text);
        read.map_err(crate::files::about(root.path().join(&path)))?;
        if text.len() as u64 > SPEC_BYTES {
            return Err(too_large(text.len() as u64));
        }
        let says = |words: &[&[u8]]| words.iter().any(|word| contains(&text, word));
        let neighbours = if says(&READS_FILES) { Some(neighbours.digest(root, &folder)?) } else { None };
        let runs_programs = says(&RUNS_PROGRAMS);
        let carriage_return = first_carriage_return(&text);
        let blob = Blob { digest: Digest::compute(&text), size: text.len() as u64 };
        let is_executable = is_owner_executable(&metadata);
        let spec = InputFile { name, root: root.path().clone(), path, blob, is_executable };
        Ok(Self { root: root.path().clone(), folder, spec, neighbours, runs_programs, carriage_return })
    }
}

/// The first line that ends with CR LF, counted from 1.
fn first_carriage_return(text: &[u8]) -> Option<u32> {
    if !contains(text, b"\r\n") {
        return None;
    }
    let line = text.split(|byte| *byte == b'\n').position(|line| line.ends_with(b"\r"))?;
    u32::try_from(line + 1).ok()
}

/// Finds the spec that a path of the manifest leads to. A source package is unpacked first; of a tarball its spec is read.
pub(super) fn locate(
    path: &ManifestPath,
    repository: &Folder,
    folders: &SourceFolders,
    neighbours: &Neighbours,
) -> Result<Origin, SourceError> {
    let shown = path.to_string();
    let (root, relative) = open_reachable(path, repository)?;
    let name = relative.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let above = || relative.parent().map(Path::to_owned).unwrap_or_default();
    // What nearly all packages are. Whatever is in the way is said below.
    if name.ends_with(".spec")
        && let Ok((file, metadata)) = root.open_regular_with_metadata(&relative)
    {
        return Origin::read_opened(&root, (above(), name), (relative, file, metadata), neighbours);
    }
    let found = follow_inside(&root, &relative)?;
    if root.is_folder(&found) {
        // What an absolute path names is trusted that far and no further; the project is one whole.
        let (root, folder) = match path {
            ManifestPath::Absolute(_) if root.path() != repository.path() => {
                (root.folder(&found)?, PathBuf::new())
            }
            ManifestPath::Absolute(_) | ManifestPath::Repository(_) => (root, found),
        };
        let specs = root.search(&folder, "*.spec")?.unwrap_or_default();
        let name = |path: PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let spec = only_spec(&shown, specs.into_iter().map(name).collect())?;
        return Origin::open(&root, folder, spec, neighbours);
    }
    if name.ends_with(".src.rpm") {
        let found = regular_file(&root, &found)?;
        let (folder, spec) = folders.unpack_once(&root, &found, &shown)?;
        return Origin::open(&folder, PathBuf::new(), spec, neighbours);
    }
    if tarball_stem(&name).is_some() {
        let found = regular_file(&root, &found)?;
        let tarball = Tarball { root: &root, path: &found, name: &name, shown: &shown };
        let (folder, spec) = tarball.lay_out(folders)?;
        return Origin::open(&folder, PathBuf::new(), spec, neighbours);
    }
    Origin::open(&root, above(), name, neighbours)
}

/// The digests of the source packages and tarballs that a manifest names; those that can't be read are left out.
pub fn source_packages(manifest: &Manifest, repository: &Folder) -> BTreeSet<Digest> {
    let digest = |package: &Package| {
        let SourceKind::Path(path) = &package.source.kind else { return None };
        let name = path.value.as_path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        let (is_package, is_tarball) = (name.ends_with(".src.rpm"), tarball_stem(&name).is_some());
        let (root, relative) =
            open_reachable(&path.value, repository).ok().filter(|_| is_package || is_tarball)?;
        let path = &regular_file(&root, &relative).ok()?;
        let digested = match is_tarball {
            true => Tarball { root: &root, path, name: &name, shown: &name }.digest(),
            false => Digest::read_file(&root, path),
        };
        digested.ok().map(|(digest, _)| digest)
    };
    manifest.packages.iter().filter_map(digest).collect()
}

fn contains(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|window| window == word)
}
