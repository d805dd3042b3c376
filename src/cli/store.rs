//! `forge store`

use super::Exit;
use super::arguments::{Store, StoreCommand, StoreVerify};
use super::context::{Context, Failure};
use super::project::store;
use crate::store::{Defect, Finding, Repair, StoredKind, Verification};
use crate::ui::{count, plain_text, size};

/// Looks after the store.
pub fn run(arguments: &Store, context: &Context) -> Result<Exit, Failure> {
    match &arguments.command {
        StoreCommand::Verify(arguments) => verify(arguments, context),
    }
}

/// Names everything in the store that is not what it should be. Records that are only read again are no failure.
fn verify(arguments: &StoreVerify, context: &Context) -> Result<Exit, Failure> {
    let repair = if arguments.repair { Repair::Remove } else { Repair::Nothing };
    let Verification { blobs, bytes, records, trees, farms, wrong } = store(context)?.verify(repair)?;
    let mut text: String = wrong.iter().map(line).collect();
    let roots = match (trees, farms) {
        (0, 0) => String::new(),
        (trees, farms) => format!(", {} and {}", count(trees, "unpacked package"), count(farms, "root")),
    };
    let checked =
        format!("{} ({}) and {}{roots}", count(blobs, "file"), size(bytes), count(records, "record"));
    let lost = wrong.iter().filter(|wrong| !wrong.is_read_again()).count();
    let ending = match (lost, wrong.len(), repair) {
        (0, 0, _) => "all as they should be".to_owned(),
        (0, number, Repair::Nothing) => {
            format!("nothing is lost; {} of no use, `--repair` removes what is", count(number, "record"))
        }
        (0, number, Repair::Remove) => format!("nothing is lost; {} removed", count(number, "record")),
        (_, number, Repair::Nothing) => {
            format!("{number} wrong; `--repair` removes what is, to be built again")
        }
        (_, number, Repair::Remove) => {
            format!("{number} wrong and removed; the next `forge apply` builds it again")
        }
    };
    text.push_str(&format!("checked {checked}: {ending}\n"));
    context.print(&plain_text(&text))?;
    Ok(match (lost, repair) {
        (0, _) | (_, Repair::Remove) => Exit::Success,
        (_, Repair::Nothing) => Exit::Failure,
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
        (StoredKind::Facts, _) => " (a record of what a spec says: it is read again)".to_owned(),
        (StoredKind::Root, _) => " (a record of what a root consists of: it is looked at again)".to_owned(),
        (StoredKind::Package, _) => " (a record of what a package says: it is read again)".to_owned(),
        (StoredKind::Metadata, _) => " (metadata of packages: they are made again)".to_owned(),
        (StoredKind::Fetched, _) => " (a record of a file that was fetched: it is fetched again)".to_owned(),
        (StoredKind::Repository, _) => " (a record of a repository: it is asked again)".to_owned(),
        (StoredKind::Tree, _) => " (of a package of roots: it is unpacked again)".to_owned(),
        (StoredKind::Farm, _) => " (a root: it is made again)".to_owned(),
        (StoredKind::Blob, []) => " (no build is on record that made it)".to_owned(),
        (StoredKind::Blob, names) => format!(" ({})", names.join(", ")),
    };
    format!("{} {defect}{needed}\n", path.display())
}
