//! A plan on the screen, and as JSON.

use std::collections::{BTreeSet, HashMap};

use schemars::JsonSchema;
use serde::Serialize;

use super::table::{Column, table};
use super::terminal_text::plain_text;
use super::words::count;
use crate::digest::Key;
use crate::engine::{MacroLevel, Value};
use crate::event::{BuildName, State};
use crate::manifest::BatchId;
use crate::plan::{BuildId, Decision, Decisions, Fate, Plan, Reason};
use crate::publish::{DamagedRepositoryFile, Entering, Leaving};
use crate::store::BuildRow;

/// The version of the form of [`PlanDocument`].
const PLAN_VERSION: u32 = 1;

/// A plan as programs read it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlanDocument {
    /// The version of this form.
    pub version: u32,
    /// Every build.
    pub builds: Vec<PlannedBuild>,
    /// Packages that are not built, and come into their repository.
    pub entering: Vec<Entering>,
    /// Packages that leave their repository.
    pub leaving: Vec<Leaving>,
    /// Files of repositories that are not as forge has left them.
    pub damaged: Vec<DamagedRepositoryFile>,
    /// How many builds nobody has asked for.
    pub not_chosen: usize,
    /// Whether an apply would do something.
    pub work: bool,
}

/// A build as programs read it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PlannedBuild {
    /// The build.
    #[serde(flatten)]
    pub build: BuildName,
    /// Its batch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub batch: Option<String>,
    /// What an apply does.
    pub action: Action,
    /// Why.
    pub reasons: Vec<Reason>,
    /// Why it is skipped.
    pub skipped: Option<String>,
    /// Its version, `[epoch:]version-release`, where its spec can be read.
    pub version: Option<String>,
    /// The version of its newest good build, where that is another one.
    pub version_before: Option<String>,
    /// Its newest attempt, where that failed.
    pub failed_before: Option<FailedAttempt>,
    /// Its key, where that is known.
    pub key: Option<Key>,
    /// The builds that it comes after because it takes packages from them.
    pub needs: Vec<BuildName>,
    /// The macros, build conditions and variables that the manifest sets for it, and who says them.
    pub settings: crate::engine::Settings,
}

/// What an apply does with a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// It is built.
    Build,
    /// It is built if packages that it needs come out differently.
    Maybe,
    /// Its result is there.
    Cached,
    /// It is not meant to be built.
    Skip,
    /// It can't be built.
    Impossible,
}

/// An attempt at a build that failed.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FailedAttempt {
    /// Its number in this project.
    pub number: u64,
    /// The stage that it failed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage: Option<String>,
}

/// What an apply changes in repositories beside what it builds.
#[derive(Debug, Default)]
pub struct RepositoryChanges {
    /// Packages that come into them.
    pub entering: Vec<Entering>,
    /// Packages that leave them.
    pub leaving: Vec<Leaving>,
    /// Files that are put right.
    pub damaged: Vec<DamagedRepositoryFile>,
}

/// A plan, and what there was before it.
#[derive(Clone, Copy, Debug)]
pub struct PlanView<'a> {
    /// The plan.
    pub plan: &'a Plan,
    /// What is to be done.
    pub decisions: &'a Decisions,
    /// Names of batches, by their place.
    pub batches: &'a [String],
    /// The batch of each package, by its place.
    pub batch_of: &'a [Option<BatchId>],
    /// The newest attempt at each build.
    pub attempts: &'a HashMap<BuildName, BuildRow>,
    /// The version of each build's newest good result.
    pub versions: &'a HashMap<BuildName, String>,
}

/// The plan as data, in the order in which it is built.
pub fn plan_document(view: PlanView<'_>, repositories: RepositoryChanges) -> PlanDocument {
    let RepositoryChanges { entering, leaving, damaged } = repositories;
    let builds = view.plan.build_order().into_iter().filter_map(|id| planned_build(view, id));
    let builds: Vec<PlannedBuild> = builds.collect();
    let publishes = entering.iter().any(|it| it.waits.is_none())
        || leaving.iter().any(|it| it.waits.is_none())
        || !damaged.is_empty();
    let work = view.decisions.has_work() || publishes;
    let not_chosen = view.plan.builds.len() - builds.len();
    PlanDocument { version: PLAN_VERSION, builds, not_chosen, work, entering, leaving, damaged }
}

fn planned_build(view: PlanView<'_>, id: BuildId) -> Option<PlannedBuild> {
    let build = view.plan.build(id);
    let (action, reasons, skipped, key) = match view.decisions.decision(id) {
        Decision::NotChosen => return None,
        Decision::Cached { key, .. } => (Action::Cached, Vec::new(), None, Some(*key)),
        Decision::Build { reasons } => (action_for(reasons), reasons.clone(), None, None),
        Decision::Skip { why, failed: false } => (Action::Skip, Vec::new(), Some(why.clone()), None),
        Decision::Skip { why, failed: true } => (Action::Impossible, Vec::new(), Some(why.clone()), None),
    };
    let version = match &build.fate {
        Fate::Buildable(inputs) => Some(inputs.facts.evr.clone()),
        Fate::RuledOut(_) | Fate::NotYet(_) | Fate::Impossible(_) => None,
    };
    let version_before = view.versions.get(&build.name).filter(|before| version.as_ref() != Some(*before));
    let batch = view.batch_of.get(build.package.0).copied().flatten();
    Some(PlannedBuild {
        build: build.name.clone(),
        batch: batch.and_then(|batch| view.batches.get(batch.0)).cloned(),
        action,
        reasons,
        skipped,
        version_before: version_before.filter(|_| version.is_some()).cloned(),
        version,
        failed_before: view.attempts.get(&build.name).and_then(failed_attempt),
        key,
        needs: view.plan.needs(id).iter().map(|need| view.plan.build(*need).name.clone()).collect(),
        settings: build.settings.clone(),
    })
}

/// What is only undecided may turn out to be up to date.
fn action_for(reasons: &[Reason]) -> Action {
    let is_open = |reason: &Reason| matches!(reason, Reason::Undecided { .. });
    if !reasons.is_empty() && reasons.iter().all(is_open) { Action::Maybe } else { Action::Build }
}

fn failed_attempt(row: &BuildRow) -> Option<FailedAttempt> {
    let stage = row.stages.last().map(|stage| stage.name.clone());
    (row.state == State::Failed).then_some(FailedAttempt { number: row.number, stage })
}

/// What a chroot's own files make of a macro, in words: chroot and name → body and place.
pub type RootMacro<'a> = dyn Fn(&str, &str) -> Option<String> + 'a;

/// Where macros come from.
pub struct Explanation<'a> {
    /// What a chroot's own files make of one.
    pub in_root: &'a RootMacro<'a>,
    /// Where the manifest says the value that one has in a build, in words.
    pub place: &'a dyn Fn(&BuildName, &str) -> Option<String>,
}

/// How much of a plan is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlanDetail {
    /// How many builds there are of which kind.
    Counts,
    /// What an apply changes.
    Changes,
    /// What is up to date as well.
    All,
}

/// The plan for people. With `explained_by`, where macros come from is said
/// as well, and what they stand above.
pub fn plan_screen(
    document: &PlanDocument,
    detail: PlanDetail,
    explained_by: Option<&Explanation<'_>>,
) -> String {
    if detail == PlanDetail::Counts {
        return counts(document);
    }
    let all = detail == PlanDetail::All;
    let shown: Vec<&PlannedBuild> =
        document.builds.iter().filter(|build| all || build.action != Action::Cached).collect();
    let mut screen = String::new();
    if !shown.is_empty() {
        screen.push_str(&builds_table(&shown));
    }
    if let Some(explanation) = explained_by {
        shown.iter().for_each(|build| screen.push_str(&plain_text(&explain_build(build, explanation))));
    }
    screen.push_str(&plain_text(&entering_lines(&document.entering)));
    for leaving in &document.leaving {
        screen.push_str(&plain_text(&format!("{leaving}\n")));
    }
    for damaged in &document.damaged {
        screen.push_str(&plain_text(&format!("{damaged}\n")));
    }
    if !screen.is_empty() {
        screen.push('\n');
    }
    screen.push_str(&counts(document));
    screen
}

/// How many packages that come into one repository are named.
const MOST_NAMED: usize = 5;

/// A line for each repository that packages come into, and for each package that waits.
fn entering_lines(entering: &[Entering]) -> String {
    let mut lines = String::new();
    let coming: Vec<&Entering> = entering.iter().filter(|it| it.waits.is_none()).collect();
    for chroot in coming.chunk_by(|one, other| one.chroot == other.chroot) {
        let named: Vec<String> = chroot.iter().take(MOST_NAMED).map(|it| entering_name(it)).collect();
        let more = match chroot.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let comes = if chroot.len() == 1 { "comes" } else { "come" };
        let chroot = chroot.first().map_or("", |it| &it.chroot);
        let names = named.join(", ");
        lines.push_str(&format!(
            "{names}{more} {comes} into the repository of {chroot} without being built\n"
        ));
    }
    for waiting in entering {
        if let Some(broken) = &waiting.waits {
            lines.push_str(&format!("{} waits for {}: {broken}\n", waiting.package, waiting.chroot));
        }
    }
    lines
}

/// A package that comes into a repository, with the version that it has there before and then: `base (1.1-1 → 1.0-1)`.
fn entering_name(entering: &Entering) -> String {
    let Entering { package, version, version_before, .. } = entering;
    match (version_before, version) {
        (Some(before), Some(version)) if before != version => format!("{package} ({before} → {version})"),
        (_, Some(version)) => format!("{package} ({version})"),
        (_, None) => package.clone(),
    }
}

/// Builds, one a row; with their batch where there are batches.
fn builds_table(builds: &[&PlannedBuild]) -> String {
    let has_batches = builds.iter().any(|build| build.batch.is_some());
    let mut columns = vec![Column::Left("package"), Column::Left("chroot")];
    columns.extend(has_batches.then_some(Column::Left("batch")));
    columns.extend([Column::Left("action"), Column::Left("version"), Column::Left("why")]);
    let row = |build: &&PlannedBuild| {
        let mut cells = vec![build.build.package.clone(), build.build.chroot.clone()];
        cells.extend(has_batches.then(|| build.batch.clone().unwrap_or_default()));
        cells.extend([build.action.name().to_owned(), shown_version(build), shown_why(build)]);
        cells
    };
    let rows: Vec<Vec<String>> = builds.iter().map(row).collect();
    table(&columns, &rows)
}

fn shown_version(build: &PlannedBuild) -> String {
    match (&build.version_before, &build.version) {
        (Some(before), Some(version)) => format!("{before} → {version}"),
        (None, Some(version)) => version.clone(),
        (_, None) => String::new(),
    }
}

fn shown_why(build: &PlannedBuild) -> String {
    if let Some(skipped) = &build.skipped {
        return skipped.clone();
    }
    let failed = build.failed_before.as_ref().filter(|_| build.action != Action::Cached);
    let failed = failed.map(|failed| match &failed.stage {
        Some(stage) => format!("failed last time (%{stage}, #{})", failed.number),
        None => format!("failed last time (#{})", failed.number),
    });
    failed.into_iter().chain(build.reasons.iter().map(ToString::to_string)).collect::<Vec<_>>().join("; ")
}

/// Reasons in one line.
pub fn list_reasons(reasons: &[Reason]) -> String {
    reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Action {
    /// As it is shown.
    fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Maybe => "maybe",
            Self::Cached => "up to date",
            Self::Skip => "skip",
            Self::Impossible => "can't build",
        }
    }
}

fn explain_build(build: &PlannedBuild, explanation: &Explanation<'_>) -> String {
    let mut text = format!("\n{}\n", build.build);
    for setting in &build.settings.macros {
        let options = setting.options.as_ref().map(|options| format!("({options})")).unwrap_or_default();
        let body = setting.body.as_ref().map_or("undefined", Value::shown);
        let below = (explanation.in_root)(&build.build.chroot, &setting.name);
        let below = below.map(|below| format!(", instead of {below}")).unwrap_or_default();
        let place = match setting.level {
            MacroLevel::CommandLine => None,
            MacroLevel::Project
            | MacroLevel::Defaults
            | MacroLevel::Chroot
            | MacroLevel::Batch
            | MacroLevel::Package
            | MacroLevel::Profile => (explanation.place)(&build.build, &setting.name),
        };
        let place = place.map(|place| format!(", {place}")).unwrap_or_default();
        let (name, level) = (&setting.name, setting.level);
        text.push_str(&format!("  macro {name}{options} = {body} ({level}{place}){below}\n"));
    }
    for condition in &build.settings.conditions {
        text.push_str(&format!("  {condition}\n"));
    }
    for (name, value) in &build.settings.environment {
        text.push_str(&format!("  env {name} = {}\n", value.shown()));
    }
    for dependency in &build.settings.build_requires {
        text.push_str(&format!("  build-requires {dependency}\n"));
    }
    for need in &build.needs {
        text.push_str(&format!("  takes packages from {need}\n"));
    }
    text
}

fn counts(document: &PlanDocument) -> String {
    let of = |action: Action| document.builds.iter().filter(|build| build.action == action).count();
    let (build, maybe) = (of(Action::Build), of(Action::Maybe));
    let mut parts = match (build, maybe) {
        (0, 0) => Vec::new(),
        (build, 0) => vec![format!("{build} to build")],
        (0, maybe) => vec![format!("up to {maybe} to build")],
        (build, maybe) => vec![format!("{build} to build, up to {maybe} more{}", deciders(document))],
    };
    // Of what is there already, some may not be in its repository.
    let coming = document.entering.iter().filter(|it| it.waits.is_none()).count();
    let to_publish = coming.min(of(Action::Cached));
    let others = [
        (to_publish, "to publish"),
        (of(Action::Cached) - to_publish, "up to date"),
        (of(Action::Skip), "skipped"),
        (of(Action::Impossible), "can't be built"),
        (document.not_chosen, "not chosen"),
    ];
    let others = others.iter().filter(|(number, _)| *number > 0);
    parts.extend(others.map(|(number, word)| format!("{number} {word}")));
    let parts = if parts.is_empty() { "none".to_owned() } else { parts.join(", ") };
    format!("{}: {parts}\n", count(document.builds.len() + document.not_chosen, "build"))
}

/// How many builds that others depend on are named.
const MOST_DECIDERS: usize = 3;

/// Whose packages decide on the builds that may be made.
fn deciders(document: &PlanDocument) -> String {
    let reasons = document.builds.iter().flat_map(|build| &build.reasons);
    let decider = |reason: &'_ Reason| -> Option<String> {
        let Reason::Undecided { after } = reason else { return None };
        after.split_whitespace().next().map(str::to_owned)
    };
    let named: BTreeSet<String> = reasons.filter_map(decider).collect();
    if named.is_empty() || named.len() > MOST_DECIDERS {
        return String::new();
    }
    let named: Vec<String> = named.into_iter().collect();
    format!(" if packages of {} change", named.join(", "))
}
