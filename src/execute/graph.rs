//! The steps of a plan while they are carried out: which can run, and what follows when one has ended.
//!
//! It starts nothing, asks nobody and writes nothing: it is told how steps end, and says what comes of that. A step can
//! run when all steps before it have ended. A build is blocked when one that it needs has no result: it ends with the
//! last of those that it waits for, and so does what needs it in turn.

#[cfg(test)]
#[allow(clippy::wildcard_enum_match_arm, reason = "a test picks what it looks at")]
mod tests;

use std::collections::{HashSet, VecDeque};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use super::urgency::{ReadySteps, Urgency};
use crate::plan::{BuildId, Demand, Edge, Step};

/// How a step ended, for what comes after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepOutcome {
    /// What comes after it has all that it needs of it.
    Done,
    /// Its build has no result, and won't have one.
    NoResult,
}

/// Why no further step starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halt {
    /// Everything is ended.
    Canceled,
    /// This build failed, and the manifest says that nothing comes after a failure.
    FailureOf(BuildId),
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Run this step.
    Run(NodeIndex),
    /// Don't run this step, which could run: say that it ended.
    Leave(NodeIndex, Halt),
}

/// A build that can't be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BlockedBuild {
    pub build: BuildId,
    /// The build without a result that it needs, directly or through others; the first one of the manifest where there
    /// are several.
    pub blocked_by: BuildId,
}

/// What follows when a step has ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Consequences {
    /// Steps that can run from now on.
    pub ready: Vec<NodeIndex>,
    /// Builds without work, whose turn has come to say how they end.
    pub settled: Vec<NodeIndex>,
    /// Repositories whose builds have all ended.
    pub publications: Vec<NodeIndex>,
    /// Builds that have ended with this because something that they need has no result.
    pub blocked: Vec<BlockedBuild>,
}

/// The graph of steps. See the [module](self).
pub(super) struct StepGraph {
    steps: Vec<PlannedStep>,
    has_work: Vec<bool>,
    /// Builds that ended without a result at one of their own steps.
    lost: HashSet<BuildId>,
    ready: ReadySteps,
    halt: Option<Halt>,
}

struct PlannedStep {
    step: Step,
    urgency: Urgency,
    /// What comes after it, and what that asks of it.
    after: Vec<(NodeIndex, Demand)>,
    /// How many steps that come before it have not ended.
    waiting_for: usize,
    /// The build without a result that it needs, or stands behind: [`Demand::Barrier`].
    blocked_by: Option<BuildId>,
    /// The build without a result that it needs.
    lacks: Option<BuildId>,
}

impl StepGraph {
    /// The graph of a plan of which nothing has been done. `has_work` says of each build whether anything has to run for
    /// it, `urgencies` of each step how urgent it is.
    pub fn new(plan: &DiGraph<Step, Edge>, has_work: Vec<bool>, urgencies: &[Urgency]) -> Self {
        let planned = |(node, urgency): (NodeIndex, &Urgency)| PlannedStep {
            step: plan[node],
            urgency: *urgency,
            after: plan.edges(node).map(|edge| (edge.target(), edge.weight().demand())).collect(),
            waiting_for: plan.edges_directed(node, Direction::Incoming).count(),
            blocked_by: None,
            lacks: None,
        };
        let steps = plan.node_indices().zip(urgencies).map(planned).collect();
        Self { steps, has_work, lost: HashSet::new(), ready: ReadySteps::default(), halt: None }
    }

    /// What can run before anything has ended.
    pub fn begin(&mut self) -> Consequences {
        let mut consequences = Consequences::default();
        let all = (0..self.steps.len()).map(NodeIndex::new);
        let first: Vec<NodeIndex> = all.filter(|node| self.steps[node.index()].waiting_for == 0).collect();
        for node in first {
            self.free(node, &mut consequences);
        }
        consequences
    }

    /// What a step is.
    pub fn step(&self, node: NodeIndex) -> Step {
        self.steps[node.index()].step
    }

    /// The most urgent step that can run.
    pub fn next(&mut self) -> Option<Next> {
        let node = self.ready.pop()?;
        Some(self.halt.map_or(Next::Run(node), |halt| Next::Leave(node, halt)))
    }

    /// Lets no further step run. What was said first holds, but that everything is canceled is above all else.
    pub fn halt(&mut self, halt: Halt) {
        if halt == Halt::Canceled || self.halt.is_none() {
            self.halt = Some(halt);
        }
    }

    /// Whether no further step runs.
    pub fn is_halted(&self) -> bool {
        self.halt.is_some()
    }

    /// A step has ended that could run, that was settled, or that was a publication.
    pub fn ended(&mut self, node: NodeIndex, outcome: StepOutcome) -> Consequences {
        if outcome == StepOutcome::NoResult {
            self.lost.extend(build_of(self.step(node)));
        }
        let mut consequences = Consequences::default();
        self.release(node, &mut consequences);
        consequences
    }

    /// A step that nothing before it holds back any more: it waits for its turn, or has ended with that.
    fn free(&mut self, node: NodeIndex, consequences: &mut Consequences) {
        if self.ends_at_once(node, consequences) {
            self.release(node, consequences);
        }
    }

    /// What comes after a step that has ended has one less to wait for.
    fn release(&mut self, ended: NodeIndex, consequences: &mut Consequences) {
        let mut open = VecDeque::from([ended]);
        while let Some(node) = open.pop_front() {
            let blocked_by = self.blocks_later(node);
            for (next, demand) in std::mem::take(&mut self.steps[node.index()].after) {
                let step = &mut self.steps[next.index()];
                let first = |known: Option<BuildId>| known.into_iter().chain(blocked_by).min();
                if demand >= Demand::Barrier {
                    step.blocked_by = first(step.blocked_by);
                }
                if demand == Demand::Result {
                    step.lacks = first(step.lacks);
                }
                step.waiting_for -= 1;
                if step.waiting_for == 0 && self.ends_at_once(next, consequences) {
                    open.push_back(next);
                }
            }
        }
    }

    /// The build that blocks what comes after a step and needs its success.
    fn blocks_later(&self, node: NodeIndex) -> Option<BuildId> {
        let PlannedStep { step, blocked_by, lacks, .. } = &self.steps[node.index()];
        match step {
            // The steps of a build that is lost end one after the other, and the last one blocks what needs it.
            Step::Fetch(_) | Step::SourcePackage(_) | Step::Publish(_) => None,
            Step::Build(id) if self.lost.contains(id) => Some(*id),
            // What is up to date is so behind a batch that failed as well.
            Step::Build(id) if !self.has_work[id.0] => *lacks,
            Step::Build(_) | Step::BatchStart(_) | Step::BatchEnd(_) => *blocked_by,
        }
    }

    /// Sorts a step that waits for nothing any more into what follows. Gives whether it has ended with that.
    fn ends_at_once(&mut self, node: NodeIndex, consequences: &mut Consequences) -> bool {
        let PlannedStep { step, urgency, blocked_by, lacks, .. } = self.steps[node.index()];
        match step {
            Step::BatchStart(_) | Step::BatchEnd(_) => return true,
            Step::Publish(_) => consequences.publications.push(node),
            Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id) if self.lost.contains(&id) => {
                return true;
            }
            Step::Fetch(id) | Step::SourcePackage(id) if !self.has_work[id.0] => return true,
            Step::Build(build)
                if let Some(blocked_by) = if self.has_work[build.0] { blocked_by } else { lacks } =>
            {
                consequences.blocked.push(BlockedBuild { build, blocked_by });
                return true;
            }
            Step::Build(id) if !self.has_work[id.0] => consequences.settled.push(node),
            Step::Fetch(_) | Step::SourcePackage(_) | Step::Build(_) => {
                self.ready.push(node, urgency);
                consequences.ready.push(node);
            }
        }
        false
    }
}

/// The build that a step is of.
fn build_of(step: Step) -> Option<BuildId> {
    match step {
        Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id) => Some(id),
        Step::BatchStart(_) | Step::BatchEnd(_) | Step::Publish(_) => None,
    }
}
