//! `forge eval --rpm`: `rpm --eval` with its own command line, its own words and its own exit codes (rpm(8)).

use std::cell::Cell;
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;
use std::rc::Rc;

use super::super::Exit;
use super::super::context::Context;
use crate::macros::{
    Configuration, Level, Limits, MACRO_PATH, Macros, NoHost, Origin, Report, SystemHost, Table,
};

/// What an option wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    Define,
    Undefine,
    Load,
    Evaluate,
    Macros,
    RcFile,
    Target,
    DatabasePath,
    Verbose,
    ShowConfiguration,
    /// Something that has nothing to do with macros.
    Argument,
    Nothing,
}

impl Wanted {
    fn stands_alone(self) -> bool {
        matches!(self, Self::Verbose | Self::ShowConfiguration | Self::Nothing)
    }
}

/// rpm's options as far as they can stand beside `--eval`; those that it takes and that change no macro included.
const OPTIONS: &[(&str, Option<char>, Wanted)] = &[
    ("define", Some('D'), Wanted::Define),
    ("predefine", None, Wanted::Define),
    ("undefine", None, Wanted::Undefine),
    ("load", None, Wanted::Load),
    ("eval", Some('E'), Wanted::Evaluate),
    ("macros", None, Wanted::Macros),
    ("rcfile", None, Wanted::RcFile),
    ("target", None, Wanted::Target),
    ("dbpath", None, Wanted::DatabasePath),
    ("verbose", Some('v'), Wanted::Verbose),
    ("showrc", None, Wanted::ShowConfiguration),
    ("root", Some('r'), Wanted::Argument),
    ("quiet", None, Wanted::Nothing),
    ("noplugins", None, Wanted::Nothing),
    ("nodigest", None, Wanted::Nothing),
    ("nosignature", None, Wanted::Nothing),
];

/// Something said on the command line: how it was said, and its value.
struct Said {
    name: String,
    wanted: Wanted,
    value: Vec<u8>,
}

/// Runs with rpm's own arguments.
pub fn run(arguments: Vec<OsString>, context: &Context) -> Exit {
    let mut session = match Session::new(context) {
        Ok(session) => session,
        Err(error) => {
            context.tell(&format!("error: {}\n", crate::files::reason(&error)));
            return Exit::Failure;
        }
    };
    let mut arguments = arguments.into_iter().map(OsString::into_vec);
    while let Some(argument) = arguments.next() {
        let done = read(&argument, &mut arguments)
            .and_then(|said| said.into_iter().try_for_each(|said| session.carry_out(said)));
        if let Err(message) = done {
            let _ = io::stdout().flush();
            let _ = io::stderr().write_all(&message);
            return Exit::Failure;
        }
    }
    if let Err(message) = session.end() {
        let _ = io::stderr().write_all(&message);
        return Exit::Failure;
    }
    match io::stdout().flush() {
        Ok(()) => Exit::Success,
        Err(error) => {
            context.tell(&format!("Error writing to stdout: {}\n", crate::files::reason(&error)));
            Exit::Failure
        }
    }
}

/// Reads one argument, and the next one where it is its value.
fn read(argument: &[u8], next: &mut impl Iterator<Item = Vec<u8>>) -> Result<Vec<Said>, Vec<u8>> {
    if let Some(long) = argument.strip_prefix(b"--") {
        let (name, value) = match long.iter().position(|byte| *byte == b'=') {
            Some(at) => (long.get(..at).unwrap_or_default(), long.get(at + 1..).map(<[u8]>::to_vec)),
            None => (long, None),
        };
        let name = format!("--{}", String::from_utf8_lossy(name));
        let found = OPTIONS.iter().find(|option| name.get(2..) == Some(option.0));
        let wanted = found.ok_or_else(|| told(&name, "unknown option"))?.2;
        return Ok(vec![said(name, wanted, value, next)?]);
    }
    let letters = match argument.strip_prefix(b"-") {
        Some(letters) if !letters.is_empty() => letters,
        _ => return Err(told(&String::from_utf8_lossy(argument), "what is to be done with it?")),
    };
    let mut all = Vec::new();
    let mut left = letters;
    while let Some((letter, rest)) = left.split_first() {
        left = rest;
        let name = format!("-{}", char::from(*letter));
        let found = OPTIONS.iter().find(|option| option.1 == Some(char::from(*letter)));
        let wanted = found.ok_or_else(|| told(&name, "unknown option"))?.2;
        let takes_value = !wanted.stands_alone();
        let attached = (takes_value && !rest.is_empty()).then(|| {
            left = &[];
            rest.strip_prefix(b"=").unwrap_or(rest).to_vec()
        });
        all.push(said(name, wanted, attached, next)?);
    }
    Ok(all)
}

fn said(
    name: String,
    wanted: Wanted,
    value: Option<Vec<u8>>,
    next: &mut impl Iterator<Item = Vec<u8>>,
) -> Result<Said, Vec<u8>> {
    let value = match (wanted, value) {
        (wanted, _) if wanted.stands_alone() => Vec::new(),
        (_, Some(value)) => value,
        (_, None) => next.next().ok_or_else(|| told(&name, "missing argument"))?,
    };
    Ok(Said { name, wanted, value })
}

fn told(option: &str, what: &str) -> Vec<u8> {
    format!("rpm: {option}: {what}\n").into_bytes()
}

/// What has been said so far, and what came of it.
struct Session<'a> {
    context: &'a Context,
    configuration: Configuration,
    is_verbose: bool,
    /// `--showrc`: all that was read is shown in the end.
    shows_configuration: bool,
    /// What the command line defined, in order: it is put above the files once they are read.
    defined: Vec<Vec<u8>>,
    /// Set with the first expansion.
    macros: Option<Macros>,
    /// Before that, definitions are only looked at.
    scratch: Macros,
}

impl<'a> Session<'a> {
    fn new(context: &'a Context) -> io::Result<Self> {
        let host = host(context, false)?;
        let scratch = Macros::new(Table::new(), Rc::new(host), Limits::default());
        Ok(Self {
            context,
            configuration: Configuration::default(),
            is_verbose: false,
            shows_configuration: false,
            defined: Vec::new(),
            macros: None,
            scratch,
        })
    }

    fn carry_out(&mut self, said: Said) -> Result<(), Vec<u8>> {
        let Said { name, wanted, value } = said;
        match wanted {
            Wanted::Define => self.define(definition(&value)),
            Wanted::DatabasePath => self.define([b"_dbpath ", value.as_slice()].concat()),
            Wanted::Undefine => self.undefine(&value),
            Wanted::Load => {
                let path = String::from_utf8_lossy(&value).into_owned();
                let loaded = self.macros()?.load_file(&value, Level::MACRO_FILES);
                loaded.map_err(|_| format!("failed to load macro file {path}\n").into_bytes())
            }
            Wanted::Evaluate => self.evaluate(&value),
            Wanted::Macros => self.change(|configuration| configuration.macro_path = Some(value)),
            Wanted::RcFile => self.change(|configuration| configuration.rc_path = Some(value)),
            Wanted::Target => match String::from_utf8(value) {
                Ok(target) => self.change(|configuration| configuration.target = Some(target)),
                Err(_) => Err(told(&name, "no name of an architecture")),
            },
            Wanted::Verbose => {
                self.is_verbose = true;
                Ok(())
            }
            Wanted::ShowConfiguration => {
                self.shows_configuration = true;
                Ok(())
            }
            Wanted::Argument | Wanted::Nothing => Ok(()),
        }
    }

    /// Files are read anew with the next expansion.
    fn change(&mut self, change: impl FnOnce(&mut Configuration)) -> Result<(), Vec<u8>> {
        change(&mut self.configuration);
        self.macros = None;
        Ok(())
    }

    fn define(&mut self, definition: Vec<u8>) -> Result<(), Vec<u8>> {
        let origin = || Origin::named("--define");
        // rpm keeps two tables, its own and the command line's, and so tells of a doubtful definition twice.
        self.scratch.define(&definition, Level::COMMAND_LINE, origin()).map_err(|_| Vec::new())?;
        let doubted = self.macros.as_ref().unwrap_or(&self.scratch);
        doubted.define(&definition, Level::COMMAND_LINE, origin()).map_err(|_| Vec::new())?;
        self.defined.push(definition);
        Ok(())
    }

    fn undefine(&mut self, name: &[u8]) -> Result<(), Vec<u8>> {
        self.scratch.undefine(name).map_err(|_| Vec::new())?;
        if let Some(macros) = &self.macros {
            macros.pop(name);
        }
        let defines = |definition: &Vec<u8>| defined_name(definition) == name;
        if let Some(at) = self.defined.iter().rposition(defines) {
            self.defined.remove(at);
        }
        Ok(())
    }

    fn macros(&mut self) -> Result<Macros, Vec<u8>> {
        if let Some(macros) = &self.macros {
            return Ok(macros.clone());
        }
        let failed = |error: io::Error| format!("error: {}\n", crate::files::reason(&error)).into_bytes();
        let host = host(self.context, self.is_verbose).map_err(failed)?;
        let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
        macros.configure(&self.configuration).map_err(|_| Vec::new())?;
        let quiet = Macros::new(macros.table(), Rc::new(NoHost::default()), Limits::default());
        for definition in &self.defined {
            // It has been found to be right.
            let _ = quiet.define(definition, Level::COMMAND_LINE, Origin::named("--define"));
        }
        macros.set_table(quiet.table());
        self.macros = Some(macros.clone());
        Ok(macros)
    }

    /// Shows what was read, if that was asked for.
    fn end(&mut self) -> Result<(), Vec<u8>> {
        if !self.shows_configuration {
            return Ok(());
        }
        let macros = self.macros()?;
        let value = |name: &str| {
            let value = macros.expand(format!("%{{?{name}}}").as_bytes()).unwrap_or_default();
            String::from_utf8_lossy(&value).into_owned()
        };
        let path = self.configuration.macro_path.clone().unwrap_or_else(|| MACRO_PATH.into());
        let head = format!(
            "ARCHITECTURE AND OS:\nbuild arch            : {}\nbuild os              : {}\n\n\
             RPMRC VALUES:\noptflags              : {}\n\nMacro path: {}\n\n",
            value("_target_cpu"),
            value("_target_os"),
            value("optflags"),
            String::from_utf8_lossy(&path).replace("%{confdir}", &value("getconfdir")),
        );
        let text = [head.as_bytes(), &macros.dumped()].concat();
        io::stdout().write_all(&text).map_err(|error| error.to_string().into_bytes())
    }

    fn evaluate(&mut self, expression: &[u8]) -> Result<(), Vec<u8>> {
        let macros = self.macros()?;
        macros.set_place(Origin::named("--eval"));
        let expanded = macros.expand(expression).map_err(|_| Vec::new())?;
        // rpm writes no line for nothing.
        let end: &[u8] = if expanded.is_empty() { b"" } else { b"\n" };
        let line = [expanded.as_slice(), end].concat();
        let written = io::stdout().write_all(&line);
        written.map_err(|error| {
            format!("Error writing to stdout: {}\n", crate::files::reason(&error)).into_bytes()
        })
    }
}

/// The name that a definition defines.
fn defined_name(definition: &[u8]) -> &[u8] {
    let definition = definition.trim_ascii_start();
    let length = definition.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    definition.get(..length).unwrap_or_default()
}

/// What `-D` says, made a definition: `-` in a name stands for `_`, and a `%` before it for nothing.
fn definition(said: &[u8]) -> Vec<u8> {
    let said = said.trim_ascii_start();
    let said = said.strip_prefix(b"%").unwrap_or(said);
    let is_in_name = Cell::new(true);
    let letter = |byte: &u8| {
        is_in_name.set(is_in_name.get() && !matches!(byte, b' ' | b'\t' | b'('));
        if is_in_name.get() && *byte == b'-' { b'_' } else { *byte }
    };
    said.iter().map(letter).collect()
}

fn host(context: &Context, is_verbose: bool) -> io::Result<SystemHost> {
    let tell = |report: Report| {
        // Nobody is left to be told, if standard error is gone.
        let _ = io::stderr().write_all(&report.as_rpm());
    };
    Ok(SystemHost::new(context.variables.clone(), tell)?.verbose(is_verbose))
}
