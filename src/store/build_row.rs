//! A build, as a history holds it.

use rusqlite::Row;

use crate::event::{BuildName, StageTime, State, Timestamp};

/// Why a build ended that forge left, having been killed.
pub(super) const LEFT: &str = "forge was ended";

/// A build, as the history holds it.
#[derive(Clone, Debug)]
pub struct BuildRow {
    /// Its number in this project.
    pub number: u64,
    /// Of what.
    pub build: BuildName,
    /// How it ended, or where it is.
    pub state: State,
    /// When it began.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub cause: Option<String>,
    /// Its stages.
    pub stages: Vec<StageTime>,
    /// Its result folder, relative to the project.
    pub results: Option<String>,
}

impl BuildRow {
    /// As it is where nobody is at work: what is said to run was left so, and ended nobody knows when.
    pub(super) fn into_left(mut self) -> Self {
        if matches!(self.state, State::Running | State::Importing) {
            self.state = State::Canceled;
            self.cause = Some(LEFT.to_owned());
        }
        self
    }
}

/// Reads a row with all columns.
pub(super) fn build_row(row: &Row<'_>) -> rusqlite::Result<BuildRow> {
    let (number, started, ended): (i64, i64, Option<i64>) = (row.get(0)?, row.get(4)?, row.get(5)?);
    let (state, stages): (String, String) = (row.get(3)?, row.get(7)?);
    Ok(BuildRow {
        number: unsigned(number),
        build: BuildName { package: row.get(1)?, chroot: row.get(2)? },
        state: serde_json::from_value(state.into()).unwrap_or(State::Failed),
        started: Timestamp(unsigned(started)),
        ended: ended.map(|at| Timestamp(unsigned(at))),
        cause: row.get(6)?,
        stages: serde_json::from_str(&stages).unwrap_or_default(),
        results: row.get(8)?,
    })
}

/// SQLite's numbers are signed; ours never reach the sign.
pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}
