//! Imports point one way.

use std::collections::{BTreeSet, HashMap};

use petgraph::algo::{has_path_connecting, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};

use super::imports::needs;
use super::sources::{SourceFile, library};
use super::to_do::{Rule, listed};

#[test]
fn no_two_files_need_each_other_directly_or_round_a_corner() {
    let files = library();
    let edges: Vec<(usize, usize)> = needs(&files)
        .iter()
        .enumerate()
        .flat_map(|(file, needed)| needed.iter().map(move |needed| (file, *needed)))
        .collect();
    assert!(edges.len() > 1000, "the imports were not found: {}", edges.len());

    let to_do = imports_to_do(&files);
    let (known, others): (Vec<_>, Vec<_>) = edges.into_iter().partition(|edge| to_do.contains(edge));
    let graph = graph(&others);
    let circles: Vec<Vec<String>> = tarjan_scc(&graph)
        .iter()
        .filter(|circle| circle.len() > 1)
        .map(|circle| imports_within(circle, &others, &files))
        .collect();
    assert!(circles.is_empty(), "files in circles: {circles:#?}");

    let closes_circle = |(file, needed): &(usize, usize)| {
        known.contains(&(*file, *needed)) && has_path_connecting(&graph, node(*needed), node(*file), None)
    };
    let done: Vec<String> = to_do
        .iter()
        .filter(|import| !closes_circle(import))
        .map(|(file, needed)| format!("{} → {}", files[*file].name(), files[*needed].name()))
        .collect();
    assert!(done.is_empty(), "take off the list in tests/architecture/to_do.rs: {done:#?}");
}

/// The imports that the list has, as files and what they need.
fn imports_to_do(files: &[SourceFile]) -> BTreeSet<(usize, usize)> {
    let indices: HashMap<String, usize> =
        files.iter().enumerate().map(|(index, file)| (file.name(), index)).collect();
    let index = |module: &str, file: &str| {
        let name = format!("{module}/{file}");
        *indices.get(&name).unwrap_or_else(|| panic!("take off the list: there is no {name}"))
    };
    listed(Rule::Circle)
        .into_iter()
        .map(|(module, import)| {
            let (file, needed) = import.split_once(" → ").unwrap();
            (index(module, file), index(module, needed))
        })
        .collect()
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
