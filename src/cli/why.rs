//! `forge why`

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::arguments::Why;
use super::context::{Context, Failure};
use super::document::print_document;
use super::good_builds::GoodBuilds;
use super::history::read_reasons;
use super::past_builds::{build_by_number, split_numbers};
use super::planning::{Planned, plan, runtime};
use super::project::Project;
use crate::event::{BuildName, Clock, State, SystemClock, Timestamp};
use crate::plan::{BuildId, Decision, Fate, Reason};
use crate::process::Cancel;
use crate::store::BuildRow;
use crate::ui::{age, plain_text};

/// Shows why packages would be built, or were.
pub fn run(arguments: &Why, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let mut selection = arguments.selection.clone();
    let (numbers, names) = split_numbers(&selection.packages);
    selection.packages = names;
    let planned = runtime()?.block_on(plan(&project, &selection, &Cancel::default(), context))?;
    let mut explainer = Explainer { planned: &planned, explained: BTreeSet::new() };
    let mut explained = Vec::new();
    for number in &numbers {
        explained.push(explainer.explain_number(*number)?);
    }
    if numbers.is_empty() || selection.is_partial() {
        for id in planned.asked(&selection)? {
            explained.push(explainer.explain(id)?);
        }
    }
    if arguments.json {
        return print_document(&WhyDocument { version: 1, builds: explained }, context);
    }
    let now = SystemClock.now();
    let mut text = String::new();
    explained.iter().for_each(|build| build.write(0, now, &mut text));
    context.print(&plain_text(&text))?;
    Ok(Exit::Success)
}

/// What `forge why --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WhyDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// The builds that are asked for.
    builds: Vec<Explained>,
}

/// A build, and why it is to be made, or was.
#[derive(Debug, Serialize, JsonSchema)]
struct Explained {
    #[serde(flatten)]
    build: BuildName,
    #[serde(flatten)]
    standing: Standing,
    /// Why.
    reasons: Vec<Cause>,
}

/// How it stands with a build.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum Standing {
    /// An apply builds it, or may.
    ToBuild,
    /// It is up to date.
    UpToDate {
        /// The build that made its result, or found it in the store, where that was in this project.
        number: Option<u64>,
        /// When that was.
        built: Option<Timestamp>,
        /// The build that made the result that this one found, where that is known: the reasons are of that.
        #[serde(skip_serializing_if = "Option::is_none")]
        result_of: Option<MadeBy>,
    },
    /// An apply goes back to the result of an earlier build, without building.
    ToPublish {
        /// That build: the reasons are of it.
        number: u64,
        /// When it ended.
        built: Timestamp,
    },
    /// An earlier build, which made what is told of.
    Built {
        /// Its number.
        number: u64,
        /// When it ended, or began where it runs.
        built: Timestamp,
        /// How it ended.
        outcome: State,
        /// The build that made the result that this one found.
        #[serde(skip_serializing_if = "Option::is_none")]
        result_of: Option<MadeBy>,
    },
    /// It is not built.
    NotBuilt {
        /// Why not.
        cause: String,
    },
    /// It is told of above.
    Repeated,
}

/// The build that has made a result.
#[derive(Debug, Serialize, JsonSchema)]
struct MadeBy {
    /// Its number.
    number: u64,
    /// When it ended.
    built: Timestamp,
}

/// A reason, and why that is so.
#[derive(Debug, Serialize, JsonSchema)]
struct Cause {
    #[serde(flatten)]
    reason: Reason,
    /// In words.
    text: String,
    /// The build that the reason comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<Box<Explained>>,
}

struct Explainer<'a> {
    planned: &'a Planned,
    /// What is told once: builds as they are now, and earlier ones by their numbers.
    explained: BTreeSet<(BuildName, Option<u64>)>,
}

/// The build that has a reason: as it is planned, or an earlier one that ended then.
#[derive(Clone, Copy)]
enum Moment {
    Planned,
    At(Timestamp),
}

impl Explainer<'_> {
    fn explain(&mut self, id: BuildId) -> Result<Explained, Failure> {
        let plan = &self.planned.plan;
        let build = plan.build(id).name.clone();
        match self.planned.decisions.decision(id) {
            Decision::Build { reasons } => {
                if !self.explained.insert((build.clone(), None)) {
                    return Ok(Explained { build, standing: Standing::Repeated, reasons: Vec::new() });
                }
                let reasons = reasons.clone();
                let reasons = self.trace(Some(id), reasons, Moment::Planned)?;
                Ok(Explained { build, standing: Standing::ToBuild, reasons })
            }
            Decision::Skip { why, .. } => {
                let standing = Standing::NotBuilt { cause: why.clone() };
                Ok(Explained { build, standing, reasons: Vec::new() })
            }
            Decision::Cached { .. } | Decision::NotChosen => self.explain_result(id),
        }
    }

    /// Why the build was made whose result stands.
    fn explain_result(&mut self, id: BuildId) -> Result<Explained, Failure> {
        let build = self.planned.plan.build(id).name.clone();
        let known = GoodBuilds::read(self.planned, &build)?;
        let last = self.planned.last_good.get(&build);
        let key = match self.planned.decisions.decision(id) {
            Decision::Cached { key, .. } => Some(*key),
            Decision::NotChosen | Decision::Build { .. } | Decision::Skip { .. } => last.map(|last| last.key),
        };
        let Some(row) = key.and_then(|key| known.newest_of(key)) else {
            let standing = Standing::UpToDate { number: None, built: None, result_of: None };
            return Ok(Explained { build, standing, reasons: Vec::new() });
        };
        if last.map(|last| last.key) != key {
            let made = known.maker_of(row).unwrap_or(row);
            let standing = Standing::ToPublish { number: made.number, built: ended(made) };
            return self.explain_row(made, standing);
        }
        let standing = Standing::UpToDate {
            number: Some(row.number),
            built: Some(ended(row)),
            result_of: made_by(&known, row),
        };
        self.explain_row(known.maker_of(row).unwrap_or(row), standing)
    }

    /// Why the build of this number was made.
    fn explain_number(&mut self, number: u64) -> Result<Explained, Failure> {
        let row = build_by_number(&self.planned.history, number)?;
        self.explain_past(&row)
    }

    /// Why an earlier build was made.
    fn explain_past(&mut self, row: &BuildRow) -> Result<Explained, Failure> {
        let known = GoodBuilds::read(self.planned, &row.build)?;
        let made = known.maker_of(row);
        let last = self.planned.last_good.get(&row.build);
        let is_good = matches!(row.state, State::Succeeded | State::Cached);
        let is_current = is_good && last.is_some_and(|last| last.results == row.results);
        let (number, built, result_of) = (row.number, ended(row), made_by(&known, row));
        let standing = if is_current && self.is_up_to_date(&row.build) {
            Standing::UpToDate { number: Some(number), built: Some(built), result_of }
        } else {
            Standing::Built { number, built, outcome: row.state, result_of }
        };
        self.explain_row(made.unwrap_or(row), standing)
    }

    fn is_up_to_date(&self, build: &BuildName) -> bool {
        let decision = self.id_of(build).map(|id| self.planned.decisions.decision(id));
        matches!(decision, Some(Decision::Cached { .. } | Decision::NotChosen))
    }

    /// The reasons of an earlier build, once.
    fn explain_row(&mut self, row: &BuildRow, standing: Standing) -> Result<Explained, Failure> {
        let build = row.build.clone();
        if !self.explained.insert((build.clone(), Some(row.number))) {
            return Ok(Explained { build, standing: Standing::Repeated, reasons: Vec::new() });
        }
        let reasons = read_reasons(&self.planned.history, row.number)?;
        let reasons = self.trace(self.id_of(&build), reasons, Moment::At(ended(row)))?;
        Ok(Explained { build, standing, reasons })
    }

    fn id_of(&self, build: &BuildName) -> Option<BuildId> {
        self.planned.plan.ids().find(|id| self.planned.plan.build(*id).name == *build)
    }

    /// Follows reasons to the builds that they come from.
    fn trace(
        &mut self,
        id: Option<BuildId>,
        reasons: Vec<Reason>,
        moment: Moment,
    ) -> Result<Vec<Cause>, Failure> {
        let mut causes = Vec::new();
        for reason in reasons {
            let from = match id.and_then(|id| self.origin(id, &reason)) {
                Some(origin) => self.explain_origin(origin, &reason, moment)?.map(Box::new),
                None => None,
            };
            let digests = reason.digests().map(|digests| format!(" ({digests})")).unwrap_or_default();
            causes.push(Cause { text: format!("{reason}{digests}"), reason, from });
        }
        Ok(causes)
    }

    /// What a reason comes from: the build that made the package which the reason names, not a later one.
    fn explain_origin(
        &mut self,
        origin: BuildId,
        reason: &Reason,
        moment: Moment,
    ) -> Result<Option<Explained>, Failure> {
        if let Reason::Dependency { package, change, .. } = reason {
            let known = GoodBuilds::read(self.planned, &self.planned.plan.build(origin).name)?;
            let until = match moment {
                Moment::Planned => None,
                Moment::At(at) => Some(at),
            };
            if let Some(row) = known.bringer_of(package, change.now, until, &self.planned.store) {
                return self.explain_past(row).map(Some);
            }
        }
        match moment {
            Moment::Planned => self.explain(origin).map(Some),
            Moment::At(_) => Ok(None),
        }
    }

    /// The build that a reason comes from.
    fn origin(&self, id: BuildId, reason: &Reason) -> Option<BuildId> {
        let plan = &self.planned.plan;
        let mut needs = plan.needs(id).iter().copied();
        match reason {
            Reason::Undecided { after } => needs.find(|need| plan.build(*need).name.to_string() == *after),
            Reason::Dependency { package, .. } => needs.find(|need| match &plan.build(*need).fate {
                Fate::Buildable(inputs) => {
                    let mut packages = inputs.facts.subpackages.iter();
                    packages.any(|known| is_of(package, &known.name))
                }
                Fate::RuledOut(_) | Fate::NotYet(_) | Fate::Impossible(_) => false,
            }),
            Reason::NeverBuilt
            | Reason::Forced
            | Reason::ResultGone
            | Reason::OtherForge
            | Reason::Rebuild { .. }
            | Reason::Verification { .. }
            | Reason::SourcePackage
            | Reason::Engine { .. }
            | Reason::Spec { .. }
            | Reason::SpecName { .. }
            | Reason::Source { .. }
            | Reason::Mode { .. }
            | Reason::Target
            | Reason::Rpm { .. }
            | Reason::Isolation { .. }
            | Reason::Macro { .. }
            | Reason::Condition { .. }
            | Reason::Variable { .. }
            | Reason::Observed { .. }
            | Reason::Facts
            | Reason::Root { .. } => None,
        }
    }
}

/// Whether `name-[epoch:]version-release.arch` is of a package of that name.
fn is_of(nevra: &str, name: &str) -> bool {
    nevra.rsplitn(3, '-').nth(2) == Some(name)
}

/// When a build ended; when it began, where it runs.
fn ended(row: &BuildRow) -> Timestamp {
    row.ended.unwrap_or(row.started)
}

fn made_by(known: &GoodBuilds, row: &BuildRow) -> Option<MadeBy> {
    known.maker_of(row).map(|made| MadeBy { number: made.number, built: ended(made) })
}

impl MadeBy {
    fn text(&self, now: Timestamp) -> String {
        format!("#{}, built {}", self.number, age(now.since(self.built)))
    }
}

impl Explained {
    fn write(&self, depth: usize, now: Timestamp, text: &mut String) {
        let margin = "  ".repeat(depth);
        let colon = if self.reasons.is_empty() { "" } else { ":" };
        let standing = match &self.standing {
            Standing::ToBuild => "would be built:".to_owned(),
            Standing::UpToDate { number: Some(number), built, result_of: None } => {
                let when = built.map(|built| format!("{} ", age(now.since(built)))).unwrap_or_default();
                format!("is up to date; it was built {when}(#{number}){colon}")
            }
            Standing::UpToDate { number: Some(number), built, result_of: Some(made) } => {
                let since = built.map(|built| format!("{} ", age(now.since(built)))).unwrap_or_default();
                let made = made.text(now);
                format!("is up to date; it went back {since}(#{number}) to the result of {made}{colon}")
            }
            Standing::ToPublish { number, built } => {
                let made = MadeBy { number: *number, built: *built }.text(now);
                format!("is to be published: an apply goes back to the result of {made}{colon}")
            }
            Standing::Built { number, built, outcome, result_of } => {
                let when = age(now.since(*built));
                match (result_of, outcome) {
                    (Some(made), _) => {
                        let made = made.text(now);
                        format!("went back {when} (#{number}) to the result of {made}{colon}")
                    }
                    (None, State::Succeeded) => format!("was built {when} (#{number}){colon}"),
                    (None, State::Cached) => format!("was found in the store {when} (#{number}){colon}"),
                    (
                        None,
                        State::Waiting
                        | State::Pending
                        | State::Importing
                        | State::Running
                        | State::Failed
                        | State::Canceled
                        | State::Skipped,
                    ) => format!("#{number}, {outcome} {when}{colon}"),
                }
            }
            Standing::UpToDate { number: None, .. } => {
                "is up to date: its result was in the store, made for another project or chroot".to_owned()
            }
            Standing::NotBuilt { cause } => format!("is not built: {cause}"),
            Standing::Repeated => "(see above)".to_owned(),
        };
        text.push_str(&format!("{margin}{} {standing}\n", self.build));
        for cause in &self.reasons {
            text.push_str(&format!("{margin}  {}\n", cause.text));
            if let Some(from) = &cause.from {
                from.write(depth + 2, now, text);
            }
        }
    }
}
