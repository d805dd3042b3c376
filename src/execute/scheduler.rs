//! The scheduler: what the [graph](super::graph) says can run is given to the [runner](super::runner), and what comes of
//! it to the [recorder](super::recorder) and back to the graph.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use petgraph::graph::NodeIndex;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

use super::blocking::run_blocking;
use super::graph::{BlockedBuild, Consequences, Halt, Next, StepGraph, StepOutcome};
use super::recorder::{BuildEnding, EndDetails, FoundBuild, Recorder, RecorderHandle, Records};
use super::runner::Runner;
use super::steps::{BuildStep, StepEnd, Steps, failed_step};
use super::task::ScheduledBuild;
use super::urgency::{last_duration, urgencies};
use super::{Ends, ExecuteError};
use crate::digest::Key;
use crate::event::{BuildName, EventSink, State, Timestamp, What};
use crate::files::Folder;
use crate::manifest::declaration::OnFailure;
use crate::manifest::{ChrootId, Manifest};
use crate::plan::{
    BuildId, Decision, Decisions, Fate, Ingredients, Inputs, Plan, Reason, Results, Step, dependency_files,
};
use crate::process::Cancel;
use crate::store::{History, LastBuild, ResultFile, StepResult, Store};

/// Brings repositories up to date; publication is a layer above this one.
pub trait Publisher: Send + Sync {
    /// Makes the repository of `chroot` what `ends` say; gives what there is to tell.
    fn publish(&self, chroot: ChrootId, plan: &Plan, ends: &Ends) -> Vec<What>;
}

/// Everything that carrying out a plan needs.
pub struct Execution {
    /// The manifest.
    pub manifest: Arc<Manifest>,
    /// The plan.
    pub plan: Arc<Plan>,
    /// What is to be done with each build.
    pub decisions: Arc<Decisions>,
    /// The store.
    pub store: Arc<Store>,
    /// The project's history.
    pub history: Arc<History>,
    /// The newest good result of each build, as the decisions know them.
    pub last_good: Arc<HashMap<BuildName, LastBuild>>,
    /// The project's state folder, `.forge`.
    pub state: Arc<Folder>,
    /// Who runs steps.
    pub runner: Arc<dyn Runner>,
    /// Who hears of what happens.
    pub events: EventSink,
    /// Who publishes.
    pub publisher: Arc<dyn Publisher>,
    /// How many steps run at a time.
    pub jobs: usize,
    /// Ends everything.
    pub cancel: Cancel,
}

/// How a build ended.
#[derive(Debug)]
pub struct BuildEnd {
    /// Its state.
    pub state: State,
    /// Its key, if there is a result.
    pub key: Option<Key>,
    /// Its result.
    pub result: Option<Arc<StepResult>>,
}

/// What an apply came to.
#[derive(Debug)]
pub struct Applied {
    /// Every build's end.
    pub ends: Ends,
    /// Whether it was canceled.
    pub canceled: bool,
    /// Whether builds wait for a plan that knows what has come to light on the way.
    pub needs_plan: bool,
}

/// Carries out a plan.
///
/// # Errors
/// Only what no build has made: a store that can't be used, a disk that is full. What was begun is ended first.
pub async fn execute(execution: Execution) -> Result<Applied, ExecuteError> {
    let begun = execution.events.now();
    let records = Records {
        history: Arc::clone(&execution.history),
        store: Arc::clone(&execution.store),
        state: Arc::clone(&execution.state),
        events: execution.events.clone(),
        cancel: execution.cancel.clone(),
    };
    let recorder = Recorder::start(records).await?;
    let mut scheduler = Scheduler::new(execution, recorder.handle());
    let outcome = scheduler.run().await;
    if outcome.is_ok() && !scheduler.recorder.has_failed() {
        scheduler.tell_end(begun);
    }
    // What could not be written down comes first: a step may have ended because of it.
    recorder.finish().await?;
    outcome?;
    let canceled = scheduler.execution.cancel.is_canceled();
    Ok(Applied { ends: scheduler.ends, canceled, needs_plan: scheduler.needs_plan })
}

struct Scheduler {
    execution: Execution,
    graph: StepGraph,
    recorder: RecorderHandle,
    steps: Steps,
    results: Results,
    ends: Ends,
    needs_plan: bool,
    running: JoinSet<Finished>,
    /// How many steps run that each take one of the places.
    places_taken: usize,
    /// Repositories are published one after the other.
    publishing: Arc<Mutex<()>>,
    /// Results are checked as many at a time as steps run.
    checking: Arc<Semaphore>,
}

/// A step that was running.
struct Finished {
    node: NodeIndex,
    place: JobSlot,
    end: Result<StepEnd, ExecuteError>,
}

/// Whether a step takes one of the places that `--jobs` counts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum JobSlot {
    Taken,
    NotNeeded,
}

impl Scheduler {
    fn new(execution: Execution, recorder: RecorderHandle) -> Self {
        let (plan, decisions) = (&execution.plan, &execution.decisions);
        let has_work = |id: BuildId| matches!(decisions.decision(id), Decision::Build { .. });
        let has_work: Vec<bool> = plan.ids().map(has_work).collect();
        let urgencies = urgencies(plan, &execution.manifest, &has_work, &execution.last_good);
        let graph = StepGraph::new(&plan.graph, has_work, &urgencies);
        let longest = urgencies.iter().map(|urgency| urgency.remaining).max().unwrap_or_default();
        let is_chosen = |id: &BuildId| !matches!(decisions.decision(*id), Decision::NotChosen);
        let builds = plan.ids().filter(is_chosen).count();
        recorder.happened(What::ApplyStarted { builds, estimate: longest });
        let steps = Steps {
            store: Arc::clone(&execution.store),
            plan: Arc::clone(plan),
            runner: Arc::clone(&execution.runner),
            recorder: recorder.clone(),
            cancel: execution.cancel.clone(),
        };
        let checking = Arc::new(Semaphore::new(execution.jobs.max(1)));
        Self {
            execution,
            graph,
            recorder,
            steps,
            results: Results::new(),
            ends: Ends::new(),
            needs_plan: false,
            running: JoinSet::new(),
            places_taken: 0,
            publishing: Arc::default(),
            checking,
        }
    }

    /// Carries all steps out. After an error, its own or the recorder's, no further one starts, and those that run are ended.
    async fn run(&mut self) -> Result<(), ExecuteError> {
        let mut outcome = Ok(());
        let first = self.graph.begin();
        self.follow(first);
        loop {
            if outcome.is_err() || self.recorder.has_failed() {
                self.execution.cancel.cancel();
            }
            if self.execution.cancel.is_canceled() {
                self.graph.halt(Halt::Canceled);
            }
            self.start_ready();
            let Some(finished) = self.running.join_next().await else {
                return outcome;
            };
            let ended = finished.map_err(|error| ExecuteError::Task(error.to_string()));
            let ended = ended.and_then(|finished| self.step_finished(finished));
            outcome = outcome.and(ended);
        }
    }

    /// Starts steps until all places are taken.
    fn start_ready(&mut self) {
        while self.places_taken < self.execution.jobs.max(1) || self.graph.is_halted() {
            match self.graph.next() {
                Some(Next::Run(node)) => self.start(node),
                Some(Next::Leave(node, halt)) => self.leave(node, halt),
                None => return,
            }
        }
    }

    fn start(&mut self, node: NodeIndex) {
        let (Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id)) = self.graph.step(node) else {
            return self.ended(node, StepOutcome::Done);
        };
        let Some(inputs) = self.inputs(id) else {
            return self.ended(node, StepOutcome::Done);
        };
        let (name, usual) = (self.name(id).clone(), self.usual_duration(id));
        match self.graph.step(node) {
            Step::Fetch(_) => {
                self.spawn(node, JobSlot::Taken, self.steps.clone().fetch(name, inputs, usual));
            }
            Step::SourcePackage(_) => {
                let build = self.scheduled_build(id, inputs, Dependencies::default());
                self.spawn(node, JobSlot::Taken, self.steps.clone().make_source_package(build, usual));
            }
            Step::Build(_) => self.start_build(node, id, inputs),
            Step::BatchStart(_) | Step::BatchEnd(_) | Step::Publish(_) => {}
        }
    }

    fn start_build(&mut self, node: NodeIndex, id: BuildId, inputs: Arc<Inputs>) {
        let Some(dependencies) = self.dependencies(id) else {
            let skipped = Some("a build that it needs has no result".to_owned());
            return self.end_build(node, id, State::Skipped, EndDetails { skipped, ..EndDetails::default() });
        };
        let build = self.scheduled_build(id, inputs, dependencies);
        let retries = self.execution.manifest.package(self.execution.plan.build(id).package).retries;
        let is_known = self.is_known(id, &build.key);
        let step = BuildStep { id, build, retries, is_known, usual: self.usual_duration(id) };
        self.spawn(node, JobSlot::Taken, self.steps.clone().build_packages(step));
    }

    /// A step that could run, and doesn't.
    fn leave(&mut self, node: NodeIndex, halt: Halt) {
        let (Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id)) = self.graph.step(node) else {
            return self.ended(node, StepOutcome::Done);
        };
        let (state, skipped) = match halt {
            Halt::Canceled => (State::Canceled, None),
            Halt::FailureOf(failed) => {
                let failed = self.name(failed);
                (State::Skipped, Some(format!("{failed} failed, and `on-failure stop` is set")))
            }
        };
        self.end_build(node, id, state, EndDetails { skipped, ..EndDetails::default() });
    }

    /// A step that was running has ended.
    fn step_finished(&mut self, finished: Finished) -> Result<(), ExecuteError> {
        let Finished { node, place, end } = finished;
        if place == JobSlot::Taken {
            self.places_taken -= 1;
        }
        let (end, outcome) = match end {
            Ok(end) => (end, Ok(())),
            Err(error) => (StepEnd::Canceled, Err(error)),
        };
        match self.graph.step(node) {
            Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id) => {
                self.build_step_ended(node, id, end);
            }
            Step::BatchStart(_) | Step::BatchEnd(_) | Step::Publish(_) => {
                self.ended(node, StepOutcome::Done);
            }
        }
        outcome
    }

    fn build_step_ended(&mut self, node: NodeIndex, id: BuildId, end: StepEnd) {
        match end {
            StepEnd::Done => self.ended(node, StepOutcome::Done),
            StepEnd::Made { key, result } => {
                let stages = result.stages.clone();
                let details = EndDetails { stages, ..EndDetails::default() };
                self.record_result(id, State::Succeeded, (key, result), details);
                self.ended(node, StepOutcome::Done);
            }
            StepEnd::Found { found, key, result } => {
                self.record_found(id, found, key, result);
                self.ended(node, StepOutcome::Done);
            }
            StepEnd::Failed { failure, stages } => {
                if self.execution.manifest.on_failure == OnFailure::Stop {
                    self.graph.halt(Halt::FailureOf(id));
                }
                let details = EndDetails { stages, failure: Some(failure), skipped: None };
                self.end_build(node, id, State::Failed, details);
            }
            StepEnd::NeedsDamaged => self.end_build(node, id, State::Skipped, damaged()),
            StepEnd::NeedsPlan(why) => {
                self.needs_plan = true;
                let details = EndDetails { skipped: Some(why.to_owned()), ..EndDetails::default() };
                self.end_build(node, id, State::Skipped, details);
            }
            StepEnd::Canceled => self.end_build(node, id, State::Canceled, EndDetails::default()),
        }
    }

    /// A build has ended without a result, at whichever of its steps.
    fn end_build(&mut self, node: NodeIndex, id: BuildId, state: State, details: EndDetails) {
        self.record_end(id, state, details);
        self.ended(node, StepOutcome::NoResult);
    }

    fn ended(&mut self, node: NodeIndex, outcome: StepOutcome) {
        let consequences = self.graph.ended(node, outcome);
        self.follow(consequences);
    }

    /// Does what costs nothing of what follows from the end of a step, and what follows from that; the rest waits for a
    /// place.
    fn follow(&mut self, consequences: Consequences) {
        let mut open = VecDeque::from([consequences]);
        while let Some(Consequences { ready, settled, publications, blocked }) = open.pop_front() {
            for node in ready {
                if let Step::Fetch(id) = self.graph.step(node) {
                    self.recorder.state(self.name(id), State::Pending, self.usual_duration(id));
                }
            }
            for BlockedBuild { build, blocked_by } in blocked {
                let skipped = Some(format!("{} failed", self.name(blocked_by)));
                self.record_end(build, State::Skipped, EndDetails { skipped, ..EndDetails::default() });
            }
            for node in settled {
                let outcome = self.settle(node);
                open.extend(outcome.map(|outcome| self.graph.ended(node, outcome)));
            }
            for node in publications {
                if !self.publish(node) {
                    open.push_back(self.graph.ended(node, StepOutcome::Done));
                }
            }
        }
    }

    /// Says how a build ends that needs no work; nothing where its result has to be looked at first.
    fn settle(&mut self, node: NodeIndex) -> Option<StepOutcome> {
        let Step::Build(id) = self.graph.step(node) else {
            return Some(StepOutcome::Done);
        };
        let decisions = Arc::clone(&self.execution.decisions);
        match decisions.decision(id) {
            Decision::Cached { key, result } if self.is_known(id, key) => {
                self.record_found(id, None, *key, Arc::clone(result));
                Some(StepOutcome::Done)
            }
            Decision::Cached { key, result } => {
                self.check_found(node, id, (*key, Arc::clone(result)));
                None
            }
            Decision::Skip { why, failed } => {
                let details = EndDetails { skipped: Some(why.clone()), ..EndDetails::default() };
                self.record_end(id, State::Skipped, details);
                Some(if *failed { StepOutcome::NoResult } else { StepOutcome::Done })
            }
            Decision::NotChosen => Some(StepOutcome::Done),
            // It has work: the graph lets it run.
            Decision::Build { .. } => Some(StepOutcome::NoResult),
        }
    }

    /// Looks at a result that this project has not had.
    fn check_found(&mut self, node: NodeIndex, id: BuildId, (key, result): (Key, Arc<StepResult>)) {
        let found = self.inputs(id).map(|inputs| {
            let dependencies = self.dependencies(id).unwrap_or_default();
            FoundBuild { build: self.scheduled_build(id, inputs, dependencies), is_known: false }
        });
        let (steps, checking) = (self.steps.clone(), Arc::clone(&self.checking));
        self.spawn(node, JobSlot::NotNeeded, async move {
            // The semaphore is never closed.
            let _turn = checking.acquire().await;
            steps.check_found(found, key, result).await
        });
    }

    fn record_found(&mut self, id: BuildId, found: Option<FoundBuild>, key: Key, result: Arc<StepResult>) {
        self.recorder.used(key);
        self.results.insert(id, Arc::clone(&result));
        let last = self.execution.last_good.get(self.name(id)).filter(|last| last.key == key);
        let serving = last.and_then(|last| last.results.clone());
        let ending = self.ending(id, State::Cached, EndDetails::default());
        let ending = BuildEnding { found, serving, ..ending };
        self.record(id, BuildEnding { result: Some((key, result)), ..ending });
    }

    fn record_result(
        &mut self,
        id: BuildId,
        state: State,
        result: (Key, Arc<StepResult>),
        details: EndDetails,
    ) {
        self.results.insert(id, Arc::clone(&result.1));
        let ending = self.ending(id, state, details);
        self.record(id, BuildEnding { result: Some(result), ..ending });
    }

    /// Writes down and tells that a build ended without a result.
    fn record_end(&mut self, id: BuildId, state: State, details: EndDetails) {
        let ending = self.ending(id, state, details);
        self.record(id, ending);
    }

    fn ending(&self, id: BuildId, state: State, details: EndDetails) -> BuildEnding {
        let (build, usual) = (self.name(id).clone(), self.usual_duration(id));
        BuildEnding { build, state, result: None, details, usual, found: None, serving: None }
    }

    fn record(&mut self, id: BuildId, ending: BuildEnding) {
        let (key, result) = ending.result.clone().unzip();
        self.ends.insert(id, Arc::new(BuildEnd { state: ending.state, key, result }));
        self.recorder.ended(ending);
    }

    /// Publishes beside what runs. Gives whether it does.
    fn publish(&mut self, node: NodeIndex) -> bool {
        let Step::Publish(chroot) = self.graph.step(node) else {
            return false;
        };
        if self.execution.cancel.is_canceled() {
            return false;
        }
        let (publisher, plan) = (Arc::clone(&self.execution.publisher), Arc::clone(&self.execution.plan));
        let (ends, recorder, publishing) =
            (self.ends.clone(), self.recorder.clone(), Arc::clone(&self.publishing));
        self.spawn(node, JobSlot::NotNeeded, async move {
            let _turn = publishing.lock().await;
            run_blocking(move || {
                let told = publisher.publish(chroot, &plan, &ends);
                told.into_iter().for_each(|what| recorder.happened(what));
                Ok(StepEnd::Done)
            })
            .await
        });
        true
    }

    fn tell_end(&self, begun: Timestamp) {
        let mut states: BTreeMap<State, usize> = BTreeMap::new();
        for end in self.ends.values() {
            *states.entry(end.state).or_default() += 1;
        }
        let duration = self.execution.events.now().since(begun);
        self.recorder.happened(What::ApplyEnded { states, duration });
    }

    fn name(&self, id: BuildId) -> &BuildName {
        &self.execution.plan.build(id).name
    }

    fn usual_duration(&self, id: BuildId) -> Option<Duration> {
        last_duration(self.name(id), &self.execution.last_good)
    }

    /// Whether this project has had the result.
    fn is_known(&self, id: BuildId, key: &Key) -> bool {
        self.execution.last_good.get(self.name(id)).is_some_and(|last| last.key == *key)
    }

    /// The inputs of a build that can be built.
    fn inputs(&self, id: BuildId) -> Option<Arc<Inputs>> {
        match &self.execution.plan.build(id).fate {
            Fate::Buildable(inputs) => Some(Arc::clone(inputs)),
            Fate::RuledOut(_) | Fate::NotYet(_) | Fate::Impossible(_) => None,
        }
    }

    /// What other builds put into the root of a build; nothing where one of them has no result.
    fn dependencies(&self, id: BuildId) -> Option<Dependencies> {
        let files = dependency_files(&self.execution.plan, id, &self.results)?;
        Some(files.into_iter().map(|(nevra, file)| (nevra.to_owned(), file.clone())).collect())
    }

    fn scheduled_build(
        &self,
        id: BuildId,
        inputs: Arc<Inputs>,
        dependencies: Dependencies,
    ) -> Arc<ScheduledBuild> {
        let build = self.execution.plan.build(id);
        let contents = dependencies.iter().map(|(nevra, file)| (nevra.clone(), file.package.content));
        let ingredients = self.execution.plan.ingredients_with(id, &inputs, contents.collect());
        let key = ingredients.key();
        let timeout = self.execution.manifest.package(build.package).timeout;
        let limits = match &inputs.rebuild {
            Some(rebuild) => rebuild.limits,
            None => self.execution.manifest.limits(build.package, build.chroot).into(),
        };
        let dependencies = dependencies.into_iter().map(|(_, file)| file).collect();
        let name = build.name.clone();
        let reasons = self.reasons(id, &ingredients);
        Arc::new(ScheduledBuild { name, inputs, ingredients, key, timeout, limits, dependencies, reasons })
    }

    /// Why a build is made. What was left open until what it needs was there can be said now.
    fn reasons(&self, id: BuildId, ingredients: &Ingredients) -> Vec<Reason> {
        let Decision::Build { reasons } = self.execution.decisions.decision(id) else {
            return Vec::new();
        };
        if !reasons.iter().any(|reason| matches!(reason, Reason::Undecided { .. })) {
            return reasons.clone();
        }
        let Execution { plan, store, last_good, .. } = &self.execution;
        let mut all = plan.reasons_to_build(store, last_good.get(self.name(id)), ingredients);
        all.extend(reasons.iter().filter(|reason| **reason == Reason::Forced).cloned());
        all
    }

    fn spawn(
        &mut self,
        node: NodeIndex,
        place: JobSlot,
        step: impl Future<Output = Result<StepEnd, ExecuteError>> + Send + 'static,
    ) {
        if place == JobSlot::Taken {
            self.places_taken += 1;
        }
        // A task of its own: a bug that panics in it is that one build's failure, and the others go on.
        let task = tokio::spawn(step);
        self.running.spawn(async move {
            let end =
                task.await.unwrap_or_else(|error| Ok(failed_step(&ExecuteError::Task(error.to_string()))));
            Finished { node, place, end }
        });
    }
}

/// Package files of other builds by NEVRA, in its order.
type Dependencies = Vec<(String, ResultFile)>;

/// A build can't be had before something that the store has lost is made again.
fn damaged() -> EndDetails {
    let skipped = Some("the store's copy of a package that it needs was damaged".to_owned());
    EndDetails { skipped, ..EndDetails::default() }
}
