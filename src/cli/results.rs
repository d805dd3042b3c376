//! `forge results`

use super::Exit;
use super::arguments::Results;
use super::context::{CliError, Context, Failure};
use super::project::{Project, STATE_FOLDER};
use crate::store::{BuildRow, History};
use crate::text::suggestion;
use crate::ui::plain_text;

/// Shows where a package's newest results are.
pub fn run(arguments: &Results, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let rows = attempts(&history, &arguments.package, arguments.chroot.as_deref())?;
    let mut text = String::new();
    for row in rows {
        let Some(results) = &row.results else { continue };
        let path = format!("{STATE_FOLDER}/{results}");
        text.push_str(&format!("{path} ({}, {})\n", row.build.chroot, row.state));
        let folder = project.state()?.folder(results).map_err(CliError::Io)?;
        for entry in folder.entries().map_err(CliError::Io)? {
            text.push_str(&format!("  {}\n", entry.name));
        }
    }
    context.print(&plain_text(&text))?;
    Ok(Exit::Success)
}

/// The build of that number (`#12`), or the newest build of a package in each chroot, or in the one that is named.
pub fn attempts(history: &History, wanted: &str, chroot: Option<&str>) -> Result<Vec<BuildRow>, Failure> {
    let Some(number) = wanted.strip_prefix('#').and_then(|number| number.parse::<u64>().ok()) else {
        return newest(history, wanted, chroot);
    };
    match history.build(number)? {
        Some(row) => Ok(vec![row]),
        None => Err(CliError::NoBuild { number }.into()),
    }
}

/// The newest build of a package in each chroot, or in the one that is named.
fn newest(history: &History, package: &str, chroot: Option<&str>) -> Result<Vec<BuildRow>, Failure> {
    let rows = history.builds(Some(package), usize::MAX)?;
    let mut found: Vec<BuildRow> = Vec::new();
    for row in rows.into_iter().filter(|row| chroot.is_none_or(|chroot| row.build.chroot == chroot)) {
        if !found.iter().any(|newer| newer.build.chroot == row.build.chroot) {
            found.push(row);
        }
    }
    if found.is_empty() { Err(not_built(history, package)) } else { Ok(found) }
}

/// That a package has no build here.
pub fn not_built(history: &History, package: &str) -> Failure {
    let rows = history.builds(None, 1000).unwrap_or_default();
    let help = if rows.is_empty() {
        "nothing has been built yet: run `forge apply`".to_owned()
    } else {
        suggestion(package, "built", rows.iter().map(|row| row.build.package.as_str()))
    };
    CliError::NotBuilt { package: package.to_owned(), help }.into()
}
