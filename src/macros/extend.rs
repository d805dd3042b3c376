//! What a program adds to the language: macros of its own, and lists that Lua sees.

use std::rc::Rc;
use std::sync::Arc;

use super::extension::ExtensionProblem;
use super::language::{Extension, Language, Macros};
use super::lua::Item;
use super::problem::MacroProblem;
use super::stop::Stop;
use super::table::{Definition, Expansion, Level, Origin};

impl Macros {
    /// Defines a macro that the program itself expands, in the place of one of that name. With words it takes the rest of
    /// its line, options included, as they are.
    pub fn add_extension(&self, name: &'static str, takes_words: bool, extension: Extension) {
        self.remove_extension(name);
        self.language.extensions.borrow_mut().insert(name.as_bytes().to_vec(), extension);
        self.push(Definition {
            name: name.as_bytes().into(),
            options: takes_words.then(|| b"-".as_slice().into()),
            body: b"<aux>".as_slice().into(),
            expansion: Expansion::Extension,
            level: Level::GLOBAL,
            origin: Origin::named("forge"),
        });
    }

    /// Takes away what [`Macros::add_extension`] has defined.
    pub fn remove_extension(&self, name: &'static str) {
        if self.language.extensions.borrow_mut().remove(name.as_bytes()).is_some() {
            self.pop(name.as_bytes());
        }
    }

    /// Looks whether Lua understands a script, which is called `name` in what it says; nothing is run.
    ///
    /// # Errors
    /// It does not; what it says.
    pub fn check_lua(&self, script: &[u8], name: &str) -> Result<(), Vec<u8>> {
        let lua = self.language.lua().map_err(|Stop| Vec::new())?;
        match lua.state.load(script).set_name(name).into_function() {
            Ok(_) => Ok(()),
            Err(mlua::Error::SyntaxError { message, .. }) => Err(message.into_bytes()),
            Err(error) => Err(error.to_string().into_bytes()),
        }
    }

    /// Empties a list that Lua sees as a global table.
    pub fn clear_list(&self, name: &'static str) {
        self.language.lists.borrow_mut().insert(name, Vec::new());
        if let Some(lua) = self.language.lua.get() {
            // Without memory for a table, the next code fails as well, and says so.
            let _ = lua.set_list(name, &[]);
        }
    }

    /// Puts an item at the end of a list.
    pub fn add_to_list(&self, name: &'static str, item: Item) {
        if let Some(lua) = self.language.lua.get() {
            let _ = lua.add_to_list(name, &item);
        }
        self.language.lists.borrow_mut().entry(name).or_default().push(item);
    }
}

impl Language {
    /// Expands a macro that the program itself defines.
    pub(super) fn call_extension(
        self: &Rc<Self>,
        definition: &Arc<Definition>,
        out: &mut Vec<u8>,
    ) -> Result<(), Stop> {
        let extension = self.extensions.borrow().get(definition.name.as_ref()).map(Rc::clone);
        let Some(extension) = extension else {
            // A copy of the table that has lost its program.
            return Ok(());
        };
        let words = match (&definition.options, self.calls.borrow().last()) {
            (Some(_), Some(call)) => call.words.clone(),
            _ => Vec::new(),
        };
        let text = extension(&Macros { language: Rc::clone(self) }, &words);
        out.extend(text.map_err(|ExtensionProblem { message, help }| {
            self.fail(MacroProblem::Extension { message: message.as_slice().into(), help })
        })?);
        Ok(())
    }
}
