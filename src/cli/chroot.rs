//! `forge chroot`

use std::fmt::Write as _;

use super::Exit;
use super::chroot_clean::clean;
use super::chroot_why::why;
use super::context::{CliError, Context, Failure};
use super::lock_screen::changes_of;
use super::project::Project;
use super::root_arguments::{Chroot, ChrootCommand};
use super::selection::patterns;
use super::tools_here::read_lock;
use crate::chroot::{Lock, LockedChroot, LockedSet};
use crate::manifest::{Manifest, RootBase};
use crate::store::CollectionMode;
use crate::text::suggestion;
use crate::ui::{Column, count, table};

/// Shows chroots, and what is locked of them.
pub fn run(arguments: &Chroot, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let manifest = project.manifest(&[], context)?;
    let lock = read_lock(&project.repository)?;
    let text = match &arguments.command {
        ChrootCommand::List => list(&manifest, &lock),
        ChrootCommand::Show { chroot } => show(find(chroot, &manifest, &lock)?),
        ChrootCommand::Why { chroot, package } => {
            find(chroot, &manifest, &lock)?;
            why((chroot, package), &lock, &project, context)?
        }
        ChrootCommand::Clean { chroot, dry_run } => {
            let wanted: Vec<String> = chroot.iter().cloned().collect();
            let known = manifest.chroots.iter().map(|chroot| chroot.name.value.as_str());
            let patterns = patterns("chroot", "chroots", &wanted, known)?;
            let mode = if *dry_run { CollectionMode::Count } else { CollectionMode::Remove };
            clean(&patterns, mode, (&lock, &project, context))?
        }
        ChrootCommand::Diff { one, other } => {
            let lines = changes_of(find(one, &manifest, &lock)?, find(other, &manifest, &lock)?);
            match lines.is_empty() {
                true => format!("{one} and {other} have the same packages\n"),
                false => lines.iter().map(|line| format!("{line}\n")).collect(),
            }
        }
    };
    context.print(&text)?;
    Ok(Exit::Success)
}

fn list(manifest: &Manifest, lock: &Lock) -> String {
    let rows = manifest.chroots.iter().map(|chroot| {
        let name = chroot.name.value.clone();
        let base = match &chroot.base {
            RootBase::Folder(path) => format!("the folder {}", path.value),
            RootBase::Image(image) => format!("the image {}", image.value),
            RootBase::Repositories(all) => {
                let names: Vec<&str> = all.iter().map(|repository| repository.name.value.as_str()).collect();
                format!("packages of {}", names.join(", "))
            }
        };
        let locked = lock.chroots.get(&name).map(|locked| match locked.image {
            Some(_) => "the image".to_owned(),
            None => count(locked.packages.len(), "package"),
        });
        vec![name, base, locked.unwrap_or_else(|| "nothing".to_owned())]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    table(&[Column::Left("CHROOT"), Column::Left("MADE FROM"), Column::Left("LOCKED")], &rows)
}

fn find<'l>(name: &str, manifest: &Manifest, lock: &'l Lock) -> Result<&'l LockedChroot, Failure> {
    if let Some(chroot) = lock.chroots.get(name) {
        return Ok(chroot);
    }
    let known = || manifest.chroots.iter().map(|chroot| chroot.name.value.as_str());
    Err(match known().any(|known| known == name) {
        true => CliError::NotLocked { chroot: name.to_owned() },
        false => CliError::NothingSelected {
            kind: "chroot",
            name: name.to_owned(),
            help: suggestion(name, "chroots", known()),
        },
    }
    .into())
}

fn show(chroot: &LockedChroot) -> String {
    let mut text = String::new();
    if let Some(image) = &chroot.image {
        let _ = writeln!(text, "image {image}");
    }
    for (name, repository) in &chroot.repositories {
        let _ = writeln!(text, "repository {name}: {}", repository.url);
    }
    let mut show_set = |title: &str, set: &LockedSet| {
        let _ = writeln!(text, "\n{title}: {}", count(set.packages.len(), "package"));
        for nevra in &set.packages {
            let repository = chroot.packages.get(nevra).map(|package| package.repository.as_str());
            let _ = writeln!(text, "  {nevra} ({})", repository.unwrap_or_default());
        }
        for nevra in &set.without {
            let _ = writeln!(text, "  without {nevra}");
        }
    };
    if let Some(minimal) = &chroot.minimal {
        show_set("minimal root", minimal);
    }
    for (package, sets) in &chroot.builds {
        for (index, set) in sets.iter().enumerate() {
            match index {
                0 => show_set(package, set),
                _ => show_set(&format!("{package}, extended by what it has named while it ran"), set),
            }
        }
    }
    text
}
