//! `forge status`

use super::Exit;
use super::arguments::Status;
use super::context::{CliError, Context, Failure};
use super::project::Project;
use crate::store::BuildRow;
use crate::ui::{Column, duration, table};

/// Shows the newest builds.
pub fn run(arguments: &Status, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let rows = history.builds(arguments.package.as_deref(), arguments.number)?;
    if arguments.json {
        let json: Vec<_> = rows.iter().map(as_json).collect();
        let text =
            serde_json::to_string_pretty(&json).map_err(std::io::Error::other).map_err(CliError::Io)?;
        context.print(&format!("{text}\n"))?;
        return Ok(Exit::Success);
    }
    if rows.is_empty() {
        return match &arguments.package {
            None => context.print("nothing has been built yet: run `forge apply`\n").map(|()| Exit::Success),
            Some(package) => Err(super::results::not_built(&history, package)),
        };
    }
    let columns = [
        Column::Right("number"),
        Column::Left("package"),
        Column::Left("chroot"),
        Column::Left("state"),
        Column::Right("time"),
        Column::Left("began"),
        Column::Left("why"),
    ];
    let rows: Vec<Vec<String>> = rows.iter().map(as_row).collect();
    context.print(&table(&columns, &rows))?;
    Ok(Exit::Success)
}

fn as_row(row: &BuildRow) -> Vec<String> {
    let took = row.ended.map(|ended| duration(ended.since(row.started))).unwrap_or_default();
    vec![
        row.number.to_string(),
        row.build.package.clone(),
        row.build.chroot.clone(),
        row.state.name().to_owned(),
        took,
        row.started.to_string(),
        row.cause.clone().unwrap_or_default(),
    ]
}

fn as_json(row: &BuildRow) -> serde_json::Value {
    serde_json::json!({
        "number": row.number,
        "package": row.build.package,
        "chroot": row.build.chroot,
        "state": row.state,
        "started": row.started,
        "ended": row.ended,
        "cause": row.cause,
        "stages": row.stages,
        "results": row.results.as_ref().map(|results| format!(".forge/{results}")),
    })
}
