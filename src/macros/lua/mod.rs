//! Lua 5.4 within macros: `%{lua:…}` and its world (rpm-lua(7)).
//!
//! One interpreter serves all macros of a language, as in rpm: what one leaves behind, the next one finds. What is
//! native is in [`rpm`], [`posix`] and their neighbours; `prelude.lua` makes it look and fail as rpm's own functions.

mod account;
mod arguments;
mod base64;
mod pattern;
mod posix;
mod process;
mod rpm;
mod stream;
mod version;

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::OnceLock;

use bstr::ByteSlice;
use mlua::chunk::ChunkMode;
use mlua::{
    Function, HookTriggers, IntoLua, LuaOptions, LuaString, MultiValue, StdLib, Table, Value, VmState,
};

use super::Stop;
use super::expression::ExpressionValue;
use super::host::Access;
use super::language::Language;
use super::path::Configuration;
use super::problem::{MacroProblem, shown};
use arguments::Call;

const PRELUDE: &str = include_str!("prelude.lua");

/// What is different where macros may only read.
const CONFINED: &str = include_str!("confined.lua");

/// How many instructions Lua carries out before they are counted.
const COUNTED: u32 = 10_000;

/// As [`COUNTED`], where macros may only read: time is looked at as well, and an instruction may take long.
const COUNTED_CONFINED: u32 = 500;

/// What code is told that took too long.
const LATE: &str = "the processor was busy for too long";

/// What a native function gives: values, or the message it fails with.
type Answer = Result<Vec<Value>, Vec<u8>>;

/// A native function, and the name it has in messages.
type Native = (&'static str, fn(&Call<'_>) -> Answer);

/// How Lua fails.
enum LuaFailure {
    /// The code can't be understood.
    Syntax(Vec<u8>),
    /// It can, but ended with an error.
    Run(Vec<u8>),
}

/// What is printed now goes to the last of these; where it is nothing, to standard output.
type Printed = Rc<RefCell<Vec<Option<Vec<u8>>>>>;

/// Where what is printed goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Printing {
    IntoExpansion,
    ToStandardOutput,
}

/// The interpreter.
pub(super) struct Lua {
    pub(super) state: mlua::Lua,
    run: Function,
    used: Rc<Cell<u64>>,
    printed: Printed,
}

impl Lua {
    fn new(language: &Rc<Language>) -> mlua::Result<Self> {
        // All but `debug`, with which code can break the interpreter; mlua takes C modules away as well.
        let state = mlua::Lua::new_with(StdLib::ALL_SAFE, LuaOptions::default())?;
        // Nothing of what is set up here is garbage.
        state.gc_stop();
        let used = Rc::new(Cell::new(0));
        let printed = Printed::default();
        let native = natives(&state, language, &printed)?;
        let limit = language.limits.lua_instructions;
        let exceeded = (Rc::clone(&used), Rc::downgrade(language));
        let exceeded = state.create_function(move |_, ()| {
            let (used, language) = &exceeded;
            if language.upgrade().is_some_and(|language| language.is_late()) {
                return Ok(Some(LATE.to_owned()));
            }
            Ok((used.get() > limit).then(|| format!("more than {limit} instructions")))
        })?;
        native.set("exceeded", exceeded)?;
        // What mlua itself has to say is a value of its own kind; everything else stays as it is.
        let error_text = state.create_function(|lua, value: Value| match value {
            Value::Error(error) if matches!(*error, mlua::Error::MemoryError(_)) => {
                lua.create_string("not enough memory").map(Value::String)
            }
            Value::Error(error) => lua.create_string(arguments::words(&error)).map(Value::String),
            other => Ok(other),
        })?;
        native.set("error_text", error_text)?;
        let run: Function = prelude(&state)?.call(native.clone())?;
        if language.host.access() == Access::Closed {
            let may_close = state.create_function(|_, code: LuaString| Ok(may_close(&code.as_bytes())))?;
            native.set("may_close", may_close)?;
            native.set("setmetatable", state.globals().get::<Value>("setmetatable")?)?;
            state.load(CONFINED).set_name("=confined").set_mode(ChunkMode::Text).call::<()>(native)?;
        }
        state.set_memory_limit(language.limits.lua_memory_bytes)?;
        let lua = Self { state, run, used, printed };
        lua.count_instructions(language)?;
        lua.add_traceback()?;
        lua.state.gc_restart();
        Ok(lua)
    }

    /// Ends code that takes more instructions than `limit`; code that catches the error gets no further.
    fn count_instructions(&self, language: &Rc<Language>) -> mlua::Result<()> {
        let limit = language.limits.lua_instructions;
        let used = Rc::clone(&self.used);
        let most = match language.host.access() {
            Access::Open => COUNTED,
            Access::Closed => COUNTED_CONFINED,
        };
        let every = u32::try_from(limit).unwrap_or(most).clamp(1, most);
        let language = Rc::downgrade(language);
        self.state.set_global_hook(HookTriggers::new().every_nth_instruction(every), move |_, _| {
            used.set(used.get().saturating_add(every.into()));
            if used.get() > limit {
                return Err(mlua::Error::runtime(format!("more than {limit} instructions")));
            }
            if language.upgrade().is_some_and(|language| language.is_late()) {
                return Err(mlua::Error::runtime(LATE));
            }
            Ok(VmState::Continue)
        })
    }

    /// `debug.traceback`, the one function of `debug` that macros use.
    fn add_traceback(&self) -> mlua::Result<()> {
        let debug = self.state.create_table()?;
        let traceback = self.state.create_function(|lua, message: Option<LuaString>| {
            let message = message.map(|message| message.to_string_lossy());
            lua.traceback(message.as_deref(), 1)
        })?;
        debug.set("traceback", traceback)?;
        self.state.globals().set("debug", debug)
    }

    /// Counts work of ours as instructions.
    fn spend(&self, instructions: u64, limit: u64) -> Result<(), String> {
        self.used.set(self.used.get().saturating_add(instructions));
        if self.used.get() > limit { Err(format!("more than {limit} instructions")) } else { Ok(()) }
    }

    /// A new text begins: it has all instructions to itself.
    pub fn start(&self) {
        self.used.set(0);
    }

    /// Runs code, and gives what it printed and returned.
    fn run(
        &self,
        code: &[u8],
        name: &[u8],
        values: Vec<Value>,
        printing: Printing,
    ) -> Result<Vec<u8>, LuaFailure> {
        self.printed.borrow_mut().push((printing == Printing::IntoExpansion).then(Vec::new));
        let ended = self.call(code, name, values);
        let mut printed = self.printed.borrow_mut().pop().flatten().unwrap_or_default();
        match ended {
            Ok((how, returned)) if how == "done" => {
                printed.extend(returned);
                Ok(printed)
            }
            Ok((how, message)) if how == "syntax" => Err(LuaFailure::Syntax(message)),
            Ok((_, message)) => Err(LuaFailure::Run(message)),
            Err(error) => Err(LuaFailure::Run(error.to_string().into_bytes())),
        }
    }

    fn call(&self, code: &[u8], name: &[u8], values: Vec<Value>) -> mlua::Result<(String, Vec<u8>)> {
        let mut arguments = MultiValue::from_vec(values);
        arguments.push_front(Value::String(self.state.create_string(name)?));
        arguments.push_front(Value::String(self.state.create_string(code)?));
        let (how, message): (String, Option<LuaString>) = self.run.call(arguments)?;
        Ok((how, message.map(|message| message.as_bytes().to_vec()).unwrap_or_default()))
    }
}

/// The prelude, compiled once.
fn prelude(state: &mlua::Lua) -> mlua::Result<Function> {
    static COMPILED: OnceLock<Vec<u8>> = OnceLock::new();
    if let Some(compiled) = COMPILED.get() {
        return state.load(compiled.as_slice()).set_mode(ChunkMode::Binary).into_function();
    }
    let prelude = state.load(PRELUDE).set_name("=prelude").set_mode(ChunkMode::Text).into_function()?;
    COMPILED.get_or_init(|| prelude.dump(true));
    Ok(prelude)
}

/// Whether code may have variables that are to be closed: mlua closes them within the hook that ends code which takes
/// too long, and there nothing is counted. `close` before `>` or a comment says so, whatever stands before it.
fn may_close(code: &[u8]) -> bool {
    let after = code.find_iter("close").filter_map(|at| code.get(at + "close".len()..));
    let mut after =
        after.map(|rest| rest.trim_start_with(|character| matches!(character, '\t'..='\r' | ' ')));
    after.any(|rest| rest.starts_with(b">") || rest.starts_with(b"--"))
}

/// All that the prelude builds on.
fn natives(state: &mlua::Lua, language: &Rc<Language>, printed: &Printed) -> mlua::Result<Table> {
    let native = state.create_table()?;
    let weak = Rc::downgrade(language);
    for (library, functions) in [
        ("rpm", [rpm::FUNCTIONS, process::RPM_FUNCTIONS, stream::FUNCTIONS].as_slice()),
        ("posix", [posix::FUNCTIONS, account::FUNCTIONS, process::FUNCTIONS].as_slice()),
    ] {
        let weak = Weak::clone(&weak);
        let new_library = state.create_function(move |lua, ()| {
            let table = lua.create_table()?;
            for function in functions.iter().copied().flatten() {
                table.set(function.0, native_function(lua, &weak, library, function)?)?;
            }
            Ok(table)
        })?;
        native.set(library, new_library)?;
    }
    for function in rpm::MACRO_TABLE.iter().chain(stream::HOLDING).chain(pattern::FUNCTIONS) {
        native.set(function.0, native_function(state, &weak, "os", function)?)?;
    }
    let host = Rc::clone(&language.host);
    let write = state.create_function(move |_, text: LuaString| {
        host.print(&text.as_bytes());
        Ok(())
    })?;
    native.set("write", write)?;
    let printed = Rc::clone(printed);
    let host = Rc::clone(&language.host);
    let print = state.create_function(move |_, text: LuaString| {
        match printed.borrow_mut().last_mut() {
            Some(Some(buffer)) => buffer.extend_from_slice(&text.as_bytes()),
            _ => host.print(&[&text.as_bytes(), b"\n".as_slice()].concat()),
        }
        Ok(())
    })?;
    native.set("print", print)?;
    // Pointers that hooks are given: the one that is none, and those that stand for hooks themselves.
    native.set("null", Value::LightUserData(mlua::LightUserData(std::ptr::null_mut())))?;
    native.set("new_handle", state.create_function(|lua, ()| lua.create_any_userdata(()))?)?;
    let folder = Configuration::of(&*language.host);
    let path = language.host.local_path(&[folder.as_slice(), b"//lua/?.lua"].concat());
    native.set("path", state.create_string(path)?)?;
    Ok(native)
}

/// Makes a function for the prelude: `true` and its values, or `false` and a message.
fn native_function(
    state: &mlua::Lua,
    language: &Weak<Language>,
    library: &'static str,
    native: &Native,
) -> mlua::Result<Function> {
    let (name, function) = *native;
    let language = Weak::clone(language);
    state.create_function(move |lua, values: MultiValue| {
        let Some(language) = language.upgrade() else {
            return Err(mlua::Error::runtime("the macros are gone"));
        };
        if language.is_late() {
            return Err(mlua::Error::runtime(LATE));
        }
        let call = Call { library, name, lua, language: &language, values: values.into_vec() };
        match function(&call) {
            Ok(mut values) => {
                values.insert(0, Value::Boolean(true));
                Ok(MultiValue::from_vec(values))
            }
            Err(message) => (false, lua.create_string(message)?).into_lua_multi_value(lua),
        }
    })
}

/// Two values as what a function gives.
trait IntoMultiValue {
    fn into_lua_multi_value(self, lua: &mlua::Lua) -> mlua::Result<MultiValue>;
}

impl<A: IntoLua, B: IntoLua> IntoMultiValue for (A, B) {
    fn into_lua_multi_value(self, lua: &mlua::Lua) -> mlua::Result<MultiValue> {
        Ok(MultiValue::from_vec(vec![self.0.into_lua(lua)?, self.1.into_lua(lua)?]))
    }
}

impl Language {
    /// The interpreter, begun with the first code that needs it.
    pub(super) fn lua(self: &Rc<Self>) -> Result<&Lua, Stop> {
        if let Some(lua) = self.lua.get() {
            return Ok(lua);
        }
        let failed = |error: mlua::Error| {
            self.fail(MacroProblem::LuaFailed { message: shown(error.to_string().as_bytes()) })
        };
        let lua = Lua::new(self).map_err(failed)?;
        let lua = self.lua.get_or_init(|| lua);
        let lists = self.lists.borrow();
        let set = lists.iter().try_for_each(|(name, items)| lua.set_list(name, items));
        drop(lists);
        set.map_err(failed)?;
        let start = [Configuration::of(&*self.host).as_slice(), b"/init.lua"].concat();
        if let Ok(code) = self.host.read_file(&start) {
            // rpm goes on without it as well.
            let _ = self.run_code(lua, &code, &start, Vec::new());
        }
        Ok(lua)
    }

    fn run_code(&self, lua: &Lua, code: &[u8], name: &[u8], values: Vec<Value>) -> Result<Vec<u8>, Stop> {
        if self.host.access() == Access::Closed && may_close(code) {
            let message = "variables that are to be closed are not allowed here".into();
            return Err(self.fail(MacroProblem::LuaSyntax { message }));
        }
        lua.run(code, name, values, Printing::IntoExpansion).map_err(|failure| {
            self.fail(match failure {
                LuaFailure::Syntax(message) => MacroProblem::LuaSyntax { message: message.into() },
                LuaFailure::Run(message) => MacroProblem::LuaFailed { message: message.into() },
            })
        })
    }

    /// Runs the code of `%{lua:…}`; `opt` and `arg` are those of the parametric macro around it.
    pub fn run_lua(self: &Rc<Self>, code: &[u8], out: &mut Vec<u8>) -> Result<(), Stop> {
        let lua = self.lua()?;
        let failed = |error: mlua::Error| {
            self.fail(MacroProblem::LuaFailed { message: shown(error.to_string().as_bytes()) })
        };
        let values = self.lua_arguments(&lua.state).map_err(failed)?;
        // On the first line, so that the lines of messages are those of the code.
        let code = [b"local opt, arg = ...; ".as_slice(), code].concat();
        out.extend(self.run_code(lua, &code, b"<lua>", values)?);
        Ok(())
    }

    fn lua_arguments(&self, lua: &mlua::Lua) -> mlua::Result<Vec<Value>> {
        let (options, words) = (lua.create_table()?, lua.create_table()?);
        if let Some(call) = self.calls.borrow().last() {
            for (letter, argument) in &call.options {
                let argument = argument.as_deref().unwrap_or_default();
                options.set(lua.create_string([*letter])?, lua.create_string(argument)?)?;
            }
            for word in &call.words {
                words.push(lua.create_string(word)?)?;
            }
        }
        Ok(vec![Value::Table(options), Value::Table(words)])
    }

    /// A function of Lua's string library, for the built-in macro of its name.
    pub fn call_lua_string(self: &Rc<Self>, name: &'static str, words: &[Vec<u8>]) -> Result<Vec<u8>, Stop> {
        let lua = self.lua()?;
        let text = |word: &Vec<u8>| lua.state.create_string(word).map(Value::String);
        let values = words.iter().map(text).collect::<mlua::Result<Vec<_>>>();
        let values = values.map_err(|error| {
            self.fail(MacroProblem::LuaFailed { message: shown(error.to_string().as_bytes()) })
        })?;
        let code = format!("local result = string.{name}(...) return result");
        self.run_code(lua, code.as_bytes(), name.as_bytes(), values)
    }

    /// `lua:name(…)` in an expression.
    pub fn call_lua_function(
        self: &Rc<Self>,
        name: &[u8],
        arguments: &[ExpressionValue],
    ) -> Result<ExpressionValue, Result<Stop, Vec<u8>>> {
        let lua = self.lua().map_err(Ok)?;
        let value = |value: &ExpressionValue| match value {
            ExpressionValue::Integer(number) => Ok(Value::Integer((*number).into())),
            ExpressionValue::Text(text) => lua.state.create_string(text).map(Value::String),
            ExpressionValue::Version(version) => lua.state.create_string(version).map(Value::String),
        };
        let values = arguments.iter().map(value).collect::<mlua::Result<Vec<_>>>();
        let values = values.map_err(|error| Err(error.to_string().into_bytes()))?;
        if self.host.access() == Access::Closed && may_close(name) {
            return Err(Err(name.to_vec()));
        }
        let code = [b"local result = (", name, b")(...) if result ~= nil then return result end"].concat();
        match lua.run(&code, name, values, Printing::ToStandardOutput) {
            Ok(printed) => Ok(ExpressionValue::Text(printed)),
            Err(LuaFailure::Syntax(message) | LuaFailure::Run(message)) => {
                Err(Err([name, b": ", message.as_slice()].concat()))
            }
        }
    }
}
