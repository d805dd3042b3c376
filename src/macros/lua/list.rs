//! Lists of the program that Lua sees as global tables.

use mlua::Value;

use super::interpreter::Lua;

/// One item of a list that Lua sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Item {
    /// Text.
    Text(Vec<u8>),
    /// A number.
    Number(u32),
}

impl Lua {
    fn create_item(&self, item: &Item) -> mlua::Result<Value> {
        Ok(match item {
            Item::Text(text) => Value::String(self.state.create_string(text)?),
            Item::Number(number) => Value::Integer((*number).into()),
        })
    }

    /// Makes a global table of items.
    pub fn set_list(&self, name: &str, items: &[Item]) -> mlua::Result<()> {
        let table = self.state.create_table()?;
        for item in items {
            table.push(self.create_item(item)?)?;
        }
        self.state.globals().set(name, table)
    }

    /// Puts an item at the end of such a table.
    pub fn add_to_list(&self, name: &str, item: &Item) -> mlua::Result<()> {
        // What a spec has put in the list's place is its own affair.
        let list: Value = self.state.globals().get(name)?;
        match list {
            Value::Table(table) => table.push(self.create_item(item)?),
            _ => Ok(()),
        }
    }
}
