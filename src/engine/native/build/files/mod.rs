//! The files of packages: what `%files` lists, as the package has it (rpm-spec(5), "%files").
//!
//! A line of `%files` is read (`line.rs`), its files are found in the buildroot (`collect.rs`), documentation of the build is
//! copied there (`documentation.rs`), links for debuggers are made (`build_ids.rs`), and each path is made one file
//! (`merge.rs`). Then the files' content is read and digested (`contents.rs`).

mod build_ids;
mod capabilities;
mod collect;
mod contents;
mod debug_packages;
mod digest_algorithm;
mod documentation;
mod line;
mod merge;
mod mode;
mod packaged_file;
mod pattern;
mod public_key;
mod unpackaged;

use bstr::{BString, ByteSlice};

use super::problem::BuildProblem;
use super::times::Times;
use super::workspace::Workspace;
use super::world::World;
use crate::files::{HostPath, reason};
use crate::macros::{Definition, Origin, Stop};
use crate::package::{Header, Tag};
use crate::spec::Package;
use build_ids::add_build_id_links;
use documentation::add_documentation;
use merge::merge_files;

pub(super) use contents::{Contents, MOST_KEPT, read_contents};
pub(super) use debug_packages::{DebugPackages, packages_debug_information};
pub(super) use digest_algorithm::DigestAlgorithm;
pub(super) use mode::{FileMode, FileType, Permissions};
pub(super) use packaged_file::{GHOST_VERIFIES, PackagedFile, Precedence, flag};
pub(super) use public_key::KeyProblem;
pub(super) use unpackaged::check_unpackaged;

/// The files of a package.
#[derive(Default)]
pub(super) struct PackageFiles {
    /// What is packaged, in the order of the paths.
    pub(super) files: Vec<PackagedFile>,
    /// All paths of the buildroot that are dealt with.
    pub(super) handled: Vec<BString>,
    /// What was listed to be left out.
    pub(super) excluded: Vec<BString>,
    /// Whether some of the listed files are hard links to each other.
    pub(super) has_hard_links: bool,
    /// Public keys that it carries.
    pub(super) keys: Vec<BString>,
}

/// Finds the files of a package, whose header is `header` so far.
pub(super) fn find_files(
    world: World<'_>,
    workspace: &Workspace,
    package: &Package,
    header: &Header,
    times: &Times,
) -> Result<PackageFiles, Stop> {
    let Some(list) = &package.files else {
        return Ok(PackageFiles::default());
    };
    let is_noarch = header.text(Tag::ARCH).is_some_and(|arch| arch == "noarch");
    let has_debug_package = packages_debug_information(world) && !is_noarch;
    let mut lines: Vec<BString> = list.lines.iter().map(|line| line.text.clone()).collect();
    for name in &list.lists {
        lines.extend(read_manifest(world, workspace, name)?);
    }
    let mut collector = collect::Collector::new(world, workspace, times.build);
    lines.iter().for_each(|line| collector.add_line(line));
    add_documentation(world, workspace, header, &mut collector)?;
    if collector.has_failed {
        return Err(Stop);
    }
    let keys = std::mem::take(&mut collector.keys);
    let mut listed = std::mem::take(&mut collector.files);
    add_build_id_links(world, &workspace.root, has_debug_package, &mut listed, times.build)?;
    let mut merged = merge_files(world, listed, &package.removed_postfixes);
    // All are looked at: each wrong one is told.
    let wrong_links = merged.files.iter().filter(|file| !check_link(world, workspace, file)).count();
    if merged.has_failed || wrong_links > 0 {
        return Err(Stop);
    }
    for file in &mut merged.files {
        file.modified = times.clamp(file.modified);
    }
    Ok(PackageFiles {
        files: merged.files,
        handled: merged.handled,
        excluded: merged.excluded,
        has_hard_links: merged.has_hard_links,
        keys,
    })
}

/// Looks at where a link points; one into the buildroot is wrong everywhere else.
fn check_link(world: World<'_>, workspace: &Workspace, entry: &PackagedFile) -> bool {
    if !entry.is_link() || !entry.target.starts_with(b"/") {
        return true;
    }
    let (path, target) = (entry.path.clone(), entry.target.clone());
    world.tell(BuildProblem::AbsoluteLink { path: path.clone(), target: target.clone() });
    let points_inside = target.starts_with(workspace.root.as_bytes());
    if points_inside {
        world.tell(BuildProblem::LinkToBuildRoot { path, target });
    }
    !points_inside
}

/// `%license` as what it is in lists of files.
fn literal_license() -> Definition {
    Definition::literal_of_spec(b"license", b"%license")
}

/// The lines of a list of files, without comments.
fn expand_lines(world: World<'_>, (path, text): (&HostPath, &[u8])) -> Result<Vec<BString>, Stop> {
    let mut lines = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim_ascii();
        if line.starts_with(b"#") {
            continue;
        }
        world.macros.set_place(Origin { name: path.to_string().into(), line: number });
        let expanded = world.macros.expand(line)?;
        // An empty line is one all the same: a list of nothing but comments is empty.
        lines.extend(expanded.lines().map(BString::from).chain(expanded.is_empty().then(BString::default)));
    }
    Ok(lines)
}

/// Reads a list of files that the build has written.
fn read_manifest(world: World<'_>, workspace: &Workspace, name: &BString) -> Result<Vec<BString>, Stop> {
    let path = if name.starts_with(b"/") {
        HostPath::new(name.to_path_lossy()).unwrap_or_else(HostPath::root)
    } else {
        workspace.in_sources(&world, name)?
    };
    let shown = BString::from(path.as_os_str().as_encoded_bytes());
    let text = world.macros.read_file(&shown).map_err(|error| {
        world.fail(BuildProblem::NoManifest { path: shown.clone(), reason: reason(&error) })
    })?;
    // Among files it is an attribute, whatever the tag has defined.
    world.macros.push(literal_license());
    let lines = expand_lines(world, (&path, &text));
    world.macros.pop(b"license");
    let lines = lines?;
    if lines.is_empty() {
        let is_error = world.is_on("_empty_manifest_terminate_build");
        world.tell(BuildProblem::EmptyManifest { path: shown, is_error });
        if is_error {
            return Err(Stop);
        }
    }
    Ok(lines)
}
