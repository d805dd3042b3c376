//! The order that people see builds in.

use petgraph::Direction;

use super::{BuildId, Plan, Step};

impl Plan {
    /// All builds as they can follow one another: those that wait for nothing first, then those that wait for these only;
    /// among them in the order of the manifest. Batches so follow one another as they are built.
    pub fn build_order(&self) -> Vec<BuildId> {
        let mut levels = vec![0_usize; self.graph.node_count()];
        // A plan has no circles.
        for node in petgraph::algo::toposort(&self.graph, None).unwrap_or_default() {
            let before = self.graph.neighbors_directed(node, Direction::Incoming);
            let level = before.map(|before| levels[before.index()] + self.height(before)).max();
            levels[node.index()] = level.unwrap_or_default();
        }
        let mut order: Vec<BuildId> = self.ids().collect();
        order.sort_by_key(|id| levels[self.node(*id).index()]);
        order
    }

    /// How many levels a step takes.
    fn height(&self, node: petgraph::graph::NodeIndex) -> usize {
        usize::from(matches!(self.graph[node], Step::Build(_)))
    }
}
