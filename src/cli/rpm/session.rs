//! What rpm's programs have in common: options that change macros, and the macros that come of them (rpm-common(8)).

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

use bstr::ByteSlice;

use super::options::Row;
use crate::macros::{
    Configuration, Level, Limits, MACRO_PATH, Macros, NoHost, Origin, Report, RpmRc, Stop, SystemHost, Table,
};
use crate::process::shell_quoted;
use crate::spec::{Finding, Mistakes, PackageChecks, ReportListener, Spec, SpecFile, UnreadSpec};

/// Environment variables.
pub type Variables = Vec<(OsString, OsString)>;

/// What an option means that all programs have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Common {
    /// `--define`
    Define,
    /// `--undefine`
    Undefine,
    /// `--load`
    Load,
    /// `--eval`
    Evaluate,
    /// `--macros`
    Macros,
    /// `--rcfile`
    RcFile,
    /// `--target`
    Target,
    /// `--dbpath`
    DatabasePath,
    /// `--verbose`
    Verbose,
    /// `--quiet`
    Quiet,
    /// `--showrc`
    ShowConfiguration,
    /// `--with`
    With,
    /// `--without`
    Without,
    /// `--scm`
    Scm,
    /// `--buildpolicy`
    BuildPolicy,
    /// `--trace`
    Trace,
    /// `--nodebuginfo`
    NoDebuginfo,
    /// `--root`
    Root,
    /// Something that has nothing to do with macros.
    Nothing,
}

/// Options of all programs; those that rpm takes and that change no macro included.
pub const COMMON: &[Row<Common>] = &[
    Row::valued("define", Some('D'), Common::Define),
    Row::valued("predefine", None, Common::Define),
    Row::valued("undefine", None, Common::Undefine),
    Row::valued("load", None, Common::Load),
    Row::valued("eval", Some('E'), Common::Evaluate),
    Row::valued("macros", None, Common::Macros),
    Row::valued("rcfile", None, Common::RcFile),
    Row::valued("target", None, Common::Target),
    Row::valued("dbpath", None, Common::DatabasePath),
    Row::bare("verbose", Some('v'), Common::Verbose),
    Row::bare("showrc", None, Common::ShowConfiguration),
    Row::valued("root", Some('r'), Common::Root),
    Row::bare("quiet", None, Common::Quiet),
    Row::bare("noplugins", None, Common::Nothing),
    Row::bare("nodigest", None, Common::Nothing),
    Row::bare("nosignature", None, Common::Nothing),
];

/// Options of the programs that read specs.
pub const OF_SPECS: &[Row<Common>] = &[
    Row::valued("with", None, Common::With),
    Row::valued("without", None, Common::Without),
    Row::valued("scm", None, Common::Scm),
    Row::valued("buildpolicy", None, Common::BuildPolicy),
    Row::bare("trace", None, Common::Trace),
    Row::bare("nodebuginfo", None, Common::NoDebuginfo),
];

/// What the command line has set so far, and the macros that it makes.
pub struct Session {
    /// The environment that macros see, and what is run.
    variables: Variables,
    configuration: Configuration,
    /// `-v`
    pub is_verbose: bool,
    /// `--quiet`
    pub is_quiet: bool,
    /// `--showrc`: all that was read is shown in the end.
    shows_configuration: bool,
    /// What the command line defined, in order: it is put above the files once they are read.
    defined: Vec<Vec<u8>>,
    /// Macros of files that it took away.
    undefined: Vec<Vec<u8>>,
    /// What rpmrc says of architectures, once macros are loaded.
    pub rc: RpmRc,
    /// Set with the first expansion.
    macros: Option<Macros>,
    /// Before that, definitions are only looked at.
    scratch: Macros,
    /// Every problem that was reported.
    pub told: ProblemLog,
    /// `--buildroot`
    pub build_root: Option<Vec<u8>>,
    /// `--root`
    root: Option<Vec<u8>>,
    /// The targets of `--target`.
    target: Option<String>,
}

/// The problems that were reported so far: rpmbuild repeats them at the end.
#[derive(Clone, Default)]
pub struct ProblemLog {
    errors: Rc<RefCell<Vec<Vec<u8>>>>,
    warnings: Rc<RefCell<Vec<Vec<u8>>>>,
    /// Receives each problem as a finding, not in rpm's words.
    listener: Rc<RefCell<Option<FindingListener>>>,
}

/// Receives findings.
pub type FindingListener = Rc<dyn Fn(Finding)>;

impl ProblemLog {
    /// From now on `listener` receives all findings.
    pub fn set_listener(&self, listener: FindingListener) {
        *self.listener.borrow_mut() = Some(listener);
    }

    /// Writes a message of rpm's words to standard error, and keeps it.
    pub fn tell(&self, message: &[u8]) {
        self.write_and_keep(message, None);
    }

    /// As [`ProblemLog::tell`]; the listener receives it as a finding.
    pub fn tell_finding(&self, message: &[u8], finding: impl FnOnce() -> Finding) {
        let finding = self.listener.borrow().is_some().then(finding);
        self.write_and_keep(message, finding);
    }

    fn write_and_keep(&self, message: &[u8], finding: Option<Finding>) {
        complain(message);
        if let (Some(listener), Some(finding)) = (self.listener.borrow().as_ref(), finding) {
            listener(finding);
        }
        let message = message.strip_suffix(b"\n").unwrap_or(message);
        if let Some(text) = message.strip_prefix(b"error: ") {
            self.errors.borrow_mut().push(text.to_vec());
        } else if let Some(text) = message.strip_prefix(b"warning: ") {
            self.warnings.borrow_mut().push(text.to_vec());
        }
    }

    /// The errors and the warnings so far; they are forgotten.
    pub fn take(&self) -> (Vec<Vec<u8>>, Vec<Vec<u8>>) {
        (self.errors.take(), self.warnings.take())
    }
}

impl Session {
    /// A session without any options.
    ///
    /// # Errors
    /// The machine's files are out of reach.
    pub fn new(variables: &Variables) -> io::Result<Self> {
        let told = ProblemLog::default();
        let host = host(variables, false, &told)?;
        let scratch = Macros::new(Table::new(), Rc::new(host), Limits::default());
        Ok(Self {
            variables: variables.clone(),
            configuration: Configuration::default(),
            is_verbose: false,
            is_quiet: false,
            rc: RpmRc::default(),
            shows_configuration: false,
            defined: Vec::new(),
            undefined: Vec::new(),
            macros: None,
            scratch,
            told,
            target: None,
            build_root: None,
            root: None,
        })
    }

    /// The root that `--root` names, if it is another one than this.
    ///
    /// # Errors
    /// It is no absolute path; the message.
    pub fn other_root(&self, program: &str) -> Result<Option<&[u8]>, Vec<u8>> {
        match &self.root {
            Some(root) if !root.starts_with(b"/") => {
                Err(format!("{program}: arguments to --root (-r) must begin with a /\n").into_bytes())
            }
            root => Ok(root.as_deref().filter(|root| *root != b"/")),
        }
    }

    /// Applies an option; gives the message where that fails.
    pub fn apply(&mut self, wanted: Common, value: Vec<u8>) -> Result<(), Vec<u8>> {
        match wanted {
            Common::Define => self.define(definition(&value)),
            Common::DatabasePath => self.define([b"_dbpath ", value.as_slice()].concat()),
            Common::Undefine => self.undefine(&value),
            Common::Load => {
                let path = String::from_utf8_lossy(&value).into_owned();
                let loaded = self.macros()?.load_file(&value, Level::MACRO_FILES);
                loaded.map_err(|_| format!("failed to load macro file {path}\n").into_bytes())
            }
            Common::Evaluate => self.evaluate(&value),
            Common::Macros => self.change(|configuration| configuration.macro_path = Some(value)),
            Common::RcFile => self.change(|configuration| configuration.rc_path = Some(value)),
            Common::Target => match String::from_utf8(value) {
                Ok(target) => {
                    self.target = Some(target.clone());
                    let first = target.split(',').next().map(str::to_owned);
                    self.change(|configuration| configuration.target = first)
                }
                Err(_) => Err(b"error: --target: no name of an architecture\n".to_vec()),
            },
            Common::Verbose => {
                self.is_verbose = true;
                Ok(())
            }
            Common::Quiet => {
                self.is_quiet = true;
                Ok(())
            }
            Common::ShowConfiguration => {
                self.shows_configuration = true;
                Ok(())
            }
            Common::With => self.define(conditional("with", &value)),
            Common::Without => self.define(conditional("without", &value)),
            Common::Scm => self.define([b"__scm ", value.as_slice()].concat()),
            Common::BuildPolicy => {
                self.define([b"__os_install_post %{_rpmconfigdir}/brp-", value.as_slice()].concat())
            }
            Common::Trace => self.evaluate(b"%trace"),
            Common::NoDebuginfo => self.define(b"debug_package %{nil}".to_vec()),
            Common::Root => {
                self.root = Some(value);
                Ok(())
            }
            Common::Nothing => Ok(()),
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
        match self.defined.iter().rposition(defines) {
            Some(at) => drop(self.defined.remove(at)),
            // It is one of the files, which may not have been read yet.
            None => self.undefined.push(name.to_vec()),
        }
        Ok(())
    }

    /// The macros that all options together make.
    ///
    /// # Errors
    /// They can't be loaded; the message.
    pub fn macros(&mut self) -> Result<Macros, Vec<u8>> {
        if let Some(macros) = &self.macros {
            return Ok(macros.clone());
        }
        let failed = |error: io::Error| format!("error: {}\n", crate::files::reason(&error)).into_bytes();
        let host = host(&self.variables, self.is_verbose, &self.told).map_err(failed)?;
        let macros = Macros::new(Table::new(), Rc::new(host), Limits::default());
        self.rc = macros.configure(&self.configuration).map_err(|_| Vec::new())?;
        // What is said of macros comes after it, and counts more.
        self.define_own_uncompress(&macros);
        let quiet = Macros::new(macros.table(), Rc::new(NoHost::default()), Limits::default());
        for name in &self.undefined {
            quiet.pop(name);
        }
        for definition in &self.defined {
            // It has been found to be right.
            let _ = quiet.define(definition, Level::COMMAND_LINE, Origin::named("--define"));
        }
        macros.set_table(quiet.table());
        self.macros = Some(macros.clone());
        Ok(macros)
    }

    /// Reads a spec; nothing where it is wrong, which `listener` or the session's own log has been told.
    ///
    /// # Errors
    /// Macros can't be loaded, or there is no such file; the message.
    pub fn read_spec(
        &mut self,
        path: &[u8],
        checks: PackageChecks,
        listener: ReportListener,
    ) -> Result<Result<Spec, Stop>, Vec<u8>> {
        let macros = self.macros()?;
        let build_root = self.build_root.as_deref();
        let file = SpecFile { path, rc: &self.rc, build_root, mistakes: Mistakes::First, checks, listener };
        match file.read(&macros) {
            Ok(spec) => Ok(Ok(spec)),
            Err(UnreadSpec::Refused) => Ok(Err(Stop)),
            Err(error @ UnreadSpec::Unopened(_)) => {
                let name = path.to_str_lossy();
                Err(format!("error: Unable to open {name}: {error}\n").into_bytes())
            }
        }
    }

    /// Where the root has no rpm, this program unpacks what its own would.
    fn define_own_uncompress(&self, macros: &Macros) {
        let program = macros.expand(b"%{?__rpmuncompress}").unwrap_or_default();
        let first = program.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        if !first.is_empty() && macros.exists(first) {
            return;
        }
        if let Ok(own) = std::env::current_exe() {
            // A definition takes a backslash away, and expanding it a percent sign.
            let own = shell_quoted(own.as_os_str().as_bytes()).replace("\\", "\\\\").replace("%", "%%");
            let definition = [b"__rpmuncompress ".as_slice(), &own, b" rpmuncompress"].concat();
            // There is nothing in it that could be wrong.
            let _ = macros.define(&definition, Level::MACRO_FILES, Origin::named("forge"));
        }
    }

    /// The targets that `--target` named.
    pub fn targets(&self) -> Vec<String> {
        let named = self.target.iter().flat_map(|names| names.split(','));
        named.map(str::to_owned).collect()
    }

    /// From now on macros are those of a target.
    pub fn set_target(&mut self, target: Option<&str>) {
        self.configuration.target = target.map(str::to_owned);
        self.macros = None;
    }

    /// Shows what was read, if that was asked for.
    ///
    /// # Errors
    /// It can't be written; the message.
    pub fn end(&mut self) -> Result<(), Vec<u8>> {
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
        let text = [head.as_bytes(), &macros.dump()].concat();
        io::stdout().write_all(&text).map_err(|error| error.to_string().into_bytes())
    }

    fn evaluate(&mut self, expression: &[u8]) -> Result<(), Vec<u8>> {
        let macros = self.macros()?;
        macros.set_place(Origin::named("--eval"));
        let expanded = macros.expand(expression).map_err(|_| Vec::new())?;
        // rpm writes no line for nothing.
        let end: &[u8] = if expanded.is_empty() { b"" } else { b"\n" };
        print(&[expanded.as_slice(), end].concat())
    }

    /// Prints the version of rpm that the programs stand for.
    pub fn print_version(&mut self) -> Result<(), Vec<u8>> {
        let version = self.macros()?.expand(b"%{rpmversion}").unwrap_or_default();
        print(&[b"RPM version ", version.as_slice(), b"\n"].concat())
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

fn host(variables: &Variables, is_verbose: bool, told: &ProblemLog) -> io::Result<SystemHost> {
    let told = told.clone();
    let tell = move |report: Report| told.tell_finding(&report.as_rpm(), || Finding::from(&report));
    Ok(SystemHost::new(variables.clone(), tell)?.verbose(is_verbose))
}

/// `--with x`: what `%bcond` looks at.
fn conditional(how: &str, what: &[u8]) -> Vec<u8> {
    [b"_", how.as_bytes(), b"_", what, b"     --", how.as_bytes(), b"-", what].concat()
}

/// The exit code of a program's result; its message is written to standard error.
pub fn exit_code(result: Result<u8, Vec<u8>>) -> u8 {
    result.unwrap_or_else(|message| {
        complain(&message);
        1
    })
}

/// Writes a message of rpm's words to standard error, after what was written to standard output.
pub fn complain(message: &[u8]) {
    // Nobody is left to be told, if they are gone.
    let _ = io::stdout().flush();
    let _ = io::stderr().write_all(message);
}

/// Writes to standard output; gives rpm's words for why it could not.
pub fn print(text: &[u8]) -> Result<(), Vec<u8>> {
    let mut output = io::stdout().lock();
    output.write_all(text).and_then(|()| output.flush()).map_err(output_failure)
}

/// rpm's words for a standard output that takes no more.
pub fn output_failure(error: io::Error) -> Vec<u8> {
    format!("Error writing to stdout: {}\n", crate::files::reason(&error)).into_bytes()
}
