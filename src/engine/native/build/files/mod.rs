//! The files of packages: what `%files` lists, as the package has it (rpm-spec(5), "%files").

mod build_ids;
mod collect;
mod finish;
mod line;
pub(super) mod packaged_file;
mod pattern;
mod public_key;
mod special;
pub(super) mod unpackaged;

use bstr::{BString, ByteSlice};

use super::problem::BuildProblem;
use super::times::Times;
use super::workspace::Workspace;
use super::world::World;
use crate::files::{HostPath, reason};
use crate::macros::{Origin, Stop};
use crate::package::Header;
use crate::spec::Package;

pub(super) use build_ids::Links;
pub(super) use packaged_file::PackagedFile;
pub(super) use public_key::KeyProblem;

/// The files of a package.
#[derive(Default)]
pub(super) struct PackageFiles {
    /// What is packaged, in the order of the paths.
    pub(super) entries: Vec<PackagedFile>,
    /// All paths of the buildroot that are dealt with.
    pub(super) handled: Vec<BString>,
    /// What was listed to be left out.
    pub(super) excluded: Vec<BString>,
    /// Public keys that it carries.
    pub(super) keys: Vec<BString>,
}

/// Finds the files of a package.
pub(super) fn of(
    world: World<'_>,
    workspace: &Workspace,
    package: &Package,
    header: &Header,
    times: &Times,
    links: Links,
) -> Result<PackageFiles, Stop> {
    let Some(list) = &package.files else {
        return Ok(PackageFiles::default());
    };
    let mut lines: Vec<BString> = list.lines.iter().map(|line| line.text.clone()).collect();
    for name in &list.lists {
        lines.extend(manifest(world, workspace, name)?);
    }
    let mut collector = collect::Collector::new(world, workspace, times.build);
    lines.iter().for_each(|line| collector.line(line));
    special::add(world, workspace, header, &mut collector)?;
    if collector.has_failed {
        return Err(Stop);
    }
    let keys = std::mem::take(&mut collector.keys);
    let mut entries = std::mem::take(&mut collector.entries);
    build_ids::add(world, workspace, links, &mut entries, times.build)?;
    let mut finished = finish::finish(world, entries, &package.removed_postfixes);
    let has_wrong_link =
        finished.entries.iter().filter(|entry| !check_link(world, workspace, entry)).count() > 0;
    if finished.has_failed || has_wrong_link {
        return Err(Stop);
    }
    for entry in &mut finished.entries {
        entry.modified = times.clamped(entry.modified);
    }
    Ok(PackageFiles {
        entries: finished.entries,
        handled: finished.handled,
        excluded: finished.excluded,
        keys,
    })
}

/// Looks at where a link points; one into the buildroot is wrong everywhere else.
fn check_link(world: World<'_>, workspace: &Workspace, entry: &PackagedFile) -> bool {
    if entry.kind() != packaged_file::kind::LINK || !entry.target.starts_with(b"/") {
        return true;
    }
    let (path, target) = (entry.path.clone(), entry.target.clone());
    world.tell(BuildProblem::AbsoluteLink { path: path.clone(), target: target.clone() });
    let points_inside = target.starts_with(workspace.root.as_os_str().as_encoded_bytes());
    if points_inside {
        world.tell(BuildProblem::LinkToBuildRoot { path, target });
    }
    !points_inside
}

/// The lines of a list of files that the build has written.
fn manifest(world: World<'_>, workspace: &Workspace, name: &BString) -> Result<Vec<BString>, Stop> {
    let path = if name.starts_with(b"/") {
        HostPath::new(name.to_path_lossy()).unwrap_or_else(HostPath::root)
    } else {
        workspace.in_sources(&world, name)?
    };
    let shown = BString::from(path.as_os_str().as_encoded_bytes());
    let text = world.macros.read_file(&shown).map_err(|error| {
        world.fail(BuildProblem::NoManifest { path: shown.clone(), reason: reason(&error) })
    })?;
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
    if lines.is_empty() {
        let is_error = world.is_on("_empty_manifest_terminate_build");
        world.tell(BuildProblem::EmptyManifest { path: shown, is_error });
        if is_error {
            return Err(Stop);
        }
    }
    Ok(lines)
}
