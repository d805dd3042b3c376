//! What is drawn of a plan, whatever it is written as.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use petgraph::graph::NodeIndex;

use crate::manifest::BatchId;
use crate::plan::{Build, Decision, Decisions, Edge, Plan, Reason, Step};

/// What is drawn.
#[derive(Clone, Copy, Debug)]
pub struct GraphView<'a> {
    /// What stands above it.
    pub title: &'a str,
    /// The plan.
    pub plan: &'a Plan,
    /// The states that colour it.
    pub decisions: &'a Decisions,
    /// Names of batches, by their place.
    pub batches: &'a [String],
    /// The batch of each package, by its place.
    pub batch_of: &'a [Option<BatchId>],
}

/// How it stands with a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuildState {
    /// Its result is there.
    UpToDate,
    /// It is to be built.
    ToBuild,
    /// It is built if packages that it needs come out differently.
    Maybe,
    /// It is not meant to be built.
    Skipped,
    /// It can't be built.
    Impossible,
}

impl BuildState {
    /// As the legend has it.
    pub fn words(self) -> &'static str {
        match self {
            Self::UpToDate => "up to date",
            Self::ToBuild => "to build",
            Self::Maybe => "to build if what it needs changes",
            Self::Skipped => "skipped",
            Self::Impossible => "can't be built",
        }
    }

    /// The name of its class in a style sheet.
    pub fn class(self) -> &'static str {
        match self {
            Self::UpToDate => "current",
            Self::ToBuild => "build",
            Self::Maybe => "maybe",
            Self::Skipped => "skipped",
            Self::Impossible => "impossible",
        }
    }

    /// Its colour: one that black text can be read on.
    pub fn color(self) -> &'static str {
        match self {
            Self::UpToDate => "#d3f0d8",
            Self::ToBuild => "#cfe3ff",
            Self::Maybe => "#e6e0fb",
            Self::Skipped => "#fff1c2",
            Self::Impossible => "#ffd4d0",
        }
    }

    /// Its colour on a dark ground: one that white text can be read on.
    pub fn dark_color(self) -> &'static str {
        match self {
            Self::UpToDate => "#1f4d2b",
            Self::ToBuild => "#1d4272",
            Self::Maybe => "#443a73",
            Self::Skipped => "#5a4a12",
            Self::Impossible => "#6e2420",
        }
    }
}

/// A build.
pub struct DrawnBuild {
    pub package: String,
    pub chroot: String,
    pub state: BuildState,
    /// Why it is in that state, if something is to be said.
    pub why: String,
}

/// A batch: a box around builds.
pub struct DrawnBatch {
    pub title: String,
    /// Builds, by their places.
    pub members: Vec<usize>,
}

/// That one build comes after another.
pub struct Arrow {
    pub from: usize,
    pub to: usize,
    /// What is needed of it; nothing where it only comes after it.
    pub label: String,
}

/// That one batch comes after another.
pub struct BatchArrow {
    pub from: usize,
    pub to: usize,
    pub even_if_failed: bool,
}

/// What is drawn.
pub struct Picture {
    pub title: String,
    pub builds: Vec<DrawnBuild>,
    pub batches: Vec<DrawnBatch>,
    pub arrows: Vec<Arrow>,
    pub batch_arrows: Vec<BatchArrow>,
}

impl Picture {
    /// The states that it has, as a legend shows them.
    pub fn states(&self) -> BTreeSet<BuildState> {
        self.builds.iter().map(|build| build.state).collect()
    }
}

/// How many dependencies an arrow names.
const NAMED: usize = 3;

/// What is drawn of a plan: the steps of one build are one, and what is not chosen is left out.
pub fn make_picture(view: GraphView<'_>) -> Picture {
    let GraphView { title, plan, decisions, .. } = view;
    let mut builds = Vec::new();
    let mut place_of = HashMap::new();
    for node in plan.graph.node_indices() {
        if let Step::Build(id) = plan.graph[node]
            && let Some(state) = state_of(decisions.decision(id))
        {
            place_of.insert(node, builds.len());
            let (package, chroot) = (plan.build(id).name.package.clone(), plan.build(id).name.chroot.clone());
            builds.push(DrawnBuild { package, chroot, state, why: why(decisions.decision(id)) });
        }
    }
    let (batches, batch_of_border) = batches(view, &place_of);
    let (arrows, batch_arrows) = arrows(view, &place_of, &batch_of_border);
    Picture { title: title.to_owned(), builds, batches, arrows, batch_arrows }
}

fn state_of(decision: &Decision) -> Option<BuildState> {
    let is_open = |reason: &Reason| matches!(reason, Reason::Undecided { .. });
    Some(match decision {
        Decision::Cached { .. } => BuildState::UpToDate,
        Decision::Build { reasons } if !reasons.is_empty() && reasons.iter().all(is_open) => {
            BuildState::Maybe
        }
        Decision::Build { .. } => BuildState::ToBuild,
        Decision::Skip { failed: false, .. } => BuildState::Skipped,
        Decision::Skip { failed: true, .. } => BuildState::Impossible,
        Decision::NotChosen => return None,
    })
}

fn why(decision: &Decision) -> String {
    match decision {
        Decision::Build { reasons } => reasons.iter().map(Reason::to_string).collect::<Vec<_>>().join("; "),
        Decision::Skip { why, .. } => why.clone(),
        Decision::Cached { .. } | Decision::NotChosen => String::new(),
    }
}

/// Batches that have builds here, and the place of each by the steps at its borders.
fn batches(
    view: GraphView<'_>,
    place_of: &HashMap<NodeIndex, usize>,
) -> (Vec<DrawnBatch>, HashMap<NodeIndex, usize>) {
    let graph = &view.plan.graph;
    let mut batches = Vec::new();
    let mut place_of_border = HashMap::new();
    let chroots: BTreeSet<&str> = view.plan.builds.iter().map(|build| build.name.chroot.as_str()).collect();
    for start in graph.node_indices().filter(|node| matches!(graph[*node], Step::BatchStart(_))) {
        let mut members = BTreeMap::new();
        let mut ends = Vec::new();
        for node in graph.neighbors(start) {
            match graph[node] {
                Step::Build(id) => {
                    members.extend(place_of.get(&node).map(|place| (*place, view.plan.build(id))))
                }
                Step::BatchEnd(_) => ends.push(node),
                Step::Fetch(_) | Step::SourcePackage(_) | Step::BatchStart(_) | Step::Publish(_) => {}
            }
        }
        let Some(first) = members.values().next() else {
            continue;
        };
        let title = batch_title(view, first, members.values().copied(), chroots.len());
        place_of_border.extend(ends.into_iter().chain([start]).map(|node| (node, batches.len())));
        batches.push(DrawnBatch { title, members: members.into_keys().collect() });
    }
    (batches, place_of_border)
}

/// The batch's name, with the chroot that all of it is for where there are several.
fn batch_title<'a>(
    view: GraphView<'_>,
    first: &Build,
    mut members: impl Iterator<Item = &'a Build>,
    chroots: usize,
) -> String {
    let id = view.batch_of.get(first.package.0).copied().flatten();
    let name = id.and_then(|id| view.batches.get(id.0)).map(String::as_str).unwrap_or_default();
    let is_of_one_chroot = chroots > 1 && members.all(|build| build.chroot == first.chroot);
    let chroot = if is_of_one_chroot { format!(" in {}", first.name.chroot) } else { String::new() };
    format!("batch {name}{chroot}")
}

/// Arrows between builds, one for all that a build needs of another, and arrows between batches.
fn arrows(
    view: GraphView<'_>,
    place_of: &HashMap<NodeIndex, usize>,
    place_of_border: &HashMap<NodeIndex, usize>,
) -> (Vec<Arrow>, Vec<BatchArrow>) {
    let graph = &view.plan.graph;
    let mut needed: BTreeMap<(usize, usize), Vec<String>> = BTreeMap::new();
    let mut batch_arrows = BTreeMap::new();
    for edge in graph.edge_indices() {
        let Some((from, to)) = graph.edge_endpoints(edge) else {
            continue;
        };
        let pair = |places: &HashMap<NodeIndex, usize>| Some((*places.get(&from)?, *places.get(&to)?));
        match &graph[edge] {
            Edge::Requires(dependency) => {
                if let Some(pair) = pair(place_of) {
                    needed.entry(pair).or_default().push(dependency.to_string());
                }
            }
            Edge::After(_) => {
                needed.extend(
                    pair(place_of).filter(|pair| !needed.contains_key(pair)).map(|pair| (pair, vec![])),
                );
            }
            Edge::Batch { even_if_failed, .. } => {
                batch_arrows.extend(pair(place_of_border).map(|pair| (pair, *even_if_failed)));
            }
            Edge::Next | Edge::Member => {}
        }
    }
    let arrow =
        |((from, to), needed): ((usize, usize), Vec<String>)| Arrow { from, to, label: label(needed) };
    let batch_arrow = |((from, to), even_if_failed)| BatchArrow { from, to, even_if_failed };
    (needed.into_iter().map(arrow).collect(), batch_arrows.into_iter().map(batch_arrow).collect())
}

fn label(needed: Vec<String>) -> String {
    let more = needed.len().saturating_sub(NAMED);
    let mut label = needed.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
    if more > 0 {
        label.push_str(&format!(", {more} more"));
    }
    label
}
