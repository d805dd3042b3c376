//! The interpreter: code in, text out.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::{Function, LuaString, MultiValue, Value};

/// The message of the error that ends code after [`Limits::reading_time`](super::super::Limits).
pub(super) const LATE: &str = "the processor was busy for too long";

/// Why code has no result.
pub(super) enum LuaFailure {
    /// It does not parse. The parser's message.
    Syntax(Vec<u8>),
    /// It ended with an error. The error's message.
    Run(Vec<u8>),
}

/// Where `print` writes, for each piece of code that is running, the innermost last: a buffer, or `None` for standard output.
pub(super) type Printed = Rc<RefCell<Vec<Option<Vec<u8>>>>>;

/// Where `print` writes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Printing {
    IntoExpansion,
    ToStandardOutput,
}

/// The interpreter.
pub struct Lua {
    pub(in crate::macros) state: mlua::Lua,
    pub(super) run: Function,
    pub(super) used: Rc<Cell<u64>>,
    pub(super) printed: Printed,
}

impl Lua {
    /// Counts the work of a native function as instructions.
    pub(super) fn spend(&self, instructions: u64, limit: u64) -> Result<(), String> {
        self.used.set(self.used.get().saturating_add(instructions));
        if self.used.get() > limit { Err(format!("more than {limit} instructions")) } else { Ok(()) }
    }

    /// Counts from 0 again, for a new text.
    pub fn start(&self) {
        self.used.set(0);
    }

    /// Runs code, and gives what it printed and returned.
    pub(super) fn run(
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
