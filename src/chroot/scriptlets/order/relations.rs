//! Which package of a set must come before which, and for what (rpm's `addRelation`).

use super::colors::Colors;
use super::providers::{SetProviders, dependencies};
use crate::chroot::database::read_rich;
use crate::package::{Dependency, Header, Operator, Rich, Tag};

/// A package in the graph.
#[derive(Clone, Debug, Default)]
pub(super) struct OrderNode {
    /// How many packages it needs that are not there yet.
    pub needs: usize,
    /// How many packages need it.
    pub needed_by: usize,
    /// The packages that need it, the newest last.
    pub successors: Vec<OrderRelation>,
    /// The packages that it needs, the newest last.
    pub predecessors: Vec<OrderRelation>,
    /// The colour of the package.
    pub color: u64,
}

/// An edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct OrderRelation {
    /// The package at its other end.
    pub package: usize,
    /// Whether a scriptlet needs it.
    pub is_for_scriptlet: bool,
}

/// The tags of a kind of dependency.
struct OrderTags {
    name: Tag,
    flags: Tag,
    version: Tag,
}

/// Dependencies that count for the order, as rpm goes through them.
const ORDER_TAGS: [OrderTags; 6] = [
    OrderTags { name: Tag::REQUIRENAME, flags: Tag::REQUIREFLAGS, version: Tag::REQUIREVERSION },
    OrderTags { name: Tag::RECOMMENDNAME, flags: Tag::RECOMMENDFLAGS, version: Tag::RECOMMENDVERSION },
    OrderTags { name: Tag::SUGGESTNAME, flags: Tag::SUGGESTFLAGS, version: Tag::SUGGESTVERSION },
    OrderTags { name: Tag::SUPPLEMENTNAME, flags: Tag::SUPPLEMENTFLAGS, version: Tag::SUPPLEMENTVERSION },
    OrderTags { name: Tag::ENHANCENAME, flags: Tag::ENHANCEFLAGS, version: Tag::ENHANCEVERSION },
    OrderTags { name: Tag::ORDERNAME, flags: Tag::ORDERFLAGS, version: Tag::ORDERVERSION },
];

/// What counts at no particular moment of an installation (rpm's `_UNORDERED_ONLY_MASK`): features of rpm, configuration,
/// scripts around the transaction and of verification, `meta`.
const UNORDERED: u64 = 1 << 24 | 1 << 28 | 1 << 7 | 1 << 5 | 1 << 20 | 1 << 21 | 1 << 13 | 1 << 29;

/// What counts for the order whatever else it is (`_FORCE_ORDER_ONLY_MASK`): `%pre %post %preun %postun`.
const ORDERED: u64 = 1 << 9 | 1 << 10 | 1 << 11 | 1 << 12;

/// What scriptlets of an installation need (`_INSTALL_ONLY_MASK`).
const FOR_INSTALLING: u64 = 1 << 9 | 1 << 10 | 1 << 24 | 1 << 26 | 1 << 7 | 1 << 5;

/// The bits of requirements (`_ALL_REQUIRES_MASK`), and the one that alone once meant all scriptlets (`RPMSENSE_PREREQ`).
const ALL_REQUIRES: u64 = FOR_INSTALLING
    | 1 << 8
    | 1 << 11
    | 1 << 12
    | 1 << 13
    | 1 << 14
    | 1 << 20
    | 1 << 21
    | PREREQ
    | 1 << 29
    | MISSING_OK;
const PREREQ: u64 = 1 << 6;

/// A requirement that is only a wish (`RPMSENSE_MISSINGOK`).
const MISSING_OK: u64 = 1 << 19;

/// The bits of comparisons.
const SENSE: u64 = 15;

/// The graph of a set of packages.
pub(super) fn record(packages: &[&Header], welcome: u32) -> Vec<OrderNode> {
    let colors: Vec<Colors> = packages.iter().map(|package| Colors::from_header(package)).collect();
    let providers = SetProviders::new(packages, &colors, welcome);
    let nodes =
        colors.iter().map(|colors| OrderNode { color: colors.package, ..OrderNode::default() }).collect();
    let mut graph = Graph { nodes, providers: &providers };
    for ((number, package), colors) in packages.iter().enumerate().zip(&colors) {
        for tags in &ORDER_TAGS {
            let colors = if tags.name == Tag::REQUIRENAME { colors.requires.as_slice() } else { &[] };
            let wanted = dependencies(package, tags.name, tags.flags, tags.version);
            for (at, (dependency, flags)) in wanted.enumerate() {
                let color = colors.get(at).copied().unwrap_or_default();
                graph.add(number, &WantedBefore { dependency, flags, tag: tags.name, color });
            }
        }
    }
    graph.nodes
}

struct Graph<'p> {
    nodes: Vec<OrderNode>,
    providers: &'p SetProviders<'p>,
}

/// Something that a package wants of others.
struct WantedBefore {
    dependency: Dependency,
    flags: u64,
    tag: Tag,
    color: u64,
}

impl WantedBefore {
    fn is_weak(&self) -> bool {
        self.tag != Tag::REQUIRENAME || self.flags & MISSING_OK != 0
    }

    /// Whether it says that the package is wanted by the other one.
    fn is_reverse(&self) -> bool {
        self.tag == Tag::SUPPLEMENTNAME || self.tag == Tag::ENHANCENAME
    }

    fn is_for_scriptlet(&self) -> bool {
        self.flags & FOR_INSTALLING != 0 || self.flags & ALL_REQUIRES == PREREQ
    }
}

impl Graph<'_> {
    fn add(&mut self, package: usize, wanted: &WantedBefore) {
        if wanted.flags & UNORDERED != 0 && wanted.flags & ORDERED == 0 {
            return;
        }
        if wanted.dependency.is_rich() {
            if let Some(rich) = read_rich(wanted.dependency.name.as_bytes()) {
                self.add_rich(package, &rich, wanted);
            }
            return;
        }
        match self.providers.find(package, &wanted.dependency, wanted.color) {
            Some(provider) if provider != package => self.add_relation(package, provider, wanted),
            Some(_) | None => {}
        }
    }

    /// Of `and` and `or` all parts count, of everything else the first one.
    fn add_rich(&mut self, package: usize, rich: &Rich, wanted: &WantedBefore) {
        match rich {
            Rich::Capability(capability) => {
                let dependency = Dependency::from(capability);
                let is_rpmlib = wanted.tag == Tag::REQUIRENAME && dependency.is_rpmlib();
                let flags = wanted.flags & !(SENSE | MISSING_OK) | u64::from(is_rpmlib) << 24;
                self.add(package, &WantedBefore { dependency, flags, tag: wanted.tag, color: 0 });
            }
            Rich::Group(first, further) => {
                self.add_rich(package, first, wanted);
                for (operator, part) in further {
                    match operator {
                        Operator::And | Operator::Or => self.add_rich(package, part, wanted),
                        Operator::If
                        | Operator::Unless
                        | Operator::Else
                        | Operator::With
                        | Operator::Without => {}
                    }
                }
            }
        }
    }

    fn add_relation(&mut self, package: usize, provider: usize, wanted: &WantedBefore) {
        let mut is_for_scriptlet = wanted.is_for_scriptlet();
        // A wish of a scriptlet is a mere need, one of the package counts for nothing: circles would grow from them.
        if wanted.is_weak() && wanted.tag != Tag::ORDERNAME {
            if !is_for_scriptlet {
                return;
            }
            is_for_scriptlet = false;
        }
        let (later, earlier) = if wanted.is_reverse() { (provider, package) } else { (package, provider) };
        if self.update(later, earlier, is_for_scriptlet, wanted.is_reverse()) {
            return;
        }
        if let Some(node) = self.nodes.get_mut(later) {
            node.needs += 1;
            node.predecessors.push(OrderRelation { package: earlier, is_for_scriptlet });
        }
        if let Some(node) = self.nodes.get_mut(earlier) {
            node.needed_by += 1;
            node.successors.push(OrderRelation { package: later, is_for_scriptlet });
        }
    }

    /// Adds to a relation that is there already. All relations of a package are added in one go, so it is the newest one.
    /// Reverse ones are looked for the other way round: rpm does so, and takes what is found for the same.
    fn update(&mut self, later: usize, earlier: usize, is_for_scriptlet: bool, is_reverse: bool) -> bool {
        let is_newest =
            |relations: &[OrderRelation], other| relations.last().is_some_and(|last| last.package == other);
        let Some(node) = self.nodes.get_mut(earlier) else { return false };
        if is_reverse {
            return is_newest(&node.predecessors, later);
        }
        if !is_newest(&node.successors, later) {
            return false;
        }
        if is_for_scriptlet {
            mark(&mut node.successors, later);
            if let Some(node) = self.nodes.get_mut(later) {
                mark(&mut node.predecessors, earlier);
            }
        }
        true
    }
}

fn mark(relations: &mut [OrderRelation], package: usize) {
    let found = relations.iter_mut().rev().find(|relation| relation.package == package);
    found.into_iter().for_each(|relation| relation.is_for_scriptlet = true);
}
