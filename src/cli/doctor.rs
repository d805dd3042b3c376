//! `forge doctor`

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::arguments::Doctor;
use super::context::{CliError, Context, Failure};
use super::document::print_document;
use super::planning::runtime;
use super::project::Project;
use crate::files::{Folder, HostPath};
use crate::process::Supervisor;
use crate::sandbox::{Ability, AbilityState, Machine};
use crate::ui::{Column, plain_text, table_wrapped};

/// What `forge doctor --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DoctorDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// Whether builds can run here: nothing that they need is missing.
    builds: bool,
    /// What was tried.
    abilities: Vec<AbilityDocument>,
}

/// Something that a machine can do or can't.
#[derive(Debug, Serialize, JsonSchema)]
struct AbilityDocument {
    /// What it is called.
    name: String,
    /// Whether the machine can.
    state: AbilityWord,
    /// What that means for builds.
    meaning: String,
    /// What can be done about it; null where nothing has to be.
    help: Option<String>,
}

/// Whether a machine can do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum AbilityWord {
    /// It can.
    Ok,
    /// It can't, and builds do without.
    WorkedRound,
    /// It can't, and builds need it.
    Missing,
}

/// Tries what builds need, and shows it.
pub fn run(arguments: &Doctor, context: &Context) -> Result<Exit, Failure> {
    let own = std::env::current_exe().map_err(CliError::Io)?;
    let forge = HostPath::new(own).unwrap_or_else(HostPath::root);
    let store = Folder::create_ambient(&context.store_folder()?).map_err(CliError::Io)?;
    // Without one, what is not of a project is tried.
    let project = Project::find(context).ok().map(|project| project.repository.path().clone());
    let supervisor = Supervisor::new(forge.clone());
    let machine = Machine { forge, supervisor, project: project.as_ref(), store: &store };
    let abilities = runtime()?.block_on(machine.find_abilities()).map_err(CliError::Io)?;
    let document = DoctorDocument::new(&abilities);
    match arguments.json {
        true => drop(print_document(&document, context)?),
        false => context.print(&screen(&document, context.output_width()))?,
    }
    Ok(if document.builds { Exit::Success } else { Exit::Failure })
}

impl DoctorDocument {
    fn new(abilities: &[Ability]) -> Self {
        let abilities: Vec<AbilityDocument> = abilities.iter().map(AbilityDocument::new).collect();
        let builds = abilities.iter().all(|ability| ability.state != AbilityWord::Missing);
        Self { version: 1, builds, abilities }
    }
}

impl AbilityDocument {
    fn new(ability: &Ability) -> Self {
        let Ability { name, state, meaning, advice } = ability;
        let state = match state {
            AbilityState::Works => AbilityWord::Ok,
            AbilityState::WorkedRound => AbilityWord::WorkedRound,
            AbilityState::Missing => AbilityWord::Missing,
        };
        Self { name: (*name).to_owned(), state, meaning: meaning.clone(), help: advice.clone() }
    }
}

impl AbilityWord {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::WorkedRound => "worked round",
            Self::Missing => "missing",
        }
    }
}

/// A table with what to do below what it is about, and what all that comes to.
fn screen(document: &DoctorDocument, width: Option<usize>) -> String {
    let rows = document.abilities.iter().flat_map(|ability| {
        let AbilityDocument { name, state, meaning, help } = ability;
        let advice = help.iter().map(|help| vec![String::new(), String::new(), format!("→ {help}")]);
        let row = vec![name.clone(), state.word().to_owned(), plain_text(meaning)];
        std::iter::once(row).chain(advice)
    });
    let columns = [Column::Left("what"), Column::Left("state"), Column::Left("what it means, → what to do")];
    let shown = table_wrapped(&columns, &rows.collect::<Vec<_>>(), width);
    let is_missing = |ability: &&AbilityDocument| ability.state == AbilityWord::Missing;
    let missing: Vec<&str> =
        document.abilities.iter().filter(is_missing).map(|ability| ability.name.as_str()).collect();
    let ending = match document.builds {
        true => "builds can run here\n".to_owned(),
        false => format!("builds can't run here as they should; missing: {}\n", missing.join(", ")),
    };
    format!("{shown}\n{ending}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_keeps_builds_from_running_and_what_is_worked_round_does_not() {
        let ability = |state| Ability {
            name: "overlayfs",
            state,
            meaning: "packages built here can't be laid over the root".to_owned(),
            advice: Some("`modprobe overlay`".to_owned()),
        };
        let worked_round = DoctorDocument::new(&[ability(AbilityState::WorkedRound)]);
        assert!(worked_round.builds);
        let missing = DoctorDocument::new(&[ability(AbilityState::Works), ability(AbilityState::Missing)]);
        assert!(!missing.builds);
        let shown = anstream::adapter::strip_str(&screen(&missing, None)).to_string();
        insta::assert_snapshot!(shown, @r"
        WHAT       STATE    WHAT IT MEANS, → WHAT TO DO
        overlayfs  ok       packages built here can't be laid over the root
                            → `modprobe overlay`
        overlayfs  missing  packages built here can't be laid over the root
                            → `modprobe overlay`

        builds can't run here as they should; missing: overlayfs
        ");
    }
}
