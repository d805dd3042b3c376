//! `forge results`

use std::collections::BTreeSet;

use super::Exit;
use super::arguments::Results;
use super::context::{CliError, Context, Failure};
use super::project::{Project, STATE_FOLDER};
use super::selection::{batch_members, is_matched, matcher, patterns};
use crate::store::{BuildRow, History};
use crate::text::suggestion;
use crate::ui::plain_text;

/// Shows where the newest results of packages are.
pub fn run(arguments: &Results, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let mut rows = attempts(&history, &arguments.packages, &arguments.chroot)?;
    if !arguments.batch.is_empty() {
        let manifest = project.manifest(&[], context)?;
        let members = batch_members(&manifest, &arguments.batch)?;
        let names: BTreeSet<&str> =
            members.iter().map(|id| manifest.package(*id).name.value.as_str()).collect();
        rows.retain(|row| names.contains(row.build.package.as_str()));
    }
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

/// The builds of these numbers (`#12`), and the newest builds of the packages that names or patterns stand for, in each chroot
/// or those that are named. All packages where none is named.
pub fn attempts(history: &History, wanted: &[String], chroots: &[String]) -> Result<Vec<BuildRow>, Failure> {
    let number = |name: &&String| name.strip_prefix('#').is_some_and(|digits| digits.parse::<u64>().is_ok());
    let (numbers, names): (Vec<&String>, Vec<&String>) = wanted.iter().partition(number);
    let mut found = Vec::new();
    for number in numbers.iter().filter_map(|number| number.strip_prefix('#')?.parse().ok()) {
        found.push(history.build(number)?.ok_or(CliError::NoBuild { number })?);
    }
    if !names.is_empty() || numbers.is_empty() {
        found.extend(newest(history, &names, chroots)?);
    }
    Ok(found)
}

/// The newest builds of packages in each chroot, or in those that are named.
fn newest(history: &History, names: &[&String], chroots: &[String]) -> Result<Vec<BuildRow>, Failure> {
    let mut rows: Vec<BuildRow> = history.newest_attempts()?.into_values().collect();
    rows.sort_by(|one, other| one.build.cmp(&other.build));
    let mut matchers = Vec::new();
    for name in names {
        let matcher = matcher(name)?;
        if !rows.iter().any(|row| matcher.is_match(&row.build.package)) {
            return Err(not_built(history, name));
        }
        matchers.push(matcher);
    }
    rows.retain(|row| names.is_empty() || is_matched(&matchers, &row.build.package));
    if !chroots.is_empty() {
        let known = rows.iter().map(|row| row.build.chroot.as_str());
        let patterns = patterns("chroot", "chroots that it was built in", chroots, known)?;
        rows.retain(|row| is_matched(&patterns, &row.build.chroot));
    }
    Ok(rows)
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
