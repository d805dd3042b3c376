//! Which of the steps that could run runs first.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use petgraph::Direction;
use petgraph::algo::toposort;
use petgraph::graph::NodeIndex;

use crate::event::BuildName;
use crate::manifest::Manifest;
use crate::manifest::declaration::Priority;
use crate::plan::{BuildId, Plan, Step};
use crate::store::LastBuild;

/// How long a build is thought to take that was never built.
const UNKNOWN: Duration = Duration::from_secs(60);

/// How urgent a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Urgency {
    pub priority: Priority,
    /// How long the longest way from this step to the end of the plan takes.
    pub remaining: Duration,
}

impl PartialOrd for Urgency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Urgency {
    /// The greatest runs first: normal before background, long ways before short ones.
    fn cmp(&self, other: &Self) -> Ordering {
        other.priority.cmp(&self.priority).then(self.remaining.cmp(&other.remaining))
    }
}

/// The steps that could run, the most urgent one first; of two equally urgent ones the first of the plan.
#[derive(Debug, Default)]
pub(super) struct ReadySteps {
    heap: BinaryHeap<(Urgency, std::cmp::Reverse<NodeIndex>)>,
}

impl ReadySteps {
    pub fn push(&mut self, node: NodeIndex, urgency: Urgency) {
        self.heap.push((urgency, std::cmp::Reverse(node)));
    }

    pub fn pop(&mut self) -> Option<NodeIndex> {
        self.heap.pop().map(|(_, node)| node.0)
    }
}

/// How urgent each step of a plan is, by what the history knows of its builds.
pub(super) fn urgencies(
    plan: &Plan,
    manifest: &Manifest,
    has_work: &[bool],
    last: &HashMap<BuildName, LastBuild>,
) -> Vec<Urgency> {
    let mut urgencies =
        vec![Urgency { priority: Priority::Normal, remaining: Duration::ZERO }; plan.graph.node_count()];
    // A plan has no circles.
    for node in toposort(&plan.graph, None).unwrap_or_default().into_iter().rev() {
        let after = plan.graph.neighbors_directed(node, Direction::Outgoing);
        let longest = after.map(|next| urgencies[next.index()].remaining).max().unwrap_or_default();
        let (build, own) = match plan.graph[node] {
            Step::Build(id) if has_work[id.0] => {
                (Some(id), last_duration(&plan.build(id).name, last).unwrap_or(UNKNOWN))
            }
            Step::Build(id) | Step::Fetch(id) | Step::SourcePackage(id) => (Some(id), Duration::ZERO),
            Step::BatchStart(_) | Step::BatchEnd(_) | Step::Publish(_) => (None, Duration::ZERO),
        };
        let priority = |id: BuildId| manifest.package(plan.build(id).package).priority;
        let priority = build.map_or(Priority::Normal, priority);
        urgencies[node.index()] = Urgency { priority, remaining: longest.saturating_add(own) };
    }
    urgencies
}

/// How long a build took last time.
pub(super) fn last_duration(build: &BuildName, last: &HashMap<BuildName, LastBuild>) -> Option<Duration> {
    last.get(build).map(|last| last.duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(candidates: &[(usize, Priority, u64)]) -> Vec<usize> {
        let mut ready = ReadySteps::default();
        for (node, priority, seconds) in candidates {
            let urgency = Urgency { priority: *priority, remaining: Duration::from_secs(*seconds) };
            ready.push(NodeIndex::new(*node), urgency);
        }
        std::iter::from_fn(|| ready.pop()).map(NodeIndex::index).collect()
    }

    #[test]
    fn the_longest_way_runs_first_and_background_last() {
        let candidates = [
            (0, Priority::Normal, 5),
            (1, Priority::Background, 99),
            (2, Priority::Normal, 50),
            (3, Priority::Normal, 5),
        ];
        assert_eq!(order(&candidates), [2, 0, 3, 1]);
    }
}
