//! The scheduler: walks the graph, starts what is ready, and carries failures to what needs them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::NodeIndex;
use petgraph::visit::EdgeRef;
use tokio::task::JoinSet;

use super::abandoned::clear_abandoned;
use super::build_run::{Running, StepEnd, failed_step};
use super::local::Local;
use super::progress::Teller;
use super::ready::{Ready, estimate, ways};
use super::results::largest_number;
use super::{Ends, ExecuteError};
use crate::digest::Key;
use crate::engine::Engine;
use crate::event::{BuildName, Clock, Ended, EventSink, Failure, StageTime, State, What};
use crate::files::Folder;
use crate::manifest::declaration::{OnFailure, Priority};
use crate::manifest::{ChrootId, Manifest};
use crate::plan::{BuildId, Decision, Decisions, Fate, Plan, Results, Step};
use crate::process::Cancel;
use crate::store::{BuildRow, History, LastBuild, StepResult, Store};

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
    /// Who builds.
    pub engines: Vec<Arc<dyn Engine>>,
    /// Who hears of what happens.
    pub events: EventSink,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
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
    /// Whether builds wait for a plan that knows what their `%generate_buildrequires` have named.
    pub needs_plan: bool,
}

/// Why a build that could not be had counts against what needs it.
#[derive(Clone, Debug)]
struct Culprit(BuildName);

pub(super) struct Scheduler {
    pub execution: Execution,
    pub teller: Teller,
    pub local: Local,
    pub last: Arc<HashMap<BuildName, LastBuild>>,
    pub results: Results,
    pub ends: Ends,
    ways: Vec<std::time::Duration>,
    waiting_for: Vec<usize>,
    spoilt: Vec<Option<Culprit>>,
    ready: Ready,
    pub begun: HashMap<BuildId, Running>,
    stopped_by: Option<BuildName>,
    needs_plan: bool,
    running: JoinSet<(NodeIndex, Result<StepEnd, ExecuteError>)>,
}

/// Carries out a plan.
///
/// # Errors
/// Only what no build has made: a store that can't be used, a disk that is full. What was begun is ended first.
pub async fn execute(execution: Execution) -> Result<Applied, ExecuteError> {
    let begun = execution.clock.now();
    let mut scheduler = Scheduler::new(execution)?;
    let outcome = scheduler.run().await;
    scheduler.running.shutdown().await;
    outcome?;
    scheduler.tell_end(begun);
    let canceled = scheduler.execution.cancel.is_canceled();
    Ok(Applied { ends: scheduler.ends, canceled, needs_plan: scheduler.needs_plan })
}

impl Scheduler {
    fn new(execution: Execution) -> Result<Self, ExecuteError> {
        clear_abandoned(&execution.history, &execution.state, execution.clock.now())?;
        if execution.history.is_new()? {
            // Where an older history is gone, its result folders are not.
            execution.history.number_after(largest_number(&execution.state)?)?;
        }
        let last = Arc::clone(&execution.last_good);
        let plan = Arc::clone(&execution.plan);
        let topological = toposort(&plan.graph, None).unwrap_or_default();
        let needs_work = |id: BuildId| matches!(execution.decisions.of(id), Decision::Build { .. });
        let ways = ways(&plan, &topological, needs_work, &last);
        let count = |node| plan.graph.neighbors_directed(node, Direction::Incoming).count();
        let teller = Teller(execution.events.clone());
        let local = Local {
            store: Arc::clone(&execution.store),
            engines: execution.engines.clone(),
            cancel: execution.cancel.clone(),
            clock: Arc::clone(&execution.clock),
        };
        Ok(Self {
            waiting_for: plan.graph.node_indices().map(count).collect(),
            spoilt: vec![None; plan.graph.node_count()],
            ways,
            last,
            teller,
            local,
            results: Results::new(),
            ends: Ends::new(),
            ready: Ready::default(),
            begun: HashMap::new(),
            stopped_by: None,
            needs_plan: false,
            running: JoinSet::new(),
            execution,
        })
    }

    async fn run(&mut self) -> Result<(), ExecuteError> {
        let longest = self.ways.iter().max().copied().unwrap_or_default();
        self.teller.tell(What::ApplyStarted { builds: self.execution.plan.builds.len(), estimate: longest });
        let first: Vec<NodeIndex> = self
            .execution
            .plan
            .graph
            .node_indices()
            .filter(|node| self.waiting_for[node.index()] == 0)
            .collect();
        for node in first {
            self.became_ready(node)?;
        }
        loop {
            self.start_ready()?;
            let Some(done) = self.running.join_next().await else {
                return Ok(());
            };
            let (node, end) = done.map_err(|error| ExecuteError::Task(error.to_string()))?;
            self.step_ended(node, end?)?;
        }
    }

    /// Starts steps until all places are taken.
    fn start_ready(&mut self) -> Result<(), ExecuteError> {
        while self.running.len() < self.execution.jobs.max(1) {
            let Some(node) = self.ready.pop() else {
                return Ok(());
            };
            let step = self.execution.plan.graph[node];
            match step {
                Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id) if self.must_not_start() => {
                    self.not_started(node, id)?;
                }
                Step::Fetch(id) => self.start_fetch(node, id)?,
                Step::SourcePackage(id) => self.start_source_package(node, id)?,
                Step::Build(id) => self.start_build(node, id)?,
                Step::BatchStart(_) | Step::BatchEnd(_) | Step::Publish(_) => {}
            }
        }
        Ok(())
    }

    fn must_not_start(&self) -> bool {
        self.execution.cancel.is_canceled() || self.stopped_by.is_some()
    }

    fn not_started(&mut self, node: NodeIndex, id: BuildId) -> Result<(), ExecuteError> {
        if let Some(failed) = self.stopped_by.clone().filter(|_| !self.execution.cancel.is_canceled()) {
            let why = format!("{failed} failed, and `on-failure stop` is set");
            return self.end_build(
                id,
                node,
                State::Skipped,
                None,
                Told { skipped: Some(why), ..Told::default() },
            );
        }
        self.end_build(id, node, State::Canceled, None, Told::default())
    }

    /// A node's last predecessor has ended. What costs nothing is done at once, the rest waits for a place.
    fn became_ready(&mut self, node: NodeIndex) -> Result<(), ExecuteError> {
        let mut open = VecDeque::from([node]);
        while let Some(node) = open.pop_front() {
            let ended = match self.execution.plan.graph[node] {
                Step::Fetch(id) | Step::SourcePackage(id) => self.early_step(node, id),
                Step::Build(id) => self.early_build(node, id)?,
                Step::BatchStart(_) | Step::BatchEnd(_) => true,
                Step::Publish(chroot) => {
                    self.publish(chroot);
                    true
                }
            };
            if ended {
                open.extend(self.release(node));
            }
        }
        Ok(())
    }

    /// Fetching and packing sources: nothing to do where nothing will be built.
    fn early_step(&mut self, node: NodeIndex, id: BuildId) -> bool {
        let to_do =
            matches!(self.execution.decisions.of(id), Decision::Build { .. }) && !self.ends.contains_key(&id);
        if to_do {
            self.enqueue(node, id);
        }
        !to_do
    }

    /// A build whose end is known without running anything. Gives whether it has ended.
    fn early_build(&mut self, node: NodeIndex, id: BuildId) -> Result<bool, ExecuteError> {
        if self.ends.contains_key(&id) {
            return Ok(true);
        }
        if let Some(Culprit(culprit)) = self.spoilt[node.index()].clone() {
            let why = format!("{culprit} failed");
            self.record_end(id, State::Skipped, None, Told { skipped: Some(why), ..Told::default() })?;
            self.spoilt[node.index()] = Some(Culprit(culprit));
            return Ok(true);
        }
        match self.execution.decisions.of(id) {
            Decision::Cached { key, result } => {
                let (key, result) = (*key, Arc::clone(result));
                if !self.is_known(id, &key) && !self.execution.store.is_sound(&result) {
                    let name = self.execution.plan.build(id).name.clone();
                    self.record_end(id, State::Skipped, None, Told::damaged())?;
                    self.spoilt[node.index()] = Some(Culprit(name));
                    return Ok(true);
                }
                self.cached(id, key, result)?;
                Ok(true)
            }
            Decision::Skip { why, failed } => {
                let (why, failed) = (why.clone(), *failed);
                let name = self.execution.plan.build(id).name.clone();
                self.record_end(id, State::Skipped, None, Told { skipped: Some(why), ..Told::default() })?;
                self.spoilt[node.index()] = failed.then_some(Culprit(name));
                Ok(true)
            }
            Decision::Build { .. } => {
                self.enqueue(node, id);
                Ok(false)
            }
        }
    }

    fn enqueue(&mut self, node: NodeIndex, id: BuildId) {
        let build = self.execution.plan.build(id);
        let priority: Priority = self.execution.manifest.package(build.package).priority;
        self.ready.push(node, priority, self.ways[node.index()]);
        if matches!(self.execution.plan.graph[node], Step::Fetch(_)) {
            self.tell_state(id, State::Pending);
        }
    }

    /// A node has ended: those after it have one less to wait for. Gives those that wait for nothing any more.
    fn release(&mut self, node: NodeIndex) -> Vec<NodeIndex> {
        let plan = Arc::clone(&self.execution.plan);
        let mut free = Vec::new();
        for edge in plan.graph.edges(node) {
            let next = edge.target().index();
            let is_own_step = matches!(plan.graph[node], Step::Fetch(_) | Step::SourcePackage(_));
            if edge.weight().needs_success() && !is_own_step && self.spoilt[next].is_none() {
                self.spoilt[next] = self.spoilt[node.index()].clone();
            }
            self.waiting_for[next] -= 1;
            if self.waiting_for[next] == 0 {
                free.push(edge.target());
            }
        }
        free
    }

    /// A step that ran has ended.
    fn step_ended(&mut self, node: NodeIndex, end: StepEnd) -> Result<(), ExecuteError> {
        let step = self.execution.plan.graph[node];
        match (step, end) {
            (Step::Fetch(_), StepEnd::Imported) => self.passed(node),
            (Step::SourcePackage(id), StepEnd::Made(result)) => {
                if let Some(running) = self.begun.get_mut(&id) {
                    running.source = Some(result);
                }
                // What it needs of others may take a while yet.
                self.tell_state(id, State::Waiting);
                self.passed(node)
            }
            (Step::Build(id), StepEnd::Made(result)) => {
                let key = self.begun.get(&id).and_then(|running| running.key);
                let told = Told { stages: result.stages.clone(), ..Told::default() };
                self.results.insert(id, Arc::clone(&result));
                self.end_build(id, node, State::Succeeded, key.map(|key| (key, result)), told)
            }
            (
                Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id),
                StepEnd::Failed { failure, stages },
            ) => {
                let told = Told { stages, failure: Some(failure), ..Told::default() };
                self.failed(id);
                self.end_build(id, node, State::Failed, None, told)
            }
            (Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id), StepEnd::NeedsPlan) => {
                self.needs_plan = true;
                self.end_build(id, node, State::Skipped, None, Told::to_be_planned())
            }
            (Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id), StepEnd::NeedsDamaged) => {
                self.end_build(id, node, State::Skipped, None, Told::damaged())
            }
            (Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id), _) => {
                self.end_build(id, node, State::Canceled, None, Told::default())
            }
            (Step::BatchStart(_) | Step::BatchEnd(_) | Step::Publish(_), _) => self.passed(node),
        }
    }

    pub(super) fn passed(&mut self, node: NodeIndex) -> Result<(), ExecuteError> {
        for next in self.release(node) {
            self.became_ready(next)?;
        }
        Ok(())
    }

    fn failed(&mut self, id: BuildId) {
        if self.execution.manifest.on_failure == OnFailure::Stop && self.stopped_by.is_none() {
            self.stopped_by = Some(self.execution.plan.build(id).name.clone());
        }
    }

    /// A build has ended, at whichever of its steps.
    pub(super) fn end_build(
        &mut self,
        id: BuildId,
        node: NodeIndex,
        state: State,
        result: Option<(Key, Arc<StepResult>)>,
        told: Told,
    ) -> Result<(), ExecuteError> {
        let name = self.execution.plan.build(id).name.clone();
        let last = self.execution.plan.node(id);
        if !state.has_result() {
            self.spoilt[last.index()] = Some(Culprit(name));
        }
        self.record_end(id, state, result, told)?;
        self.passed(node)
    }

    /// Writes down and tells how a build ended.
    fn record_end(
        &mut self,
        id: BuildId,
        state: State,
        result: Option<(Key, Arc<StepResult>)>,
        told: Told,
    ) -> Result<(), ExecuteError> {
        let name = self.execution.plan.build(id).name.clone();
        let running = self.begun.remove(&id);
        let now = self.execution.clock.now();
        let duration = running.as_ref().map(|running| now.since(running.started)).unwrap_or_default();
        let mut told = told;
        if let Some(failure) = &mut told.failure
            && failure.log.is_none()
        {
            failure.log = running.as_ref().map(|running| format!(".forge/{}/build.log", running.folder));
        }
        if let Some(running) = &running {
            let kept = result.as_ref().map(|(_, result)| result.as_ref());
            running.complete(&self.execution, &name, state, now, &told, kept)?;
            let cause = told.failure.as_ref().map(|failure| failure.cause.clone());
            let results = Some(running.folder.clone());
            let stages = told.stages.clone();
            let (number, started, ended) = (running.number, running.started, Some(now));
            let row = BuildRow { number, build: name.clone(), state, started, ended, cause, stages, results };
            self.execution.history.end(&row)?;
        }
        if let (Some((key, _)), Some(running)) = (&result, &running) {
            let ingredients = serde_json::to_string(&running.ingredients).unwrap_or_default();
            // A result that was found, not made, says nothing of how long making it takes.
            let duration = match state {
                State::Cached => estimate(&name, &self.last).unwrap_or(duration),
                _ => duration,
            };
            let last = LastBuild { key: *key, ingredients, duration, results: Some(running.folder.clone()) };
            self.execution.history.remember_good(&name, &last)?;
        }
        let (key, result) = result.map_or((None, None), |(key, result)| (Some(key), Some(result)));
        self.ends.insert(id, Arc::new(BuildEnd { state, key, result }));
        let number = running.as_ref().map(|running| running.number);
        let results = running.map(|running| format!(".forge/{}", running.folder));
        let Told { stages, skipped, failure } = told;
        let ended = Ended { build: name, number, state, duration, stages, skipped, failure, results };
        self.teller.tell(What::BuildEnded(ended));
        Ok(())
    }

    /// A build whose result is there already.
    pub(super) fn cached(
        &mut self,
        id: BuildId,
        key: Key,
        result: Arc<StepResult>,
    ) -> Result<(), ExecuteError> {
        self.results.insert(id, Arc::clone(&result));
        if !self.is_known(id, &key) && !self.begun.contains_key(&id) {
            self.adopt(id)?;
        }
        self.execution.store.mark_used(&key, self.execution.clock.now())?;
        self.record_end(id, State::Cached, Some((key, result)), Told::default())
    }

    /// Whether this project has had the result.
    fn is_known(&self, id: BuildId, key: &Key) -> bool {
        self.last.get(&self.execution.plan.build(id).name).is_some_and(|last| last.key == *key)
    }

    fn publish(&mut self, chroot: ChrootId) {
        if self.execution.cancel.is_canceled() {
            return;
        }
        let told = self.execution.publisher.publish(chroot, &self.execution.plan, &self.ends);
        told.into_iter().for_each(|what| self.teller.tell(what));
    }

    pub(super) fn tell_state(&self, id: BuildId, state: State) {
        let build = self.execution.plan.build(id).name.clone();
        let number = self.begun.get(&id).map(|running| running.number);
        let estimate = estimate(&build, &self.last);
        self.teller.tell(What::StateChanged { build, number, state, estimate });
    }

    fn tell_end(&self, begun: crate::event::Timestamp) {
        let mut states: HashMap<State, usize> = HashMap::new();
        for end in self.ends.values() {
            *states.entry(end.state).or_default() += 1;
        }
        let mut states: Vec<_> = states.into_iter().collect();
        states.sort();
        let now = self.execution.clock.now();
        self.teller.tell(What::ApplyEnded { states, duration: now.since(begun) });
    }

    /// The inputs of a build that can be built.
    pub(super) fn inputs(&self, id: BuildId) -> Option<Arc<crate::plan::Inputs>> {
        match &self.execution.plan.build(id).fate {
            Fate::Buildable(inputs) => Some(Arc::clone(inputs)),
            Fate::RuledOut(_) | Fate::NotYet(_) | Fate::Impossible(_) => None,
        }
    }

    pub(super) fn spawn(
        &mut self,
        node: NodeIndex,
        step: impl Future<Output = Result<StepEnd, ExecuteError>> + Send + 'static,
    ) {
        // A task of its own: a bug that panics in it is that one build's failure, and the others go on.
        let task = tokio::spawn(step);
        self.running.spawn(async move {
            let end =
                task.await.unwrap_or_else(|error| Ok(failed_step(&ExecuteError::Task(error.to_string()))));
            (node, end)
        });
    }
}

/// What is told of a build's end beside its state.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub stages: Vec<StageTime>,
    pub skipped: Option<String>,
    pub failure: Option<Failure>,
}

impl Told {
    /// A build comes after what its `%generate_buildrequires` has named.
    fn to_be_planned() -> Self {
        let skipped =
            "its %generate_buildrequires names what this manifest builds: it is planned again".to_owned();
        Self { skipped: Some(skipped), ..Self::default() }
    }

    /// A build can't be had before something that the store has lost is made again.
    fn damaged() -> Self {
        let skipped = "the store's copy of a package that it needs was damaged".to_owned();
        Self { skipped: Some(skipped), ..Self::default() }
    }
}
