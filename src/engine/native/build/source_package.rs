//! The source package: the spec and all that it is built from.

use std::os::unix::ffi::OsStrExt;
use std::sync::Mutex;

use bstr::{BString, ByteSlice};
use cap_std::fs::MetadataExt;

use super::depend::{
    feature_of_compression, features_of_dependencies, features_of_files, use_feature_if_there,
};
use super::files::{FileMode, GHOST_VERIFIES, PackagedFile, Permissions, Precedence, flag, read_contents};
use super::package_draft::PackageDraft;
use super::problem::BuildProblem;
use super::root_files::plain_reason;
use super::settings::Settings;
use super::times::Times;
use super::world::World;
use super::write::set_files;
use crate::files::HostPath;
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

/// Works the source package out. A relative path of the spec begins in `folder`.
pub(super) fn draft_source_package(
    world: World<'_>,
    folder: &HostPath,
    spec: &Spec,
    kind: SourceKind,
    settings: &mut Option<Settings>,
) -> Result<PackageDraft, Stop> {
    let paths = find_sources(world, folder, spec, kind)?;
    Times::check_policy(world);
    let settings = Settings::read_once(world, settings)?;
    let mut header = spec.source_header();
    if kind == SourceKind::BuildRequires {
        for source in spec.sources.iter().filter(|source| !source.is_left_out) {
            let tag = if source.is_patch { Tag::NO_PATCH } else { Tag::NO_SOURCE };
            header.add_number(tag, source.number.into());
        }
    }
    header.set_text(Tag::SPEC, spec.text.as_slice());
    let ownership = read_ownership(world);
    let mut files = Vec::new();
    for (path, flags) in paths {
        files.push(make_file(world, &path, flags, &ownership, settings)?);
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for (number, file) in (1..).zip(&mut files) {
        (file.inode, file.links) = (number, 1);
    }
    let root = world.files.folder(&HostPath::root()).map_err(|_| Stop)?;
    let contents = read_contents(world, &root, &mut files, settings.digests(true))?;
    set_files(&mut header, &files, settings, true);
    let mut features = features_of_files(&files, settings, true);
    features.extend(features_of_dependencies(&header, true));
    let compression = feature_of_compression(settings.payload(true));
    let is_dynamic = spec.script(SectionKind::GenerateBuildRequires).is_some();
    let dynamic = is_dynamic.then(|| use_feature_if_there("DynamicBuildRequires", "4.15.0-1"));
    let all = features.into_iter().chain(compression).chain(dynamic);
    add_dependencies(&mut header, DependencyKind::Requires, all);
    Ok(PackageDraft {
        header,
        files,
        is_source: true,
        excluded: Vec::new(),
        handled: Vec::new(),
        contents,
        packing: Mutex::default(),
    })
}

/// Finds the files of the package, with rpm's flags. Sources that stay out of it have to be there all the same.
fn find_sources(
    world: World<'_>,
    here: &HostPath,
    spec: &Spec,
    kind: SourceKind,
) -> Result<Vec<(HostPath, u32)>, Stop> {
    // An absolute path stays as it is.
    let mut paths = vec![(here.join(spec.file.as_bytes().to_path_lossy()), flag::SPEC_FILE)];
    if kind == SourceKind::BuildRequires {
        return Ok(paths);
    }
    let folder = world.expand("%{_sourcedir}")?;
    let mut has_failed = false;
    for source in &spec.sources {
        let path = [folder.as_slice(), b"/", &source.file_name].concat();
        let path = here.join(path.to_path_lossy());
        if let Err(error) = world.files.find(&path) {
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

/// Reads what `%_srcdefattr` says of all source packages.
fn read_ownership(world: World<'_>) -> Ownership {
    let text = world.setting("_srcdefattr");
    let item = read_file_line(format!("%defattr{text}").as_bytes());
    let directives = item.map(|item| item.directives).unwrap_or_default();
    match directives.into_iter().next() {
        Some(FileDirective::DefAttr(ownership, _)) => ownership,
        _ => Ownership::default(),
    }
}

fn make_file(
    world: World<'_>,
    path: &HostPath,
    flags: u32,
    ownership: &Ownership,
    settings: &Settings,
) -> Result<PackagedFile, Stop> {
    let name = path.as_path().file_name().unwrap_or_default();
    let (on_disk, metadata) = world.files.find(path).map_err(|error| {
        let path = BString::from(path.as_os_str().as_bytes());
        world.fail(BuildProblem::BadSource { path, reason: plain_reason(&error) })
    })?;
    let mode = FileMode::from_bits(metadata.mode());
    let permissions = ownership.mode.map_or(mode.permissions, Permissions::from_bits);
    let owner = |said: &Option<BString>| (said.clone().unwrap_or_else(|| "root".into()), Precedence::Default);
    Ok(PackagedFile {
        path: name.as_bytes().into(),
        on_disk,
        mode: FileMode { permissions, ..mode },
        size: metadata.size(),
        modified: settings.times.clamp(metadata.mtime()),
        identity: Some((metadata.dev(), metadata.ino(), 1)),
        user: owner(&ownership.user),
        group: owner(&ownership.group),
        flags,
        is_there: true,
        verifies: (if flags & flag::GHOST == 0 { u32::MAX } else { GHOST_VERIFIES }, Precedence::Unsaid),
        ..PackagedFile::default()
    })
}
