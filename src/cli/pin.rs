//! `forge pin` and `forge unpin`

use super::Exit;
use super::context::{Context, Failure};
use super::past_builds::build_by_number;
use super::pin_error::PinError;
use super::project::{Project, store};
use super::result_record::read_record;
use super::retention_arguments::{Pin as PinArguments, Unpin};
use crate::event::{Clock, State, SystemClock};
use crate::store::{Pin, Pins};
use crate::ui::{Column, age, plain_text, table};

/// Pins builds, or shows which are.
pub fn pin(arguments: &PinArguments, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    if arguments.builds.is_empty() {
        return show(&Pins::read(&project.state()?)?, context);
    }
    let _lock = project.lock()?;
    let (state, history, store) = (project.state()?, project.history()?, store(context)?);
    let _store_lock = store.lock_for_use()?;
    let mut pins = Pins::read(&state)?;
    for build in &arguments.builds {
        let row = build_by_number(&history, number_of(build)?)?;
        let (number, name) = (row.number, row.build.to_string());
        if !matches!(row.state, State::Succeeded | State::Cached) {
            return Err(PinError::NotGood { number, build: name, state: row.state }.into());
        }
        let record = read_record(&state, &row).filter(|record| !record.is_source_package_alone());
        let key = record.map(|record| record.key).filter(|key| store.result(key).is_some());
        let Some(key) = key else { return Err(PinError::ResultGone { number, build: name }.into()) };
        let is_new = pins.add(Pin { number, build: row.build, key, since: SystemClock.now() });
        let said = if is_new { "is pinned" } else { "was pinned already" };
        context.print(&plain_text(&format!("{name}, build #{number}, {said}\n")))?;
    }
    pins.write(&state)?;
    Ok(Exit::Success)
}

/// Unpins builds.
pub fn unpin(arguments: &Unpin, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let _lock = project.lock()?;
    let state = project.state()?;
    let mut pins = Pins::read(&state)?;
    for build in &arguments.builds {
        let number = number_of(build)?;
        let Some(pin) = pins.remove(number) else { return Err(PinError::NotPinned { number }.into()) };
        let text = format!("{}, build #{number}, is not pinned any more\n", pin.build);
        context.print(&plain_text(&text))?;
    }
    pins.write(&state)?;
    Ok(Exit::Success)
}

fn show(pins: &Pins, context: &Context) -> Result<Exit, Failure> {
    let now = SystemClock.now();
    let rows = pins.iter().map(|pin| {
        let build = &pin.build;
        vec![
            format!("#{}", pin.number),
            build.package.clone(),
            build.chroot.clone(),
            age(now.since(pin.since)),
        ]
    });
    let rows: Vec<Vec<String>> = rows.collect();
    if rows.is_empty() {
        return context.print("no build is pinned\n").map(|()| Exit::Success);
    }
    let columns =
        [Column::Right("build"), Column::Left("package"), Column::Left("chroot"), Column::Left("pinned")];
    context.print(&table(&columns, &rows))?;
    Ok(Exit::Success)
}

/// The number that `#12` or `12` is.
pub fn number_of(build: &str) -> Result<u64, PinError> {
    let digits = build.strip_prefix('#').unwrap_or(build);
    digits.parse().map_err(|_| PinError::NoNumber { written: build.to_owned() })
}
