//! What a manifest says of macros, defined as the options of rpm's programs would define it.

use crate::engine::{FactsRequest, MacroOption, Settings};
use crate::macros::{Level, Macros, Origin, RpmVersion};

/// Defines what the request says.
pub(super) fn define_request(macros: &Macros, request: &FactsRequest) {
    define_options(macros, request.settings.options(&request.sources));
}

/// Defines all that the settings say, for a root whose own rpm is `own_rpm`: the language, the macros and the conditions.
pub fn define_settings(macros: &Macros, settings: &Settings, own_rpm: RpmVersion) {
    define_dialect(macros, settings, own_rpm);
    define_macros(macros, settings);
    define_options(macros, settings.condition_options());
}

/// Says which language is spoken: what the settings say, or the root's macro files, or the root's own rpm.
pub(super) fn define_dialect(macros: &Macros, settings: &Settings, own_rpm: RpmVersion) {
    match settings.rpm {
        Some(rpm) => macros.set_version(rpm),
        None => macros.propose_version(own_rpm),
    }
}

/// Defines the macros of the settings.
pub(super) fn define_macros(macros: &Macros, settings: &Settings) {
    define_options(macros, settings.macro_options());
}

fn define_options<'s>(macros: &Macros, options: impl Iterator<Item = MacroOption<'s>>) {
    for option in options {
        macros.set_place(Origin::named("the manifest"));
        match option {
            MacroOption::Define { name, body } => {
                define_one(macros, &MacroOption::definition(&name, body.reveal()));
            }
            MacroOption::Undefine(name) => {
                let _ = macros.undefine(name.as_bytes());
            }
            MacroOption::With(name) => define_one(macros, &format!("_with_{name} --with-{name}")),
            MacroOption::Without(name) => define_one(macros, &format!("_without_{name} --without-{name}")),
            // Macro files were loaded for it.
            MacroOption::Target(_) => {}
        }
    }
}

fn define_one(macros: &Macros, definition: &str) {
    // What is wrong has been told.
    let _ = macros.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("the manifest"));
}
