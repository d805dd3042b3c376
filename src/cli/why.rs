//! `forge why`

use std::collections::BTreeSet;

use serde::Serialize;

use super::Exit;
use super::arguments::Why;
use super::context::{CliError, Context, Failure};
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
    let selection = &arguments.selection;
    let planned = runtime()?.block_on(plan(&project, selection, &Cancel::default(), context))?;
    let mut explainer = Explainer { planned: &planned, explained: BTreeSet::new() };
    let asked: Vec<BuildId> = planned.asked(selection)?;
    let explained: Result<Vec<Explained>, Failure> =
        asked.into_iter().map(|id| explainer.explain(id)).collect();
    let explained = explained?;
    if arguments.json {
        let document = serde_json::json!({ "version": 1, "builds": explained });
        let json = serde_json::to_string_pretty(&document).map_err(std::io::Error::other);
        context.print(&format!("{}\n", json.map_err(CliError::Io)?))?;
        return Ok(Exit::Success);
    }
    let now = SystemClock.now();
    let mut text = String::new();
    explained.iter().for_each(|build| build.write(0, now, &mut text));
    context.print(&plain_text(&text))?;
    Ok(Exit::Success)
}

/// A build, and why it is to be made, or was.
#[derive(Debug, Serialize)]
struct Explained {
    #[serde(flatten)]
    build: BuildName,
    #[serde(flatten)]
    standing: Standing,
    /// Why.
    reasons: Vec<Cause>,
}

/// How it stands with a build.
#[derive(Debug, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
enum Standing {
    /// An apply builds it, or may.
    ToBuild,
    /// It is up to date.
    UpToDate {
        /// The build that made its result, where it was made in this project.
        number: Option<u64>,
        /// When that was.
        built: Option<Timestamp>,
    },
    /// It is not built.
    NotBuilt {
        /// Why not.
        cause: String,
    },
    /// It is told of above.
    Repeated,
}

/// A reason, and why that is so.
#[derive(Debug, Serialize)]
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
    /// What is told once.
    explained: BTreeSet<BuildId>,
}

impl Explainer<'_> {
    fn explain(&mut self, id: BuildId) -> Result<Explained, Failure> {
        let plan = &self.planned.plan;
        let build = plan.build(id).name.clone();
        if !self.explained.insert(id) {
            return Ok(Explained { build, standing: Standing::Repeated, reasons: Vec::new() });
        }
        match self.planned.decisions.decision(id) {
            Decision::Build { reasons } => {
                let reasons = reasons.clone();
                let reasons = self.trace(id, reasons)?;
                Ok(Explained { build, standing: Standing::ToBuild, reasons })
            }
            Decision::Skip { why, .. } => {
                let standing = Standing::NotBuilt { cause: why.clone() };
                Ok(Explained { build, standing, reasons: Vec::new() })
            }
            Decision::Cached { .. } | Decision::NotChosen => self.explain_past(id),
        }
    }

    /// Why the newest good build was made.
    fn explain_past(&mut self, id: BuildId) -> Result<Explained, Failure> {
        let build = self.planned.plan.build(id).name.clone();
        let row = self.newest_good(&build)?;
        let reasons = match &row {
            None => Vec::new(),
            Some(row) => {
                let said = self.planned.history.reasons(row.number)?;
                let said = said.and_then(|said| serde_json::from_str::<Vec<Reason>>(&said).ok());
                self.trace(id, said.unwrap_or_default())?
            }
        };
        let (number, built) = row.map(|row| (row.number, row.ended.unwrap_or(row.started))).unzip();
        Ok(Explained { build, standing: Standing::UpToDate { number, built }, reasons })
    }

    fn newest_good(&self, build: &BuildName) -> Result<Option<BuildRow>, Failure> {
        let rows = self.planned.history.builds(Some(&build.package), usize::MAX)?;
        Ok(rows.into_iter().find(|row| row.build == *build && row.state == State::Succeeded))
    }

    /// Follows reasons to the builds that they come from.
    fn trace(&mut self, id: BuildId, reasons: Vec<Reason>) -> Result<Vec<Cause>, Failure> {
        let mut causes = Vec::new();
        for reason in reasons {
            let from = match self.origin(id, &reason) {
                Some(origin) => Some(Box::new(self.explain(origin)?)),
                None => None,
            };
            let digests = reason.digests().map(|digests| format!(" ({digests})")).unwrap_or_default();
            causes.push(Cause { text: format!("{reason}{digests}"), reason, from });
        }
        Ok(causes)
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
            | Reason::Engine { .. }
            | Reason::Spec { .. }
            | Reason::SpecName { .. }
            | Reason::Source { .. }
            | Reason::Mode { .. }
            | Reason::Target
            | Reason::Rpm { .. }
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

impl Explained {
    fn write(&self, depth: usize, now: Timestamp, text: &mut String) {
        let margin = "  ".repeat(depth);
        let standing = match &self.standing {
            Standing::ToBuild => "would be built:".to_owned(),
            Standing::UpToDate { number: Some(number), built } => {
                let when = built.map(|built| format!("{} ", age(now.since(built)))).unwrap_or_default();
                let colon = if self.reasons.is_empty() { "" } else { ":" };
                format!("is up to date; it was built {when}(#{number}){colon}")
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
