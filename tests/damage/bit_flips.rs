//! One bit flips in a file of the store, of the repository or of the project's state, or in a value of the history, and no
//! time of any file changes with it. After `forge apply --verify-published` the repository is the one that it was, or forge says by name what is
//! damaged. What was damaged in the store gets into no repository that is published from it, and into no build.
//!
//! The default run takes a sample of all flips; `FORGE_TEST_BIT_FLIPS=all` takes all, a number as many.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use crate::failures::{Failures, sample};
use crate::repository_client::Listed;
use crate::simulation::{Machine, Mount, PROJECT, Said, Tree, in_own_mounts, read_repository, release_again};

/// How many flips the default run takes.
const SAMPLE: usize = 40;

/// In how many places of one file a bit is flipped, each in another disk.
const IN_ONE_FILE: usize = 3;

/// And of the history, which is one file of many parts.
const IN_THE_HISTORY: usize = 64;

const HISTORY: &str = "project/.forge/history.db";

/// One bit, somewhere.
#[derive(Clone, Debug)]
enum Flip {
    File { path: PathBuf, bit: usize },
    Value { table: String, row: Vec<(String, Value)>, column: usize },
}

/// An applied project, and what it publishes now and after a new release of `libtext`.
struct Applied {
    disk: Tree,
    published: Listed,
    next: Listed,
}

/// How forge came to terms with a flip.
enum Outcome {
    Same,
    Named,
}

/// How often it did which.
#[derive(Default)]
struct Count {
    same: usize,
    named: usize,
}

impl fmt::Display for Flip {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, bit } => write!(formatter, "bit {bit} of {}", path.display()),
            Self::Value { table, row, column } => {
                let (name, value) = &row[*column];
                write!(formatter, "{name} of {table}: {value:?} becomes {:?}", flipped(value))
            }
        }
    }
}

impl Flip {
    /// All that are tried on a disk.
    fn all(disk: &Tree) -> Vec<Self> {
        let store = disk.files("cache/rpmforge").into_iter();
        let repository = disk.files("project/public").into_iter();
        let results = Path::new("project/.forge/results");
        let state = disk.files("project/.forge").into_iter().filter(|path| !path.starts_with(results));
        let files = store.chain(repository).chain(state);
        let mut flips: Vec<Self> = files.flat_map(|path| Self::in_file(disk, &path)).collect();
        flips.extend(Self::in_values(disk.read(HISTORY).unwrap()));
        flips
    }

    fn in_file(disk: &Tree, path: &Path) -> Vec<Self> {
        let bits = disk.read(path).unwrap_or_default().len() * 8;
        let places = if path == Path::new(HISTORY) { IN_THE_HISTORY } else { IN_ONE_FILE };
        let part = bits / places;
        // Somewhere in each part, spread over the eight bits of a byte; an empty file has none.
        let bit = |at: usize| at * part + (part / 3 + path.as_os_str().len() + 3 * at) % part;
        (0..places)
            .filter(|_| part > 0)
            .map(|at| Self::File { path: path.to_owned(), bit: bit(at) })
            .collect()
    }

    fn in_values(history: &[u8]) -> Vec<Self> {
        let temp = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(temp.path(), history).unwrap();
        let connection = Connection::open(temp.path()).unwrap();
        let mut flips = Vec::new();
        for table in tables(&connection) {
            for row in rows(&connection, &table) {
                let columns = (0..row.len()).filter(|at| flipped(&row[*at].1).is_some());
                flips.extend(columns.map(|column| Self::Value {
                    table: table.clone(),
                    row: row.clone(),
                    column,
                }));
            }
        }
        flips
    }

    /// The disk with the bit flipped.
    fn carry_out(&self, disk: &Tree) -> Tree {
        let mut disk = disk.clone();
        match self {
            Self::File { path, bit } => {
                let mut data = disk.read(path).unwrap().to_vec();
                data[bit / 8] ^= 1 << (bit % 8);
                disk.replace_silently(path, data);
            }
            Self::Value { table, row, column } => {
                let history = with_value_flipped(disk.read(HISTORY).unwrap(), table, row, *column);
                disk.replace_silently(HISTORY, history);
            }
        }
        disk
    }

    /// Whether a failure's words tell what is damaged: the file, or the package that it is a copy of.
    fn is_named_in(&self, text: &str, undamaged: &Tree) -> bool {
        let Self::File { path, .. } = self else {
            return text.contains("history.db");
        };
        let content = undamaged.read(path);
        let packages = undamaged.files("project/public").into_iter();
        let copies = packages.filter(|package| undamaged.read(package) == content);
        let mut names = copies.chain([path.clone()]).filter_map(|path| Some(path.file_name()?.to_owned()));
        names.any(|name| text.contains(&*name.to_string_lossy()))
    }

    /// Whether it lies in the repository, whose files forge reads again only when told to.
    fn is_in_repository(&self) -> bool {
        match self {
            Self::File { path, .. } => path.starts_with("project/public"),
            Self::Value { .. } => false,
        }
    }
}

fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
    let mut statement = connection.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

fn rows(connection: &Connection, table: &str) -> Vec<Vec<(String, Value)>> {
    let mut statement = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let read = |row: &rusqlite::Row<'_>| {
        columns.iter().enumerate().map(|(at, name)| Ok((name.clone(), row.get(at)?))).collect()
    };
    statement.query_map([], read).unwrap().map(Result::unwrap).collect()
}

/// A value with one bit flipped, text as bytes; `NULL` and what is empty have none.
fn flipped(value: &Value) -> Option<Value> {
    let flip_byte = |mut bytes: Vec<u8>| {
        let at = bytes.len() / 2;
        *bytes.get_mut(at)? ^= 1 << (at % 8);
        Some(Value::Blob(bytes))
    };
    match value {
        Value::Null => None,
        Value::Integer(number) => Some(Value::Integer(number ^ 4)),
        Value::Real(number) => Some(Value::Real(f64::from_bits(number.to_bits() ^ (1 << 40)))),
        Value::Text(text) => flip_byte(text.clone().into_bytes()),
        Value::Blob(bytes) => flip_byte(bytes.clone()),
    }
}

fn with_value_flipped(history: &[u8], table: &str, row: &[(String, Value)], column: usize) -> Vec<u8> {
    let temp = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(temp.path(), history).unwrap();
    let connection = Connection::open(temp.path()).unwrap();
    let (name, value) = &row[column];
    // Text that is no UTF-8 any more is text still.
    let new = if matches!(value, Value::Text(_)) { "CAST(? AS TEXT)" } else { "?" };
    let same: Vec<String> = row.iter().map(|(name, _)| format!("{name} IS ?")).collect();
    let sql = format!("UPDATE {table} SET {name} = {new} WHERE {}", same.join(" AND "));
    let values = flipped(value).into_iter().chain(row.iter().map(|(_, value)| value.clone()));
    assert_eq!(connection.execute(&sql, params_from_iter(values)).unwrap(), 1, "{sql}");
    connection.close().unwrap();
    std::fs::read(temp.path()).unwrap()
}

impl Applied {
    fn make(machine: &Machine) -> Self {
        let disk = {
            let mount = machine.mount(machine.new_disk());
            machine.succeed(&["apply"]);
            mount.tree()
        };
        let mount = machine.mount(disk.clone());
        release_again(machine, "text/libtext.spec");
        machine.succeed(&["apply"]);
        let next = read_repository(&mount.tree()).unwrap();
        let published = read_repository(&disk).unwrap();
        assert!(published.len() >= 14 && next.len() >= 14 && published != next, "{published:#?}");
        Self { disk, published, next }
    }

    /// Lets forge come upon the damage in three ways: told to look for it, publishing from the store, and building with
    /// what is in the store.
    fn check(&self, machine: &Machine, flip: &Flip, count: &mut Count) -> Result<(), String> {
        let damaged = flip.carry_out(&self.disk);
        let run = |arguments: &[&str], wanted: &Listed, mount: &Mount| {
            let said = machine.forge(arguments);
            self.judge(flip, &said, &mount.tree(), wanted)
                .map_err(|problem| format!("{arguments:?}: {problem}"))
        };
        {
            let mount = machine.mount(damaged.clone());
            count.add(run(&["apply", "--verify-published"], &self.published, &mount)?);
            std::fs::remove_dir_all(machine.path().join(PROJECT).join("public")).unwrap();
            count.add(run(&["apply"], &self.published, &mount)?);
        }
        if !flip.is_in_repository() {
            let mount = machine.mount(damaged);
            release_again(machine, "text/libtext.spec");
            count.add(run(&["apply"], &self.next, &mount)?);
        }
        Ok(())
    }

    /// The right repository with exit 0, or exit 1 with the name of what is damaged; never a wrong file.
    fn judge(&self, flip: &Flip, said: &Said, disk: &Tree, wanted: &Listed) -> Result<Outcome, String> {
        let Said { code, text } = said;
        match (code, read_repository(disk)) {
            (_, Err(problem)) => Err(format!("exit {code:?} and clients meet: {problem}")),
            (Some(0), Ok(listed)) if listed == *wanted => Ok(Outcome::Same),
            (Some(0), Ok(listed)) => Err(format!("exit 0 with another repository: {:?}", listed.keys())),
            (Some(1), Ok(_)) if flip.is_named_in(text, &self.disk) => Ok(Outcome::Named),
            (Some(1), Ok(_)) => Err(format!("exit 1 without the name of what is damaged: {text}")),
            (code, Ok(_)) => Err(format!("exit {code:?}: {text}")),
        }
    }
}

impl Count {
    fn add(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Same => self.same += 1,
            Outcome::Named => self.named += 1,
        }
    }
}

#[test]
fn a_flipped_bit_is_healed_or_named_and_gets_into_no_repository() {
    if !in_own_mounts("bit_flips::a_flipped_bit_is_healed_or_named_and_gets_into_no_repository") {
        return;
    }
    let machine = Machine::new();
    let applied = Applied::make(&machine);
    let flips = Flip::all(&applied.disk);
    let selected = sample(&flips, "FORGE_TEST_BIT_FLIPS", SAMPLE);
    let (mut failures, mut count) = (Failures::default(), Count::default());
    for (done, flip) in selected.iter().enumerate() {
        failures.tell_progress(done, selected.len());
        if let Err(problem) = applied.check(&machine, flip, &mut count) {
            failures.add(problem, flip.to_string());
        }
    }
    let Count { same, named } = count;
    println!(
        "{} of {} flips: {same} applies gave the same repository, {named} named the damage",
        selected.len(),
        flips.len()
    );
    failures.assert_none(selected.len());
}
