//! The schema of events, for programs that read them.

use schemars::generate::SchemaSettings;

use super::Event;

/// The JSON Schema (draft 2020-12) of a line that `forge apply --json` prints. It is made from the types that are printed.
pub fn event_schema() -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let schema = settings.into_generator().into_root_schema_for::<Event>();
    // A schema is made of maps and texts, and can be written.
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    text
}
