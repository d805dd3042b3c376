//! The packages that the root has: its rpm database (rpmdb(8)), read directly where it is one of SQLite, by the root's own
//! rpm where it is not.

use bstr::{BString, ByteSlice};
use rusqlite::types::Type;
use rusqlite::{Connection, OpenFlags, params};

use super::super::problem::BuildProblem;
use super::super::world::World;
use crate::files::HostPath;
use crate::macros::Stop;
use crate::package::{Capability, Dependency, Header, Tag, decode_header};

/// The packages of a root.
pub(crate) enum Database {
    /// There is none.
    Empty,
    /// One that is read here, with its folder.
    Sqlite(Connection, String),
    /// One that the root's rpm reads: what each package provides, files included.
    Listed(Vec<Vec<Dependency>>),
}

/// What separates packages in what the root's rpm lists.
const PACKAGE_END: &str = "-";

impl Database {
    /// Opens the database that `%_dbpath` names.
    pub(crate) fn open(world: &World<'_>) -> Result<Self, Stop> {
        let folder = String::from_utf8_lossy(&world.expand("%{?_dbpath}")?).into_owned();
        if folder.is_empty() {
            return Ok(Self::Empty);
        }
        let path = format!("{folder}/rpmdb.sqlite");
        if !world.macros.exists(path.as_bytes()) {
            return Self::ask_rpm(world, &folder);
        }
        let failed = |error: rusqlite::Error| {
            world.fail(BuildProblem::Database { path: folder.clone(), reason: error.to_string() })
        };
        let path = world.files.checked_path(path.as_ref()).map_err(|error| {
            world.fail(BuildProblem::Database { path: folder.clone(), reason: crate::files::reason(&error) })
        })?;
        let connection = open_database(&path).map_err(failed)?;
        Ok(Self::Sqlite(connection, folder))
    }

    /// Asks the root's rpm about a database of another kind.
    fn ask_rpm(world: &World<'_>, folder: &str) -> Result<Self, Stop> {
        const OTHERS: [&str; 3] = ["Packages", "Packages.db", "Index.db"];
        let is_there = |name: &&str| world.macros.exists(format!("{folder}/{name}").as_bytes());
        if !OTHERS.iter().any(is_there) {
            return Ok(Self::Empty);
        }
        let format = "[%{PROVIDENAME} %{PROVIDEFLAGS} %{PROVIDEVERSION}\\n][%{FILENAMES}\\n]-\\n";
        let words = ["rpm", "--dbpath", folder, "-qa", "--qf", format].map(|word| word.as_bytes().to_vec());
        let failed = |reason: String| world.fail(BuildProblem::Database { path: folder.to_owned(), reason });
        match world.macros.filter(&words, b"") {
            Ok((0, output)) => Ok(Self::Listed(read_list(&output.to_str_lossy()))),
            Ok((code, _)) => Err(failed(format!("the root's rpm ended with {code}"))),
            Err(error) => Err(failed(crate::files::reason(&error))),
        }
    }

    /// Whether there is any package.
    pub(crate) fn has_packages(&self, world: &World<'_>) -> Result<bool, Stop> {
        match self {
            Self::Empty => Ok(false),
            Self::Listed(packages) => Ok(!packages.is_empty()),
            Self::Sqlite(connection, folder) => {
                let any = "SELECT EXISTS (SELECT 1 FROM Packages)";
                let found = connection.query_row(any, [], |row| row.get::<_, bool>(0));
                found.map_err(|error| fail_unreadable(world, folder, &error))
            }
        }
    }

    /// What the packages provide that have one of these capabilities, each package its own.
    pub(crate) fn find_providers(
        &self,
        world: &World<'_>,
        capabilities: &[&Capability],
    ) -> Result<Vec<Vec<Dependency>>, Stop> {
        match self {
            Self::Empty => Ok(Vec::new()),
            Self::Listed(packages) => Ok(packages.clone()),
            Self::Sqlite(connection, folder) => {
                let mut all = Vec::new();
                for wanted in capabilities {
                    let found = find_providers(connection, &wanted.name);
                    all.extend(found.map_err(|error| fail_unreadable(world, folder, &error))?);
                }
                Ok(all)
            }
        }
    }
}

/// A database that was opened, and is damaged all the same.
fn fail_unreadable(world: &World<'_>, folder: &str, error: &rusqlite::Error) -> Stop {
    world.fail(BuildProblem::Database { path: folder.to_owned(), reason: error.to_string() })
}

/// Opens a database for reading; what it holds beside itself can't be read where nobody may write, and then is not.
fn open_database(path: &HostPath) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let works = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0)).is_ok()
    };
    if let Ok(connection) = Connection::open_with_flags(path.as_path(), flags)
        && works(&connection)
    {
        return Ok(connection);
    }
    let connection = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

/// Reads what the root's rpm lists of all packages.
fn read_list(output: &str) -> Vec<Vec<Dependency>> {
    let package = |lines: &[&str]| {
        let dependency = |line: &&str| match line.split(' ').collect::<Vec<_>>().as_slice() {
            [name, flags, version] if !name.starts_with('/') => {
                Dependency::from_fields(name, flags.parse().unwrap_or(0), version)
            }
            _ => Dependency::any(*line),
        };
        lines.iter().map(dependency).collect()
    };
    let lines: Vec<&str> = output.lines().collect();
    lines.split(|line| *line == PACKAGE_END).filter(|lines| !lines.is_empty()).map(package).collect()
}

/// The packages that provide a name, or have a file.
fn find_providers(connection: &Connection, name: &BString) -> rusqlite::Result<Vec<Vec<Dependency>>> {
    let by_name = "SELECT DISTINCT hnum FROM Providename WHERE key = ?1";
    let by_file = "SELECT DISTINCT hnum FROM Basenames WHERE key = ?1";
    let text = name.to_str_lossy();
    let mut numbers = find_numbers(connection, by_name, &text)?;
    let file = name.starts_with(b"/").then(|| text.rsplit('/').next().unwrap_or_default());
    if let Some(file) = file {
        numbers.extend(find_numbers(connection, by_file, file)?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut packages = Vec::new();
    for number in numbers {
        let blob = "SELECT blob FROM Packages WHERE hnum = ?1";
        let bytes: Vec<u8> = connection.query_row(blob, params![number], |row| row.get(0))?;
        let broken = || rusqlite::Error::InvalidColumnType(0, format!("header {number}"), Type::Blob);
        let header = decode_header(&bytes).ok_or_else(broken)?;
        packages.push(list_provided(&header, name));
    }
    Ok(packages)
}

/// Finds the packages of a key. Keys of rpm's tables are texts stored as blobs, or as texts.
fn find_numbers(connection: &Connection, query: &str, key: &str) -> rusqlite::Result<Vec<i64>> {
    let mut statement = connection.prepare_cached(query)?;
    let mut all = Vec::new();
    for found in statement.query_map(params![key], |row| row.get(0))? {
        all.push(found?);
    }
    if all.is_empty() {
        for found in statement.query_map(params![key.as_bytes()], |row| row.get(0))? {
            all.push(found?);
        }
    }
    Ok(all)
}

/// What a package provides, and the file, if it is that one.
fn list_provided(header: &Header, file: &BString) -> Vec<Dependency> {
    let names = header.texts(Tag::PROVIDENAME);
    let versions = header.texts(Tag::PROVIDEVERSION);
    let flags = header.numbers(Tag::PROVIDEFLAGS);
    let all = names.iter().zip(versions).zip(flags).map(|((name, version), flags)| {
        let flags = u32::try_from(*flags).unwrap_or(0);
        Dependency::from_fields(&name.to_str_lossy(), flags, &version.to_str_lossy())
    });
    let files = list_files(header).any(|path| path == *file).then(|| Dependency::any(file.to_str_lossy()));
    all.chain(files).collect()
}

fn list_files(header: &Header) -> impl Iterator<Item = BString> {
    let folders = header.texts(Tag::DIRNAMES);
    let names = header.texts(Tag::BASENAMES).iter().zip(header.numbers(Tag::DIRINDEXES));
    names.filter_map(|(name, folder)| {
        let folder = folders.get(usize::try_from(*folder).ok()?)?;
        Some([folder.as_slice(), name].concat().into())
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::rc::Rc;

    use super::*;
    use crate::engine::Installed;
    use crate::engine::native::build::RootFiles;
    use crate::engine::native::build::read::find_installed;
    use crate::macros::{Level, Limits, Macros, Origin, SystemHost, Table};

    /// What is known of a root whose database these statements make.
    fn known_of(statements: &str) -> Installed {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("rpmdb.sqlite")).unwrap();
        connection.execute_batch(statements).unwrap();
        let host = SystemHost::new(std::collections::BTreeMap::new(), |_| {}).unwrap();
        let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
        let definition = format!("_dbpath {}", folder.path().display());
        macros.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("test")).unwrap();
        find_installed(&macros, &RootFiles::open().unwrap(), &BTreeSet::from(["a".to_owned()]))
    }

    #[test]
    fn a_database_that_lacks_a_table_or_holds_no_headers_is_told_and_not_taken_for_an_empty_one() {
        let packages = "CREATE TABLE Packages (hnum INTEGER PRIMARY KEY, blob BLOB);";
        let names = "CREATE TABLE Providename (key TEXT, hnum INTEGER, idx INTEGER);";
        let one = "INSERT INTO Packages VALUES (1, x'00');";
        let entry = "INSERT INTO Providename VALUES ('a', 1, 0);";
        for statements in [
            "CREATE TABLE Other (key TEXT);".to_owned(),
            format!("{packages}{one}"),
            format!("{packages}{one}{names}{entry}"),
        ] {
            match known_of(&statements) {
                Installed::Unknown(reason) => assert!(reason.contains("Packages database"), "{reason}"),
                known @ (Installed::Packages(_) | Installed::NoPackages) => panic!("{statements}: {known:?}"),
            }
        }
        assert!(matches!(known_of(packages), Installed::NoPackages));
        assert!(
            matches!(known_of(&format!("{packages}{one}{names}")), Installed::Packages(all) if all.is_empty())
        );
    }
}
