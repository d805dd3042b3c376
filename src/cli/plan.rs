//! `forge plan`

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use bstr::ByteSlice;

use super::Exit;
use super::arguments::Plan;
use super::context::{CliError, Context, Failure};
use super::planning::{plan, runtime};
use super::project::Project;
use crate::event::SystemClock;
use crate::macros::{Configuration, Definition, Limits, Macros, SystemHost, Table};
use crate::manifest::Manifest;
use crate::process::Cancel;
use crate::publish::Verification;
use crate::ui::{PlanDetail, RepositoryChanges, RootMacro, Verbosity, plan_document, plan_screen};

/// Shows what an apply would do.
pub fn run(arguments: &Plan, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let planned = runtime()?.block_on(plan(&project, &arguments.selection, &Cancel::default(), context))?;
    let repositories = planned.repositories(&project, Verification::TimesFirst, Arc::new(SystemClock));
    let changes = RepositoryChanges {
        leaving: repositories.leaving()?,
        entering: repositories.entering(&planned.plan, &planned.decisions)?,
        damaged: repositories.find_damage()?,
    };
    let (attempts, versions) = (planned.history.newest_attempts()?, planned.versions_before());
    let batches = planned.batch_names();
    let batch_of = planned.batch_of();
    let document = plan_document(planned.view(&batches, &batch_of, &attempts, &versions), changes);
    if arguments.json {
        let json = serde_json::to_string_pretty(&document).map_err(std::io::Error::other);
        context.print(&format!("{}\n", json.map_err(CliError::Io)?))?;
    } else {
        planned.show_notes(context);
        planned.show_impossible(context);
        let tables =
            if arguments.explain { root_tables(&planned.manifest, context)? } else { HashMap::new() };
        let root_macro =
            |chroot: &str, name: &str| Some(described(tables.get(chroot)?.get(name.as_bytes())?));
        let explained_by: Option<&RootMacro<'_>> = arguments.explain.then_some(&root_macro);
        let detail = match (context.verbosity, arguments.all) {
            (Verbosity::Quiet, _) => PlanDetail::Counts,
            (Verbosity::Normal | Verbosity::Verbose, true) | (Verbosity::Verbose, false) => PlanDetail::All,
            (Verbosity::Normal, false) => PlanDetail::Changes,
        };
        context.print(&plan_screen(&document, detail, explained_by))?;
    }
    Ok(if arguments.detailed_exitcode && document.work { Exit::Changes } else { Exit::Success })
}

/// What the files of each chroot's root define.
fn root_tables(manifest: &Manifest, context: &Context) -> Result<HashMap<String, Table>, Failure> {
    let mut tables = HashMap::new();
    for chroot in &manifest.chroots {
        // Roots other than the machine's own are made by a build: there is nothing to read in them before.
        let host = SystemHost::new(context.variables.clone(), |_| {}).map_err(CliError::Io)?.read_only();
        let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
        // What is wrong in the machine's files, its own rpm tells with every build.
        let _ = macros.configure(&Configuration { target: chroot.arch.clone(), ..Configuration::default() });
        tables.insert(chroot.name.value.clone(), macros.table());
    }
    Ok(tables)
}

/// A definition in a few words.
fn described(definition: &Definition) -> String {
    let body = definition.body.to_str_lossy();
    let first = body.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    let shown: String = first.chars().take(60).collect();
    let more = if shown.len() < body.trim().len() { "…" } else { "" };
    format!("`{shown}{more}` ({})", definition.origin)
}
