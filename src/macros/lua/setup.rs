//! Sets up the interpreter: its limits, and the native functions that the prelude builds on.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::sync::OnceLock;

use bstr::ByteSlice;
use mlua::chunk::ChunkMode;
use mlua::{
    Function, HookTriggers, IntoLua, LuaOptions, LuaString, MultiValue, StdLib, Table, Value, VmState,
};

use super::super::host::Access;
use super::super::language::Language;
use super::super::path::Configuration;
use super::interpreter::{LATE, Lua, Printed};
use super::native::{self, Call, Native};
use super::{account, pattern, posix, process, rpm, stream};

const PRELUDE: &str = include_str!("prelude.lua");

/// Replaces functions of Lua's libraries where macros may only read.
const CONFINED: &str = include_str!("confined.lua");

/// The hook that counts instructions is called after so many of them.
const COUNTED: u32 = 10_000;

/// As [`COUNTED`], where macros may only read: the hook looks at the clock as well, and an instruction may take long.
const COUNTED_CONFINED: u32 = 500;

impl Lua {
    pub(super) fn new(language: &Rc<Language>) -> mlua::Result<Self> {
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
            Value::Error(error) => lua.create_string(native::error_text(&error)).map(Value::String),
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
pub(super) fn may_close(code: &[u8]) -> bool {
    let after = code.find_iter("close").filter_map(|at| code.get(at + "close".len()..));
    let mut after =
        after.map(|rest| rest.trim_start_with(|character| matches!(character, '\t'..='\r' | ' ')));
    after.any(|rest| rest.starts_with(b">") || rest.starts_with(b"--"))
}

/// The table of native functions and values that the prelude is called with.
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
    let folder = Configuration::find_folder(&*language.host);
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
