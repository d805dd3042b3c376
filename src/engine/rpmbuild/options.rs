//! The options of rpmspec and rpmbuild that stand for settings.

use std::ffi::OsString;
use std::fmt;

use crate::engine::{Condition, Settings, Value};
use crate::process::{Command, document_path};

/// Adds the options that both programs take for `settings`.
pub(super) fn with_options(mut command: Command, settings: &Settings, sources: impl fmt::Display) -> Command {
    let mut options: Vec<OsString> = Vec::new();
    let mut option = |name: &str, value: String| options.extend([name.into(), value.into()]);
    option("--define", format!("_sourcedir {sources}"));
    option("--define", format!("_specdir {sources}"));
    let mut documents = Vec::new();
    for setting in &settings.macros {
        match &setting.body {
            None => option("--undefine", setting.name.clone()),
            Some(body) => {
                let options = setting.options.as_ref().map(|options| format!("({options})"));
                let body = match body {
                    Value::Secret(secret) => {
                        documents.push(secret.reveal().trim().as_bytes().to_vec());
                        document_macro(documents.len() - 1)
                    }
                    // A body ends with its line; a line goes on behind a backslash (rpm-macros(7)).
                    Value::Written(_) | Value::Digested(_) => body.reveal().replace('\n', "\\\n"),
                };
                option("--define", format!("{}{} {body}", setting.name, options.unwrap_or_default()));
            }
        }
    }
    for condition in &settings.conditions {
        match condition {
            Condition::With(name) => option("--with", name.clone()),
            Condition::Without(name) => option("--without", name.clone()),
        }
    }
    if let Some(target) = &settings.target {
        option("--target", target.clone());
    }
    command = documents.into_iter().fold(command, Command::document);
    command.arguments(options)
}

/// A macro's body that is read from a document whenever the macro is expanded, and expanded as any other body. rpm reads
/// its files anew for each `--target`, and so forgets what `--load` has read; a definition of the command line stays.
fn document_macro(number: usize) -> String {
    let path = document_path(number);
    format!(r#"%{{expand:%{{lua:local f = io.open("{path}"); print((f:read("a"))); f:close()}}}}"#)
}
