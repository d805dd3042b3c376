//! `forge status`

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::arguments::Status;
use super::context::{Context, Failure};
use super::document::print_document;
use super::planning::{Planned, plan, runtime};
use super::project::Project;
use crate::event::{BuildName, Clock, State, SystemClock, Timestamp};
use crate::plan::Reason;
use crate::process::Cancel;
use crate::publish::{
    BrokenRequirement, DamagedRepositoryFile, Entering, PublishedBuild, Repositories, Verification,
};
use crate::store::BuildRow;
use crate::ui::{
    Action, Column, PlannedBuild, RepositoryChanges, age, plain_text, plan_document, table_within,
};

/// How many builds are shown where nobody asks for more: they fit a screen.
const MOST_SHOWN: usize = 18;

/// Shows how it stands with each build.
pub fn run(arguments: &Status, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let selection = &arguments.selection;
    let planned = runtime()?.block_on(plan(&project, selection, &Cancel::default(), context))?;
    let attempts = planned.history.newest_attempts()?;
    let repositories =
        planned.repositories(&project, Verification::TimesFirst, Arc::new(SystemClock), context);
    let published = repositories.published_builds()?.into_iter().filter(|build| build.is_newest);
    let published: HashMap<BuildName, PublishedBuild> =
        published.map(|published| (published.build.clone(), published)).collect();
    let damaged = repositories.find_damage()?;
    let (batches, batch_of, versions) = (planned.batch_names(), planned.batch_of(), HashMap::new());
    let view = planned.view(&batches, &batch_of, &attempts, &versions);
    let document = plan_document(view, RepositoryChanges::default());
    let entering = repositories.entering(&planned.plan, &planned.decisions)?;
    let broken = repositories.broken_requirements(&planned.history)?;
    let entering: HashMap<BuildName, Option<String>> = entering.into_iter().map(name_of).collect();
    let aged = aged(&repositories, &planned)?;
    let known = Known { attempts: &attempts, published: &published, entering: &entering, aged: &aged };
    let mut rows: Vec<StatusRow> = document.builds.iter().map(|build| StatusRow::new(build, known)).collect();
    rows.sort_by_key(|row| row.state);
    if arguments.json {
        return print_document(&StatusDocument { version: 1, builds: rows, damaged, broken }, context);
    }
    broken.iter().for_each(|broken| context.tell(&plain_text(&format!("warning: {broken}\n"))));
    // What is on record as published may not be there any more.
    let damaged: String = damaged.iter().map(|damaged| plain_text(&format!("{damaged}\n"))).collect();
    context.print(&format!("{damaged}{}", screen(&rows, arguments.all, context)))?;
    Ok(Exit::Success)
}

/// What `forge status --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// The builds, those first that need somebody.
    builds: Vec<StatusRow>,
    /// Files of repositories that are not as forge has left them.
    damaged: Vec<DamagedRepositoryFile>,
    /// What published packages require, an earlier package of this project provided, and none provides now.
    broken: Vec<BrokenRequirement>,
}

/// How it stands with a build. What needs somebody comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Standing {
    /// Its newest attempt failed, and nothing has been built since.
    Failed,
    /// It can't be built as things are.
    Impossible,
    /// It is being built.
    Running,
    /// Something that it is made of has changed.
    Changed,
    /// It was never built here.
    New,
    /// Its result is there, and waits: published, it would leave another package without what that needs.
    Held,
    /// Its result is there, and its repository does not have it yet: an apply publishes it without a build.
    ToPublish,
    /// It leaves its repository, or has left it: it was not built for as long as `keep newest=` says.
    Aged,
    /// It is built if packages that it needs change.
    Maybe,
    /// It is not meant to be built.
    Skipped,
    /// Nothing is to be done.
    UpToDate,
}

impl Standing {
    const ALL: [Self; 11] = [
        Self::Failed,
        Self::Impossible,
        Self::Running,
        Self::Changed,
        Self::New,
        Self::Held,
        Self::ToPublish,
        Self::Aged,
        Self::Maybe,
        Self::Skipped,
        Self::UpToDate,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Impossible => "can't build",
            Self::Running => "running",
            Self::Changed => "changed",
            Self::New => "new",
            Self::Held => "held",
            Self::ToPublish => "to publish",
            Self::Aged => "aged",
            Self::Maybe => "maybe",
            Self::Skipped => "skipped",
            Self::UpToDate => "up to date",
        }
    }
}

/// How it stands with one build.
#[derive(Debug, Serialize, JsonSchema)]
struct StatusRow {
    #[serde(flatten)]
    build: BuildName,
    state: Standing,
    /// The version that its spec says.
    version: Option<String>,
    /// The version that its repository has.
    published: Option<String>,
    /// The fingerprints of the keys that what is published is signed with.
    signed_by: Vec<String>,
    /// The newest attempt.
    last: Option<LastAttempt>,
    /// Why it is so.
    cause: Option<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct LastAttempt {
    number: u64,
    state: State,
    started: Timestamp,
    ended: Option<Timestamp>,
}

/// What is known of builds beside what the plan says.
#[derive(Clone, Copy)]
struct Known<'a> {
    /// The newest attempt at each.
    attempts: &'a HashMap<BuildName, BuildRow>,
    /// Each as it is published.
    published: &'a HashMap<BuildName, PublishedBuild>,
    /// Those that an apply publishes without a build, and what they wait for, where they do.
    entering: &'a HashMap<BuildName, Option<String>>,
    /// Those that leave repositories for their age or have left them, in words.
    aged: &'a HashMap<BuildName, String>,
}

fn name_of(entering: Entering) -> (BuildName, Option<String>) {
    let Entering { package, chroot, waits, .. } = entering;
    (BuildName { package, chroot }, waits)
}

/// What was not built for too long: what leaves at the next apply, and what has left.
fn aged(repositories: &Repositories, planned: &Planned) -> Result<HashMap<BuildName, String>, Failure> {
    let leaving = repositories.leaving(&planned.plan, &planned.decisions)?.into_iter();
    let leaving = leaving.filter_map(|leaving| {
        let since = leaving.not_built_since?;
        let name = BuildName { package: leaving.package, chroot: leaving.chroot };
        Some((name, format!("it leaves its repository: not built since {since} (`keep newest=`)")))
    });
    let away = repositories.away(&planned.plan, &planned.decisions)?.into_iter().map(|(name, since)| {
        (name, format!("it has left its repository: not built since {since} (`keep newest=`)"))
    });
    Ok(leaving.chain(away).collect())
}

impl StatusRow {
    fn new(build: &PlannedBuild, known: Known<'_>) -> Self {
        let last = known.attempts.get(&build.build);
        let published = known.published.get(&build.build);
        let mut state = standing(build, last);
        if state == Standing::UpToDate {
            state = match known.entering.get(&build.build) {
                Some(Some(_)) => Standing::Held,
                Some(None) => Standing::ToPublish,
                None if known.aged.contains_key(&build.build) => Standing::Aged,
                None => Standing::UpToDate,
            };
        }
        let reasons = || build.reasons.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
        let cause = match state {
            Standing::Failed => last.and_then(|last| last.cause.clone()),
            Standing::Impossible | Standing::Skipped => build.skipped.clone(),
            Standing::Changed | Standing::Maybe => Some(reasons()),
            Standing::Held => known.entering.get(&build.build).cloned().flatten(),
            Standing::ToPublish => Some("an apply publishes it without a build".to_owned()),
            Standing::Aged => known.aged.get(&build.build).cloned(),
            Standing::New => last.and_then(|last| last.cause.clone()),
            Standing::Running | Standing::UpToDate => None,
        };
        Self {
            build: build.build.clone(),
            state,
            version: build.version.clone(),
            published: published.and_then(|published| published.version.clone()),
            signed_by: published.map(|published| published.signed_by.clone()).unwrap_or_default(),
            last: last.map(|last| LastAttempt {
                number: last.number,
                state: last.state,
                started: last.started,
                ended: last.ended,
            }),
            cause: cause.filter(|cause| !cause.is_empty()),
        }
    }

    /// The published version, and the one that comes where there is nothing to build.
    fn shown_version(&self) -> String {
        let published = self.published.as_deref().unwrap_or("-");
        match &self.version {
            Some(version)
                if matches!(self.state, Standing::ToPublish | Standing::Held) && version != published =>
            {
                format!("{published} → {version}")
            }
            Some(_) | None => published.to_owned(),
        }
    }

    fn cells(&self, now: Timestamp) -> Vec<String> {
        let last = self.last.as_ref();
        let when = last.map(|last| age(now.since(last.ended.unwrap_or(last.started))));
        vec![
            self.build.package.clone(),
            self.build.chroot.clone(),
            self.state.name().to_owned(),
            self.shown_version(),
            last.map(|last| format!("#{} {}", last.number, last.state.name())).unwrap_or_default(),
            when.unwrap_or_default(),
            self.cause.clone().unwrap_or_default(),
        ]
    }
}

fn standing(build: &PlannedBuild, last: Option<&BuildRow>) -> Standing {
    let is = |state: State| last.is_some_and(|last| last.state == state);
    match build.action {
        _ if is(State::Running) => Standing::Running,
        Action::Cached => Standing::UpToDate,
        Action::Skip => Standing::Skipped,
        Action::Impossible => Standing::Impossible,
        Action::Build | Action::Maybe if is(State::Failed) => Standing::Failed,
        Action::Maybe => Standing::Maybe,
        Action::Build if build.reasons.contains(&Reason::NeverBuilt) => Standing::New,
        Action::Build => Standing::Changed,
    }
}

fn screen(rows: &[StatusRow], is_all: bool, context: &Context) -> String {
    let most = if is_all { usize::MAX } else { MOST_SHOWN };
    // Of many, those that are well are only counted.
    let is_shown = |row: &&StatusRow| is_all || rows.len() <= most || row.state != Standing::UpToDate;
    let shown: Vec<&StatusRow> = rows.iter().filter(is_shown).take(most).collect();
    let left = rows.iter().filter(is_shown).count() - shown.len();
    let mut text = String::new();
    if !shown.is_empty() {
        let columns = [
            Column::Left("package"),
            Column::Left("chroot"),
            Column::Left("state"),
            Column::Left("published"),
            Column::Left("last build"),
            Column::Left("when"),
            Column::Left("why"),
        ];
        let now = SystemClock.now();
        let cells: Vec<Vec<String>> = shown.iter().map(|row| row.cells(now)).collect();
        text.push_str(&table_within(&columns, &cells, context.output_width()));
        if left > 0 {
            text.push_str(&format!("… and {left} more: `forge status --all`\n"));
        }
        text.push('\n');
    }
    let counted = Standing::ALL.iter().filter_map(|state| {
        let number = rows.iter().filter(|row| row.state == *state).count();
        (number > 0).then(|| format!("{number} {}", state.name()))
    });
    let counted: Vec<String> = counted.collect();
    text.push_str(&format!(
        "{}\n",
        if counted.is_empty() { "no builds".to_owned() } else { counted.join(", ") }
    ));
    text.push_str(&signers(rows));
    text
}

/// By whose keys published packages are signed, where some are.
fn signers(rows: &[StatusRow]) -> String {
    let mut signed: BTreeMap<&str, usize> = BTreeMap::new();
    for fingerprint in rows.iter().flat_map(|row| &row.signed_by) {
        *signed.entry(fingerprint).or_default() += 1;
    }
    if signed.is_empty() {
        return String::new();
    }
    let unsigned = rows.iter().filter(|row| row.published.is_some() && row.signed_by.is_empty()).count();
    let signed = signed.into_iter();
    let mut said: Vec<String> = signed.map(|(key, number)| format!("{number} signed by {key}")).collect();
    said.extend((unsigned > 0).then(|| format!("{unsigned} not signed")));
    format!("published: {}\n", said.join(", "))
}
