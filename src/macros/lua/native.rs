//! Native functions: their arguments, checked as Lua's own library checks them, and their results.

use std::io;
use std::rc::Rc;

use mlua::{LuaString, Table, Value};
use rustix::io::Errno;

use super::super::host::Access;
use super::super::language::Language;

/// What a native function gives: values, or the message it fails with.
pub(super) type Answer = Result<Vec<Value>, Vec<u8>>;

/// A native function, and the name it has in messages.
pub(super) type Native = (&'static str, fn(&Call<'_>) -> Answer);

/// One call of a native function.
pub(super) struct Call<'a> {
    pub library: &'static str,
    pub name: &'static str,
    pub lua: &'a mlua::Lua,
    pub language: &'a Rc<Language>,
    pub values: Vec<Value>,
}

impl Call<'_> {
    /// The value at `place`, counted from 1.
    pub fn value(&self, place: usize) -> &Value {
        self.values.get(place - 1).unwrap_or(&Value::Nil)
    }

    /// In the words of `luaL_argerror`.
    pub fn argument_error(&self, place: usize, why: &str) -> Vec<u8> {
        format!("bad argument #{place} to '{}' ({why})", self.name).into_bytes()
    }

    /// In the words of `luaL_typeerror`.
    pub fn type_error(&self, place: usize, kind: &str) -> Vec<u8> {
        let got = match self.values.get(place - 1) {
            Some(value) => type_name(value),
            None => "no value",
        };
        self.argument_error(place, &format!("{kind} expected, got {got}"))
    }

    /// A string; numbers are strings as well.
    pub fn string(&self, place: usize) -> Result<Vec<u8>, Vec<u8>> {
        self.text(self.value(place)).ok_or_else(|| self.type_error(place, "string"))
    }

    /// A string as Lua holds it.
    pub fn borrowed_string(&self, place: usize) -> Result<LuaString, Vec<u8>> {
        let text = self.lua.coerce_string(self.value(place).clone()).ok().flatten();
        text.ok_or_else(|| self.type_error(place, "string"))
    }

    /// A string, or nothing.
    pub fn optional_string(&self, place: usize) -> Result<Option<Vec<u8>>, Vec<u8>> {
        match self.value(place) {
            Value::Nil => Ok(None),
            _ => self.string(place).map(Some),
        }
    }

    /// A number without a fraction.
    pub fn integer(&self, place: usize) -> Result<i64, Vec<u8>> {
        let whole = || self.argument_error(place, "number has no integer representation");
        match self.lua.coerce_number(self.value(place).clone()) {
            Ok(Some(number)) => {
                let integer = self.lua.coerce_integer(self.value(place).clone()).ok().flatten();
                let _: f64 = number;
                integer.ok_or_else(whole)
            }
            _ => Err(self.type_error(place, "number")),
        }
    }

    /// A number, or nothing.
    pub fn optional_integer(&self, place: usize) -> Result<Option<i64>, Vec<u8>> {
        match self.value(place) {
            Value::Nil => Ok(None),
            _ => self.integer(place).map(Some),
        }
    }

    /// A table.
    pub fn table(&self, place: usize) -> Result<&Table, Vec<u8>> {
        match self.value(place) {
            Value::Table(table) => Ok(table),
            _ => Err(self.type_error(place, "table")),
        }
    }

    /// The words in a table, from 1 up to the first that is not there.
    pub fn table_words(&self, table: &Table) -> Result<Vec<Vec<u8>>, Vec<u8>> {
        let mut words = Vec::new();
        for value in table.sequence_values::<Value>() {
            let value = value.map_err(error_bytes)?;
            let word = self.text(&value).ok_or_else(|| {
                // It lies on top of Lua's stack when rpm looks at it, and is called by that place.
                let (name, got) = (self.name, type_name(&value));
                format!("bad argument #-1 to '{name}' (string expected, got {got})").into_bytes()
            });
            words.push(word?);
        }
        Ok(words)
    }

    /// A string's or a number's text.
    pub fn text(&self, value: &Value) -> Option<Vec<u8>> {
        match value {
            Value::String(text) => Some(text.as_bytes().to_vec()),
            Value::Integer(_) | Value::Number(_) => {
                let text = self.lua.coerce_string(value.clone()).ok().flatten()?;
                Some(text.as_bytes().to_vec())
            }
            _ => None,
        }
    }

    /// A string for Lua.
    pub fn new_string(&self, text: &[u8]) -> Result<Value, Vec<u8>> {
        self.lua.create_string(text).map(Value::String).map_err(error_bytes)
    }

    /// One string as the answer.
    pub fn answer(&self, text: &[u8]) -> Answer {
        Ok(vec![self.new_string(text)?])
    }

    /// A list of strings as the answer.
    pub fn answer_list(&self, words: &[Vec<u8>]) -> Answer {
        let table = self.lua.create_table().map_err(error_bytes)?;
        for word in words {
            table.push(self.new_string(word)?).map_err(error_bytes)?;
        }
        Ok(vec![Value::Table(table)])
    }

    /// Named values: the one that `selector` names, or all in a table.
    pub fn answer_selected(&self, fields: Vec<(&'static str, Value)>, selector: usize) -> Answer {
        if let Some(wanted) = self.optional_string(selector)? {
            let found = fields.into_iter().find(|(name, _)| name.as_bytes() == wanted);
            let wanted = String::from_utf8_lossy(&wanted).into_owned();
            return match found {
                Some((_, value)) => Ok(vec![value]),
                None => Err(self.argument_error(selector, &format!("invalid option '{wanted}'"))),
            };
        }
        let table = self.lua.create_table().map_err(error_bytes)?;
        for (name, value) in fields {
            table.set(name, value).map_err(error_bytes)?;
        }
        Ok(vec![Value::Table(table)])
    }

    /// Nothing, a message and a number: how functions of the system fail.
    pub fn fail(&self, path: &[u8], error: &io::Error) -> Answer {
        let reason = crate::files::reason(error);
        let message = match path {
            [] => reason.into_bytes(),
            path => [path, b": ", reason.as_bytes()].concat(),
        };
        let code = error.raw_os_error().unwrap_or_default();
        self.language.errno.set(code);
        Ok(vec![Value::Nil, self.new_string(&message)?, Value::Number(code.into())])
    }

    /// The result of a function of the system: 0, or as [`Call::fail`].
    pub fn finish(&self, path: &[u8], result: io::Result<()>) -> Answer {
        match result {
            Ok(()) => Ok(vec![Value::Number(0.0)]),
            Err(error) => self.fail(path, &error),
        }
    }

    /// Whether macros may only read.
    pub fn is_closed(&self) -> bool {
        self.language.host.access() == Access::Closed
    }

    /// Checks that a file is within reach; where it is not, that is reported, and the error is the function's result.
    pub fn may_look_at(&self, path: &[u8]) -> Result<(), Answer> {
        let what = format!("{}.{}", self.library, self.name);
        if self.language.may_look_at(&what, path) { Ok(()) } else { Err(self.refuse()) }
    }

    /// Fails as the system does where something is not permitted.
    pub fn refuse(&self) -> Answer {
        self.fail(&[], &io::Error::from_raw_os_error(1))
    }

    /// Checks that macros may change the machine; where they may not, that is reported, and the error is the function's result.
    pub fn check_change(&self, text: &[u8]) -> Result<(), Answer> {
        if self.language.may_change(self.name, text) {
            self.language.host.note_effect();
            return Ok(());
        }
        Err(self.refuse())
    }
}

/// An error of the interpreter as a message.
pub(super) fn error_bytes(error: mlua::Error) -> Vec<u8> {
    error_text(&error).into_bytes()
}

/// An error's own words, without a traceback.
pub(super) fn error_text(error: &mlua::Error) -> String {
    match error {
        mlua::Error::CallbackError { cause, .. } => error_text(cause),
        mlua::Error::RuntimeError(message) => message.clone(),
        other => other.to_string(),
    }
}

/// An error with the place of the code that is at fault, as `luaL_error` puts it.
pub(super) fn error_with_place(lua: &mlua::Lua, message: &str) -> mlua::Error {
    let place = lua.inspect_stack(1, |code| {
        let (source, line) = (code.source(), code.current_line());
        source.short_src.zip(line).map(|(source, line)| format!("{source}:{line}: "))
    });
    mlua::Error::runtime(format!("{}{message}", place.flatten().unwrap_or_default()))
}

/// What Lua calls a value's type.
pub(super) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) | Value::Number(_) => "number",
        value => value.type_name(),
    }
}

/// A string's bytes.
pub(super) fn bytes(text: &LuaString) -> Vec<u8> {
    text.as_bytes().to_vec()
}

/// An error of the system.
pub(super) fn io_error(errno: Errno) -> io::Error {
    io::Error::from_raw_os_error(errno.raw_os_error())
}
