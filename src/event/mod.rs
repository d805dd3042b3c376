//! What can happen, as data. The executor writes events; progress, `--json`, logs, history and every other
//! view read them. There is no other channel.
//!
//! An event has the [run](RunId) that it is of, its time, and [what](What) happened. As JSON it is one object a line
//! (`schemas/events.json` is its schema): the field `event` names the variant, the variant's fields stand beside it.
//! Later versions may add fields and variants; [`Event::read`] passes over what it doesn't know.

mod clock;
mod milliseconds;
mod run;
mod schema;
mod sink;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use clock::{Clock, SystemClock, Timestamp};
pub use run::{NotARun, RunId};
pub use schema::event_schema;
pub use sink::EventSink;

/// One package in one chroot: the unit people talk about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
pub struct BuildName {
    /// The package, as the manifest names it.
    pub package: String,
    /// The chroot, as the manifest names it.
    pub chroot: String,
}

impl fmt::Display for BuildName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {}", self.package, self.chroot)
    }
}

/// The state of a build, as result folders, tables and the history give it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Something that it is after has not ended yet.
    Waiting,
    /// It could run and waits for a free place.
    Pending,
    /// Its sources are being taken in, or its source package is being made.
    Importing,
    /// It is being built.
    Running,
    /// It was built.
    Succeeded,
    /// Nothing has changed: an earlier result serves.
    Cached,
    /// It could not be built.
    Failed,
    /// It was ended before it was done.
    Canceled,
    /// It was not tried, and the event says why.
    Skipped,
}

impl State {
    /// Its name, as shown and as stored.
    pub fn name(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Pending => "pending",
            Self::Importing => "importing",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Cached => "cached",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
            Self::Skipped => "skipped",
        }
    }

    /// Whether packages came of it.
    pub fn has_result(self) -> bool {
        matches!(self, Self::Succeeded | Self::Cached)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One stage of a build and how long it took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StageTime {
    /// `prep`, `build`, `install` …, as in the spec.
    pub name: String,
    /// Its duration in milliseconds.
    pub milliseconds: u64,
}

/// Something that an engine found to be wrong, or that may not be meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Problem {
    /// The code that it can be looked up by: `forge::engine::file_not_found`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, in rpm's words.
    pub text: String,
    /// The file that it is in.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub file: Option<String>,
    /// The line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub line: Option<u32>,
    /// The macros through which one gets there, the innermost first.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub through: Vec<String>,
    /// What can be done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
}

/// How bad a [`Problem`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// It may not be meant.
    Warning,
    /// The build can't go on.
    Error,
}

/// How what a rebuild has made compares with what the earlier build had made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RebuildComparison {
    /// The number of the earlier build.
    pub rebuild_of: u64,
    /// Whether all packages are the same, bit for bit; nothing where one of the two has made none.
    pub is_same: Option<bool>,
    /// The packages of both, by file name.
    pub packages: Vec<RebuiltPackage>,
}

/// A package of a rebuild, or of the build that was made again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RebuiltPackage {
    /// The name of its file.
    pub file: String,
    /// How it compares.
    pub outcome: RebuiltOutcome,
}

/// How a package of a rebuild compares with that of the earlier build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RebuiltOutcome {
    /// It is the same, bit for bit.
    Same,
    /// It differs.
    Differs,
    /// The earlier build had none of that name.
    New,
    /// The rebuild has none of that name.
    Gone,
}

impl RebuildComparison {
    /// Compares packages, by file name with a checksum each.
    pub fn new(rebuild_of: u64, before: &BTreeMap<String, String>, now: &BTreeMap<String, String>) -> Self {
        let names: BTreeSet<&String> = before.keys().chain(now.keys()).collect();
        let compare = |file: &String| {
            let outcome = match (before.get(file), now.get(file)) {
                (Some(was), Some(is)) if was == is => RebuiltOutcome::Same,
                (Some(_), Some(_)) => RebuiltOutcome::Differs,
                (None, _) => RebuiltOutcome::New,
                (Some(_), None) => RebuiltOutcome::Gone,
            };
            RebuiltPackage { file: file.clone(), outcome }
        };
        let packages: Vec<RebuiltPackage> = names.into_iter().map(compare).collect();
        let is_same = packages.iter().all(|package| package.outcome == RebuiltOutcome::Same);
        let is_same = (!before.is_empty() && !now.is_empty()).then_some(is_same);
        Self { rebuild_of, is_same, packages }
    }
}

/// Why a build failed, for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Failure {
    /// One sentence.
    pub cause: String,
    /// What the engine found to be wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<Problem>,
    /// The lines of the log that say why: those around the first error, or the last ones.
    pub excerpt: Vec<String>,
    /// The whole log, as a path below the project.
    pub log: Option<String>,
    /// Where the build's files are kept until it is tried again, as a path below the project.
    pub tree: Option<String>,
}

/// One thing that happened, with its run and time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Event {
    /// The run of forge in which it happened.
    pub run: RunId,
    /// When.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

impl Event {
    /// Reads an event from a line as `forge apply --json` writes it. One that only a newer forge understands is passed
    /// over, and so are fields that this one doesn't know.
    ///
    /// # Errors
    /// The line is no event of any version.
    pub fn read(line: &str) -> serde_json::Result<Option<Self>> {
        match serde_json::from_str(line) {
            Ok(event) => Ok(Some(event)),
            Err(error) => serde_json::from_str::<EventFrame>(line).map(|_| None).map_err(|_| error),
        }
    }
}

/// What all events of all versions have.
#[derive(Deserialize)]
struct EventFrame {
    #[serde(rename = "run")]
    _run: RunId,
    #[serde(rename = "at")]
    _at: Timestamp,
    #[serde(rename = "event")]
    _event: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum What {
    /// An apply begins, or begins again because something that it needs was damaged in the store.
    ApplyStarted {
        /// All builds of the plan.
        builds: usize,
        /// How long it will take if nothing unexpected happens, from history.
        #[serde(rename = "estimate_ms", with = "milliseconds")]
        #[schemars(with = "u64")]
        estimate: Duration,
    },
    /// A build has come to a state that is not its last.
    StateChanged {
        /// The build.
        #[serde(flatten)]
        build: BuildName,
        /// Its number in this project's history, once it runs.
        number: Option<u64>,
        /// Its state now.
        state: State,
        /// How long it took last time.
        #[serde(rename = "estimate_ms", with = "milliseconds::optional", default)]
        #[schemars(with = "Option<u64>")]
        estimate: Option<Duration>,
    },
    /// A build has come to its next stage.
    StageStarted {
        /// The build.
        #[serde(flatten)]
        build: BuildName,
        /// `source package`, `prep`, `build` …
        stage: String,
    },
    /// A build has printed something. It is told to those who ask for it: all of it is in the build's log.
    Logged {
        /// The build.
        #[serde(flatten)]
        build: BuildName,
        /// What comes next in its log: whole lines, or a part of one that is very long. What is no UTF-8 in it is
        /// replaced by U+FFFD.
        text: String,
    },
    /// A build is tried once more.
    Retried {
        /// The build.
        #[serde(flatten)]
        build: BuildName,
        /// Which try this is; the first one was 1.
        attempt: u32,
        /// Why the last one failed.
        cause: String,
    },
    /// A build has ended.
    BuildEnded(Ended),
    /// An earlier build was made again: what of its packages is the same.
    Rebuilt {
        /// The build.
        #[serde(flatten)]
        build: BuildName,
        /// Its number in this project.
        number: u64,
        /// How it compares.
        #[serde(flatten)]
        comparison: RebuildComparison,
    },
    /// A repository is as the results say.
    Published {
        /// The chroot whose packages it holds.
        chroot: String,
        /// The folder, relative to the project.
        folder: String,
        /// How many packages it holds now.
        packages: usize,
        /// The builds whose packages came in or changed.
        added: Vec<String>,
        /// The packages that left.
        removed: Vec<String>,
        /// The fingerprints of the keys that have signed its metadata; left out where none has.
        #[serde(skip_serializing_if = "Vec::is_empty", default)]
        signed_by: Vec<String>,
    },
    /// A repository was not written, or one package did not come into it.
    NotPublished {
        /// The chroot.
        chroot: String,
        /// The package that was left out; none where nothing was written.
        #[serde(skip_serializing_if = "Option::is_none")]
        package: Option<String>,
        /// Why.
        cause: String,
        /// The error's code.
        code: Option<String>,
        /// What to do.
        help: Option<String>,
    },
    /// A repository is on its way to a place. This is told again and again while it is.
    Sending {
        /// The chroot whose packages it holds.
        chroot: String,
        /// The place, as the manifest says it.
        place: String,
        /// How many bytes have been sent.
        bytes: u64,
        /// How many there are to send.
        total_bytes: u64,
    },
    /// A place has what a repository has.
    Sent {
        /// The chroot whose packages it holds.
        chroot: String,
        /// The place, as the manifest says it.
        place: String,
        /// How many files were sent; what was there already is not counted.
        files: usize,
        /// How many bytes they have.
        bytes: u64,
        /// How many files were removed that nothing has named for long enough.
        removed: usize,
    },
    /// A place was not brought up to date. The repository's folder is as it should be.
    NotSent {
        /// The chroot whose packages it holds.
        chroot: String,
        /// The place, as the manifest says it.
        place: String,
        /// Why.
        cause: String,
        /// The error's code.
        code: Option<String>,
        /// What to do.
        help: Option<String>,
    },
    /// Files of a repository were not as forge had left them.
    RepositoryDamaged {
        /// The chroot whose packages the repository holds.
        chroot: String,
        /// Its folder, relative to the project.
        folder: String,
        /// Those that are as they should be again.
        repaired: Vec<DamagedFile>,
        /// Those that the store has no more, or not as they should be. The repository's metadata don't name them.
        lost: Vec<DamagedFile>,
    },
    /// Something in the store is not what was put there: it was dropped, and is made again where it is needed.
    DamageFound {
        /// The build that it is of, if the plan knows one.
        build: Option<BuildName>,
        /// The file: a package, a log, a source.
        file: String,
        /// The digest that it should have.
        digest: String,
    },
    /// Something that a user should know of and that has no event of its own.
    Noted {
        /// One sentence.
        text: String,
    },
    /// What a package comes from is not what is locked of it any more (`forge watch`).
    SourceMoved {
        /// The package.
        package: String,
        /// The kind of its source: `git`.
        kind: String,
        /// What is locked: a version or a commit; nothing where nothing is.
        from: Option<String>,
        /// What it is now.
        to: Option<String>,
    },
    /// It could not be found out what a package comes from now (`forge watch`).
    SourceFailed {
        /// The package.
        package: String,
        /// Why.
        cause: String,
    },
    /// All sources were looked at (`forge watch`).
    SourcesLookedAt {
        /// How many there are.
        sources: usize,
        /// How many have moved.
        moved: usize,
        /// How many could not be looked at.
        failed: usize,
    },
    /// The apply is over.
    ApplyEnded {
        /// How many builds ended in each state.
        states: BTreeMap<State, usize>,
        /// How long it took.
        #[serde(rename = "duration_ms", with = "milliseconds")]
        #[schemars(with = "u64")]
        duration: Duration,
    },
}

/// A file of a repository that was not as forge had left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DamagedFile {
    /// The file, relative to the repository.
    pub path: String,
    /// The package of the manifest that it belongs to; none for metadata.
    pub package: Option<String>,
    /// How it was found.
    pub damage: Damage,
    /// Whether it is of a build that is not the newest of its package: no apply builds that anew.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_older: bool,
}

impl DamagedFile {
    /// A file of the newest build of a package, or of metadata.
    pub fn new(path: String, package: Option<String>, damage: Damage) -> Self {
        Self { path, package, damage, is_older: false }
    }
}

/// How a file was found that was not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Damage {
    /// It was not there.
    Missing,
    /// It was something else.
    Changed,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Missing => "missing",
            Self::Changed => "changed",
        })
    }
}

/// How a build ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Ended {
    /// The build.
    #[serde(flatten)]
    pub build: BuildName,
    /// Its number in this project's history, if it ran.
    pub number: Option<u64>,
    /// How it ended.
    pub state: State,
    /// How long it ran.
    #[serde(rename = "duration_ms", with = "milliseconds")]
    #[schemars(with = "u64")]
    pub duration: Duration,
    /// Its stages.
    pub stages: Vec<StageTime>,
    /// Why it was skipped.
    pub skipped: Option<String>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// Where its results are, relative to the project; of a build that was found, those of the build that made them.
    pub results: Option<String>,
}

/// Who listens to events.
pub trait Listener: Send + Sync {
    /// Something has happened.
    fn hear(&self, event: &Event);

    /// Whether it asks for [what builds print](What::Logged): there may be gigabytes of it.
    fn wants_logs(&self) -> bool;
}
