//! What is not built because something before it can't be: decided as an apply will see it.

use petgraph::Direction;
use petgraph::visit::EdgeRef;

use super::{BuildId, Decision, Decisions, Demand, Plan, Step};

impl Plan {
    /// Skips the builds behind those that can't be built: in batches after theirs, and what needs them. What is up to date stays
    /// so behind a batch. Builds that are not chosen hold nothing back.
    pub fn skip_behind_failed(&self, decisions: &mut Decisions) {
        let mut blocked: Vec<Option<BuildId>> = vec![None; self.graph.node_count()];
        // Nodes come in an order in which each stands behind those that it comes after.
        for node in &self.order {
            let before = self.graph.edges_directed(*node, Direction::Incoming);
            let from = before.filter(|edge| edge.weight().demand() > Demand::Order);
            let blocked_by = from.filter_map(|edge| blocked[edge.source().index()]).min();
            blocked[node.index()] = match self.graph[*node] {
                Step::Build(id) => self.skip_if_blocked(id, blocked_by, decisions),
                Step::BatchStart(_) | Step::BatchEnd(_) => blocked_by,
                Step::Fetch(_) | Step::SourcePackage(_) | Step::Publish(_) => None,
            };
        }
    }

    /// Gives the build that holds back what comes after this one, if it does.
    fn skip_if_blocked(
        &self,
        id: BuildId,
        blocked_by: Option<BuildId>,
        decisions: &mut Decisions,
    ) -> Option<BuildId> {
        let decision = decisions.all.get_mut(id.0)?;
        match decision {
            Decision::Skip { failed: true, .. } => Some(id),
            Decision::Skip { failed: false, .. } | Decision::Cached { .. } | Decision::NotChosen => None,
            Decision::Build { .. } => {
                let first = blocked_by?;
                let why = format!("{} can't be built", self.build(first).name);
                *decision = Decision::Skip { why, failed: true };
                Some(first)
            }
        }
    }
}
