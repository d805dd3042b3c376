//! `forge plan`

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::Exit;
use super::arguments::Plan;
use super::context::{Context, Failure};
use super::document::print_document;
use super::named_files::find_project;
use super::planning::{Planned, plan, runtime};
use crate::engine::{MacroInRoot, RootMacros};
use crate::event::{BuildName, SystemClock};
use crate::manifest::{ChrootId, Manifest};
use crate::plan::{Build, PlanError};
use crate::process::Cancel;
use crate::publish::Verification;
use crate::ui::{Explanation, PlanDetail, RepositoryChanges, Verbosity, plan_document, plan_screen};

/// Shows what an apply would do.
pub fn run(arguments: &Plan, context: &Context) -> Result<Exit, Failure> {
    let mut selection = arguments.selection.clone();
    let project = find_project(&mut selection, context)?;
    let runtime = runtime()?;
    let planned = runtime.block_on(plan(&project, &selection, &Cancel::default(), context))?;
    let repositories =
        planned.repositories(&project, Verification::TimesFirst, Arc::new(SystemClock), context);
    let changes = RepositoryChanges {
        leaving: repositories.leaving(&planned.plan, &planned.decisions)?,
        entering: repositories.entering(&planned.plan, &planned.decisions)?,
        damaged: repositories.find_damage()?,
    };
    let (attempts, versions) = (planned.history.newest_attempts()?, planned.versions_before());
    let batches = planned.batch_names();
    let batch_of = planned.batch_of();
    let document = plan_document(planned.view(&batches, &batch_of, &attempts, &versions), changes);
    if arguments.json {
        print_document(&document, context)?;
    } else {
        planned.show_notes(context);
        planned.unsupported().iter().for_each(|said| context.tell(&format!("warning: {said}\n")));
        planned.show_impossible(context);
        let found = match arguments.explain {
            true => runtime.block_on(find_root_macros(&planned))?,
            false => HashMap::new(),
        };
        let root_macro = |chroot: &str, name: &str| Some(describe(found.get(chroot)?.get(name)?));
        let ids: HashMap<&BuildName, &Build> =
            planned.plan.builds.iter().map(|build| (&build.name, build)).collect();
        let place = |name: &BuildName, of: &str| macro_place(&planned.manifest, ids.get(name)?, of);
        let explanation = Explanation { in_root: &root_macro, place: &place };
        let explained_by = arguments.explain.then_some(&explanation);
        let detail = match (context.verbosity, arguments.all) {
            (Verbosity::Quiet, _) => PlanDetail::Counts,
            (Verbosity::Normal | Verbosity::Verbose, true) | (Verbosity::Verbose, false) => PlanDetail::All,
            (Verbosity::Normal, false) => PlanDetail::Changes,
        };
        context.print(&plan_screen(&document, detail, explained_by))?;
    }
    if planned.falls_short() {
        return Ok(Exit::Failure);
    }
    Ok(if arguments.detailed_exitcode && document.work { Exit::Changes } else { Exit::Success })
}

/// Where the manifest says the value of a macro: `on "el9*" at Rpmforge.kdl:12`.
fn macro_place(manifest: &Manifest, build: &Build, of: &str) -> Option<String> {
    let (on, place) = manifest.macro_place(build.package, build.chroot, of)?;
    Some(on.map_or_else(|| place.to_string(), |on| format!("`{on}` at {place}")))
}

/// What the files of each chroot's root define of the macros that builds set.
async fn find_root_macros(planned: &Planned) -> Result<HashMap<String, RootMacros>, Failure> {
    let mut found = HashMap::new();
    for (index, chroot) in planned.manifest.chroots.iter().enumerate() {
        let builds = planned.plan.builds.iter().filter(|build| build.chroot == ChrootId(index));
        let set = builds.flat_map(|build| &build.settings.macros).map(|setting| setting.name.clone());
        let names: BTreeSet<String> = set.collect();
        if let Some(open) = planned.roots.of(ChrootId(index)).filter(|_| !names.is_empty()) {
            let (engine, target) = (&open.engines.native, chroot.arch.as_deref());
            let macros =
                engine.macros_in_root(target, &names, &Cancel::default()).await.map_err(PlanError::from)?;
            found.insert(chroot.name.value.clone(), macros);
        }
    }
    Ok(found)
}

/// A definition in a few words.
fn describe(definition: &MacroInRoot) -> String {
    let MacroInRoot { body, origin } = definition;
    let first = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let shown: String = first.chars().take(60).collect();
    let more = if shown.len() < body.trim().len() { "…" } else { "" };
    format!("`{shown}{more}` ({origin})")
}
