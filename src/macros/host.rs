//! The machine as the macro language sees it, and reports of what is wrong.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::sync::Arc;

use super::problem::{MacroProblem, Severity};
use super::table::{Definition, Origin};
use crate::files::LastLink;

/// What macros may do to the machine, or learn by running something on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whatever they say: processes, files.
    Open,
    /// Files can be read as far as the host lets them, and that is all. What else a macro wants is reported, and stands
    /// for nothing.
    Closed,
}

/// One macro that was open when something went wrong.
#[derive(Clone, Debug)]
pub enum OpenMacro {
    /// A definition.
    Defined(Arc<Definition>),
    /// A part of the language.
    BuiltIn(&'static str),
}

impl OpenMacro {
    /// The name, without `%`.
    pub fn name(&self) -> &[u8] {
        match self {
            Self::Defined(definition) => &definition.name,
            Self::BuiltIn(name) => name.as_bytes(),
        }
    }

    /// Where it was defined; built-in macros are defined nowhere.
    pub fn origin(&self) -> Option<&Origin> {
        match self {
            Self::Defined(definition) => Some(&definition.origin),
            Self::BuiltIn(_) => None,
        }
    }
}

/// Something that went wrong, with all that is known about the place.
#[derive(Clone, Debug)]
pub struct Report {
    /// The problem.
    pub problem: MacroProblem,
    /// `file: line 3: `, where rpm writes it.
    pub prefix: Vec<u8>,
    /// The text that was being expanded or read.
    pub place: Origin,
    /// The macros that were open, the outermost first.
    pub stack: Vec<OpenMacro>,
}

impl Report {
    /// What rpm writes, with `error: ` and `warning: `, each line ended.
    pub fn as_rpm(&self) -> Vec<u8> {
        let kind = match self.problem.severity() {
            Severity::Error => b"error: ".as_slice(),
            Severity::Warning => b"warning: ",
        };
        let mut written = self.problem.plain_line().unwrap_or_default();
        for line in self.problem.lines() {
            for part in [kind, &self.prefix, &line, b"\n"] {
                written.extend_from_slice(part);
            }
        }
        written
    }
}

/// Processors and memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Machine {
    /// Processors that may be used.
    pub processors: u64,
    /// Main memory, in bytes.
    pub memory_bytes: u64,
}

/// The machine, as the macro language sees it: what can be reached of it, kind by kind. No method has a default: whoever stands
/// between macros and the machine says of each what becomes of it.
///
/// Names of files are bytes, as they stand in macros; relative ones belong to the folder where the program runs.
pub trait Host: HostPrograms + HostFiles + HostEnvironment + HostOutput {
    /// What macros may do.
    fn access(&self) -> Access;
}

/// The programs that macros run.
pub trait HostPrograms {
    /// Runs a command with the shell and gives what it writes.
    ///
    /// # Errors
    /// The shell can't be started.
    fn shell(&self, command: &[u8]) -> io::Result<Vec<u8>>;
    /// Runs a program, its words given; gives its exit code.
    ///
    /// # Errors
    /// It can't be started.
    fn run(&self, words: &[Vec<u8>], streams: &Streams) -> io::Result<i32>;
    /// Runs programs, as many at a time as `threads` says; gives the exit code and the output of each, in their order.
    fn filter_all(&self, jobs: &[FilterJob], threads: usize) -> Vec<io::Result<(i32, Vec<u8>)>>;
    /// Hears that a macro does something, or learns something, that can't be looked at again: files written, programs run
    /// by Lua's own functions, the time of day.
    fn note_effect(&self);
}

/// The files that macros read.
pub trait HostFiles {
    /// Reads a whole file.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn read_file(&self, path: &[u8]) -> io::Result<Vec<u8>>;
    /// Reads the beginning of a file, as far as it goes.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn read_start(&self, path: &[u8], length: usize) -> io::Result<Vec<u8>>;
    /// Whether there is such a file or folder.
    fn exists(&self, path: &[u8]) -> bool;
    /// The files that a pattern of glob(7) names, in the order of their names.
    ///
    /// # Errors
    /// To find them takes too much.
    fn glob(&self, pattern: &[u8]) -> io::Result<Vec<Vec<u8>>>;
    /// Whether a path leads out of what macros may look at, be something there or not.
    fn is_out_of_reach(&self, path: &[u8]) -> bool;
    /// Opens a file for reading piece by piece.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn open_file(&self, path: &[u8]) -> io::Result<File>;
    /// The names in a folder.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    fn names(&self, path: &[u8]) -> io::Result<Vec<Vec<u8>>>;
    /// What is known of a file or folder.
    ///
    /// # Errors
    /// There is none.
    fn status(&self, path: &[u8], last: LastLink) -> io::Result<FileStatus>;
    /// Where a symbolic link points to.
    ///
    /// # Errors
    /// There is none.
    fn link_target(&self, path: &[u8]) -> io::Result<Vec<u8>>;
    /// Where a file of the macros' world is for functions that open it themselves, which they do only where they may do
    /// everything.
    fn local_path(&self, path: &[u8]) -> Vec<u8>;
    /// Where relative paths begin, if that is not where the program runs.
    fn working_folder(&self) -> Option<Vec<u8>>;
}

/// Variables and properties of the machine.
pub trait HostEnvironment {
    /// A variable of the environment.
    fn variable(&self, name: &[u8]) -> Option<Vec<u8>>;
    /// The names of all variables.
    fn variable_names(&self) -> Vec<Vec<u8>>;
    /// Sets a variable, or takes it away.
    fn set_variable(&self, name: &[u8], value: Option<&[u8]>);
    /// What the machine calls its own architecture: `uname -m`.
    fn architecture(&self) -> String;
    /// The machine's processors and memory.
    fn machine(&self) -> Machine;
}

/// Receives what macros print and report.
pub trait HostOutput {
    /// Whether every detail is to be told: `%{verbose}`.
    fn is_verbose(&self) -> bool;
    /// Writes to standard output: `%{echo:…}`.
    fn print(&self, text: &[u8]);
    /// Takes note of what went wrong.
    fn report(&self, report: Report);
    /// Writes what `%dump` and `%trace` show.
    fn trace(&self, text: &[u8]);
}

/// What stat(2) tells of a file or folder, its times in seconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are called as in stat(2)")]
pub struct FileStatus {
    pub mode: u32,
    pub inode: u64,
    pub device: u64,
    pub links: u64,
    pub user: u32,
    pub group: u32,
    pub size: u64,
    pub accessed: i64,
    pub modified: i64,
    pub changed: i64,
}

/// A program, its words given, and what it reads.
pub type FilterJob = (Vec<Vec<u8>>, Vec<u8>);

/// Files that stand for a program's standard streams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Streams {
    /// Read from here.
    pub input: Option<Vec<u8>>,
    /// Write here.
    pub output: Option<Vec<u8>>,
    /// Write errors here.
    pub errors: Option<Vec<u8>>,
}

/// No machine at all: nothing runs, there are no files, and reports are kept.
#[derive(Debug, Default)]
pub struct NoHost {
    reports: RefCell<Vec<Report>>,
    printed: RefCell<Vec<u8>>,
}

impl NoHost {
    /// What went wrong so far.
    pub fn reports(&self) -> Vec<Report> {
        self.reports.borrow().clone()
    }

    /// What was written to standard output and standard error.
    pub fn printed(&self) -> Vec<u8> {
        self.printed.borrow().clone()
    }
}

impl Host for NoHost {
    fn access(&self) -> Access {
        Access::Closed
    }
}

impl HostPrograms for NoHost {
    fn shell(&self, _command: &[u8]) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn run(&self, _words: &[Vec<u8>], _streams: &Streams) -> io::Result<i32> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn filter_all(&self, jobs: &[FilterJob], _threads: usize) -> Vec<io::Result<(i32, Vec<u8>)>> {
        jobs.iter().map(|_| Err(io::ErrorKind::Unsupported.into())).collect()
    }

    fn note_effect(&self) {}
}

impl HostFiles for NoHost {
    fn read_file(&self, _path: &[u8]) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn exists(&self, _path: &[u8]) -> bool {
        false
    }

    fn glob(&self, _pattern: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        Ok(Vec::new())
    }

    fn read_start(&self, _path: &[u8], _length: usize) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn is_out_of_reach(&self, _path: &[u8]) -> bool {
        false
    }

    fn open_file(&self, _path: &[u8]) -> io::Result<File> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn names(&self, _path: &[u8]) -> io::Result<Vec<Vec<u8>>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn status(&self, _path: &[u8], _last: LastLink) -> io::Result<FileStatus> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn link_target(&self, _path: &[u8]) -> io::Result<Vec<u8>> {
        Err(io::ErrorKind::NotFound.into())
    }

    fn local_path(&self, path: &[u8]) -> Vec<u8> {
        path.to_vec()
    }

    fn working_folder(&self) -> Option<Vec<u8>> {
        None
    }
}

impl HostEnvironment for NoHost {
    fn variable(&self, _name: &[u8]) -> Option<Vec<u8>> {
        None
    }

    fn variable_names(&self) -> Vec<Vec<u8>> {
        Vec::new()
    }

    fn set_variable(&self, _name: &[u8], _value: Option<&[u8]>) {}

    fn architecture(&self) -> String {
        "x86_64".to_owned()
    }

    fn machine(&self) -> Machine {
        Machine { processors: 1, memory_bytes: 1 << 32 }
    }
}

impl HostOutput for NoHost {
    fn is_verbose(&self) -> bool {
        false
    }

    fn print(&self, text: &[u8]) {
        self.printed.borrow_mut().extend_from_slice(text);
    }

    fn report(&self, report: Report) {
        self.reports.borrow_mut().push(report);
    }

    fn trace(&self, text: &[u8]) {
        self.print(text);
    }
}
