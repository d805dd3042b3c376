//! A project's history: its builds with their states, times and ingredients. What its repositories hold is on
//! record there.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::StoreError;
use super::build_row::{BuildRow, LEFT, build_row, unsigned};
use super::recovery::{
    MOST_BUILDS, are_regular_files, defines_only, has_sound_header, is_damage, largest_number, set_aside,
};
use crate::digest::{Digest, Key};
use crate::event::{BuildName, Timestamp};
use crate::files::HostPath;

/// The form of the tables; another one is not read, but moved aside.
const VERSION: i64 = 2;

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
        PRIMARY KEY (package, chroot)) WITHOUT ROWID;";

/// What the second version has beside them.
const REASONS: &str = "
    CREATE TABLE IF NOT EXISTS reasons (number INTEGER PRIMARY KEY, reasons TEXT NOT NULL);";

/// How the reasons begin of what is not an attempt at what the manifest means.
const ASIDE: [&str; 2] = ["[{\"why\":\"rebuild\"%", "[{\"why\":\"source-package\"%"];

/// How long a statement waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);

/// The history of one project.
#[derive(Debug)]
pub struct History {
    connection: Mutex<Connection>,
    /// Where it is, if it may be moved aside when it is found damaged.
    renewed_at: Option<HostPath>,
    /// The largest number that a build has.
    last_number: AtomicU64,
    /// What there is to tell of the history itself.
    notes: Mutex<Vec<String>>,
    /// Whether nobody is at work: what is said to run was left so.
    is_left: AtomicBool,
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

impl History {
    /// Opens the history in the file `path`, or makes it.
    ///
    /// # Errors
    /// [`StoreError::DamagedHistory`] among others: others may be at work with the file, so it is left as it is.
    pub fn open(path: &HostPath) -> Result<Self, StoreError> {
        Ok(Self::with_connection(connect(path)?, None))
    }

    /// As [`History::open`], for who keeps every other writer out: what is damaged, now or when it is found later, is
    /// moved aside and a new history begun.
    pub fn open_or_renew(path: &HostPath) -> Result<Self, StoreError> {
        let sound = connect(path).and_then(|connection| match check_rows(&connection) {
            Ok(()) => Ok(connection),
            Err(error) if is_damage(&error) => Err(StoreError::DamagedHistory { reason: error.to_string() }),
            Err(error) => Err(error.into()),
        });
        match sound {
            Ok(connection) => Ok(Self::with_connection(connection, Some(path.clone()))),
            Err(StoreError::DamagedHistory { reason }) => {
                let history = Self::with_connection(Connection::open_in_memory()?, Some(path.clone()));
                history.renew(&mut history.connection(), path, &reason)?;
                Ok(history)
            }
            Err(error) => Err(error),
        }
    }

    /// A history that is forgotten with this value.
    pub fn in_memory() -> Result<Self, StoreError> {
        let connection = Connection::open_in_memory()?;
        connection.execute_batch(TABLES)?;
        connection.execute_batch(REASONS)?;
        Ok(Self::with_connection(connection, None))
    }

    fn with_connection(connection: Connection, renewed_at: Option<HostPath>) -> Self {
        // Where that can't be said, there are no builds in it yet.
        let last_number = AtomicU64::new(largest_number(&connection).map_or(0, unsigned));
        Self {
            connection: Mutex::new(connection),
            renewed_at,
            last_number,
            notes: Mutex::default(),
            is_left: AtomicBool::new(false),
        }
    }

    /// Shows builds that are said to run as ended from now on: who keeps others out has found that nobody is at work.
    pub fn show_as_left(&self) {
        self.is_left.store(true, Ordering::Relaxed);
    }

    fn read_row(&self, row: &Row<'_>) -> rusqlite::Result<BuildRow> {
        let row = build_row(row)?;
        Ok(if self.is_left.load(Ordering::Relaxed) { row.into_left() } else { row })
    }

    /// Takes the notes on the history itself: that it was damaged, or begun anew.
    pub fn take_notes(&self) -> Vec<String> {
        std::mem::take(&mut self.notes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Moves a damaged history aside and begins a new one, whose builds are numbered on.
    fn renew(&self, connection: &mut Connection, path: &HostPath, reason: &str) -> Result<(), StoreError> {
        // The old one is closed first: when it closes, SQLite removes what it finds under the names beside it.
        *connection = Connection::open_in_memory()?;
        let aside = set_aside(path)?;
        *connection = connect(path)?;
        number_after(connection, self.last_number.load(Ordering::Relaxed))?;
        let note = format!(
            "this project's history was damaged ({reason}): it was moved to {aside} beside it, and a new one begun"
        );
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).push(note);
        Ok(())
    }

    /// Does something with the database, and again with a new one where this one turns out to be damaged.
    fn run<T>(&self, work: impl Fn(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let mut connection = self.connection();
        match work(&connection) {
            Err(error) if is_damage(&error) => match &self.renewed_at {
                None => Err(StoreError::DamagedHistory { reason: error.to_string() }),
                Some(path) => {
                    self.renew(&mut connection, path, &error.to_string())?;
                    Ok(work(&connection)?)
                }
            },
            done => Ok(done?),
        }
    }

    /// Whether no build was ever begun in it.
    pub fn is_new(&self) -> Result<bool, StoreError> {
        self.run(|connection| {
            let query = "SELECT count(*) FROM sqlite_sequence WHERE name = 'builds'";
            connection.query_row(query, [], |row| Ok(row.get::<_, i64>(0)? == 0))
        })
    }

    /// Numbers the builds of a new history after those of one that is gone.
    pub fn number_after(&self, number: u64) -> Result<(), StoreError> {
        self.last_number.fetch_max(number, Ordering::Relaxed);
        self.run(|connection| number_after(connection, number))
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic elsewhere leaves no statement half done: SQLite's own transactions see to that.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Marks builds that an earlier forge left running as canceled.
    pub fn close_abandoned(&self, now: Timestamp) -> Result<usize, StoreError> {
        let statement = "UPDATE builds SET state = 'canceled', ended = ?1, cause = ?2 \
                         WHERE state IN ('running', 'importing')";
        self.run(|connection| connection.execute(statement, params![signed(now.0), LEFT]))
    }

    /// Builds that an earlier forge left running.
    pub fn abandoned(&self) -> Result<Vec<BuildName>, StoreError> {
        let query = "SELECT DISTINCT package, chroot FROM builds WHERE state IN ('running', 'importing')";
        self.run(|connection| {
            let mut statement = connection.prepare(query)?;
            let rows =
                statement.query_map([], |row| Ok(BuildName { package: row.get(0)?, chroot: row.get(1)? }))?;
            rows.collect()
        })
    }

    /// A build begins; gives its number.
    pub fn begin(&self, build: &BuildName, now: Timestamp) -> Result<u64, StoreError> {
        let statement = "INSERT INTO builds (package, chroot, state, started) VALUES (?1, ?2, 'running', ?3)";
        let number = self.run(|connection| {
            connection.execute(statement, params![build.package, build.chroot, signed(now.0)])?;
            Ok(unsigned(connection.last_insert_rowid()))
        })?;
        self.last_number.fetch_max(number, Ordering::Relaxed);
        Ok(number)
    }

    /// A build has ended. Its row may have gone with a history that was damaged meanwhile.
    pub fn end(&self, row: &BuildRow) -> Result<(), StoreError> {
        let statement = "INSERT OR REPLACE INTO builds \
                         (number, package, chroot, state, started, ended, cause, stages, results) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let BuildRow { number, build, state, started, ended, cause, stages, results } = row;
        let stages = serde_json::to_string(stages).unwrap_or_default();
        let (number, started, ended) = (signed(*number), signed(started.0), ended.map(|at| signed(at.0)));
        let (package, chroot, state) = (&build.package, &build.chroot, state.name());
        self.run(|connection| {
            let values = params![number, package, chroot, state, started, ended, cause, stages, results];
            connection.execute(statement, values).map(drop)
        })
    }

    /// Remembers why a build was made, as JSON.
    pub fn remember_reasons(&self, number: u64, reasons: &str) -> Result<(), StoreError> {
        let statement = "INSERT OR REPLACE INTO reasons (number, reasons) VALUES (?1, ?2)";
        self.run(|connection| connection.execute(statement, params![signed(number), reasons]).map(drop))
    }

    /// Why a build was made, as JSON, where that is known.
    pub fn reasons(&self, number: u64) -> Result<Option<String>, StoreError> {
        let query = "SELECT reasons FROM reasons WHERE number = ?1";
        self.run(|connection| connection.query_row(query, [signed(number)], |row| row.get(0)).optional())
    }

    /// Forgets that a build was begun.
    pub fn forget(&self, number: u64) -> Result<(), StoreError> {
        let statement = "DELETE FROM builds WHERE number = ?1";
        self.run(|connection| connection.execute(statement, [signed(number)]).map(drop))
    }

    /// Remembers the newest good result of a build.
    pub fn remember_good(&self, build: &BuildName, last: &LastBuild) -> Result<(), StoreError> {
        let statement = "INSERT OR REPLACE INTO last_good (package, chroot, key, ingredients, milliseconds, results) \
                         VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let milliseconds = i64::try_from(last.duration.as_millis()).unwrap_or(i64::MAX);
        let key = last.key.to_string();
        self.run(|connection| {
            let values =
                params![build.package, build.chroot, key, last.ingredients, milliseconds, last.results];
            connection.execute(statement, values).map(drop)
        })
    }

    /// The newest good result of every build.
    pub fn last_good(&self) -> Result<HashMap<BuildName, LastBuild>, StoreError> {
        let query = "SELECT package, chroot, key, ingredients, milliseconds, results FROM last_good";
        self.run(|connection| {
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
            rows.filter_map(Result::transpose).collect()
        })
    }

    /// The newest builds, at most `limit`, of `package` only where one is named; the newest first.
    pub fn builds(&self, package: Option<&str>, limit: usize) -> Result<Vec<BuildRow>, StoreError> {
        let query = "SELECT number, package, chroot, state, started, ended, cause, stages, results FROM builds \
                     WHERE ?1 IS NULL OR package = ?1 ORDER BY number DESC LIMIT ?2";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.run(|connection| {
            let mut statement = connection.prepare(query)?;
            let rows = statement.query_map(params![package, limit], |row| self.read_row(row))?;
            rows.collect()
        })
    }

    /// The newest attempt at each build as the manifest means it: not at an earlier one again, nor at a source package alone.
    pub fn newest_attempts(&self) -> Result<HashMap<BuildName, BuildRow>, StoreError> {
        let query = "SELECT number, package, chroot, state, started, ended, cause, stages, results FROM builds \
                     WHERE number IN (SELECT max(number) FROM builds WHERE state != 'skipped' AND number NOT IN \
                     (SELECT number FROM reasons WHERE reasons LIKE ?1 OR reasons LIKE ?2) GROUP BY package, chroot)";
        self.run(|connection| {
            let mut statement = connection.prepare(query)?;
            let rows = statement.query_map(ASIDE, |row| self.read_row(row))?;
            rows.map(|row| row.map(|row| (row.build.clone(), row))).collect()
        })
    }

    /// The builds with result folders that no build of the newest of its package refers to.
    pub fn old_results(&self, before: Timestamp) -> Result<Vec<BuildRow>, StoreError> {
        let query = "SELECT number, package, chroot, state, started, ended, cause, stages, results FROM builds AS old \
                     WHERE results IS NOT NULL AND ended < ?1 \
                     AND results NOT IN (SELECT results FROM last_good WHERE results IS NOT NULL) \
                     AND EXISTS (SELECT 1 FROM builds AS new WHERE new.package = old.package \
                     AND new.chroot = old.chroot AND new.number > old.number)";
        self.run(|connection| {
            let mut statement = connection.prepare(query)?;
            let rows = statement.query_map([signed(before.0)], build_row)?;
            rows.collect()
        })
    }

    /// The builds with result folders that failed, or did not come to their end, before then: but for the newest build of each package.
    pub fn failed_results(&self, before: Timestamp) -> Result<Vec<BuildRow>, StoreError> {
        let query = "SELECT number, package, chroot, state, started, ended, cause, stages, results FROM builds AS old \
                     WHERE results IS NOT NULL AND state IN ('failed', 'canceled') AND ended < ?1 \
                     AND EXISTS (SELECT 1 FROM builds AS new WHERE new.package = old.package \
                     AND new.chroot = old.chroot AND new.number > old.number)";
        self.run(|connection| {
            let mut statement = connection.prepare(query)?;
            let rows = statement.query_map([signed(before.0)], build_row)?;
            rows.collect()
        })
    }

    /// Forgets where a build's results were.
    pub fn forget_results(&self, number: u64) -> Result<(), StoreError> {
        let statement = "UPDATE builds SET results = NULL WHERE number = ?1";
        self.run(|connection| connection.execute(statement, [signed(number)]).map(drop))
    }

    /// The row of one build, if there is one of that number.
    pub fn build(&self, number: u64) -> Result<Option<BuildRow>, StoreError> {
        let query = "SELECT number, package, chroot, state, started, ended, cause, stages, results FROM builds \
                     WHERE number = ?1";
        self.run(|connection| {
            connection.query_row(query, [signed(number)], |row| self.read_row(row)).optional()
        })
    }
}

/// Opens a database, or makes it.
fn connect(path: &HostPath) -> Result<Connection, StoreError> {
    let damaged = |reason: String| StoreError::DamagedHistory { reason };
    if !are_regular_files(path) {
        return Err(damaged("it is no regular file, or one beside it is none".to_owned()));
    }
    if !has_sound_header(path) {
        return Err(damaged("it does not begin as a database does".to_owned()));
    }
    let connection = Connection::open(path.as_path())?;
    match prepare(&connection) {
        Ok(None) => Ok(connection),
        Ok(Some(reason)) => Err(damaged(reason.to_owned())),
        Err(error) if is_damage(&error) => Err(damaged(error.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Makes the tables where there are none; gives what is wrong with those that are there.
fn prepare(connection: &Connection) -> rusqlite::Result<Option<&'static str>> {
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // In this mode the log is synced before it is taken over, and what is torn at its end is left out: a power cut may
    // cost the newest rows, which an apply does without, and leaves a database.
    connection.pragma_update(None, "synchronous", "normal")?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // The first version had no reasons.
    if version == 0 || version == 1 && defines_only(connection, TABLES)? {
        connection.execute_batch(TABLES)?;
        connection.execute_batch(REASONS)?;
        connection.pragma_update(None, "user_version", VERSION)?;
    } else if version != VERSION {
        return Ok(Some("its tables are of another form"));
    }
    if !defines_only(connection, &[TABLES, REASONS].concat())? {
        return Ok(Some("it defines other things than forge does"));
    }
    let is_sound = (0..MOST_BUILDS).contains(&largest_number(connection)?);
    Ok((!is_sound).then_some("its numbers are beyond what builds can have"))
}

fn number_after(connection: &Connection, number: u64) -> rusqlite::Result<()> {
    if number == 0 {
        return Ok(());
    }
    let changed = connection
        .execute("UPDATE sqlite_sequence SET seq = max(seq, ?1) WHERE name = 'builds'", [signed(number)])?;
    if changed == 0 {
        connection
            .execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('builds', ?1)", [signed(number)])?;
    }
    Ok(())
}

/// Whether each row of a build can be read: an apply reads none of them, and would leave what others stumble over.
fn check_rows(connection: &Connection) -> rusqlite::Result<()> {
    let query = "SELECT number, package, chroot, state, started, ended, cause, stages, results FROM builds";
    let mut statement = connection.prepare(query)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let _: (i64, i64, Option<i64>) = (row.get(0)?, row.get(4)?, row.get(5)?);
        for column in [1, 2, 3, 7] {
            row.get_ref(column)?.as_str()?;
        }
        for column in [6, 8] {
            row.get_ref(column)?.as_str_or_null()?;
        }
    }
    Ok(())
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Encoder;
    use crate::event::State;

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

    fn in_a_folder() -> (tempfile::TempDir, HostPath) {
        let temp = tempfile::tempdir().unwrap();
        let path = HostPath::new(temp.path().join("history.db")).unwrap();
        let history = History::open(&path).unwrap();
        for package in ["a", "b", "c"] {
            let number = history.begin(&name(package), Timestamp(5)).unwrap();
            let ended = BuildRow {
                number,
                build: name(package),
                state: State::Succeeded,
                started: Timestamp(5),
                ended: Some(Timestamp(6)),
                cause: None,
                stages: Vec::new(),
                results: Some(format!("results/host/{number:08}-{package}")),
            };
            history.end(&ended).unwrap();
            let key = Encoder::new("test v1").key();
            let (ingredients, results) = ("{}".to_owned(), ended.results);
            let last = LastBuild { key, ingredients, duration: Duration::ZERO, results };
            history.remember_good(&name(package), &last).unwrap();
        }
        (temp, path)
    }

    /// Everything that an apply and a collection of garbage do.
    fn use_all(history: &History) {
        history.close_abandoned(Timestamp(9)).unwrap();
        history.last_good().unwrap();
        let number = history.begin(&name("d"), Timestamp(10)).unwrap();
        history.builds(None, 100).unwrap();
        for row in history.old_results(Timestamp(20)).unwrap() {
            history.forget_results(row.number).unwrap();
        }
        // It may have gone with a history that was damaged.
        let row = history.build(number).unwrap();
        assert!(row.is_none_or(|row| row.build == name("d")));
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it damages a file")]
    fn no_flipped_bit_stops_the_work() {
        let (_temp, path) = in_a_folder();
        let sound = std::fs::read(path.as_path()).unwrap();
        // Each byte of the header, and some of all pages.
        let places = (0..sound.len()).filter(|at| *at < 120 || at % 197 == 0);
        for at in places {
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << (at % 8);
            let temp = tempfile::tempdir().unwrap();
            let path = HostPath::new(temp.path().join("history.db")).unwrap();
            std::fs::write(path.as_path(), flipped).unwrap();
            use_all(&History::open_or_renew(&path).unwrap());
            use_all(&History::open_or_renew(&path).unwrap());
        }
    }

    /// Expects that who only reads is told that the history is damaged, and that who may begins a new one.
    #[track_caller]
    fn expect_moved_aside(path: &HostPath, reason: &str) {
        let told = History::open(path).and_then(|history| history.builds(None, 100).map(drop)).unwrap_err();
        assert!(
            matches!(&told, StoreError::DamagedHistory { reason: told } if told.contains(reason)),
            "{told}"
        );
        let history = History::open_or_renew(path).unwrap();
        let notes = history.take_notes();
        assert!(notes.len() == 1 && notes[0].contains(reason), "{notes:?}");
        assert!(path.as_path().with_file_name("history.db.damaged-1").symlink_metadata().is_ok());
        use_all(&history);
    }

    #[test]
    fn a_history_with_a_view_or_a_trigger_is_moved_aside() {
        for change in [
            "ALTER TABLE builds RENAME TO b2; CREATE VIEW builds AS SELECT * FROM b2;",
            "CREATE TRIGGER t AFTER INSERT ON builds BEGIN DELETE FROM last_good; END;",
            "ALTER TABLE builds ADD COLUMN more TEXT;",
            "DROP INDEX builds_by_name;",
        ] {
            let (_temp, path) = in_a_folder();
            Connection::open(path.as_path()).unwrap().execute_batch(change).unwrap();
            expect_moved_aside(&path, "it defines other things than forge does");
        }
    }

    #[test]
    fn a_history_of_the_first_version_is_taken_on() {
        let (_temp, path) = in_a_folder();
        let old = Connection::open(path.as_path()).unwrap();
        old.execute_batch("DROP TABLE reasons; PRAGMA user_version = 1").unwrap();
        drop(old);
        let history = History::open(&path).unwrap();
        assert_eq!(history.builds(None, 9).unwrap().len(), 3);
        history.remember_reasons(3, "[]").unwrap();
        assert_eq!((history.reasons(3).unwrap().as_deref(), history.reasons(2).unwrap()), (Some("[]"), None));
    }

    #[test]
    fn a_history_with_a_row_that_can_not_be_read_is_moved_aside() {
        for change in [
            "UPDATE builds SET cause = zeroblob(9) WHERE number = 1",
            "UPDATE builds SET started = 'never' WHERE number = 2",
            "UPDATE builds SET package = CAST(x'ff' AS TEXT) WHERE number = 2",
        ] {
            let (_temp, path) = in_a_folder();
            Connection::open(path.as_path()).unwrap().execute_batch(change).unwrap();
            expect_moved_aside(&path, "");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it replaces a file by a pipe")]
    fn a_pipe_in_the_place_of_a_history_is_moved_aside() {
        for name in ["history.db", "history.db-wal"] {
            let (temp, path) = in_a_folder();
            let pipe = temp.path().join(name);
            let _ = std::fs::remove_file(&pipe);
            let kind = rustix::fs::FileType::Fifo;
            rustix::fs::mknodat(rustix::fs::CWD, &pipe, kind, 0o600.into(), 0).unwrap();
            expect_moved_aside(&path, "it is no regular file");
        }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "it damages a file")]
    fn a_damaged_history_is_moved_aside_and_its_numbers_are_not_given_again() {
        let (_temp, path) = in_a_folder();
        let mut bytes = std::fs::read(path.as_path()).unwrap();
        bytes[0] = b'X';
        std::fs::write(path.as_path(), &bytes).unwrap();
        assert!(matches!(History::open(&path), Err(StoreError::DamagedHistory { .. })));
        let history = History::open_or_renew(&path).unwrap();
        let notes = history.take_notes();
        assert!(notes.len() == 1 && notes[0].contains("history.db.damaged-1"), "{notes:?}");
        assert!(history.is_new().unwrap() && history.take_notes().is_empty());
        history.number_after(7).unwrap();
        assert_eq!(history.begin(&name("a"), Timestamp(1)).unwrap(), 8);
        let aside = path.as_path().with_file_name("history.db.damaged-1");
        assert_eq!(std::fs::read(aside).unwrap(), bytes);
    }
}
