//! JSON that commands print, and its schemas.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::Serialize;

use super::Exit;
use super::context::{CliError, Context, Failure};

/// Prints what programs read.
pub fn print_document(document: &impl Serialize, context: &Context) -> Result<Exit, Failure> {
    let text = serde_json::to_string_pretty(document).map_err(std::io::Error::other);
    context.print(&format!("{}\n", text.map_err(CliError::Io)?))?;
    Ok(Exit::Success)
}

/// The JSON Schema (draft 2020-12) of a document, made from the types that are printed.
pub fn schema_for<T: JsonSchema>() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<T>();
    // A schema is made of maps and texts, and can be written.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
