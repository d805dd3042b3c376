//! The RPM macro language: table, expansion, built-ins, expressions, Lua.
//!
//! A [`Table`] holds what macros stand for; [`Macros`] expands text with it. The reference is rpm 6: rpm-macros(7),
//! rpm-macrofile(5), rpm-lua(7), and the program where they leave something open. Text is bytes: nothing in the
//! language asks for an encoding.
//!
//! ```
//! use std::rc::Rc;
//! use rpmforge::macros::{Level, Limits, Macros, NoHost, Origin, Table};
//!
//! let macros = Macros::new(Table::new(), Rc::new(NoHost::default()), Limits::default());
//! macros.define(b"greet() Hello, %1!", Level::COMMAND_LINE, Origin::named("-D"))?;
//! assert_eq!(macros.expand(b"%{greet world}")?, b"Hello, world!");
//! # Ok::<(), rpmforge::macros::Stop>(())
//! ```
//!
//! What is wrong goes to the [`Host`] as a [`Report`], at once and in order; the result says only that it has been
//! told: [`Stop`].

#![warn(clippy::wildcard_enum_match_arm)]
#![deny(clippy::indexing_slicing)]

mod arguments;
mod builtin;
mod call;
mod default;
mod define;
mod dialect;
mod expand;
mod expression;
mod extend;
mod extension;
mod file;
mod host;
mod known_command;
mod language;
mod limits;
mod lua;
mod observation;
mod path;
mod placeholders;
mod platform;
mod problem;
mod rcfile;
mod rpm_version;
mod stop;
mod system;
mod table;
mod trace;
mod tunable_values;
mod tunables;

use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use define::Extent;
use expression::TermExpansion;
use language::Language;

pub use expression::{ExpressionProblem, ExpressionValue, Mistake};
pub use extension::ExtensionProblem;
pub use host::{
    Access, FileStatus, FilterJob, Host, HostEnvironment, HostFiles, HostOutput, HostPrograms, Machine,
    NoHost, OpenMacro, Report, Streams,
};
pub use language::{Extension, Macros};
pub use limits::Limits;
pub use lua::{Item, LuaScriptlet};
pub use observation::{Observation, ObservingHost};
pub use path::{CONFIGURATION_FOLDERS, Configuration, MACRO_PATH};
pub use placeholders::Placeholders;
pub use platform::Platform;
pub use problem::{MacroProblem, RcMistake, Severity};
pub use rcfile::{Compatibility, RpmRc};
pub use rpm_version::{OldMacros, RpmVersion};
pub use stop::Stop;
pub use system::{Commands, SystemHost};
pub use table::{Definition, Expansion, Level, Origin, Table};
pub use tunable_values::{NATIVE_GENERATORS, TunableValues};
pub use tunables::{TUNABLES, Tunable, TunableArea, find_tunable};

impl Macros {
    /// Macros of a table.
    pub fn new(table: Table, host: Rc<dyn Host>, limits: Limits) -> Self {
        Self { language: Language::new(table, host, limits) }
    }

    /// Expands a text.
    ///
    /// # Errors
    /// Something in it is wrong; the host has been told.
    pub fn expand(&self, text: &[u8]) -> Result<Vec<u8>, Stop> {
        self.language.start();
        self.language.expand(text)
    }

    /// Calls a macro with words that are its arguments as they stand, as `macros.name(…)` of Lua does with a table.
    ///
    /// # Errors
    /// Something in it is wrong; the host has been told.
    pub fn call(&self, name: &[u8], words: Vec<Vec<u8>>) -> Result<Vec<u8>, Stop> {
        self.language.start();
        self.language.call(name, words)
    }

    /// Begins a text that is expanded piece by piece: all of it together may take what the limits allow.
    pub fn begin(&self) {
        self.language.start();
    }

    /// Expands a piece of the text that [`Macros::begin`] began.
    ///
    /// # Errors
    /// Something in it is wrong, or the whole takes too much; the host has been told.
    pub fn expand_piece(&self, text: &[u8]) -> Result<Vec<u8>, Stop> {
        self.language.expand(text)
    }

    /// Works out an expression, as `%[…]` does.
    ///
    /// # Errors
    /// It is wrong; the host has been told.
    pub fn evaluate(&self, expression: &[u8]) -> Result<ExpressionValue, Stop> {
        self.language.start();
        self.language.evaluate(expression, TermExpansion::WithTheTerm)
    }

    /// Works out an expression whose macros have been expanded, as `%{expr:…}` and `%if` do. It is a piece of the text
    /// around it, as with [`Macros::expand_piece`].
    ///
    /// # Errors
    /// It is wrong; the host has been told.
    pub fn evaluate_expanded(&self, expression: &[u8]) -> Result<ExpressionValue, Stop> {
        self.language.evaluate(expression, TermExpansion::Before)
    }

    /// Whether macros may look at a file: that is told where they may not, with what wanted to.
    pub fn may_look_at(&self, what: &str, path: &[u8]) -> bool {
        self.language.may_look_at(what, path)
    }

    /// Reads a file of the world that macros see.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub fn read_file(&self, path: &[u8]) -> std::io::Result<Vec<u8>> {
        self.language.host.read_file(path)
    }

    /// Reads the beginning of such a file.
    ///
    /// # Errors
    /// There is none, or it can't be read.
    pub fn read_start(&self, path: &[u8], length: usize) -> std::io::Result<Vec<u8>> {
        self.language.host.read_start(path, length)
    }

    /// Runs a program in the world that macros see; gives its exit code, minus a signal.
    ///
    /// # Errors
    /// It can't be started.
    pub fn run(&self, words: &[Vec<u8>], streams: &Streams) -> std::io::Result<i32> {
        self.language.host.run(words, streams)
    }

    /// Runs a program with an input, and gives its exit code and its output.
    ///
    /// # Errors
    /// It can't be started.
    pub fn filter(&self, words: &[Vec<u8>], input: &[u8]) -> std::io::Result<(i32, Vec<u8>)> {
        let job = (words.to_vec(), input.to_vec());
        let mut results = self.language.host.filter_all(std::slice::from_ref(&job), 1);
        results.pop().unwrap_or_else(|| Err(std::io::ErrorKind::Unsupported.into()))
    }

    /// Runs programs, as many at a time as `threads` says; gives the exit code and the output of each, in their order.
    pub fn filter_all(&self, jobs: &[FilterJob], threads: usize) -> Vec<std::io::Result<(i32, Vec<u8>)>> {
        self.language.host.filter_all(jobs, threads)
    }

    /// The files that a pattern of glob(7) names, in the order of their names.
    pub fn glob(&self, pattern: &[u8]) -> Vec<Vec<u8>> {
        self.language.host.glob(pattern).unwrap_or_default()
    }

    /// Whether there is such a file or folder.
    pub fn exists(&self, path: &[u8]) -> bool {
        self.language.host.exists(path)
    }

    /// A variable of the environment.
    pub fn variable(&self, name: &[u8]) -> Option<Vec<u8>> {
        self.language.host.variable(name)
    }

    /// The names of all variables of the environment.
    pub fn variable_names(&self) -> Vec<Vec<u8>> {
        self.language.host.variable_names()
    }

    /// Sets a variable, or takes it away.
    pub fn set_variable(&self, name: &[u8], value: Option<&[u8]>) {
        self.language.host.set_variable(name, value);
    }

    /// Defines a macro from `name(options) body`, as `--define` and macro files have it.
    ///
    /// # Errors
    /// It is no definition; the host has been told.
    pub fn define(&self, definition: &[u8], level: Level, origin: Origin) -> Result<(), Stop> {
        self.language.define(definition, Extent::Line, level, origin)
    }

    /// Puts a definition on its stack as it is.
    pub fn push(&self, definition: Definition) {
        self.language.table.borrow_mut().push(definition);
    }

    /// Takes the newest definition of a macro away.
    ///
    /// # Errors
    /// No macro can have that name; the host has been told.
    pub fn undefine(&self, name: &[u8]) -> Result<(), Stop> {
        self.language.undefine(name)
    }

    /// Takes the newest definition of `name` off its stack, whatever the name.
    pub fn pop(&self, name: &[u8]) {
        self.language.table.borrow_mut().pop(name);
    }

    /// Loads a macro file.
    ///
    /// # Errors
    /// It can't be read or something in it is wrong; the host has been told. What is right is defined.
    pub fn load(&self, path: &[u8], level: Level) -> Result<(), Stop> {
        self.language.load(path, level)
    }

    /// As [`Macros::load`], for a caller who says himself that it could not be loaded.
    ///
    /// # Errors
    /// It can't be read or something in it is wrong; only the latter has been told.
    pub fn load_file(&self, path: &[u8], level: Level) -> Result<(), Stop> {
        let text = self.language.host.read_file(path).map_err(|_| Stop)?;
        self.language.load_text(&text, path, level)
    }

    /// Loads what a macro file holds.
    ///
    /// # Errors
    /// Something in it is wrong; the host has been told. What is right is defined.
    pub fn load_text(&self, text: &[u8], name: &str, level: Level) -> Result<(), Stop> {
        self.language.load_text(text, name.as_bytes(), level)
    }

    /// Whether a macro is defined.
    pub fn is_defined(&self, name: &[u8]) -> bool {
        self.language.is_defined(name)
    }

    /// Says what the text is that is expanded next, for reports.
    pub fn set_place(&self, place: Origin) {
        *self.language.place.borrow_mut() = place;
    }

    /// What the text is that is expanded.
    pub fn place(&self) -> Origin {
        self.language.place.borrow().clone()
    }

    /// A copy of the table as it is now.
    pub fn table(&self) -> Table {
        self.language.table.borrow().clone()
    }

    /// Looks at the table without copying it.
    pub fn with_table<T>(&self, look: impl FnOnce(&Table) -> T) -> T {
        look(&self.language.table.borrow())
    }

    /// Puts another table in the place of this one.
    pub fn set_table(&self, table: Table) {
        *self.language.table.borrow_mut() = table;
    }

    /// From now on it is kept in mind which macros are used.
    pub fn record_uses(&self) {
        *self.language.uses.borrow_mut() = Some(BTreeMap::new());
    }

    /// The macros that were used since [`Macros::record_uses`], in the order of their names.
    pub fn take_uses(&self) -> Vec<Arc<Definition>> {
        let uses = self.language.uses.borrow_mut().take();
        uses.into_iter().flat_map(BTreeMap::into_values).collect()
    }

    /// What `%dump` writes: the newest definition of each macro, with its level.
    pub fn dump(&self) -> Vec<u8> {
        self.language.dump()
    }
}

impl std::fmt::Debug for Macros {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Macros").field("names", &self.language.table.borrow().len()).finish_non_exhaustive()
    }
}
