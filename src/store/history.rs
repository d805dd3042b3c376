//! A project's history: its builds with their states, times and ingredients, and what its repositories hold.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::StoreError;
use crate::digest::{Digest, Key};
use crate::event::{BuildName, StageTime, State, Timestamp};
use crate::files::HostPath;

/// The form of the tables; another one is not read.
const VERSION: i64 = 1;

const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS builds (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        package TEXT NOT NULL, chroot TEXT NOT NULL, state TEXT NOT NULL,
        started INTEGER NOT NULL, ended INTEGER,
        cause TEXT, stages TEXT NOT NULL DEFAULT '[]', results TEXT);
    CREATE INDEX IF NOT EXISTS builds_by_name ON builds (package, chroot, number);
    CREATE TABLE IF NOT EXISTS last_good (
        package TEXT NOT NULL, chroot TEXT NOT NULL,
        key TEXT NOT NULL, ingredients TEXT NOT NULL, milliseconds INTEGER NOT NULL, results TEXT,
        PRIMARY KEY (package, chroot)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS published (
        chroot TEXT NOT NULL, package TEXT NOT NULL, key TEXT NOT NULL, folder TEXT NOT NULL,
        PRIMARY KEY (chroot, package)) WITHOUT ROWID;";

/// How long a statement waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The history of one project.
#[derive(Debug)]
pub struct History {
    connection: Mutex<Connection>,
}

/// The newest good build of a package in a chroot.
#[derive(Clone, Debug)]
pub struct LastBuild {
    /// Its key.
    pub key: Key,
    /// What the key was made from, as JSON.
    pub ingredients: String,
    /// How long it took.
    pub duration: Duration,
    /// Its result folder, relative to the project.
    pub results: Option<String>,
}

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

/// A package that a repository holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublishedRow {
    /// The package, as the manifest names it.
    pub package: String,
    /// The key of the result that it is from.
    pub key: Key,
    /// Its folder in the repository.
    pub folder: String,
}

impl History {
    /// Opens the history in the file `path`, or makes it.
    pub fn open(path: &HostPath) -> Result<Self, StoreError> {
        let connection = Connection::open(path.as_path())?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            connection.execute_batch(TABLES)?;
            connection.pragma_update(None, "user_version", VERSION)?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    /// A history that is forgotten with this value.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(TABLES)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves no statement half done: SQLite's own transactions see to that.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks builds that an earlier forge left running as canceled.
    pub fn close_abandoned(&self, now: Timestamp) -> Result<usize, StoreError> {
        let statement = "UPDATE builds SET state = 'canceled', ended = ?1, cause = 'forge was ended' \
                         WHERE state IN ('running', 'importing')";
        Ok(self.connection().execute(statement, params![signed(now.0)])?)
    }

    /// A build begins; gives its number.
    pub fn begin(&self, build: &BuildName, now: Timestamp) -> Result<u64, StoreError> {
        let connection = self.connection();
        let statement = "INSERT INTO builds (package, chroot, state, started) VALUES (?1, ?2, 'running', ?3)";
        connection.execute(statement, params![build.package, build.chroot, signed(now.0)])?;
        Ok(unsigned(connection.last_insert_rowid()))
    }

    /// A build has ended.
    pub fn end(&self, row: &BuildRow) -> Result<(), StoreError> {
        let connection = self.connection();
        let statement = "UPDATE builds SET state = ?2, ended = ?3, cause = ?4, stages = ?5, results = ?6 WHERE number = ?1";
        let stages = serde_json::to_string(&row.stages).unwrap_or_default();
        let ended = row.ended.map(|at| signed(at.0));
        let values = params![signed(row.number), row.state.name(), ended, row.cause, stages, row.results];
        connection.execute(statement, values)?;
        Ok(())
    }

    /// Remembers the newest good result of a build.
    pub fn remember_good(&self, build: &BuildName, last: &LastBuild) -> Result<(), StoreError> {
        let statement = "INSERT OR REPLACE INTO last_good (package, chroot, key, ingredients, milliseconds, results) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let milliseconds = i64::try_from(last.duration.as_millis()).unwrap_or(i64::MAX);
        let key = last.key.to_string();
        let values = params![build.package, build.chroot, key, last.ingredients, milliseconds, last.results];
        self.connection().execute(statement, values)?;
        Ok(())
    }

    /// The newest good result of every build.
    pub fn last_good(&self) -> Result<HashMap<BuildName, LastBuild>, StoreError> {
        let connection = self.connection();
        let query = "SELECT package, chroot, key, ingredients, milliseconds, results FROM last_good";
        let mut statement = connection.prepare(query)?;
        let rows = statement.query_map([], |row| {
            let build = BuildName { package: row.get(0)?, chroot: row.get(1)? };
            let milliseconds: i64 = row.get(4)?;
            let (ingredients, results) = (row.get(3)?, row.get(5)?);
            Ok(key(row, 2)?.map(|key| {
                let duration = Duration::from_millis(unsigned(milliseconds));
                (build, LastBuild { key, ingredients, duration, results })
            }))
        })?;
        rows.filter_map(Result::transpose).collect::<Result<_, _>>().map_err(StoreError::from)
    }

    /// The newest builds, at most `limit`, of `package` only where one is named; the newest first.
    pub fn builds(&self, package: Option<&str>, limit: usize) -> Result<Vec<BuildRow>, StoreError> {
        let connection = self.connection();
        let query = "SELECT number, package, chroot, state, started, ended, cause, stages, results FROM builds \
                     WHERE ?1 IS NULL OR package = ?1 ORDER BY number DESC LIMIT ?2";
        let mut statement = connection.prepare(query)?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let rows = statement.query_map(params![package, limit], build_row)?;
        rows.collect::<Result<_, _>>().map_err(StoreError::from)
    }

    /// What the repository of `chroot` holds.
    pub fn published(&self, chroot: &str) -> Result<Vec<PublishedRow>, StoreError> {
        let connection = self.connection();
        let query = "SELECT package, key, folder FROM published WHERE chroot = ?1 ORDER BY package";
        let mut statement = connection.prepare(query)?;
        let rows = statement.query_map([chroot], |row| {
            let (package, folder) = (row.get(0)?, row.get(2)?);
            Ok(key(row, 1)?.map(|key| PublishedRow { package, key, folder }))
        })?;
        rows.filter_map(Result::transpose).collect::<Result<_, _>>().map_err(StoreError::from)
    }

    /// All chroots that have had a repository.
    pub fn published_chroots(&self) -> Result<Vec<String>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT DISTINCT chroot FROM published ORDER BY chroot")?;
        let rows = statement.query_map([], |row| row.get(0))?;
        rows.collect::<Result<_, _>>().map_err(StoreError::from)
    }

    /// Replaces what the repository of `chroot` holds.
    pub fn set_published(&self, chroot: &str, rows: &[PublishedRow]) -> Result<(), StoreError> {
        let mut connection = self.connection();
        let transaction = connection.transaction()?;
        transaction.execute("DELETE FROM published WHERE chroot = ?1", [chroot])?;
        for row in rows {
            let statement = "INSERT INTO published (chroot, package, key, folder) VALUES (?1, ?2, ?3, ?4)";
            transaction.execute(statement, params![chroot, row.package, row.key.to_string(), row.folder])?;
        }
        Ok(transaction.commit()?)
    }

    /// The result folders that no build of the newest of its package refers to.
    pub fn old_results(&self, before: Timestamp) -> Result<Vec<(u64, String)>, StoreError> {
        let connection = self.connection();
        let query = "SELECT number, results FROM builds AS old WHERE results IS NOT NULL AND ended < ?1 \
                     AND results NOT IN (SELECT results FROM last_good WHERE results IS NOT NULL) \
                     AND EXISTS (SELECT 1 FROM builds AS new WHERE new.package = old.package \
                     AND new.chroot = old.chroot AND new.number > old.number)";
        let mut statement = connection.prepare(query)?;
        let rows = statement.query_map([signed(before.0)], |row| Ok((unsigned(row.get(0)?), row.get(1)?)))?;
        rows.collect::<Result<_, _>>().map_err(StoreError::from)
    }

    /// Forgets where a build's results were.
    pub fn forget_results(&self, number: u64) -> Result<(), StoreError> {
        self.connection().execute("UPDATE builds SET results = NULL WHERE number = ?1", [signed(number)])?;
        Ok(())
    }

    /// The row of one build, if there is one of that number.
    pub fn build(&self, number: u64) -> Result<Option<BuildRow>, StoreError> {
        let connection = self.connection();
        let query = "SELECT number, package, chroot, state, started, ended, cause, stages, results FROM builds \
                     WHERE number = ?1";
        Ok(connection.query_row(query, [signed(number)], build_row).optional()?)
    }
}

fn build_row(row: &Row<'_>) -> rusqlite::Result<BuildRow> {
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

/// The key in a column; one that is none, because somebody wrote into the file, is as if the row were not there.
fn key(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<Key>> {
    let text: String = row.get(column)?;
    Ok(Digest::from_str(&text).ok().map(Key::from_digest))
}

/// SQLite's numbers are signed; ours never reach the sign.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Encoder;

    fn name(package: &str) -> BuildName {
        BuildName { package: package.to_owned(), chroot: "host".to_owned() }
    }

    #[test]
    fn a_build_that_forge_left_running_is_canceled_by_the_next() {
        let history = History::in_memory().unwrap();
        let number = history.begin(&name("curl"), Timestamp(5)).unwrap();
        assert_eq!(history.close_abandoned(Timestamp(9)).unwrap(), 1);
        let row = history.build(number).unwrap().unwrap();
        assert_eq!((row.state, row.ended), (State::Canceled, Some(Timestamp(9))));
    }

    #[test]
    fn what_is_published_replaces_what_was() {
        let history = History::in_memory().unwrap();
        let key = Encoder::new("test v1").key();
        let row = |package: &str| PublishedRow { package: package.to_owned(), key, folder: "f".to_owned() };
        history.set_published("host", &[row("a"), row("b")]).unwrap();
        history.set_published("host", &[row("b")]).unwrap();
        assert_eq!(history.published("host").unwrap(), [row("b")]);
        assert_eq!(history.published_chroots().unwrap(), ["host"]);
    }
}
