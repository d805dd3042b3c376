//! The packages that the root has: its rpm database (rpmdb(8)), read directly where it is one of SQLite, by the root's own
//! rpm where it is not.

use bstr::{BString, ByteSlice};
use rusqlite::{Connection, OpenFlags, params};

use super::problem::BuildProblem;
use super::world::World;
use crate::macros::Stop;
use crate::package::{Capability, Dependency, Header, Tag, decode_header};

/// The packages of a root.
pub(super) enum Database {
    /// There is none.
    Empty,
    /// One that is read here.
    Sqlite(Connection),
    /// One that the root's rpm reads: what each package provides, files included.
    Listed(Vec<Vec<Dependency>>),
}

/// What separates packages in what the root's rpm lists.
const PACKAGE_END: &str = "-";

impl Database {
    /// Opens the database that `%_dbpath` names.
    pub(super) fn open(world: &World<'_>) -> Result<Self, Stop> {
        let folder = String::from_utf8_lossy(&world.expand("%{?_dbpath}")?).into_owned();
        if folder.is_empty() {
            return Ok(Self::Empty);
        }
        let path = format!("{folder}/rpmdb.sqlite");
        if !world.macros.exists(path.as_bytes()) {
            return Self::listed(world, &folder);
        }
        let failed = |error: rusqlite::Error| {
            world.fail(BuildProblem::Database { path: folder.clone(), reason: error.to_string() })
        };
        let connection = open(&path).map_err(failed)?;
        Ok(Self::Sqlite(connection))
    }

    /// What the root's rpm says of a database of another kind.
    fn listed(world: &World<'_>, folder: &str) -> Result<Self, Stop> {
        const OTHERS: [&str; 3] = ["Packages", "Packages.db", "Index.db"];
        let is_there = |name: &&str| world.macros.exists(format!("{folder}/{name}").as_bytes());
        if !OTHERS.iter().any(is_there) {
            return Ok(Self::Empty);
        }
        let format = "[%{PROVIDENAME} %{PROVIDEFLAGS} %{PROVIDEVERSION}\\n][%{FILENAMES}\\n]-\\n";
        let words = ["rpm", "--dbpath", folder, "-qa", "--qf", format].map(|word| word.as_bytes().to_vec());
        let failed = |reason: String| world.fail(BuildProblem::Database { path: folder.to_owned(), reason });
        match world.macros.filter(&words, b"") {
            Ok((0, output)) => Ok(Self::Listed(listed(&output.to_str_lossy()))),
            Ok((code, _)) => Err(failed(format!("the root's rpm ended with {code}"))),
            Err(error) => Err(failed(crate::files::reason(&error))),
        }
    }

    /// Whether there is any package.
    pub(super) fn has_packages(&self) -> bool {
        match self {
            Self::Empty => false,
            Self::Listed(packages) => !packages.is_empty(),
            Self::Sqlite(connection) => {
                let any = "SELECT EXISTS (SELECT 1 FROM Packages)";
                connection.query_row(any, [], |row| row.get::<_, bool>(0)).unwrap_or(false)
            }
        }
    }

    /// What the packages provide that have one of these capabilities, each package its own.
    pub(super) fn providers(&self, capabilities: &[&Capability]) -> Vec<Vec<Dependency>> {
        match self {
            Self::Empty => Vec::new(),
            Self::Listed(packages) => packages.clone(),
            Self::Sqlite(connection) => {
                let all = capabilities.iter().map(|wanted| &wanted.name);
                all.flat_map(|name| providers(connection, name).unwrap_or_default()).collect()
            }
        }
    }
}

/// Opens a database for reading; what it holds beside itself can't be read where nobody may write, and then is not.
fn open(path: &str) -> rusqlite::Result<Connection> {
    let flags =
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let works = |connection: &Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0)).is_ok()
    };
    if let Ok(connection) = Connection::open_with_flags(path, flags)
        && works(&connection)
    {
        return Ok(connection);
    }
    let connection = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags)?;
    connection.query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get::<_, i64>(0))?;
    Ok(connection)
}

fn listed(output: &str) -> Vec<Vec<Dependency>> {
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
fn providers(connection: &Connection, name: &BString) -> rusqlite::Result<Vec<Vec<Dependency>>> {
    let by_name = "SELECT DISTINCT hnum FROM Providename WHERE key = ?1";
    let by_file = "SELECT DISTINCT hnum FROM Basenames WHERE key = ?1";
    let text = name.to_str_lossy();
    let mut numbers = numbers(connection, by_name, &text)?;
    let file = name.starts_with(b"/").then(|| text.rsplit('/').next().unwrap_or_default());
    if let Some(file) = file {
        numbers.extend(self::numbers(connection, by_file, file)?);
    }
    numbers.sort_unstable();
    numbers.dedup();
    let mut packages = Vec::new();
    for number in numbers {
        let blob = "SELECT blob FROM Packages WHERE hnum = ?1";
        let bytes: Vec<u8> = connection.query_row(blob, params![number], |row| row.get(0))?;
        if let Some(header) = decode_header(&bytes) {
            packages.push(provided(&header, name));
        }
    }
    Ok(packages)
}

/// Keys of rpm's tables are texts stored as blobs, or as texts.
fn numbers(connection: &Connection, query: &str, key: &str) -> rusqlite::Result<Vec<i64>> {
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
fn provided(header: &Header, file: &BString) -> Vec<Dependency> {
    let names = header.texts(Tag::known("PROVIDENAME"));
    let versions = header.texts(Tag::known("PROVIDEVERSION"));
    let flags = header.numbers(Tag::known("PROVIDEFLAGS"));
    let all = names.iter().zip(versions).zip(flags).map(|((name, version), flags)| {
        let flags = u32::try_from(*flags).unwrap_or(0);
        Dependency::from_fields(&name.to_str_lossy(), flags, &version.to_str_lossy())
    });
    let files = file_names(header).any(|path| path == *file).then(|| Dependency::any(file.to_str_lossy()));
    all.chain(files).collect()
}

fn file_names(header: &Header) -> impl Iterator<Item = BString> {
    let folders = header.texts(Tag::known("DIRNAMES"));
    let names = header.texts(Tag::known("BASENAMES")).iter().zip(header.numbers(Tag::known("DIRINDEXES")));
    names.filter_map(|(name, folder)| {
        let folder = folders.get(usize::try_from(*folder).ok()?)?;
        Some([folder.as_slice(), name].concat().into())
    })
}
