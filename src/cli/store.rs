//! `forge store`

use super::Exit;
use super::arguments::{Store, StoreCommand, StoreVerify};
use super::context::{Context, Failure};
use super::project::store;
use crate::store::{Defect, Finding, Repair, StoredKind, Verification};
use crate::ui::{count, size};

/// Looks after the store.
pub fn run(arguments: &Store, context: &Context) -> Result<Exit, Failure> {
    match &arguments.command {
        StoreCommand::Verify(arguments) => verify(arguments, context),
    }
}

/// Names everything in the store that is not what it should be.
fn verify(arguments: &StoreVerify, context: &Context) -> Result<Exit, Failure> {
    let repair = if arguments.repair { Repair::Remove } else { Repair::Nothing };
    let Verification { blobs, bytes, records, wrong } = store(context)?.verify(repair)?;
    let mut text: String = wrong.iter().map(line).collect();
    let checked = format!("{} ({}) and {}", count(blobs, "file"), size(bytes), count(records, "record"));
    let ending = match (wrong.len(), repair) {
        (0, _) => "all as they should be".to_owned(),
        (number, Repair::Nothing) => format!("{number} wrong; `--repair` removes what is, to be built again"),
        (number, Repair::Remove) => {
            format!("{number} wrong and removed; the next `forge apply` builds it again")
        }
    };
    text.push_str(&format!("checked {checked}: {ending}\n"));
    context.print(&text)?;
    Ok(match (wrong.is_empty(), repair) {
        (true, _) | (false, Repair::Remove) => Exit::Success,
        (false, Repair::Nothing) => Exit::Failure,
    })
}

fn line(wrong: &Finding) -> String {
    let Finding { kind, path, defect, needed_by } = wrong;
    let defect = match defect {
        Defect::Missing => "is missing",
        Defect::Changed => "is not what was stored",
        Defect::Misnamed => "has a name that forge gives to nothing",
        Defect::Unreadable => "can't be read",
    };
    let needed = match (kind, needed_by.as_slice()) {
        (StoredKind::Result, _) => " (a record of a build)".to_owned(),
        (StoredKind::Facts, _) => " (a record of what a spec says)".to_owned(),
        (StoredKind::Root, _) => " (a record of what a root consists of)".to_owned(),
        (StoredKind::Blob, []) => " (no build is on record that made it)".to_owned(),
        (StoredKind::Blob, names) => format!(" ({})", names.join(", ")),
    };
    format!("{} {defect}{needed}\n", path.display())
}
