//! `forge schema`

use super::Exit;
use super::arguments::{Schema, SchemaForm};
use super::check::check_schema;
use super::context::{Context, Failure};
use crate::event::event_schema;
use crate::manifest::{reference, schema};

/// Prints the schema or the reference.
pub fn run(arguments: &Schema, context: &Context) -> Result<Exit, Failure> {
    let text = match arguments.form {
        SchemaForm::Kdl => schema(),
        SchemaForm::Markdown => reference(),
        SchemaForm::Events => event_schema(),
        SchemaForm::Check => check_schema(),
    };
    context.print(&text)?;
    Ok(Exit::Success)
}
