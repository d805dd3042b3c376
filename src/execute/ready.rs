//! What runs next.

use std::cmp::Ordering;
use std::collections::{BinaryHeap, HashMap};
use std::time::Duration;

use petgraph::Direction;
use petgraph::graph::NodeIndex;

use crate::event::BuildName;
use crate::manifest::declaration::Priority;
use crate::plan::{Plan, Step};
use crate::store::LastBuild;

/// How long a build is thought to take that was never built.
const UNKNOWN: Duration = Duration::from_secs(60);

/// A step that could run.
#[derive(Debug, PartialEq, Eq)]
struct Candidate {
    node: NodeIndex,
    priority: Priority,
    /// How long the longest way from here to the end takes.
    way: Duration,
}

impl Ord for Candidate {
    /// The greatest runs first: normal before background, long ways before short ones, then the manifest's order.
    fn cmp(&self, other: &Self) -> Ordering {
        let by_priority = other.priority.cmp(&self.priority);
        by_priority.then(self.way.cmp(&other.way)).then(other.node.cmp(&self.node))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The steps that could run, the most urgent one first.
#[derive(Debug, Default)]
pub(super) struct Ready {
    heap: BinaryHeap<Candidate>,
}

impl Ready {
    pub fn push(&mut self, node: NodeIndex, priority: Priority, way: Duration) {
        self.heap.push(Candidate { node, priority, way });
    }

    pub fn pop(&mut self) -> Option<NodeIndex> {
        self.heap.pop().map(|candidate| candidate.node)
    }
}

/// For each node, how long the longest way from its begin to the end of the plan takes, by the history.
pub(super) fn ways(
    plan: &Plan,
    topological: &[NodeIndex],
    needs_work: impl Fn(crate::plan::BuildId) -> bool,
    last: &HashMap<BuildName, LastBuild>,
) -> Vec<Duration> {
    let mut ways = vec![Duration::ZERO; plan.graph.node_count()];
    for node in topological.iter().rev() {
        let after = plan.graph.neighbors_directed(*node, Direction::Outgoing);
        let longest = after.map(|next| ways[next.index()]).max().unwrap_or_default();
        let own = match plan.graph[*node] {
            Step::Build(id) if needs_work(id) => estimate(&plan.build(id).name, last).unwrap_or(UNKNOWN),
            _ => Duration::ZERO,
        };
        ways[node.index()] = longest.saturating_add(own);
    }
    ways
}

/// How long a build took last time.
pub(super) fn estimate(build: &BuildName, last: &HashMap<BuildName, LastBuild>) -> Option<Duration> {
    last.get(build).map(|last| last.duration)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(candidates: &[(usize, Priority, u64)]) -> Vec<usize> {
        let mut ready = Ready::default();
        for (node, priority, seconds) in candidates {
            ready.push(NodeIndex::new(*node), *priority, Duration::from_secs(*seconds));
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
