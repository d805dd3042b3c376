//! What a manifest says of macros, defined as the options of rpm's programs would define it.

use crate::engine::{Condition, FactsRequest, Settings};
use crate::macros::{Level, Macros, Origin};

/// Defines what the request says.
pub(super) fn define_request(macros: &Macros, request: &FactsRequest) {
    define_one(macros, format!("_sourcedir {}", request.sources));
    // A spec lies beside its sources; where it is built, both are elsewhere, and only the sources are all there.
    define_one(macros, format!("_specdir {}", request.sources));
    define_settings(macros, &request.settings);
}

/// Defines the macros and the conditions of the settings.
pub fn define_settings(macros: &Macros, settings: &Settings) {
    define_macros(macros, settings);
    for condition in &settings.conditions {
        let (how, name) = match condition {
            Condition::With(name) => ("with", name),
            Condition::Without(name) => ("without", name),
        };
        define_one(macros, format!("_{how}_{name} --{how}-{name}"));
    }
}

/// Defines the macros of the settings.
pub(super) fn define_macros(macros: &Macros, settings: &Settings) {
    macros.set_place(Origin::named("the manifest"));
    for setting in &settings.macros {
        match &setting.body {
            None => {
                let _ = macros.undefine(setting.name.as_bytes());
            }
            Some(body) => {
                let options = setting.options.as_ref().map(|options| format!("({options})"));
                // A body ends with its line; a line goes on behind a backslash (rpm-macros(7)).
                let body = body.reveal().replace('\n', "\\\n");
                define_one(macros, format!("{}{} {body}", setting.name, options.unwrap_or_default()));
            }
        }
    }
}

fn define_one(macros: &Macros, definition: String) {
    macros.set_place(Origin::named("the manifest"));
    // What is wrong has been told.
    let _ = macros.define(definition.as_bytes(), Level::COMMAND_LINE, Origin::named("the manifest"));
}
