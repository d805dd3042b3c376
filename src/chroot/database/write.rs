//! `rpmdb.sqlite`, written in memory.

use std::io::Read;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, MAIN_DB, ToSql, params};

use super::DatabaseError;
use super::index::{INDICES, Index, Keys, Values};
use super::installed::{InstallTransaction, InstalledPackage};

/// Where the head of a file says how it is written: 1 by a journal that is gone when all is well, 2 by a write-ahead log
/// (SQLite's file format, bytes 18 and 19).
const JOURNAL_KIND: std::ops::Range<usize> = 18..20;

/// What makes writing quick that nobody else sees: there is nothing to go back to but the beginning.
const IN_MEMORY: &str = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF;";

/// The bytes of the database that has these packages, installed in this order, after those of `base`.
///
/// # Errors
/// A package that no database takes, or a `base` that is none.
pub fn write_database(
    base: Option<&[u8]>,
    packages: &[InstalledPackage<'_>],
    transaction: &InstallTransaction,
) -> Result<Vec<u8>, DatabaseError> {
    let mut connection = match base {
        Some(base) => open_database(base)?,
        None => Connection::open_in_memory()?,
    };
    connection.execute_batch(IN_MEMORY)?;
    connection.execute_batch("BEGIN")?;
    make_tables(&connection)?;
    add_packages(&connection, packages, transaction)?;
    // After the rows: an index that is made of all of them at once takes less time and less room.
    make_indices(&connection)?;
    connection.execute_batch("COMMIT")?;
    let bytes = connection.serialize(MAIN_DB)?;
    Ok(bytes.to_vec())
}

/// Opens the bytes of a database in memory.
pub(super) fn open_database(bytes: &[u8]) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open_in_memory()?;
    let before = bytes.get(..JOURNAL_KIND.start).unwrap_or(bytes);
    let kind = bytes.get(JOURNAL_KIND).map_or(&[][..], |_| &[1, 1]);
    let after = bytes.get(JOURNAL_KIND.end..).unwrap_or_default();
    // Without a copy of its own of what may be many megabytes.
    let content = before.chain(kind).chain(after);
    connection.deserialize_read_exact(MAIN_DB, content, bytes.len(), false)?;
    Ok(connection)
}

fn make_tables(connection: &Connection) -> rusqlite::Result<()> {
    let packages =
        "CREATE TABLE IF NOT EXISTS 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL)";
    connection.execute(packages, [])?;
    INDICES.iter().try_for_each(|Index { table, keys, .. }| {
        let kind = match keys {
            Keys::Text => "TEXT",
            Keys::Bytes => "BLOB",
        };
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS '{table}' (key '{kind}' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL, \
             FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum))"
        );
        connection.execute(&sql, []).map(drop)
    })
}

fn make_indices(connection: &Connection) -> rusqlite::Result<()> {
    for Index { table, keys, values, .. } in &INDICES {
        let by_key = (*keys == Keys::Text).then_some("key");
        let by_package = (*keys == Keys::Text && *values == Values::Several).then_some("hnum");
        for column in by_key.into_iter().chain(by_package) {
            let sql = format!("CREATE INDEX IF NOT EXISTS '{table}_{column}_idx' ON '{table}'({column} ASC)");
            connection.execute(&sql, [])?;
        }
    }
    Ok(())
}

fn add_packages(
    connection: &Connection,
    packages: &[InstalledPackage<'_>],
    transaction: &InstallTransaction,
) -> Result<(), DatabaseError> {
    let mut first = connection.prepare("INSERT INTO 'Packages' VALUES(NULL, ?1)")?;
    let mut numbered = Vec::new();
    for package in packages {
        first.execute(params![package.encode(transaction)?])?;
        numbered.push((connection.last_insert_rowid(), package));
    }
    // Table by table: their pages come one after the other.
    for index in &INDICES {
        let mut insert = connection.prepare(&format!("INSERT INTO '{}' VALUES(?1, ?2, ?3)", index.table))?;
        for (number, package) in &numbered {
            for (key, place) in index.rows(package.headers, transaction.time) {
                insert.execute(params![Key(index.keys, &key), number, place])?;
            }
        }
    }
    Ok(())
}

/// A key as its index has it. Texts need not be UTF-8: rpm asks for nothing of the kind.
struct Key<'k>(Keys, &'k [u8]);

impl ToSql for Key<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let Self(kind, bytes) = self;
        Ok(ToSqlOutput::Borrowed(match kind {
            Keys::Text => ValueRef::Text(bytes),
            Keys::Bytes => ValueRef::Blob(bytes),
        }))
    }
}
