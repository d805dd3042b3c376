//! `forge history`

use globset::GlobMatcher;

use super::Exit;
use super::arguments::History;
use super::context::{CliError, Context, Failure};
use super::project::{Project, STATE_FOLDER};
use super::selection::matcher;
use crate::event::{Clock, State, SystemClock, Timestamp};
use crate::store::BuildRow;
use crate::ui::{Column, age, duration, table_within};

/// Shows the newest builds.
pub fn run(arguments: &History, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let patterns = |texts: &[String]| texts.iter().map(|text| matcher(text)).collect::<Result<Vec<_>, _>>();
    let (packages, chroots) = (patterns(&arguments.packages)?, patterns(&arguments.chroot)?);
    let rows = history.builds(None, usize::MAX)?;
    let is_meant = |row: &&BuildRow| {
        is_matched(&packages, &row.build.package)
            && is_matched(&chroots, &row.build.chroot)
            && (!arguments.failed || row.state == State::Failed)
    };
    let shown: Vec<&BuildRow> = rows.iter().filter(is_meant).take(arguments.number).collect();
    if arguments.json {
        let json: Vec<_> = shown.iter().map(|row| as_json(row)).collect();
        let document = serde_json::json!({ "version": 1, "builds": json });
        let text = serde_json::to_string_pretty(&document).map_err(std::io::Error::other);
        context.print(&format!("{}\n", text.map_err(CliError::Io)?))?;
        return Ok(Exit::Success);
    }
    if shown.is_empty() {
        return match arguments
            .packages
            .first()
            .filter(|name| !rows.iter().any(|row| row.build.package == **name))
        {
            Some(package) if !arguments.failed => Err(super::results::not_built(&history, package)),
            _ if rows.is_empty() => {
                context.print("nothing has been built yet: run `forge apply`\n").map(|()| Exit::Success)
            }
            _ => context.print("no build is so\n").map(|()| Exit::Success),
        };
    }
    let columns = [
        Column::Right("build"),
        Column::Left("package"),
        Column::Left("chroot"),
        Column::Left("state"),
        Column::Right("took"),
        Column::Left("when"),
        Column::Left("why"),
    ];
    let now = SystemClock.now();
    let cells: Vec<Vec<String>> = shown.iter().map(|row| as_row(row, now)).collect();
    context.print(&table_within(&columns, &cells, context.output_width()))?;
    Ok(Exit::Success)
}

fn is_matched(patterns: &[GlobMatcher], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.is_match(name))
}

fn as_row(row: &BuildRow, now: Timestamp) -> Vec<String> {
    let took = row.ended.map(|ended| duration(ended.since(row.started))).unwrap_or_default();
    vec![
        format!("#{}", row.number),
        row.build.package.clone(),
        row.build.chroot.clone(),
        row.state.name().to_owned(),
        took,
        age(now.since(row.ended.unwrap_or(row.started))),
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
        "results": row.results.as_ref().map(|results| format!("{STATE_FOLDER}/{results}")),
    })
}
