//! `forge compare`

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::context::{Context, Failure};
use super::diff::BuildDifference;
use super::document::print_document;
use super::earlier_build::RecordedBuild;
use super::past_builds::build_by_number;
use super::pin::number_of;
use super::pin_error::PinError;
use super::project::Project;
use super::retention_arguments::Compare;
use super::root_changes::{PackageChange, root_changes};
use crate::event::{BuildName, StageTime, State, Timestamp};
use crate::plan::Reason;
use crate::store::BuildRow;
use crate::ui::{Column, duration, plain_text, table};

/// Shows what differs between two builds. As with `forge diff`, 1 says that something does, and 2 that it could not be known.
pub fn run(arguments: &Compare, context: &Context) -> Result<Exit, Failure> {
    match compare(arguments, context) {
        Err(Failure::ClosedPipe) => Err(Failure::ClosedPipe),
        Err(failure) => {
            context.show_failure(&failure);
            Ok(Exit::Trouble)
        }
        Ok(document) => {
            let is_same = document.is_same(arguments.all);
            match arguments.json {
                true => print_document(&document, context).map(drop)?,
                false => context.print(&document.screen(arguments.all))?,
            }
            Ok(if is_same { Exit::Success } else { Exit::Different })
        }
    }
}

fn compare(arguments: &Compare, context: &Context) -> Result<CompareDocument, Failure> {
    let project = Project::find(context)?;
    let (history, state) = (project.history()?, project.state()?);
    let row = |written: &str| build_by_number(&history, number_of(written)?);
    let (before, after) = (row(&arguments.before)?, row(&arguments.after)?);
    if before.build.package != after.build.package {
        return Err(PinError::NotComparable {
            before: before.number,
            before_package: before.build.package,
            after: after.number,
            after_package: after.build.package,
        }
        .into());
    }
    let mut unknown = Vec::new();
    let mut recorded = |row: &BuildRow| -> Result<Option<RecordedBuild>, Failure> {
        let found = RecordedBuild::find(&project, row.number)?;
        Ok(found.map_err(|reason| unknown.push(format!("build #{}: {reason}", row.number))).ok())
    };
    let made_of = recorded(&before)?.zip(recorded(&after)?);
    let changed = made_of.as_ref().map(|(before, after)| {
        let reasons = after.inputs.ingredients.changes_since(&before.inputs.ingredients);
        reasons.into_iter().map(Ingredient::new).collect()
    });
    let root = made_of
        .as_ref()
        .and_then(|(before, after)| Some(root_changes(before.root.as_ref()?, after.root.as_ref()?)));
    let has_packages =
        |row: &BuildRow| matches!(row.state, State::Succeeded | State::Cached) && row.results.is_some();
    let packages = match has_packages(&before) && has_packages(&after) {
        true => Some(BuildDifference::compare(&state, &before, &after)?),
        false => None,
    };
    let stages = StageComparison::list(&before.stages, &after.stages);
    let (before, after) = (ComparedBuild::new(before), ComparedBuild::new(after));
    Ok(CompareDocument { version: 1, before, after, changed, root, unknown, stages, packages })
}

/// What `forge compare --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct CompareDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    before: ComparedBuild,
    after: ComparedBuild,
    /// What the second build was made of that the first was not: what its key depends on. None where that is not known any more.
    changed: Option<Vec<Ingredient>>,
    /// The packages of the roots that differ, where both roots were made of packages.
    root: Option<Vec<PackageChange>>,
    /// What is not known of what they were made of, and why.
    unknown: Vec<String>,
    /// How long each stage took.
    stages: Vec<StageComparison>,
    /// What differs between the packages; none where one of them has none.
    packages: Option<BuildDifference>,
}

/// One of the builds.
#[derive(Debug, Serialize, JsonSchema)]
struct ComparedBuild {
    /// Its number in this project.
    number: u64,
    #[serde(flatten)]
    build: BuildName,
    /// How it ended.
    state: State,
    /// When it began.
    started: Timestamp,
    /// How long it took, in milliseconds.
    milliseconds: Option<u64>,
}

/// An ingredient that differs.
#[derive(Debug, Serialize, JsonSchema)]
struct Ingredient {
    #[serde(flatten)]
    reason: Reason,
    /// In words.
    text: String,
}

/// How long a stage took in each of the builds.
#[derive(Debug, Serialize, JsonSchema)]
struct StageComparison {
    /// `prep`, `build`, `install` …
    name: String,
    /// In the first build, in milliseconds; none: it did not run.
    before: Option<u64>,
    /// In the second one.
    after: Option<u64>,
}

impl ComparedBuild {
    fn new(row: BuildRow) -> Self {
        let took = row.ended.map(|ended| ended.since(row.started));
        let milliseconds = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let BuildRow { number, build, state, started, .. } = row;
        Self { number, build, state, started, milliseconds }
    }

    fn title(&self) -> String {
        format!("#{} ({}, {}, {})", self.number, self.build.chroot, self.state, self.started)
    }
}

impl Ingredient {
    fn new(reason: Reason) -> Self {
        let digests = reason.digests().map(|digests| format!(" ({digests})")).unwrap_or_default();
        Self { text: format!("{reason}{digests}"), reason }
    }
}

impl StageComparison {
    fn list(before: &[StageTime], after: &[StageTime]) -> Vec<Self> {
        let times = |stages: &[StageTime]| -> BTreeMap<String, u64> {
            stages.iter().map(|stage| (stage.name.clone(), stage.milliseconds)).collect()
        };
        let (old, new) = (times(before), times(after));
        let mut known = BTreeSet::new();
        let names = before.iter().chain(after).map(|stage| stage.name.clone());
        let names = names.filter(|name| known.insert(name.clone()));
        let compared =
            names.map(|name| Self { before: old.get(&name).copied(), after: new.get(&name).copied(), name });
        compared.collect()
    }
}

impl CompareDocument {
    fn is_same(&self, all: bool) -> bool {
        let is_made_of_the_same = self.changed.as_ref().is_some_and(Vec::is_empty);
        is_made_of_the_same && self.packages.as_ref().is_some_and(|packages| packages.is_same(all))
    }

    fn screen(&self, all: bool) -> String {
        let Self { before, after, changed, root, unknown, .. } = self;
        let mut text = format!("{}: {} and {}\n\n", before.build.package, before.title(), after.title());
        text.push_str("made of\n");
        let (one, other) = (&before.build.chroot, &after.build.chroot);
        let chroot = (one != other).then(|| format!("chroot {one} → {other}"));
        let of = changed.iter().flatten().map(|ingredient| ingredient.text.clone());
        let of = chroot.into_iter().chain(of);
        let of: Vec<String> = of.chain(unknown.iter().map(|reason| format!("not known: {reason}"))).collect();
        push_lines(&mut text, &of, "the same");
        if let Some(root) = root {
            text.push_str("root\n");
            let lines: Vec<String> = root.iter().map(PackageChange::to_string).collect();
            push_lines(&mut text, &lines, "the same packages");
        }
        let mut text = plain_text(&text);
        text.push_str(&format!("\n{}\n", self.times()));
        match &self.packages {
            Some(packages) => text.push_str(&packages.screen(all)),
            None => text.push_str("one of them has no packages to compare\n"),
        }
        text
    }

    /// How long they took, and their stages.
    fn times(&self) -> String {
        let shown = |milliseconds: Option<u64>| {
            let took = milliseconds.map(std::time::Duration::from_millis);
            took.map_or_else(|| "-".to_owned(), duration)
        };
        let columns = [Column::Left("stage"), Column::Right("before"), Column::Right("after")];
        let stages = self.stages.iter().map(|stage| (stage.name.as_str(), stage.before, stage.after));
        let all = [("all", self.before.milliseconds, self.after.milliseconds)];
        let rows: Vec<Vec<String>> = stages
            .chain(all)
            .map(|(name, before, after)| vec![name.to_owned(), shown(before), shown(after)])
            .collect();
        table(&columns, &rows)
    }
}

fn push_lines(text: &mut String, lines: &[String], none: &str) {
    if lines.is_empty() {
        text.push_str(&format!("  {none}\n"));
    }
    lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
}
