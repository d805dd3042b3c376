//! The graph of steps.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};

use super::circle::{Arrow, StepEdge, find_circles};
use super::order::needs;
use super::providers::Providers;
use super::requirements::{Checked, check_requirements};
use super::same_package::check_same_packages;
use super::{BatchInChroot, Build, BuildId, Edge, Fate, Inspection, Plan, PlanError, Step};
use crate::manifest::declaration::Across;
use crate::manifest::{BatchId, ChrootId, Manifest, PackageId};
use crate::text::Located;

/// How many steps of a circle are shown: of a longer one, nobody reads all, and each has its place in the report.
const MOST_SHOWN: usize = 50;

/// Why there is no order in which builds could be made.
#[derive(Debug)]
pub struct Circles {
    /// Builds that wait for each other, circle by circle.
    pub circles: Vec<Located<PlanError>>,
    /// What keeps builds from being possible beside that.
    pub others: Vec<Arc<Located<PlanError>>>,
}

impl Circles {
    /// All of them and what else is wrong, once each; the circles last.
    pub fn errors(&self) -> Vec<&Located<PlanError>> {
        let mut known = HashSet::new();
        let others = self.others.iter().map(AsRef::as_ref);
        let others = others.filter(|error| known.insert(format!("{error} {}", error.place())));
        others.collect::<Vec<_>>().into_iter().chain(&self.circles).collect()
    }
}

struct Drawing {
    graph: DiGraph<Step, Edge>,
    builds: Vec<NodeIndex>,
    by_package: HashMap<PackageId, Vec<BuildId>>,
}

impl Plan {
    /// Makes the graph of all builds that were inspected.
    ///
    /// # Errors
    /// Circles: each of their edges with the place that states it, and what else is wrong.
    pub fn new(manifest: &Manifest, inspection: Inspection) -> Result<Self, Circles> {
        let Inspection { mut builds, installed, source_lock: _, incomplete: _ } = inspection;
        let providers = Providers::group_by_chroot(&builds);
        let needs = needs(&builds, &providers);
        let needing: HashSet<BuildId> = needs.iter().map(|need| need.build).collect();
        let needs_others = |id| needing.contains(&id);
        let Checked { mut errors, notes } =
            check_requirements(manifest, &builds, &providers, &installed, needs_others);
        let mut drawing = Drawing::from_builds(&builds);
        for need in &needs {
            let edge = Edge::Requires(need.dependency.clone());
            drawing.graph.add_edge(drawing.builds[need.on.0], drawing.builds[need.build.0], edge);
        }
        drawing.add_after(manifest, &builds);
        drawing.add_batches(manifest, &builds);
        drawing.add_publication(manifest, &builds);
        let Ok(order) = toposort(&drawing.graph, None) else {
            let circles = find_circles(&drawing.graph);
            let circles = circles.iter().map(|arrows| drawing.circle(manifest, &builds, arrows)).collect();
            let unmet = errors.into_values().flatten().map(Arc::new);
            let others = builds.into_iter().filter_map(|build| match build.fate {
                Fate::Impossible(errors) => Some(errors),
                Fate::Buildable(_) | Fate::RuledOut(_) | Fate::NotYet(_) => None,
            });
            return Err(Circles { circles, others: others.flatten().chain(unmet).collect() });
        };
        let sequence = order.iter().filter_map(|node| match drawing.graph[*node] {
            Step::Build(id) => Some(id),
            Step::Fetch(_)
            | Step::SourcePackage(_)
            | Step::BatchStart(_)
            | Step::BatchEnd(_)
            | Step::Publish(_) => None,
        });
        let sequence = sequence.collect();
        let mut by_build = vec![Vec::new(); builds.len()];
        for (id, error) in check_same_packages(manifest, &builds) {
            errors.entry(id).or_default().push(error);
        }
        for (id, errors) in errors {
            builds[id.0].refuse(errors.into_iter().map(Arc::new).collect());
        }
        for need in needs {
            by_build[need.build.0].push(need.on);
        }
        Ok(Self {
            graph: drawing.graph,
            nodes: drawing.builds,
            needs: by_build,
            order,
            sequence,
            builds,
            notes,
        })
    }
}

impl Drawing {
    fn from_builds(builds: &[Build]) -> Self {
        let mut graph = DiGraph::with_capacity(builds.len() * 3, builds.len() * 4);
        let mut nodes = Vec::with_capacity(builds.len());
        let mut by_package: HashMap<PackageId, Vec<BuildId>> = HashMap::new();
        for (index, build) in builds.iter().enumerate() {
            let id = BuildId(index);
            let fetch = graph.add_node(Step::Fetch(id));
            let source = graph.add_node(Step::SourcePackage(id));
            let packages = graph.add_node(Step::Build(id));
            graph.add_edge(fetch, source, Edge::Next);
            graph.add_edge(source, packages, Edge::Next);
            nodes.push(packages);
            by_package.entry(build.package).or_default().push(id);
        }
        Self { graph, builds: nodes, by_package }
    }

    fn builds_of(&self, package: PackageId) -> &[BuildId] {
        self.by_package.get(&package).map(Vec::as_slice).unwrap_or_default()
    }

    /// `after` between packages: in each chroot that both are built for.
    fn add_after(&mut self, manifest: &Manifest, builds: &[Build]) {
        for (index, package) in manifest.packages.iter().enumerate() {
            for after in &package.after {
                let later = self.builds_of(PackageId(index)).to_vec();
                let earlier = self.builds_of(after.value).to_vec();
                for id in later {
                    let same_chroot = |other: &&BuildId| builds[other.0].chroot == builds[id.0].chroot;
                    let Some(other) = earlier.iter().find(same_chroot) else {
                        continue;
                    };
                    let edge = Edge::After(after.place.clone());
                    self.graph.add_edge(self.builds[other.0], self.builds[id.0], edge);
                }
            }
        }
    }

    fn add_batches(&mut self, manifest: &Manifest, builds: &[Build]) {
        let borders: Vec<Vec<(NodeIndex, NodeIndex)>> =
            (0..manifest.batches.len()).map(|index| self.add_borders(BatchId(index), manifest)).collect();
        for (batch, own) in manifest.batches.iter().zip(&borders) {
            // A batch without builds must not let those after it start before those before it.
            for (start, end) in own {
                self.graph.add_edge(*start, *end, Edge::Member);
            }
            for after in &batch.after {
                let earlier = &borders[after.batch.value.0];
                for (chroot, (start, _)) in own.iter().enumerate() {
                    for (_, (_, end)) in earlier
                        .iter()
                        .enumerate()
                        .filter(|(other, _)| *other == chroot || after.across == Across::Chroots)
                    {
                        let (even_if_failed, place) = (after.even_if_failed, after.batch.place.clone());
                        self.graph.add_edge(*end, *start, Edge::Batch { even_if_failed, place });
                    }
                }
            }
            let members: Vec<BuildId> =
                batch.members.iter().flat_map(|id| self.builds_of(*id)).copied().collect();
            for member in members {
                let (start, end) = own[builds[member.0].chroot.0];
                self.graph.add_edge(start, self.builds[member.0], Edge::Member);
                self.graph.add_edge(self.builds[member.0], end, Edge::Member);
            }
        }
    }

    /// The begin and the end of a batch in each chroot.
    fn add_borders(&mut self, batch: BatchId, manifest: &Manifest) -> Vec<(NodeIndex, NodeIndex)> {
        let chroots = (0..manifest.chroots.len()).map(ChrootId);
        chroots
            .map(|chroot| {
                let id = BatchInChroot { batch, chroot };
                (self.graph.add_node(Step::BatchStart(id)), self.graph.add_node(Step::BatchEnd(id)))
            })
            .collect()
    }

    fn add_publication(&mut self, manifest: &Manifest, builds: &[Build]) {
        let publications: Vec<NodeIndex> = (0..manifest.chroots.len())
            .map(|index| self.graph.add_node(Step::Publish(ChrootId(index))))
            .collect();
        for (build, node) in builds.iter().zip(&self.builds) {
            self.graph.add_edge(*node, publications[build.chroot.0], Edge::Next);
        }
    }

    fn circle(&self, manifest: &Manifest, builds: &[Build], arrows: &[StepEdge]) -> Located<PlanError> {
        let name = |node: NodeIndex| match self.graph[node] {
            Step::Fetch(id) | Step::SourcePackage(id) | Step::Build(id) => builds[id.0].name.to_string(),
            Step::BatchStart(id) | Step::BatchEnd(id) => {
                let chroot = &manifest.chroot(id.chroot).name.value;
                format!("batch {} in {chroot}", manifest.batches[id.batch.0].name.value)
            }
            Step::Publish(id) => format!("repository {}", manifest.chroot(id).name.value),
        };
        let steps: Vec<Arrow> = arrows
            .iter()
            .take(MOST_SHOWN)
            .map(|(from, to, edge)| {
                let (from_name, to_name) = (name(*from), name(*to));
                let (from, to) = (self.graph[*from], self.graph[*to]);
                Arrow::new(manifest, builds, edge, (from, &from_name), (to, &to_name))
            })
            .collect();
        let mut path: Vec<String> = arrows.iter().take(MOST_SHOWN).map(|(from, _, _)| name(*from)).collect();
        if let Some(more) = arrows.len().checked_sub(MOST_SHOWN).filter(|more| *more > 0) {
            path.push(format!("{more} more"));
        }
        path.extend(path.first().cloned());
        let mut steps = steps.into_iter();
        let first = steps.next().unwrap_or_else(Arrow::empty);
        let error = Located::new(PlanError::Cycle { path: path.join(" → ") }, first.label, first.place);
        steps.fold(error, |error, arrow| error.with_note(arrow.label, arrow.place))
    }
}
