//! Imports point one way.

use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use super::imports::needs;
use super::sources::{SourceFile, library};

#[test]
fn no_two_files_need_each_other_directly_or_round_a_corner() {
    let files = library();
    let edges: Vec<(usize, usize)> = needs(&files)
        .iter()
        .enumerate()
        .flat_map(|(file, needed)| needed.iter().map(move |needed| (file, *needed)))
        .collect();
    assert!(edges.len() > 1000, "the imports were not found: {}", edges.len());

    let graph = graph(&edges);
    let circles: Vec<Vec<String>> = tarjan_scc(&graph)
        .iter()
        .filter(|circle| circle.len() > 1)
        .map(|circle| imports_within(circle, &edges, &files))
        .collect();
    assert!(circles.is_empty(), "files in circles: {circles:#?}");
}

fn graph(edges: &[(usize, usize)]) -> DiGraph<(), ()> {
    DiGraph::from_edges(edges.iter().map(|(file, needed)| (node(*file), node(*needed))))
}

fn node(file: usize) -> NodeIndex {
    NodeIndex::new(file)
}

fn imports_within(circle: &[NodeIndex], edges: &[(usize, usize)], files: &[SourceFile]) -> Vec<String> {
    edges
        .iter()
        .filter(|(file, needed)| circle.contains(&node(*file)) && circle.contains(&node(*needed)))
        .map(|(file, needed)| format!("{} → {}", files[*file].name(), files[*needed].name()))
        .collect()
}
