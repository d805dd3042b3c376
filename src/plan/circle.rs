//! A circle among steps, with the place that states each of its edges.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet, VecDeque};

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, EdgeIndex, NodeIndex};
use petgraph::visit::EdgeRef;

use super::spec_place::dependency_place;
use super::{Build, Edge, Fate, Step};
use crate::manifest::Manifest;
use crate::package::Dependency;
use crate::text::Place;

/// One edge of a circle as it is shown.
pub(super) struct Arrow {
    pub label: String,
    pub place: Place,
}

/// The edges of a circle of each group of steps that wait for each other, the smallest group first: each from the step that must
/// wait.
pub(super) fn find_circles(graph: &DiGraph<Step, Edge>) -> Vec<Vec<StepEdge>> {
    let mut groups: Vec<Vec<NodeIndex>> = tarjan_scc(graph);
    groups.retain(|nodes| nodes.len() > 1);
    groups.sort_by_key(|nodes| (nodes.len(), nodes.iter().min().copied()));
    groups.iter().take(MOST_CIRCLES).map(|group| shortest_circle(graph, group)).collect()
}

/// How many circles are shown.
const MOST_CIRCLES: usize = 10;

/// The shortest circle through the first node of a group.
fn shortest_circle(graph: &DiGraph<Step, Edge>, component: &[NodeIndex]) -> Vec<StepEdge> {
    let Some(start) = component.iter().min() else {
        return Vec::new();
    };
    // Breadth first within the component, so that the way back to the start is the shortest.
    let component: HashSet<NodeIndex> = component.iter().copied().collect();
    let mut came_from: HashMap<NodeIndex, EdgeIndex> = HashMap::new();
    let mut ahead = VecDeque::from([*start]);
    while let Some(node) = ahead.pop_front() {
        for edge in graph.edges(node).filter(|edge| component.contains(&edge.target())) {
            if edge.target() == *start {
                return trace_back(graph, &came_from, edge.id());
            }
            if let Entry::Vacant(unknown) = came_from.entry(edge.target()) {
                unknown.insert(edge.id());
                ahead.push_back(edge.target());
            }
        }
    }
    Vec::new()
}

pub(super) type StepEdge = (NodeIndex, NodeIndex, Edge);

fn trace_back(
    graph: &DiGraph<Step, Edge>,
    came_from: &HashMap<NodeIndex, EdgeIndex>,
    last: EdgeIndex,
) -> Vec<StepEdge> {
    let mut circle = Vec::new();
    let mut next = Some(last);
    while let Some((edge, (from, to))) = next.and_then(|edge| Some((edge, graph.edge_endpoints(edge)?))) {
        circle.push((from, to, graph[edge].clone()));
        next = came_from.get(&from).copied();
    }
    circle
}

impl Arrow {
    /// The edge `from` → `to`, steps with their names: `to` has to wait for `from`.
    pub(super) fn new(
        manifest: &Manifest,
        builds: &[Build],
        edge: &Edge,
        (from_step, from): (Step, &str),
        (to_step, to): (Step, &str),
    ) -> Self {
        let declared = |step: Step| match step {
            Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id) => {
                manifest.package(builds[id.0].package).name.place.clone()
            }
            Step::BatchStart(id) | Step::BatchEnd(id) => manifest.batches[id.batch.0].name.place.clone(),
            Step::Publish(id) => manifest.chroot(id).name.place.clone(),
        };
        match edge {
            Edge::Requires(dependency) => {
                let place = match to_step {
                    Step::Build(id) => {
                        find_requirement(&builds[id.0], dependency).unwrap_or_else(|| declared(to_step))
                    }
                    Step::Fetch(_)
                    | Step::SourcePackage(_)
                    | Step::BatchStart(_)
                    | Step::BatchEnd(_)
                    | Step::Publish(_) => declared(to_step),
                };
                Self { label: format!("{to} requires {dependency} of {from}"), place }
            }
            Edge::After(place) | Edge::Batch { place, .. } => {
                Self { label: format!("{to} comes after {from}"), place: place.clone() }
            }
            Edge::Member if matches!(from_step, Step::BatchStart(_)) => {
                Self { label: format!("{to} is a member of {from}"), place: declared(from_step) }
            }
            Edge::Member => Self { label: format!("{from} is a member of {to}"), place: declared(to_step) },
            Edge::Next => Self { label: format!("{to} comes after {from}"), place: declared(to_step) },
        }
    }

    pub(super) fn empty() -> Self {
        Self { label: String::new(), place: Place::outside("plan") }
    }
}

/// The line of a spec that requires something.
fn find_requirement(build: &Build, dependency: &Dependency) -> Option<Place> {
    match &build.fate {
        Fate::Buildable(inputs) => dependency_place(&inputs.spec, dependency, &["buildrequires", "requires"]),
        Fate::RuledOut(_) | Fate::NotYet(_) | Fate::Impossible(_) => None,
    }
}
