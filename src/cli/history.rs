//! `forge history`

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::arguments::History;
use super::context::{Context, Failure};
use super::document::print_document;
use super::past_builds::PastBuilds;
use super::project::{Project, STATE_FOLDER};
use super::published_signatures::PublishedSignatures;
use crate::event::{BuildName, Clock, StageTime, State, SystemClock, Timestamp};
use crate::plan::Reason;
use crate::store::{BuildRow, History as PastHistory};
use crate::ui::{Column, Verbosity, age, duration, list_reasons, table_within};

/// Shows the newest builds.
pub fn run(arguments: &History, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let mut rows = history.builds(None, usize::MAX)?;
    let is_empty = rows.is_empty();
    if !is_empty || !arguments.packages.is_empty() {
        let builds = PastBuilds { project: &project, history: &history, context };
        builds.retain(&mut rows, &arguments.packages, &arguments.chroot)?;
    }
    rows.retain(|row| !arguments.failed || row.state == State::Failed);
    rows.truncate(arguments.number);
    let (signatures, state) = (PublishedSignatures::read(&project, context), project.state()?);
    let mut shown = Vec::new();
    for row in rows {
        let reasons = read_reasons(&history, row.number)?;
        let signed_by = signatures.of(&state, &row);
        shown.push(PastBuild { signed_by, ..PastBuild::new(row, reasons) });
    }
    if arguments.json {
        return print_document(&HistoryDocument { version: 1, builds: shown }, context);
    }
    if shown.is_empty() {
        let none =
            if is_empty { "nothing has been built yet: run `forge apply`\n" } else { "no build matches\n" };
        return context.print(none).map(|()| Exit::Success);
    }
    let is_verbose = context.verbosity == Verbosity::Verbose;
    let shows_signers = is_verbose && shown.iter().any(|build| !build.signed_by.is_empty());
    let mut columns = vec![
        Column::Right("build"),
        Column::Left("package"),
        Column::Left("chroot"),
        Column::Left("state"),
        Column::Right("took"),
        Column::Left("when"),
        Column::Left("why"),
    ];
    let now = SystemClock.now();
    let when = |at: Timestamp| match context.verbosity {
        Verbosity::Verbose => at.to_string(),
        Verbosity::Quiet | Verbosity::Normal => age(now.since(at)),
    };
    let mut cells: Vec<Vec<String>> = shown.iter().map(|build| build.cells(&when)).collect();
    if shows_signers {
        columns.push(Column::Left("published, signed by"));
        let signers = shown.iter().map(|build| build.signed_by.join(", "));
        cells.iter_mut().zip(signers).for_each(|(cells, signers)| cells.push(signers));
    }
    context.print(&table_within(&columns, &cells, context.output_width()))?;
    Ok(Exit::Success)
}

/// Why a build was made, where that is known.
pub fn read_reasons(history: &PastHistory, number: u64) -> Result<Vec<Reason>, Failure> {
    let said = history.reasons(number)?;
    Ok(said.and_then(|said| serde_json::from_str(&said).ok()).unwrap_or_default())
}

/// What `forge history --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HistoryDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// The builds, the newest first.
    builds: Vec<PastBuild>,
}

/// A build that was begun.
#[derive(Debug, Serialize, JsonSchema)]
struct PastBuild {
    /// Its number in this project.
    number: u64,
    #[serde(flatten)]
    build: BuildName,
    /// How it ended, or where it is.
    state: State,
    /// When it began.
    started: Timestamp,
    /// When it ended.
    ended: Option<Timestamp>,
    /// How it failed.
    cause: Option<String>,
    /// Why it was built.
    reasons: Vec<Reason>,
    /// The stages that ran.
    stages: Vec<StageTime>,
    /// The folder of its results, relative to the project.
    results: Option<String>,
    /// The fingerprints of the keys that its packages are signed with, where they are published.
    signed_by: Vec<String>,
}

impl PastBuild {
    fn new(row: BuildRow, reasons: Vec<Reason>) -> Self {
        let BuildRow { number, build, state, started, ended, cause, stages, results } = row;
        let results = results.map(|results| format!("{STATE_FOLDER}/{results}"));
        let signed_by = Vec::new();
        Self { number, build, state, started, ended, cause, reasons, stages, results, signed_by }
    }

    fn cells(&self, when: &dyn Fn(Timestamp) -> String) -> Vec<String> {
        let took = self.ended.map(|ended| duration(ended.since(self.started))).unwrap_or_default();
        vec![
            format!("#{}", self.number),
            self.build.package.clone(),
            self.build.chroot.clone(),
            self.state.name().to_owned(),
            took,
            when(self.ended.unwrap_or(self.started)),
            self.cause.clone().unwrap_or_else(|| list_reasons(&self.reasons)),
        ]
    }
}
