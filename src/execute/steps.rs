//! The steps of builds as they run, from their begin to what they came to.

use std::sync::Arc;
use std::time::Duration;

use miette::Diagnostic;

use super::ExecuteError;
use super::blocking::run_blocking;
use super::build_listener::BuildListener;
use super::recorder::{FoundBuild, RecorderHandle};
use super::runner::{AskedRequires, Runner, StepRun};
use super::task::{ScheduledBuild, Task};
use crate::chroot::making::RootError;
use crate::digest::Key;
use crate::engine::StageListener;
use crate::event::{BuildName, Failure, StageTime, State, What};
use crate::plan::{BuildId, Inputs, Plan};
use crate::process::Cancel;
use crate::store::{StepResult, Store, StoreError};

/// What a step came to.
#[derive(Debug)]
pub(super) enum StepEnd {
    /// What comes after it has all that it needs of it.
    Done,
    /// The packages were made.
    Made { key: Key, result: Arc<StepResult> },
    /// The packages were found in the store.
    Found { found: Option<FoundBuild>, key: Key, result: Arc<StepResult> },
    /// The build failed.
    Failed { failure: Failure, stages: Vec<StageTime> },
    /// Something that it needs turned out to be damaged in the store, and must be made again first.
    NeedsDamaged,
    /// It has brought to light what the plan has to be made with; in a sentence, what.
    NeedsPlan(&'static str),
    /// It was ended.
    Canceled,
}

/// What the steps of builds run with.
#[derive(Clone)]
pub(super) struct Steps {
    pub store: Arc<Store>,
    pub plan: Arc<Plan>,
    pub runner: Arc<dyn Runner>,
    pub recorder: RecorderHandle,
    pub cancel: Cancel,
}

/// A build whose packages are to be made, or found.
#[derive(Clone)]
pub(super) struct BuildStep {
    pub id: BuildId,
    pub build: Arc<ScheduledBuild>,
    /// How often it is tried again when it fails.
    pub retries: u32,
    /// Whether the project has had this result.
    pub is_known: bool,
    /// How long it took last time.
    pub usual: Option<Duration>,
}

impl Steps {
    /// Takes spec and sources of a build in.
    pub async fn fetch(
        self,
        build: BuildName,
        inputs: Arc<Inputs>,
        usual: Option<Duration>,
    ) -> Result<StepEnd, ExecuteError> {
        self.recorder.state(&build, State::Importing, usual);
        Ok(match self.runner.fetch(&inputs).await {
            Ok(run) => end_of_run(run, |()| StepEnd::Done),
            Err(error) => failed_step(&error),
        })
    }

    /// Makes the source package of a build, unless it is there.
    pub async fn make_source_package(
        self,
        build: Arc<ScheduledBuild>,
        usual: Option<Duration>,
    ) -> Result<StepEnd, ExecuteError> {
        if self.find_result(build.ingredients.source_key()).await?.is_some() {
            return Ok(StepEnd::Done);
        }
        let task = self.recorder.begin(build).await?;
        self.recorder.state(&task.build.name, State::Importing, usual);
        let listener = BuildListener::new(&self.recorder, &task.build.name);
        let run = self.runner.make_source_package(&task, &listener).await;
        // All that was printed is told before what came of it.
        drop(listener);
        let run = match run {
            Ok(run) => run,
            Err(error) => return end_of_error(error),
        };
        if matches!(run, StepRun::Done(_)) {
            // What it needs of others may take a while yet.
            self.recorder.state(&task.build.name, State::Waiting, usual);
        }
        Ok(end_of_run(run, |_| StepEnd::Done))
    }

    /// Finds the packages of a build, or makes them.
    pub async fn build_packages(self, step: BuildStep) -> Result<StepEnd, ExecuteError> {
        let BuildStep { build, is_known, usual, .. } = &step;
        let (key, source_key) = (build.key, build.ingredients.source_key());
        let store = Arc::clone(&self.store);
        let source = run_blocking(move || Ok(store.result(&source_key))).await?;
        if source.is_some()
            && !build.is_forced()
            && let Some(result) = self.find_result(key).await?
        {
            let found = Some(FoundBuild { build: Arc::clone(build), is_known: *is_known });
            return Ok(StepEnd::Found { found, key, result: Arc::new(result) });
        }
        let task = self.recorder.begin(Arc::clone(build)).await?;
        self.recorder.state(&build.name, State::Running, *usual);
        let Some(source) = source else {
            return Ok(failed_step(&ExecuteError::Task("the source package is gone".to_owned())));
        };
        match self.make_packages(&step, &task, &source).await {
            Ok(end) => Ok(end),
            Err(error) => end_of_error(error),
        }
    }

    async fn make_packages(
        &self,
        step: &BuildStep,
        task: &Task,
        source: &StepResult,
    ) -> Result<StepEnd, ExecuteError> {
        let listener = BuildListener::new(&self.recorder, &task.build.name);
        let (mut task, mut asked) = (task.clone(), None);
        if task.build.inputs.facts.generates_requires {
            match self.ask_build_requires(step.id, task, &listener).await? {
                AskedTask::All { task: extended, asked: all } => (task, asked) = (*extended, Some(all)),
                AskedTask::Ended(end) => return Ok(end),
            }
        }
        let mut attempt = 1;
        loop {
            // A second attempt finds the work folder as the first one has left it, and begins anew.
            match self.runner.build_packages(&task, source, asked.take(), &listener).await? {
                StepRun::Failed { failure, .. } if attempt <= step.retries && !self.cancel.is_canceled() => {
                    attempt += 1;
                    let (build, cause) = (task.build.name.clone(), failure.cause);
                    self.recorder.happened(What::Retried { build, attempt, cause });
                }
                run @ (StepRun::Done(_) | StepRun::Failed { .. } | StepRun::Canceled) => {
                    return Ok(end_of_run(run, |result| StepEnd::Made { key: task.build.key, result }));
                }
            }
        }
    }

    /// Sees to it that a result is what it was, that this project has not had.
    pub async fn check_found(
        self,
        found: Option<FoundBuild>,
        key: Key,
        result: Arc<StepResult>,
    ) -> Result<StepEnd, ExecuteError> {
        let (store, checked) = (Arc::clone(&self.store), Arc::clone(&result));
        let is_sound = run_blocking(move || Ok(store.is_sound(&checked))).await?;
        Ok(if is_sound { StepEnd::Found { found, key, result } } else { StepEnd::NeedsDamaged })
    }

    pub async fn find_result(&self, key: Key) -> Result<Option<StepResult>, ExecuteError> {
        let store = Arc::clone(&self.store);
        run_blocking(move || Ok(store.sound_result(&key))).await
    }

    /// Asks a `%generate_buildrequires` until it names nothing that is not in the root of the build, which is extended each time.
    async fn ask_build_requires(
        &self,
        id: BuildId,
        mut task: Task,
        listener: &dyn StageListener,
    ) -> Result<AskedTask, ExecuteError> {
        let mut stages = Vec::new();
        let mut extensions = 0;
        let last = loop {
            let asked = match self.runner.ask_build_requires(&task, listener).await? {
                StepRun::Done(asked) => asked,
                StepRun::Failed { failure, stages } => {
                    return Ok(AskedTask::Ended(StepEnd::Failed { failure, stages }));
                }
                StepRun::Canceled => return Ok(AskedTask::Ended(StepEnd::Canceled)),
            };
            stages.extend(asked.stages.iter().cloned());
            let named = task.build.inputs.not_generated_before(&asked.named);
            if self.plan.would_change(id, &named) {
                return Ok(AskedTask::Ended(StepEnd::NeedsPlan(NAMES_BUILDS)));
            }
            if named.is_empty() || task.build.inputs.wish.is_none() {
                let asked = AskedRequires { stages, ..asked };
                return Ok(AskedTask::All { task: Box::new(task), asked });
            }
            if extensions == MOST_EXTENSIONS {
                break named.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            }
            extensions += 1;
            let build = self.runner.extend_root(&task, named).await?;
            task = self.recorder.begin(Arc::new(build)).await?;
        };
        let cause = format!(
            "its %generate_buildrequires named something new each of the {MOST_EXTENSIONS} times that it had what it asked for, at last {last}"
        );
        let failure = Failure { cause, problems: Vec::new(), excerpt: Vec::new(), log: None, tree: None };
        Ok(AskedTask::Ended(StepEnd::Failed { failure, stages }))
    }
}

/// What came of asking a `%generate_buildrequires`.
enum AskedTask {
    /// All that it names is in the root of the build as it is now.
    All { task: Box<Task>, asked: AskedRequires },
    /// The build doesn't go on.
    Ended(StepEnd),
}

/// How often a root is extended by what one `%generate_buildrequires` names; as often as mock does it.
const MOST_EXTENSIONS: usize = 10;

/// Why there has to be another plan when a `%generate_buildrequires` has been asked.
const NAMES_BUILDS: &str = "its %generate_buildrequires names what this manifest builds: it is planned again";

fn end_of_run<T>(run: StepRun<T>, done: impl FnOnce(T) -> StepEnd) -> StepEnd {
    match run {
        StepRun::Done(made) => done(made),
        StepRun::Failed { failure, stages } => StepEnd::Failed { failure, stages },
        StepRun::Canceled => StepEnd::Canceled,
    }
}

/// An error that is one build's own is its end, and others go on; another one ends the apply.
fn end_of_error(error: ExecuteError) -> Result<StepEnd, ExecuteError> {
    match error {
        ExecuteError::Store(StoreError::Damaged(_)) => Ok(StepEnd::NeedsDamaged),
        ExecuteError::Package(_)
        | ExecuteError::Source(_)
        | ExecuteError::Changed { .. }
        | ExecuteError::PackageChanged { .. }
        | ExecuteError::Root(_)
        | ExecuteError::HoldsSecret { .. }
        | ExecuteError::Task(_) => Ok(failed_step(&error)),
        ExecuteError::Engine(_) | ExecuteError::Store(_) | ExecuteError::Io(_) => Err(error),
    }
}

/// The end of a step that has failed without an engine's doing.
pub(super) fn failed_step(error: &ExecuteError) -> StepEnd {
    // There is no log that would say more.
    let mut tail = advice_of(error);
    // Why packages can't be had together stands in the cause.
    if !matches!(error, ExecuteError::Root(reason) if matches!(**reason, RootError::Solve(_))) {
        add_causes(error, &mut tail, 0);
    }
    let cause = if let ExecuteError::Root(reason) = error { reason.in_words() } else { error.to_string() };
    let failure = Failure { cause, problems: Vec::new(), excerpt: tail, log: None, tree: None };
    StepEnd::Failed { failure, stages: Vec::new() }
}

/// The code of an error, and what may help.
fn advice_of(error: &dyn Diagnostic) -> Vec<String> {
    let words = |words: Option<Box<dyn std::fmt::Display + '_>>| words.map(|words| words.to_string());
    let help = words(error.help()).map(|help| format!("help: {help}"));
    words(error.code()).into_iter().chain(help).collect()
}

/// How deep causes are followed, and how many of each are told: of a file with a hundred mirrors some say enough.
const MOST_CAUSES: usize = 5;

/// What an error comes from, each cause with its code and what may help: the error itself often only says what was wanted.
fn add_causes(error: &dyn Diagnostic, lines: &mut Vec<String>, depth: usize) {
    let related = error.related().into_iter().flatten().take(MOST_CAUSES);
    for cause in error.diagnostic_source().into_iter().chain(related) {
        lines.push(cause.to_string());
        lines.extend(advice_of(cause));
        if depth < MOST_CAUSES {
            add_causes(cause, lines, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::FetchError;
    use crate::source::{RemoteError, SourceError};

    #[test]
    fn what_a_download_failed_of_is_told_with_its_code_and_help() {
        let status = |host: &str| FetchError::Status {
            address: format!("https://{host}.example/a"),
            status: "404 Not Found".to_owned(),
        };
        let source = FetchError::NoMirror { attempts: vec![status("one"), status("two")] };
        let error = RemoteError::NotFetched { file: "a.tar".to_owned(), source };
        let StepEnd::Failed { failure, .. } = failed_step(&ExecuteError::Source(SourceError::from(error)))
        else {
            panic!("a failure is one");
        };
        let told = failure.excerpt.join("\n");
        assert_eq!(failure.cause, "`a.tar` can't be fetched");
        assert!(told.starts_with("forge::source::not_fetched\nhelp: "), "{told}");
        assert!(told.contains("\nnone of its 2 mirrors has it\nforge::fetch::no_mirror\nhelp: "), "{told}");
        let last = "https://two.example/a: the server answers 404 Not Found\nforge::fetch::status\nhelp: is the address right?";
        assert!(told.contains(last), "{told}");
    }
}
