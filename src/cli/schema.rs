//! `forge schema`

use super::Exit;
use super::argument_values::SchemaForm;
use super::arguments::Schema;
use super::check::CheckDocument;
use super::compare::CompareDocument;
use super::context::{Context, Failure};
use super::diff::DiffDocument;
use super::doctor::DoctorDocument;
use super::document::schema_for;
use super::history::HistoryDocument;
use super::outdated::OutdatedDocument;
use super::prune::PruneDocument;
use super::results::ResultsDocument;
use super::status::StatusDocument;
use super::tunables::TunablesDocument;
use super::verify::VerifyDocument;
use super::verify_signatures::VerificationDocument;
use super::why::WhyDocument;
use crate::event::event_schema;
use crate::execute::ResultRecord;
use crate::manifest::{reference, schema};
use crate::ui::PlanDocument;

/// Prints the schema or the reference.
pub fn run(arguments: &Schema, context: &Context) -> Result<Exit, Failure> {
    let text = match arguments.form {
        SchemaForm::Kdl => schema(),
        SchemaForm::Markdown => reference(),
        SchemaForm::Events => event_schema(),
        SchemaForm::Check => schema_for::<CheckDocument>(),
        SchemaForm::Plan => schema_for::<PlanDocument>(),
        SchemaForm::Status => schema_for::<StatusDocument>(),
        SchemaForm::Results => schema_for::<ResultsDocument>(),
        SchemaForm::Why => schema_for::<WhyDocument>(),
        SchemaForm::History => schema_for::<HistoryDocument>(),
        SchemaForm::Diff => schema_for::<DiffDocument>(),
        SchemaForm::Compare => schema_for::<CompareDocument>(),
        SchemaForm::Prune => schema_for::<PruneDocument>(),
        SchemaForm::Result => schema_for::<ResultRecord>(),
        SchemaForm::Doctor => schema_for::<DoctorDocument>(),
        SchemaForm::Outdated => schema_for::<OutdatedDocument>(),
        SchemaForm::Verify => schema_for::<VerifyDocument>(),
        SchemaForm::Tunables => schema_for::<TunablesDocument>(),
        SchemaForm::VerifySignatures => schema_for::<VerificationDocument>(),
    };
    context.print(&text)?;
    Ok(Exit::Success)
}
