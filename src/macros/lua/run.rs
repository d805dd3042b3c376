//! Code of macros, run: `%{lua:…}`, and built-in macros and functions of expressions that are Lua's.

use std::rc::Rc;

use mlua::Value;

use super::super::expression::ExpressionValue;
use super::super::host::Access;
use super::super::language::Language;
use super::super::path::Configuration;
use super::super::problem::MacroProblem;
use super::super::stop::Stop;
use super::interpreter::{Lua, LuaFailure, Printing};
use super::setup::may_close;

impl Language {
    /// The interpreter, begun with the first code that needs it.
    pub(in crate::macros) fn lua(self: &Rc<Self>) -> Result<&Lua, Stop> {
        if let Some(lua) = self.lua.get() {
            return Ok(lua);
        }
        let failed =
            |error: mlua::Error| self.fail(MacroProblem::LuaFailed { message: error.to_string().into() });
        let lua = Lua::new(self).map_err(failed)?;
        let lua = self.lua.get_or_init(|| lua);
        let lists = self.lists.borrow();
        let set = lists.iter().try_for_each(|(name, items)| lua.set_list(name, items));
        drop(lists);
        set.map_err(failed)?;
        let start = [Configuration::find_folder(&*self.host).as_slice(), b"/init.lua"].concat();
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
        let failed =
            |error: mlua::Error| self.fail(MacroProblem::LuaFailed { message: error.to_string().into() });
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
        let values = values
            .map_err(|error| self.fail(MacroProblem::LuaFailed { message: error.to_string().into() }))?;
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
        let values = arguments.iter().map(|value| lua_value(lua, value)).collect::<mlua::Result<Vec<_>>>();
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

/// A value of an expression for Lua; a version is a text there.
fn lua_value(lua: &Lua, value: &ExpressionValue) -> mlua::Result<Value> {
    match value {
        ExpressionValue::Integer(number) => Ok(Value::Integer((*number).into())),
        ExpressionValue::Text(text) => lua.state.create_string(text).map(Value::String),
        ExpressionValue::Version(version) => lua.state.create_string(version).map(Value::String),
    }
}
