//! The state of the language: the table, what is open, and how much has been done.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::Stop;
use super::arguments::Arguments;
use super::builtin::Builtin;
use super::define::{self, Extent, ParsedDefinition};
use super::extension::ExtensionProblem;
use super::host::{Access, Host, OpenMacro, Report};
use super::limits::{DEEPEST, Limits};
use super::lua::{Item, Lua};
use super::problem::MacroProblem;
use super::rpm_version::{OldMacros, RpmVersion};
use super::table::{Definition, Expansion, Level, Origin, Table};

/// After how many steps it is looked at how late it is.
const STEPS_BETWEEN_LOOKS: u64 = 64;

/// Macros and all that they need to be expanded.
///
/// It stays on its thread; [`Macros::table`] gives a copy of the table that can be taken elsewhere.
#[derive(Clone)]
pub struct Macros {
    pub(super) language: Rc<Language>,
}

/// What a macro stands for that the program itself defines: called with its words, as a shell has them, it gives text, or
/// says what is wrong.
pub type Extension = Rc<dyn Fn(&Macros, &[Vec<u8>]) -> Result<Vec<u8>, ExtensionProblem>>;

/// Macros by name.
pub(super) type Uses = BTreeMap<Box<[u8]>, Arc<Definition>>;

/// The table and the state of what is being expanded.
pub(super) struct Language {
    pub table: RefCell<Table>,
    pub host: Rc<dyn Host>,
    pub limits: Limits,
    /// The text that is being expanded.
    pub place: RefCell<Origin>,
    /// The macros that are open.
    pub stack: RefCell<Vec<OpenMacro>>,
    /// The parametric macros that are open.
    pub calls: RefCell<Vec<Rc<Arguments>>>,
    /// How many expansions are open.
    pub depth: Cell<usize>,
    /// How many parentheses of expressions are open.
    pub parentheses: Cell<usize>,
    /// How many macros have been expanded since the outermost text began.
    steps: Cell<u64>,
    /// Whether calls of the text that is being expanded are shown (`%trace`).
    pub is_traced: Cell<bool>,
    /// Whether those of all texts are.
    pub traces_all: Cell<bool>,
    /// The macros that are used, where somebody wants to know.
    pub uses: RefCell<Option<Uses>>,
    /// Whether quotes have been put into the text that is being expanded.
    pub has_quotes: Cell<bool>,
    /// The error number of the last function of `posix` that failed.
    pub errno: Cell<i32>,
    pub lua: OnceCell<Lua>,
    /// How many files Lua has open, of those that are opened for it.
    pub open_files: Rc<Cell<usize>>,
    /// What the program itself adds to the language, by the macros' names.
    pub extensions: RefCell<BTreeMap<Vec<u8>, Extension>>,
    /// Lists that Lua sees as tables, by their names.
    pub lists: RefCell<BTreeMap<&'static str, Vec<Item>>>,
    /// The version of rpm whose language is spoken, once that is settled, and what it takes that newer ones refuse.
    pub spoken: RefCell<Option<(RpmVersion, OldMacros)>>,
    /// How long the processor had been busy on this thread before.
    began: Duration,
}

/// How long the processor has been busy on this thread.
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let (seconds, nanoseconds) = (u64::try_from(now.tv_sec), u32::try_from(now.tv_nsec));
    Duration::new(seconds.unwrap_or_default(), nanoseconds.unwrap_or_default())
}

impl Language {
    pub fn new(table: Table, host: Rc<dyn Host>, limits: Limits) -> Rc<Self> {
        Rc::new(Self {
            table: RefCell::new(table),
            host,
            limits,
            place: RefCell::new(Origin::named("<text>")),
            stack: RefCell::default(),
            calls: RefCell::default(),
            depth: Cell::new(0),
            parentheses: Cell::new(0),
            steps: Cell::new(0),
            is_traced: Cell::new(false),
            traces_all: Cell::new(false),
            uses: RefCell::default(),
            has_quotes: Cell::new(false),
            errno: Cell::new(0),
            lua: OnceCell::new(),
            open_files: Rc::default(),
            extensions: RefCell::default(),
            lists: RefCell::default(),
            spoken: RefCell::default(),
            began: processor_time(),
        })
    }

    /// A new text: what the last one took does not count any more.
    pub fn start(&self) {
        self.steps.set(0);
        if let Some(lua) = self.lua.get() {
            lua.start();
        }
    }

    /// The depth of the innermost parametric call.
    pub fn level(&self) -> i32 {
        self.calls.borrow().last().map_or(0, |call| call.level)
    }

    /// The version of rpm whose language is spoken: the one that is settled, or else what the macro for it says.
    pub fn spoken_version(&self) -> Result<RpmVersion, Vec<u8>> {
        if let Some((version, _)) = &*self.spoken.borrow() {
            return Ok(*version);
        }
        let table = self.table.borrow();
        let Some(said) = table.get(RpmVersion::MACRO.as_bytes()) else { return Ok(RpmVersion::NEWEST) };
        let version = std::str::from_utf8(&said.body).ok().and_then(|text| RpmVersion::read(text.trim()));
        version.ok_or_else(|| said.body.to_vec())
    }

    /// Whether the language that is spoken has a built-in macro of that name.
    pub fn has_built_in(&self, name: &[u8]) -> bool {
        let is_later =
            |(_, old): &(RpmVersion, OldMacros)| old.definable.iter().any(|later| later.as_bytes() == name);
        Builtin::from_name(name).is_some() && !self.spoken.borrow().as_ref().is_some_and(is_later)
    }

    /// Whether a word without quotes is a text in expressions.
    pub fn takes_bare_words(&self) -> bool {
        self.spoken.borrow().as_ref().is_some_and(|(_, old)| old.bare_words)
    }

    /// Tells the host what is wrong.
    pub fn report(&self, problem: MacroProblem) {
        let prefix = if problem.names_its_line() { self.prefix() } else { Vec::new() };
        let (place, stack) = (self.place.borrow().clone(), self.stack.borrow().clone());
        self.host.report(Report { problem, prefix, place, stack });
    }

    /// Tells the host what is wrong, and ends the expansion.
    pub fn fail(&self, problem: MacroProblem) -> Stop {
        self.report(problem);
        Stop
    }

    /// `file: line N: `: what the macros `__file_name` and `__file_lineno` say, or else the place.
    fn prefix(&self) -> Vec<u8> {
        let (table, place) = (self.table.borrow(), self.place.borrow());
        let is_text = |definition: &&Arc<Definition>| definition.expansion != Expansion::Extension;
        let body = |name: &[u8]| table.get(name).filter(is_text).map(|definition| definition.body.to_vec());
        let has_line = place.line > 0;
        let file = body(b"__file_name").or_else(|| has_line.then(|| place.name.as_bytes().to_vec()));
        let line = body(b"__file_lineno").or_else(|| has_line.then(|| place.line.to_string().into_bytes()));
        let file = file.map(|file| [file.as_slice(), b": "].concat());
        let line = line.map(|line| [b"line ", line.as_slice(), b": "].concat());
        [file, line].into_iter().flatten().flatten().collect()
    }

    /// Counts work, and ends it where there is too much.
    pub fn charge(&self, steps: usize) -> Result<(), Stop> {
        let before = self.steps.get();
        self.steps.set(before.saturating_add(steps as u64));
        if self.steps.get() > self.limits.steps {
            return Err(self.fail(MacroProblem::TooMuchWork { limit: self.limits.steps }));
        }
        if before / STEPS_BETWEEN_LOOKS != self.steps.get() / STEPS_BETWEEN_LOOKS && self.is_late() {
            return Err(self.fail(MacroProblem::TooLongBusy { limit: self.limits.reading_time }));
        }
        Ok(())
    }

    /// Whether the processor has been busy for too long, where macros may only read: text that nobody trusts must come
    /// to an end, however many texts it is made of.
    pub fn is_late(&self) -> bool {
        let is_closed = self.host.access() == Access::Closed;
        is_closed && processor_time().saturating_sub(self.began) > self.limits.reading_time
    }

    /// Does something one level further down.
    pub fn descend<T>(&self, part: impl FnOnce() -> Result<T, Stop>) -> Result<T, Stop> {
        let depth = self.depth.get();
        if depth >= DEEPEST {
            return Err(self.fail(MacroProblem::Recursion));
        }
        self.charge(1)?;
        self.depth.set(depth + 1);
        let result = part();
        self.depth.set(depth);
        result
    }

    /// Does something that belongs to a macro.
    pub fn with_open_macro<T>(
        &self,
        name: OpenMacro,
        part: impl FnOnce() -> Result<T, Stop>,
    ) -> Result<T, Stop> {
        self.stack.borrow_mut().push(name);
        let result = part();
        self.stack.borrow_mut().pop();
        result
    }

    /// Whether there is a macro of that name, a built-in one or an automatic one included.
    pub fn is_defined(&self, name: &[u8]) -> bool {
        self.automatic_value(name).is_some()
            || self.table.borrow().get(name).is_some()
            || Builtin::from_name(name).is_some()
    }

    /// The value of an automatic macro.
    pub fn automatic_value(&self, name: &[u8]) -> Option<Vec<u8>> {
        let first = *name.first()?;
        if !(first.is_ascii_digit() || matches!(first, b'*' | b'#' | b'-')) {
            return None;
        }
        self.calls.borrow().last()?.automatic_value(name)
    }

    /// Defines a macro from its text.
    pub fn define(&self, text: &[u8], extent: Extent, level: Level, origin: Origin) -> Result<(), Stop> {
        match define::read(text, extent, "%define", |name| self.has_built_in(name)).1 {
            Ok(written) => self.add(written, level, origin),
            Err(problem) => Err(self.fail(problem)),
        }
    }

    /// Defines a macro that has been read.
    pub fn add(&self, written: ParsedDefinition, level: Level, origin: Origin) -> Result<(), Stop> {
        let ParsedDefinition { name, options, expansion, body, lacks_space } = written;
        if lacks_space {
            self.report(MacroProblem::NoWhitespace { name: name.as_slice().into() });
        }
        if let (true, Some(call)) = (level.is_local(), self.calls.borrow().last()) {
            call.locals.borrow_mut().insert(name.clone());
        }
        // Code that catches the error gets no further.
        self.check_defined()?;
        self.table.borrow_mut().push(Definition {
            name: name.into(),
            options: options.map(Into::into),
            body: body.into(),
            expansion,
            level,
            origin,
        });
        self.check_defined()
    }

    /// Ends the expansion where macros take too much room. What was defined stays: it goes with all the others.
    pub fn check_defined(&self) -> Result<(), Stop> {
        let limit = self.limits.defined_bytes;
        if self.table.borrow().own_bytes() > limit {
            return Err(self.fail(MacroProblem::TooMuchDefined { limit }));
        }
        Ok(())
    }

    /// Takes the newest definition of a macro away.
    pub fn undefine(&self, name: &[u8]) -> Result<(), Stop> {
        // rpm looks at the beginning only: there is no macro with another character in its name.
        let is_letter = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
        if !name.first().is_some_and(is_letter) || name == b"_" || self.has_built_in(name) {
            let checked = define::check_name(name, "%undefine", self.has_built_in(name));
            return checked.map_err(|problem| self.fail(problem));
        }
        self.table.borrow_mut().pop(name);
        Ok(())
    }

    /// Where a definition stands that is made now.
    pub fn current_origin(&self) -> Origin {
        match self.stack.borrow().iter().rev().find_map(OpenMacro::origin) {
            Some(origin) => origin.clone(),
            None => self.place.borrow().clone(),
        }
    }

    /// Shows the table: `%dump`.
    pub fn print_dump(&self) {
        self.host.trace(&self.dump());
    }

    /// The whole table, a line a macro.
    pub fn dump(&self) -> Vec<u8> {
        let table = self.table.borrow();
        let mut lines: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        for definition in table.sorted() {
            let sign = if table.was_used(&definition.name) { '=' } else { ':' };
            let mut line = format!("{:3}{sign} ", definition.level).into_bytes();
            line.extend_from_slice(&definition.name);
            if let Some(options) = definition.options.as_ref().filter(|options| !options.is_empty()) {
                line.extend([b"(", options.as_ref(), b")"].concat());
            }
            line.extend_from_slice(definition.expansion.modifier().as_bytes());
            line.push(b'\t');
            line.extend_from_slice(&definition.body);
            lines.push((definition.name.to_vec(), line));
        }
        for name in Builtin::names() {
            lines.push((name.as_bytes().to_vec(), format!("-20: {name}\t<builtin>").into_bytes()));
        }
        if let Some(call) = self.calls.borrow().last() {
            for (name, body) in call.list_automatic() {
                let mut line = format!("{:3}: ", call.level).into_bytes();
                line.extend([name.as_slice(), b"<l>\t", &body].concat());
                lines.push((name, line));
            }
        }
        lines.sort();
        let mut text = b"========================\n".to_vec();
        for (_, line) in &lines {
            text.extend_from_slice(line);
            text.push(b'\n');
        }
        let active = lines.len();
        text.extend(format!("======================== active {active} empty 0\n").into_bytes());
        text
    }
}
