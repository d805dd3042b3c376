//! The options of rpmspec and rpmbuild that stand for settings.

use std::ffi::OsString;
use std::fmt;

use crate::engine::{MacroOption, Settings, Value};
use crate::process::{Command, document_path};

/// Adds the options that both programs take for `settings`.
pub(super) fn with_options(command: Command, settings: &Settings, sources: impl fmt::Display) -> Command {
    let mut options: Vec<OsString> = Vec::new();
    let mut documents = Vec::new();
    for option in settings.options(sources) {
        let (option, value) = match option {
            MacroOption::Define { name, body } => {
                let body = match &*body {
                    Value::Secret(secret) => {
                        documents.push(secret.reveal().trim().as_bytes().to_vec());
                        document_macro(documents.len() - 1)
                    }
                    Value::Written(_) | Value::Digested(_) => body.reveal().to_owned(),
                };
                ("--define", MacroOption::definition(&name, &body))
            }
            MacroOption::Undefine(name) => ("--undefine", name.to_owned()),
            MacroOption::With(name) => ("--with", name.to_owned()),
            MacroOption::Without(name) => ("--without", name.to_owned()),
            MacroOption::Target(target) => ("--target", target.to_owned()),
        };
        options.extend([option.into(), value.into()]);
    }
    documents.into_iter().fold(command, Command::document).arguments(options)
}

/// A macro's body that is read from a document whenever the macro is expanded, and expanded as any other body. rpm reads
/// its files anew for each `--target`, and so forgets what `--load` has read; a definition of the command line stays.
fn document_macro(number: usize) -> String {
    let path = document_path(number);
    format!(r#"%{{expand:%{{lua:local f = io.open("{path}"); print((f:read("a"))); f:close()}}}}"#)
}
