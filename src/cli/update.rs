//! `forge update`

use std::collections::BTreeSet;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::lock_screen::describe_changes;
use super::moved_sources::keep_unmoved;
use super::planning::{plan, runtime};
use super::project::Project;
use super::root_arguments::Update;
use super::selection::{is_matched, matcher, patterns};
use super::selection_arguments::Selection;
use super::source_lock_screen::describe_source_changes;
use super::tools_here::{read_lock_renewing, read_source_lock};
use crate::chroot::{Lock, LockedChroot, OlderMetadata};
use crate::manifest::Manifest;
use crate::manifest::declaration::SourceKind;
use crate::process::Cancel;
use crate::text::suggestion;

/// Chooses the packages of roots anew, and locks them.
pub fn run(arguments: &Update, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let manifest = project.manifest(&arguments.profile, context)?;
    let sources_before = read_source_lock(&project.repository)?;
    let names = packages_to_update(arguments, &manifest)?;
    let sources = names.as_ref().map(|names| {
        let mut start = sources_before.clone();
        start.reopen(|name| names.contains(name));
        start
    });
    let known = manifest.chroots.iter().map(|chroot| chroot.name.value.as_str());
    let wanted: Vec<String> = arguments.chroot.iter().cloned().collect();
    let patterns = match sources.is_some() {
        // No chroot is meant.
        true if arguments.chroot.is_some() => None,
        true | false => Some(patterns("chroot", "chroots", &wanted, known)?),
    };
    let may_change: BTreeSet<&str> = arguments.packages.iter().map(String::as_str).collect();
    let is_wanted = |name: &str| {
        patterns.as_ref().is_some_and(|patterns| patterns.is_empty() || is_matched(patterns, name))
    };
    let before = read_lock_renewing(&project.repository, is_wanted)?;
    let mut start = before.clone();
    if patterns.is_some() {
        let chroots = before.chroots.iter().filter(|(name, _)| is_wanted(name));
        check_names(&may_change, chroots.map(|(_, chroot)| chroot))?;
    }
    start.chroots.iter_mut().filter(|(name, _)| is_wanted(name)).for_each(|(_, chroot)| {
        forget(chroot, &may_change);
    });
    let older_metadata = if arguments.allow_older { OlderMetadata::Allowed } else { OlderMetadata::Refused };
    let selection = Selection {
        profile: arguments.profile.clone(),
        locked_before: Some(start),
        sources_locked_before: sources,
        older_metadata,
        ..Selection::default()
    };
    let mut planned = runtime()?.block_on(plan(&project, &selection, &Cancel::default(), context))?;
    let mut meant = names.unwrap_or_default();
    meant.retain(|name| is_from_elsewhere(&manifest, name) || planned.incomplete.contains(name));
    keep_unmoved((&mut planned.source_lock, &planned.incomplete), &sources_before, &meant);
    let impossible = planned.show_impossible(context);
    let lock: Lock = planned.lock(&before);
    let of_sources = describe_source_changes(&sources_before, &planned.source_lock);
    let of_roots = describe_changes(&before, &lock);
    match (of_sources.is_empty(), lock == before) {
        (false, true) => context.print(&of_sources)?,
        (_, _) => context.print(&(of_sources + &of_roots))?,
    }
    if !arguments.dry_run {
        planned.write_lock(&project.repository)?;
    }
    planned.leave();
    Ok(if impossible == 0 { Exit::Success } else { Exit::Failure })
}

/// Refuses names that no package has that is locked.
fn check_names<'l>(
    wanted: &BTreeSet<&str>,
    chroots: impl Iterator<Item = &'l LockedChroot>,
) -> Result<(), Failure> {
    let packages = chroots.flat_map(|chroot| chroot.packages.values());
    let known: BTreeSet<&str> = packages.map(|package| package.name.as_str()).collect();
    match wanted.iter().find(|name| !known.contains(*name)) {
        None => Ok(()),
        Some(name) => {
            let help = match known.is_empty() {
                true => "nothing is locked yet: `forge update` without names locks it".to_owned(),
                false => suggestion(name, "packages", known),
            };
            Err(CliError::NotInRoots { name: (*name).to_owned(), help }.into())
        }
    }
}

/// The packages whose sources are to be found anew, where any are meant: all where no name is given, and otherwise those that
/// the names stand for, if no chroot has the first of them.
fn packages_to_update(arguments: &Update, manifest: &Manifest) -> Result<Option<BTreeSet<String>>, Failure> {
    let packages = || manifest.packages.iter().map(|package| package.name.value.as_str());
    let Some(first) = &arguments.chroot else {
        return Ok(Some(packages().map(str::to_owned).collect()));
    };
    let is_chroot = matcher(first)?;
    if manifest.chroots.iter().any(|chroot| is_chroot.is_match(&chroot.name.value)) {
        return Ok(None);
    }
    let names: Vec<String> = std::iter::once(first).chain(&arguments.packages).cloned().collect();
    let chroots = manifest.chroots.iter().map(|chroot| chroot.name.value.as_str());
    let patterns = patterns("package or chroot", "packages and chroots", &names, packages().chain(chroots))?;
    Ok(Some(packages().filter(|name| is_matched(&patterns, name)).map(str::to_owned).collect()))
}

/// Whether all that a package comes from is locked: of one in the project only files that its spec names by URL are.
fn is_from_elsewhere(manifest: &Manifest, name: &str) -> bool {
    let found = manifest.packages.iter().find(|package| package.name.value == name);
    found.is_some_and(|package| !matches!(package.source.kind, SourceKind::Path(_)))
}

/// Forgets what a chroot has locked; with names, only packages of these names may become others.
fn forget(chroot: &mut LockedChroot, may_change: &BTreeSet<&str>) {
    chroot.repositories.clear();
    chroot.minimal = None;
    chroot.builds.clear();
    chroot
        .packages
        .retain(|_, package| !may_change.is_empty() && !may_change.contains(package.name.as_str()));
}
