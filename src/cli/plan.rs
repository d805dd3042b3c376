//! `forge plan`

use super::Exit;
use super::arguments::Plan;
use super::context::{Context, Failure};
use super::planning::{plan, runtime};
use super::project::Project;
use crate::process::Cancel;
use crate::publish::leaving;
use crate::ui::{plan_document, plan_screen};

/// Shows what an apply would do.
pub fn run(arguments: &Plan, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let planned = runtime()?.block_on(plan(&project, &arguments.selection, &Cancel::default(), context))?;
    let leaving = leaving(&planned.manifest, &planned.history)?;
    let document = plan_document(&planned.plan, &planned.decisions, leaving);
    if arguments.json {
        let json = serde_json::to_string_pretty(&document).map_err(std::io::Error::other);
        context.print(&format!("{}\n", json.map_err(super::context::CliError::Io)?))?;
    } else {
        planned.show_impossible(context);
        context.print(&plan_screen(&document, arguments.all, arguments.explain))?;
    }
    Ok(if arguments.detailed_exitcode && document.work { Exit::Changes } else { Exit::Success })
}
