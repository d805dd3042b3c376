//! What is done with a history that was damaged: it is moved aside, and a new one is begun.
//!
//! No apply stops for its history: what it knows beyond the store is for people, and for saying why something is built.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use crate::files::{Folder, HostPath};

/// Files that SQLite keeps beside a database, by what is added to its name.
const BESIDE: [&str; 2] = ["-wal", "-shm"];

/// The largest number that a build can have: beyond it somebody, or a broken disk, has written into the file.
pub(super) const MOST_BUILDS: i64 = 1 << 50;

/// Whether an error says that the file is not what it was, and not that the disk is full or another forge has it.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        // A row whose columns are of other types, or no text: SQLite itself found nothing wrong.
        return true;
    };
    match failure.code {
        ErrorCode::SystemIoFailure => failure.extended_code == rusqlite::ffi::SQLITE_IOERR_SHORT_READ,
        ErrorCode::DatabaseBusy
        | ErrorCode::DatabaseLocked
        | ErrorCode::DiskFull
        | ErrorCode::CannotOpen
        | ErrorCode::PermissionDenied
        | ErrorCode::ReadOnly
        | ErrorCode::OutOfMemory
        | ErrorCode::OperationInterrupted
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::NoLargeFileSupport => false,
        ErrorCode::InternalMalfunction
        | ErrorCode::OperationAborted
        | ErrorCode::DatabaseCorrupt
        | ErrorCode::NotFound
        | ErrorCode::SchemaChanged
        | ErrorCode::TooBig
        | ErrorCode::ConstraintViolation
        | ErrorCode::TypeMismatch
        | ErrorCode::ApiMisuse
        | ErrorCode::AuthorizationForStatementDenied
        | ErrorCode::ParameterOutOfRange
        | ErrorCode::NotADatabase
        | ErrorCode::Unknown
        | _ => true,
    }
}

/// Whether a file begins as SQLite's databases do (<https://www.sqlite.org/fileformat.html>, 1.3). SQLite itself takes a
/// flipped bit there for another version of its format, and a database for one that can't be written.
pub(super) fn has_sound_header(path: &HostPath) -> bool {
    let mut header = Vec::new();
    let read = open_beside(path).and_then(|(folder, name)| {
        let file = folder.open_regular(name)?;
        file.take(100).read_to_end(&mut header)
    });
    // One that is not there yet, or in which nothing was ever written, is begun.
    if read.is_err() || header.is_empty() {
        return true;
    }
    let number =
        |at: usize| header.get(at..at + 4).map(|bytes| bytes.iter().fold(0, |n, b| n << 8 | u32::from(*b)));
    header.starts_with(b"SQLite format 3\0")
        && header.get(18..24).is_some_and(|bytes| matches!(bytes, [1 | 2, 1 | 2, 0, 64, 32, 32]))
        && number(44).is_some_and(|format| format <= 4)
        && number(56).is_some_and(|encoding| encoding <= 1)
}

/// Whether a database and what SQLite keeps beside it are regular files, as far as they are there: a pipe would be waited
/// for without end.
pub(super) fn are_regular_files(path: &HostPath) -> bool {
    let Ok((folder, name)) = open_beside(path) else {
        return true;
    };
    let is_regular = |name: String| match folder.open_regular(name) {
        Ok(_) => true,
        Err(error) => error.kind() != io::ErrorKind::InvalidInput,
    };
    [""].iter().chain(&BESIDE).all(|beside| is_regular(format!("{name}{beside}")))
}

/// All that a database defines, with the blanks of its texts made one.
fn definitions(connection: &Connection) -> rusqlite::Result<BTreeSet<[String; 3]>> {
    let query = "SELECT type, name, coalesce(sql, '') FROM sqlite_schema";
    let mut statement = connection.prepare(query)?;
    let rows = statement.query_map([], |row| {
        let sql: String = row.get(2)?;
        Ok([row.get(0)?, row.get(1)?, sql.split_whitespace().collect::<Vec<_>>().join(" ")])
    })?;
    rows.collect()
}

/// Whether a database defines what `tables` do, and nothing else: a view in the place of a table or a trigger on one would
/// have SQLite do what somebody else wants.
pub(super) fn defines_only(connection: &Connection, tables: &str) -> rusqlite::Result<bool> {
    let ours = Connection::open_in_memory()?;
    ours.execute_batch(tables)?;
    Ok(definitions(connection)? == definitions(&ours)?)
}

/// The largest number that a build was given.
pub(super) fn largest_number(connection: &Connection) -> rusqlite::Result<i64> {
    let query = "SELECT max(coalesce((SELECT max(number) FROM builds), 0), \
                 coalesce((SELECT max(seq) FROM sqlite_sequence WHERE name = 'builds'), 0))";
    connection.query_row(query, [], |row| row.get(0))
}

/// Moves a database and what belongs to it aside; gives its new name.
pub(super) fn set_aside(path: &HostPath) -> std::io::Result<String> {
    let (folder, name) = open_beside(path)?;
    let mut number = 1;
    while folder.exists(format!("{name}.damaged-{number}")) {
        number += 1;
    }
    let aside = format!("{name}.damaged-{number}");
    for beside in BESIDE {
        let old = format!("{name}{beside}");
        if folder.exists(&old) {
            folder.dir().rename(old, folder.dir(), format!("{aside}{beside}"))?;
        }
    }
    folder.dir().rename(&name, folder.dir(), &aside)?;
    folder.sync()?;
    Ok(aside)
}

fn open_beside(path: &HostPath) -> std::io::Result<(Folder, String)> {
    let parent = path.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let name = path.as_path().file_name().unwrap_or(Path::new("").as_os_str());
    Ok((Folder::open_ambient(&parent)?, name.to_string_lossy().into_owned()))
}
