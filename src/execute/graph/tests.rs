//! The graph beside a model that works everything out anew from what has ended.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;
use crate::manifest::declaration::Priority;
use crate::manifest::{BatchId, ChrootId};
use crate::package::Dependency;
use crate::plan::BatchInChroot;
use crate::text::Place;

/// A plan, and what happens to it.
#[derive(Clone, Debug)]
struct Story {
    plan: DiGraph<Step, Edge>,
    has_work: Vec<bool>,
    events: Vec<StoryEvent>,
}

#[derive(Clone, Copy, Debug)]
struct StoryEvent {
    /// Which of the steps that could end now does.
    which: u16,
    fails: bool,
    halt: Option<Halt>,
}

const MOST_BUILDS: usize = 6;

/// Builds that need others before them, come after others, and belong to batches of which later ones come after earlier.
fn stories() -> impl Strategy<Value = Story> {
    let pairs = MOST_BUILDS * MOST_BUILDS;
    let edges = (prop::collection::vec(0..8_u8, pairs), prop::collection::vec(0..4_usize, MOST_BUILDS));
    let batches = prop::collection::vec(0..4_u8, 9);
    let has_work = prop::collection::vec(prop::bool::weighted(0.8), 1..=MOST_BUILDS);
    (edges, batches, has_work, prop::collection::vec(story_events(), 60)).prop_map(
        |((edges, members), batches, has_work, events)| {
            let plan = plan(has_work.len(), &edges, &members, &batches);
            Story { plan, has_work, events }
        },
    )
}

fn story_events() -> impl Strategy<Value = StoryEvent> {
    let halt = prop_oneof![
        30 => Just(None),
        1 => Just(Some(Halt::Canceled)),
        1 => (0..MOST_BUILDS).prop_map(|id| Some(Halt::FailureOf(BuildId(id)))),
    ];
    (any::<u16>(), prop::bool::weighted(0.25), halt).prop_map(|(which, fails, halt)| StoryEvent {
        which,
        fails,
        halt,
    })
}

/// The plan of builds whose packages are needed where `edges` holds 0 for a pair of them, that only come after one another
/// where it holds 1, and whose batch stands in `members`; batch 3 is none.
fn plan(builds: usize, edges: &[u8], members: &[usize], batches: &[u8]) -> DiGraph<Step, Edge> {
    let mut plan = DiGraph::new();
    let place = || Place::outside("test");
    let mut last = Vec::new();
    for id in (0..builds).map(BuildId) {
        let own = [Step::Fetch(id), Step::SourcePackage(id), Step::Build(id)].map(|step| plan.add_node(step));
        plan.add_edge(own[0], own[1], Edge::Next);
        plan.add_edge(own[1], own[2], Edge::Next);
        last.push(own[2]);
    }
    let borders: Vec<(NodeIndex, NodeIndex)> = (0..3)
        .map(|id| BatchInChroot { batch: BatchId(id), chroot: ChrootId(0) })
        .map(|id| (plan.add_node(Step::BatchStart(id)), plan.add_node(Step::BatchEnd(id))))
        .collect();
    // Builds of earlier batches come first, so that there is no circle.
    let rank = |id: usize| (members[id], id);
    for (one, other) in (0..builds).flat_map(|one| (0..builds).map(move |other| (one, other))) {
        if rank(one) < rank(other) {
            match edges[one * MOST_BUILDS + other] {
                0 => drop(plan.add_edge(last[one], last[other], Edge::Requires(Dependency::any("x")))),
                1 => drop(plan.add_edge(last[one], last[other], Edge::After(place()))),
                _ => {}
            }
        }
    }
    for (id, (start, end)) in borders.iter().enumerate() {
        plan.add_edge(*start, *end, Edge::Member);
        for member in (0..builds).filter(|build| members[*build] == id) {
            plan.add_edge(*start, last[member], Edge::Member);
            plan.add_edge(last[member], *end, Edge::Member);
        }
        for earlier in 0..id {
            if let even_if_failed @ 0..=1 = batches[earlier * 3 + id] {
                let edge = Edge::Batch { even_if_failed: even_if_failed == 1, place: place() };
                plan.add_edge(borders[earlier].1, *start, edge);
            }
        }
    }
    let publications = [0, 1].map(|id| plan.add_node(Step::Publish(ChrootId(id))));
    for (id, node) in last.iter().enumerate() {
        plan.add_edge(*node, publications[id % 2], Edge::Next);
    }
    plan
}

/// What a graph should say, worked out from nothing but what has ended by being told so.
struct Model<'a> {
    story: &'a Story,
    told: HashMap<NodeIndex, StepOutcome>,
}

/// Where a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stands {
    Ready,
    Settled,
    ToBePublished,
    BlockedBy(BuildId),
    Over,
}

type Table = BTreeMap<NodeIndex, Stands>;

impl Model<'_> {
    /// Every step that does something, by where it is: all steps are looked at until nothing comes of it any more.
    fn all(&self) -> Table {
        let mut table = Table::new();
        let mut blockers: HashMap<NodeIndex, BuildId> = HashMap::new();
        loop {
            let known = table.len();
            for node in self.story.plan.node_indices() {
                if self.waits_for_nothing(node, &table) {
                    blockers.extend(self.blocker(node, &blockers).map(|build| (node, build)));
                    table.insert(node, self.stands(node, blockers.get(&node).copied()));
                }
            }
            if table.len() == known {
                table.retain(|_, stands| *stands != Stands::Over);
                return table;
            }
        }
    }

    fn before(&self, node: NodeIndex) -> impl Iterator<Item = (NodeIndex, &Edge)> {
        let edges = self.story.plan.edges_directed(node, Direction::Incoming);
        edges.map(|edge| (edge.source(), edge.weight()))
    }

    fn waits_for_nothing(&self, node: NodeIndex, table: &Table) -> bool {
        let has_ended = |stands: Option<&Stands>| matches!(stands, Some(Stands::Over | Stands::BlockedBy(_)));
        self.before(node).all(|(before, _)| has_ended(table.get(&before)))
    }

    fn stands(&self, node: NodeIndex, blocked_by: Option<BuildId>) -> Stands {
        let step = self.story.plan[node];
        if self.told.contains_key(&node) || build_of(step).is_some_and(|id| self.is_lost(id)) {
            return Stands::Over;
        }
        match (step, blocked_by) {
            (Step::BatchStart(_) | Step::BatchEnd(_), _) => Stands::Over,
            (Step::Publish(_), _) => Stands::ToBePublished,
            (Step::Build(_), Some(build)) => Stands::BlockedBy(build),
            (Step::Build(id), None) if !self.story.has_work[id.0] => Stands::Settled,
            (Step::Fetch(id) | Step::SourcePackage(id), _) if !self.story.has_work[id.0] => Stands::Over,
            (Step::Fetch(_) | Step::SourcePackage(_) | Step::Build(_), _) => Stands::Ready,
        }
    }

    /// Whether a build was said to have no result at one of its steps.
    fn is_lost(&self, id: BuildId) -> bool {
        let lost = self.told.iter().filter(|(_, outcome)| **outcome == StepOutcome::NoResult);
        lost.map(|(node, _)| self.story.plan[*node]).any(|step| build_of(step) == Some(id))
    }

    /// The first build of the manifest that keeps a step from being done.
    fn blocker(&self, node: NodeIndex, blockers: &HashMap<NodeIndex, BuildId>) -> Option<BuildId> {
        let demand = match self.story.plan[node] {
            Step::Build(id) if !self.story.has_work[id.0] => Demand::Result,
            _ => Demand::Barrier,
        };
        let needed = self.before(node).filter(|(_, edge)| edge.demand() >= demand);
        let found = needed.filter_map(|(before, _)| match self.story.plan[before] {
            Step::Build(id) if self.is_lost(id) => Some(id),
            Step::Build(_) | Step::BatchStart(_) | Step::BatchEnd(_) => blockers.get(&before).copied(),
            Step::Fetch(_) | Step::SourcePackage(_) | Step::Publish(_) => None,
        });
        found.min()
    }
}

/// The same of the graph, from what it has said so far.
#[derive(Default)]
struct Said {
    stands: Table,
    /// Steps that it gave to be run, or to be left.
    given: BTreeSet<NodeIndex>,
}

impl Said {
    fn hear(&mut self, story: &Story, consequences: Consequences) {
        let Consequences { ready, settled, publications, blocked } = consequences;
        let build = |id: BuildId| {
            let is_of = |node: &NodeIndex| story.plan[*node] == Step::Build(id);
            story.plan.node_indices().find(is_of).unwrap()
        };
        let said = ready.into_iter().map(|node| (node, Stands::Ready));
        let said = said.chain(settled.into_iter().map(|node| (node, Stands::Settled)));
        let said = said.chain(publications.into_iter().map(|node| (node, Stands::ToBePublished)));
        let blocked = blocked.into_iter().map(|said| (build(said.build), Stands::BlockedBy(said.blocked_by)));
        for (node, stands) in said.chain(blocked) {
            assert_eq!(self.stands.insert(node, stands), None, "{node:?} was told of twice");
        }
    }

    /// The step that should run next: of equally urgent ones the first of the plan.
    fn most_urgent(&self, urgencies: &[Urgency]) -> Option<NodeIndex> {
        let waits =
            |(node, stands): &(&NodeIndex, &Stands)| **stands == Stands::Ready && !self.given.contains(node);
        let ready = self.stands.iter().filter(waits).map(|(node, _)| *node);
        ready.max_by_key(|node| (urgencies[node.index()], std::cmp::Reverse(*node)))
    }

    /// The steps that may end next: of those that run, only as many as were given.
    fn could_end(&self) -> Vec<NodeIndex> {
        let could = self.stands.iter().filter(|(node, stands)| match stands {
            Stands::Ready => self.given.contains(node),
            Stands::Settled | Stands::ToBePublished => true,
            Stands::BlockedBy(_) | Stands::Over => false,
        });
        could.map(|(node, _)| *node).collect()
    }
}

fn urgencies(plan: &DiGraph<Step, Edge>) -> Vec<Urgency> {
    let of = |node: NodeIndex| Urgency {
        priority: if node.index().is_multiple_of(5) { Priority::Background } else { Priority::Normal },
        remaining: Duration::from_secs(node.index() as u64 % 7),
    };
    plan.node_indices().map(of).collect()
}

/// Tells a graph a story, and compares it with the model after each event.
fn tell(story: &Story) {
    let urgencies = urgencies(&story.plan);
    let mut graph = StepGraph::new(&story.plan, story.has_work.clone(), &urgencies);
    let mut model = Model { story, told: HashMap::new() };
    let mut said = Said::default();
    said.hear(story, graph.begin());
    let mut halt = None;
    for event in &story.events {
        assert_eq!(said.stands, model.all());
        if let Some(now) = event.halt {
            graph.halt(now);
            halt = if now == Halt::Canceled { Some(now) } else { halt.or(Some(now)) };
        }
        assert_eq!(graph.is_halted(), halt.is_some());
        let most_urgent = said.most_urgent(&urgencies);
        match graph.next() {
            Some(Next::Run(node)) => {
                assert!(halt.is_none() && said.given.insert(node), "{node:?} runs");
                assert_eq!(Some(node), most_urgent);
            }
            Some(Next::Leave(node, why)) => {
                assert!(halt == Some(why) && said.given.insert(node), "{node:?} is left");
            }
            None => assert_eq!(most_urgent, None),
        }
        let could_end = said.could_end();
        let Some(node) = could_end.get(usize::from(event.which) % could_end.len().max(1)) else { continue };
        let is_build = build_of(story.plan[*node]).is_some();
        let outcome = if event.fails && is_build { StepOutcome::NoResult } else { StepOutcome::Done };
        said.stands.remove(node);
        model.told.insert(*node, outcome);
        said.hear(story, graph.ended(*node, outcome));
    }
    assert_eq!(said.stands, model.all());
}

/// Carries a plan out as far as it goes, in which these builds fail; gives what is blocked in the end, and by whom.
fn blocked_when_failing(
    plan: &DiGraph<Step, Edge>,
    has_work: &[bool],
    failing: &[usize],
) -> Vec<(usize, usize)> {
    let mut graph = StepGraph::new(plan, has_work.to_vec(), &urgencies(plan));
    let mut open = vec![graph.begin()];
    let mut blocked = Vec::new();
    while let Some(consequences) = open.pop() {
        let Consequences { ready, settled, publications, blocked: now } = consequences;
        blocked.extend(now.iter().map(|blocked| (blocked.build.0, blocked.blocked_by.0)));
        for node in ready.into_iter().chain(settled).chain(publications) {
            let fails = matches!(graph.step(node), Step::Build(id) if failing.contains(&id.0));
            let outcome = if fails { StepOutcome::NoResult } else { StepOutcome::Done };
            open.push(graph.ended(node, outcome));
        }
    }
    blocked
}

#[test]
fn what_is_up_to_date_behind_a_failed_batch_blocks_nobody_who_needs_it() {
    // Build 0 is a batch, build 1 the next one; build 2 is in none, and requires build 1.
    let mut edges = [9; MOST_BUILDS * MOST_BUILDS];
    edges[MOST_BUILDS + 2] = 0;
    let plan = plan(3, &edges, &[0, 1, 3], &[0; 9]);
    assert_eq!(blocked_when_failing(&plan, &[true, false, true], &[0]), []);
    assert_eq!(blocked_when_failing(&plan, &[true, true, true], &[0]), [(1, 0), (2, 0)]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_starts_and_what_is_blocked_is_what_a_simple_model_says(story in stories()) {
        tell(&story);
    }

    #[test]
    fn in_the_end_every_build_has_ended_once_whatever_the_order(story in stories(), order in any::<Index>()) {
        let mut graph = StepGraph::new(&story.plan, story.has_work.clone(), &urgencies(&story.plan));
        let mut said = Said::default();
        said.hear(&story, graph.begin());
        let mut published = 0;
        let mut ended = BTreeSet::new();
        loop {
            while let Some(Next::Run(node) | Next::Leave(node, _)) = graph.next() {
                said.given.insert(node);
            }
            let could_end = said.could_end();
            if could_end.is_empty() {
                break;
            }
            let node = could_end[order.index(could_end.len())];
            said.stands.remove(&node);
            published += usize::from(matches!(graph.step(node), Step::Publish(_)));
            if let Step::Build(id) = graph.step(node) {
                prop_assert!(ended.insert(id), "{id:?} ended twice");
            }
            said.hear(&story, graph.ended(node, StepOutcome::Done));
        }
        prop_assert_eq!((published, ended.len()), (2, story.has_work.len()));
    }

    #[test]
    fn who_blocks_a_build_does_not_depend_on_the_order_in_which_steps_end(
        story in stories(),
        orders in (any::<Index>(), any::<Index>()),
    ) {
        let lost = |id: BuildId| story.events[id.0].fails;
        let run = |order: &Index| {
            let mut graph = StepGraph::new(&story.plan, story.has_work.clone(), &urgencies(&story.plan));
            let mut said = Said::default();
            said.hear(&story, graph.begin());
            while let Some(node) = {
                while let Some(Next::Run(node) | Next::Leave(node, _)) = graph.next() {
                    said.given.insert(node);
                }
                let could_end = said.could_end();
                (!could_end.is_empty()).then(|| could_end[order.index(could_end.len())])
            } {
                said.stands.remove(&node);
                let outcome = match graph.step(node) {
                    Step::Build(id) if lost(id) => StepOutcome::NoResult,
                    _ => StepOutcome::Done,
                };
                said.hear(&story, graph.ended(node, outcome));
            }
            said.stands
        };
        prop_assert_eq!(run(&orders.0), run(&orders.1));
    }
}
