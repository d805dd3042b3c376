//! Scriptlets of packages in Lua: `%post -p <lua>` (rpm-lua(7)).

use mlua::Value;

use super::super::Macros;
use super::interpreter::{LuaFailure, Printing};

/// A scriptlet in Lua.
#[derive(Clone, Copy, Debug)]
pub struct LuaScriptlet<'s> {
    /// What it is called in messages.
    pub name: &'s [u8],
    /// Its code.
    pub code: &'s [u8],
    /// What it finds in `arg` from the second place on: the first one is its interpreter.
    pub arguments: &'s [u32],
    /// What `rpm.next_file()` gives, one after the other.
    pub input: &'s [&'s [u8]],
    /// What it finds in `RPM_INSTALL_PREFIX`.
    pub prefixes: &'s [&'s [u8]],
}

impl Macros {
    /// Runs a scriptlet. What it prints, the host prints; what it leaves behind, the next one finds, as in rpm.
    ///
    /// # Errors
    /// Its code is wrong or fails: Lua's message.
    pub fn run_lua_scriptlet(&self, scriptlet: &LuaScriptlet<'_>) -> Result<(), Vec<u8>> {
        self.language.start();
        let lua = self.language.lua().map_err(|_| b"Lua can't be begun".to_vec())?;
        let failed = |error: mlua::Error| error.to_string().into_bytes();
        let arguments = prepare(&lua.state, scriptlet).map_err(failed)?;
        // On the first line, so that the lines of messages are those of the code.
        let code = [b"local opt, arg = ...; ".as_slice(), scriptlet.code].concat();
        let ended = lua.run(&code, scriptlet.name, arguments, Printing::ToStandardOutput);
        clean_up(&lua.state).map_err(failed)?;
        ended.map(drop).map_err(|failure| match failure {
            LuaFailure::Syntax(message) | LuaFailure::Run(message) => message,
        })
    }
}

/// Sets what the code finds, and gives its arguments.
fn prepare(state: &mlua::Lua, scriptlet: &LuaScriptlet<'_>) -> mlua::Result<Vec<Value>> {
    let texts = |texts: &[&[u8]]| {
        texts.iter().map(|text| state.create_string(text)).collect::<mlua::Result<Vec<_>>>()
    };
    if !scriptlet.input.is_empty() {
        let mut files = texts(scriptlet.input)?.into_iter();
        let next_file = state.create_function_mut(move |_, ()| Ok(files.next()))?;
        state.globals().get::<mlua::Table>("rpm")?.set("next_file", next_file)?;
    }
    if !scriptlet.prefixes.is_empty() {
        state.globals().set("RPM_INSTALL_PREFIX", state.create_sequence_from(texts(scriptlet.prefixes)?)?)?;
    }
    let arguments = state.create_table()?;
    arguments.push("<lua>")?;
    for number in scriptlet.arguments {
        arguments.push(*number)?;
    }
    Ok(vec![Value::Table(state.create_table()?), Value::Table(arguments)])
}

fn clean_up(state: &mlua::Lua) -> mlua::Result<()> {
    state.globals().get::<mlua::Table>("rpm")?.set("next_file", Value::Nil)?;
    state.globals().set("RPM_INSTALL_PREFIX", Value::Nil)
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::super::{Limits, NoHost, Table};
    use super::*;

    #[test]
    fn a_scriptlet_finds_its_numbers_files_and_prefixes_and_the_next_one_does_not() {
        let host = Rc::new(NoHost::default());
        let macros = Macros::new(Table::new(), host.clone(), Limits::default());
        let code = b"print(arg[1], arg[2] + 1, arg[3], rpm.next_file(), rpm.next_file(), rpm.next_file(), (RPM_INSTALL_PREFIX or {})[1])";
        let (input, prefixes): ([&[u8]; 2], [&[u8]; 1]) = ([b"/a", b"/b"], [b"/opt"]);
        let whole =
            LuaScriptlet { name: b"%post(a)", code, arguments: &[1, 2], input: &input, prefixes: &prefixes };
        macros.run_lua_scriptlet(&whole).unwrap();
        assert_eq!(host.printed(), b"<lua>\t2\t2\t/a\t/b\tnil\t/opt\n");
        let bare = LuaScriptlet {
            code: b"print(rpm.next_file, RPM_INSTALL_PREFIX)",
            arguments: &[],
            input: &[],
            prefixes: &[],
            ..whole
        };
        macros.run_lua_scriptlet(&bare).unwrap();
        assert!(host.printed().ends_with(b"nil\tnil\n"));
    }

    #[test]
    fn a_scriptlet_that_fails_says_where() {
        let macros = Macros::new(Table::new(), Rc::new(NoHost::default()), Limits::default());
        let scriptlet =
            |code| LuaScriptlet { name: b"%pre(a)", code, arguments: &[1], input: &[], prefixes: &[] };
        let message =
            |code| String::from_utf8(macros.run_lua_scriptlet(&scriptlet(code)).unwrap_err()).unwrap();
        assert!(message(b"\nerror('no')").ends_with(":2: no"));
        assert!(message(b"if").contains(" near "));
    }
}
