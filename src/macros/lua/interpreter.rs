//! The interpreter: code in, text out.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use mlua::{Function, LuaString, MultiValue, Value};

/// What code is told that took too long.
pub(super) const LATE: &str = "the processor was busy for too long";

/// How Lua fails.
pub(super) enum LuaFailure {
    /// The code can't be understood.
    Syntax(Vec<u8>),
    /// It can, but ended with an error.
    Run(Vec<u8>),
}

/// What is printed now goes to the last of these; where it is nothing, to standard output.
pub(super) type Printed = Rc<RefCell<Vec<Option<Vec<u8>>>>>;

/// Where what is printed goes.
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
    /// Counts work of ours as instructions.
    pub(super) fn spend(&self, instructions: u64, limit: u64) -> Result<(), String> {
        self.used.set(self.used.get().saturating_add(instructions));
        if self.used.get() > limit { Err(format!("more than {limit} instructions")) } else { Ok(()) }
    }

    /// A new text begins: it has all instructions to itself.
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
