//! `forge pin` and `forge unpin`

use std::sync::Arc;

use super::Exit;
use super::context::{Context, Failure};
use super::known_repositories::known_repositories;
use super::past_builds::build_by_number;
use super::pin_error::PinError;
use super::project::{Project, store};
use super::result_record::read_record;
use super::retention_arguments::{Pin as PinArguments, Unpin};
use crate::digest::{Digest, Key};
use crate::event::{BuildName, Clock, State, SystemClock};
use crate::execute::ResultRecord;
use crate::files::Folder;
use crate::store::{BuildRow, History, Pin, Pins, Store, result_digest};
use crate::ui::{Column, age, plain_text, table};

/// How many digits of a key name a pinned build that has no number any more.
const DIGITS: usize = 12;

/// Pins builds, or shows which are.
pub fn pin(arguments: &PinArguments, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    if arguments.builds.is_empty() {
        let state = project.state()?;
        let numbered =
            NumberedPins { pins: &Pins::read(&state)?, history: &project.history()?, state: &state };
        return show(&numbered, context);
    }
    let _lock = project.lock("forge pin")?;
    let (state, history, store) = (project.state()?, project.history()?, Arc::new(store(context)?));
    let _store_lock = store.lock_for_use()?;
    let mut pins = Pins::read(&state)?;
    for build in &arguments.builds {
        let row = build_by_number(&history, number_of(build)?)?;
        let (number, name) = (row.number, row.build.to_string());
        if !matches!(row.state, State::Succeeded | State::Cached) {
            return Err(PinError::NotGood { number, build: name, state: row.state }.into());
        }
        let record = read_record(&state, &row).filter(|record| !record.is_source_package_alone());
        let found = record.and_then(|record| Some((record.key, result_of(&record, &row, (&state, &store))?)));
        let Some((key, result)) = found else {
            return Err(PinError::ResultGone { number, build: name }.into());
        };
        let is_published = is_published(&row.build, key, (&project, &store), context);
        let since = SystemClock.now();
        let is_new = pins.add(Pin { number, build: row.build, key, result: Some(result), since });
        let said = if is_new { "is pinned" } else { "was pinned already" };
        context.print(&plain_text(&format!("{name}, build #{number}, {said}\n")))?;
        if is_published == Some(false) {
            let text = "note: its repository doesn't have it any more, and doesn't get it back; it stays in the store and the results\n";
            context.tell(text);
        }
    }
    pins.write(&state)?;
    Ok(Exit::Success)
}

/// The digest of what a build has made, where it is in the store or in its result folder.
fn result_of(record: &ResultRecord, row: &BuildRow, (state, store): (&Folder, &Store)) -> Option<Digest> {
    let stored = store.result(&record.key).filter(|result| {
        let is_the_same = |(file, made): (&crate::store::ResultFile, &crate::execute::ResultPackage)| {
            file.name == made.file && file.sha256 == made.sha256
        };
        result.files.len() == record.packages.len()
            && result.files.iter().zip(&record.packages).all(is_the_same)
    });
    if let Some(result) = stored {
        return Some(result.digest());
    }
    let folder = state.folder(row.results.as_deref()?).ok()?;
    let files = record.packages.iter().map(|package| {
        let (digest, _) = Digest::read_file(&folder, &package.file).ok()?;
        Some((package.file.as_str(), digest))
    });
    let files: Vec<(&str, Digest)> = files.collect::<Option<_>>()?;
    (!files.is_empty()).then(|| result_digest(files.iter().map(|(name, digest)| (*name, digest))))
}

/// Whether the repository of a build's chroot has it; nothing where that can't be known.
fn is_published(
    build: &BuildName,
    key: Key,
    (project, store): (&Project, &Arc<Store>),
    context: &Context,
) -> Option<bool> {
    let manifest = project.manifest(&[], context).ok()?;
    let builds = known_repositories(project, &manifest, store, context).ok()?.published_builds().ok()?;
    Some(builds.iter().any(|published| published.build == *build && published.key == Some(key)))
}

/// Unpins builds.
pub fn unpin(arguments: &Unpin, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let _lock = project.lock("forge unpin")?;
    let (state, history) = (project.state()?, project.history()?);
    let mut pins = Pins::read(&state)?;
    for build in &arguments.builds {
        let numbered = NumberedPins { pins: &pins, history: &history, state: &state };
        let meant = numbered.find(build)?;
        let (name, shown) = (meant.build.to_string(), numbered.shown(&meant));
        pins.remove(|pin| *pin == meant);
        context.print(&plain_text(&format!("{name}, build {shown}, is not pinned any more\n")))?;
    }
    pins.write(&state)?;
    Ok(Exit::Success)
}

/// Pins, with the numbers that their builds have now: where a history was begun anew, numbers are those of other builds.
struct NumberedPins<'a> {
    pins: &'a Pins,
    history: &'a History,
    state: &'a Folder,
}

impl NumberedPins<'_> {
    /// The number of a pinned build; none where the history doesn't know it.
    fn number(&self, pin: &Pin) -> Option<u64> {
        let is_other = self.history.build(pin.number).ok()?.is_some_and(|row| {
            // What has no results any more has those of no other build.
            row.build != pin.build
                || read_record(self.state, &row).is_some_and(|record| record.key != pin.key)
        });
        (!is_other).then_some(pin.number)
    }

    /// The build as it is named: `#12`, or the first digits of its key.
    fn shown(&self, pin: &Pin) -> String {
        match self.number(pin) {
            Some(number) => format!("#{number}"),
            None => pin.key.to_string().chars().take(DIGITS).collect(),
        }
    }

    /// The pinned build that `#12`, `12` or the first digits of its key mean.
    fn find(&self, written: &str) -> Result<Pin, Failure> {
        let is_key = |pin: &&Pin| written.len() >= DIGITS && pin.key.to_string().starts_with(written);
        if let Some(pin) = self.pins.iter().find(is_key) {
            return Ok(pin.clone());
        }
        let number = number_of(written)?;
        let found = self.pins.iter().find(|pin| self.number(pin) == Some(number));
        Ok(found.cloned().ok_or(PinError::NotPinned { number })?)
    }
}

fn show(numbered: &NumberedPins<'_>, context: &Context) -> Result<Exit, Failure> {
    let now = SystemClock.now();
    let rows = numbered.pins.iter().map(|pin| {
        let build = &pin.build;
        vec![numbered.shown(pin), build.package.clone(), build.chroot.clone(), age(now.since(pin.since))]
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
