//! The source package: the spec and all that it is built from.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use bstr::{BString, ByteSlice};
use cap_std::fs::MetadataExt;

use super::assemble;
use super::binary_package::Assembled;
use super::files::PackagedFile;
use super::files::packaged_file::{GHOST_VERIFIES, Said, flag};
use super::problem::BuildProblem;
use super::settings::Settings;
use super::times::Times;
use super::world::World;
use crate::files::{Folder, HostPath, reason};
use crate::macros::Stop;
use crate::package::Tag;
use crate::spec::{
    DependencyKind, FileDirective, Ownership, SectionKind, Spec, add_dependencies, read_file_line,
};

/// Which source package it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    /// One that the packages can be built from.
    Whole,
    /// One that only says what is missing to build it (`.buildreqs.nosrc.rpm`).
    BuildRequires,
}

/// Works the source package out.
pub(super) fn assemble(
    world: World<'_>,
    spec: &Spec,
    kind: SourceKind,
    settings: &mut Option<Settings>,
) -> Result<Assembled, Stop> {
    let paths = paths(world, spec, kind)?;
    Times::doubt_policy(world);
    let settings = match settings {
        Some(settings) => settings,
        none => none.insert(Settings::of(world)?),
    };
    let mut header = spec.source_header();
    if kind == SourceKind::BuildRequires {
        for source in spec.sources.iter().filter(|source| !source.is_left_out) {
            let tag = if source.is_patch { Tag::NO_PATCH } else { Tag::NO_SOURCE };
            header.add_number(tag, source.number.into());
        }
    }
    header.set_text(Tag::SPEC, spec.text.as_slice());
    let ownership = ownership(world);
    let mut entries = Vec::new();
    for (path, flags) in paths {
        entries.push(entry(world, &path, flags, &ownership, settings)?);
    }
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    for (number, entry) in (1..).zip(&mut entries) {
        (entry.inode, entry.links) = (number, 1);
    }
    let root = Folder::open_ambient(&HostPath::root()).map_err(|_| Stop)?;
    let contents = super::digests::set(world, &root, &mut entries, settings.digests(true))?;
    assemble::set_files(&mut header, &entries, settings, true);
    let mut features = assemble::features(&entries, settings, true);
    features.extend(assemble::of_dependencies(&header, true));
    let compression = assemble::compression_feature(settings.payload(true));
    let is_dynamic = spec.script(SectionKind::GenerateBuildRequires).is_some();
    let dynamic = is_dynamic.then(|| assemble::rpmlib_if_there("DynamicBuildRequires", "4.15.0-1"));
    let all = features.into_iter().chain(compression).chain(dynamic);
    add_dependencies(&mut header, DependencyKind::Requires, all);
    Ok(Assembled {
        header,
        entries,
        is_source: true,
        excluded: Vec::new(),
        handled: Vec::new(),
        contents,
        packed: None,
    })
}

/// The files of the package, with rpm's flags. Sources that stay out of it have to be there all the same.
fn paths(world: World<'_>, spec: &Spec, kind: SourceKind) -> Result<Vec<(HostPath, u32)>, Stop> {
    let here = |path: &[u8]| absolute(world, path);
    let mut paths = vec![(here(spec.file.as_bytes())?, flag::SPEC_FILE)];
    if kind == SourceKind::BuildRequires {
        return Ok(paths);
    }
    let folder = world.expand("%{_sourcedir}")?;
    let mut has_failed = false;
    for source in &spec.sources {
        let path = [folder.as_slice(), b"/", &source.file_name].concat();
        let path = here(&path)?;
        let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
        let found = Folder::open_ambient(&parent)
            .and_then(|folder| folder.dir().metadata(path.as_path().file_name().unwrap_or_default()));
        if let Err(error) = found {
            has_failed = true;
            let path = BString::from(path.as_os_str().as_bytes());
            world.tell(BuildProblem::BadSource { path, reason: plain_reason(&error) });
        } else {
            // What stays out is named all the same.
            paths.push((path, if source.is_left_out { flag::GHOST } else { 0 }));
        }
    }
    paths.sort();
    paths.dedup();
    if has_failed { Err(Stop) } else { Ok(paths) }
}

/// The words of the operating system, without the path before them.
fn plain_reason(error: &std::io::Error) -> String {
    let text = reason(error);
    text.rsplit_once(": ").map_or(text.clone(), |(_, words)| words.to_owned())
}

/// A path, where a relative one begins in the folder that this runs in.
fn absolute(world: World<'_>, path: &[u8]) -> Result<HostPath, Stop> {
    let path = path.to_path_lossy().into_owned();
    if let Some(path) = HostPath::new(&path) {
        return Ok(path);
    }
    let here = rustix::process::getcwd(Vec::new()).map_err(|error| {
        let reason = reason(&std::io::Error::from(error));
        world.fail(BuildProblem::BadSource { path: path.as_os_str().as_bytes().into(), reason })
    })?;
    let here = Path::new(std::ffi::OsStr::from_bytes(here.as_bytes()));
    HostPath::new(here.join(path)).ok_or(Stop)
}

/// What `%_srcdefattr` says of all source packages.
fn ownership(world: World<'_>) -> Ownership {
    let text = world.setting("_srcdefattr");
    let item = read_file_line(format!("%defattr{text}").as_bytes());
    let directives = item.map(|item| item.directives).unwrap_or_default();
    match directives.into_iter().next() {
        Some(FileDirective::DefAttr(ownership, _)) => ownership,
        _ => Ownership::default(),
    }
}

fn entry(
    world: World<'_>,
    path: &HostPath,
    flags: u32,
    ownership: &Ownership,
    settings: &Settings,
) -> Result<PackagedFile, Stop> {
    let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let name = path.as_path().file_name().unwrap_or_default();
    let metadata = Folder::open_ambient(&parent).and_then(|folder| folder.dir().metadata(name));
    let metadata = metadata.map_err(|error| {
        let path = BString::from(path.as_os_str().as_bytes());
        world.fail(BuildProblem::BadSource { path, reason: plain_reason(&error) })
    })?;
    let mode = match ownership.mode {
        Some(mode) => metadata.mode() & !0o7777 | mode,
        None => metadata.mode(),
    };
    let owner = |said: &Option<BString>| (said.clone().unwrap_or_else(|| "root".into()), Said::ForAll);
    Ok(PackagedFile {
        path: name.as_bytes().into(),
        on_disk: path.as_path().strip_prefix("/").map(PathBuf::from).unwrap_or_default(),
        mode,
        size: metadata.size(),
        modified: settings.times.clamped(metadata.mtime()),
        identity: Some((metadata.dev(), metadata.ino(), 1)),
        user: owner(&ownership.user),
        group: owner(&ownership.group),
        flags,
        is_there: true,
        verifies: (if flags & flag::GHOST == 0 { u32::MAX } else { GHOST_VERIFIES }, Said::Nowhere),
        ..PackagedFile::default()
    })
}
