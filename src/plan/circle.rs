//! A circle among steps, with the place that states each of its edges.

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
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

/// The edges of the shortest circle through the first node that lies on one: each from the step that must wait.
pub(super) fn first_circle(graph: &DiGraph<Step, Edge>) -> Vec<(NodeIndex, NodeIndex, Edge)> {
    let components = tarjan_scc(graph);
    let Some(component) = components.iter().filter(|nodes| nodes.len() > 1).min_by_key(|nodes| nodes.len())
    else {
        return Vec::new();
    };
    let Some(start) = component.iter().min() else {
        return Vec::new();
    };
    // Breadth first within the component, so that the way back to the start is the shortest.
    let mut came_from = vec![(*start, None)];
    let mut at = 0;
    while let Some((node, _)) = came_from.get(at).cloned() {
        for edge in graph.edges(node).filter(|edge| component.contains(&edge.target())) {
            let step = (node, edge.target(), edge.weight().clone());
            if edge.target() == *start {
                return way_back(&came_from, step);
            }
            if !came_from.iter().any(|(known, _)| *known == edge.target()) {
                came_from.push((edge.target(), Some(step)));
            }
        }
        at += 1;
    }
    Vec::new()
}

type StepEdge = (NodeIndex, NodeIndex, Edge);

fn way_back(came_from: &[(NodeIndex, Option<StepEdge>)], last: StepEdge) -> Vec<StepEdge> {
    let mut circle = vec![last];
    while let Some((from, _, _)) = circle.last() {
        let Some((_, Some(step))) = came_from.iter().find(|(node, _)| node == from) else {
            break;
        };
        circle.push(step.clone());
    }
    circle
}

impl Arrow {
    /// The edge `from` → `to`: `to` has to wait for `from`.
    pub(super) fn new(
        manifest: &Manifest,
        builds: &[Build],
        steps: (Step, Step),
        edge: &Edge,
        from: &str,
        to: &str,
    ) -> Self {
        let declared = |step: Step| match step {
            Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id) => {
                manifest.package(builds[id.0].package).name.place.clone()
            }
            Step::BatchStart(id) | Step::BatchEnd(id) => manifest.batches[id.0].name.place.clone(),
            Step::Publish(id) => manifest.chroot(id).name.place.clone(),
        };
        match edge {
            Edge::Requires(dependency) => {
                let place = match steps.1 {
                    Step::Build(id) => {
                        required_at(&builds[id.0], dependency).unwrap_or_else(|| declared(steps.1))
                    }
                    other => declared(other),
                };
                Self { label: format!("{to} requires {dependency} of {from}"), place }
            }
            Edge::After(place) | Edge::Batch { place, .. } => {
                Self { label: format!("{to} comes after {from}"), place: place.clone() }
            }
            Edge::Member if matches!(steps.0, Step::BatchStart(_)) => {
                Self { label: format!("{to} is a member of {from}"), place: declared(steps.0) }
            }
            Edge::Member => Self { label: format!("{from} is a member of {to}"), place: declared(steps.1) },
            Edge::Next => Self { label: format!("{to} comes after {from}"), place: declared(steps.1) },
        }
    }

    pub(super) fn nowhere() -> Self {
        Self { label: String::new(), place: Place::outside("plan") }
    }
}

/// The line of a spec that requires something.
fn required_at(build: &Build, dependency: &Dependency) -> Option<Place> {
    match &build.fate {
        Fate::Buildable(inputs) => dependency_place(&inputs.spec, dependency, &["buildrequires", "requires"]),
        Fate::RuledOut(_) | Fate::NotYet(_) | Fate::Impossible(_) => None,
    }
}
