//! `forge check`

use std::sync::Arc;

use super::Exit;
use super::arguments::{Check, Selection};
use super::context::{Context, Failure};
use super::planning::{plan, runtime};
use super::project::Project;
use crate::event::SystemClock;
use crate::process::Cancel;
use crate::publish::Verification;
use crate::ui::Verbosity;

/// Checks the manifest, and the specs that it names.
pub fn run(arguments: &Check, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let manifest = project.manifest(&arguments.profile, context)?;
    let (packages, chroots) = (manifest.packages.len(), manifest.chroots.len());
    if !arguments.manifest_only {
        let all = Selection { profile: arguments.profile.clone(), ..Selection::default() };
        let planned = runtime()?.block_on(plan(&project, &all, &Cancel::default(), context))?;
        if context.verbosity > Verbosity::Quiet {
            planned.show_notes(context);
            planned.show_warnings(context);
            planned.show_unsupported(context);
        }
        let repositories = planned.repositories(&project, Verification::TimesFirst, Arc::new(SystemClock));
        repositories.check_folders()?;
        let impossible = planned.show_impossible(context);
        planned.unpacked.collect_unused()?;
        if impossible > 0 {
            return Ok(Exit::Failure);
        }
    }
    if context.verbosity > Verbosity::Quiet {
        context.print(&format!("the manifest is sound: packages {packages}, chroots {chroots}\n"))?;
    }
    Ok(Exit::Success)
}
