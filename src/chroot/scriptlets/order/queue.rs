//! Packages taken one after the other as they are ready (rpm's `rpmtsOrder`, `collectTE`, `collectSCC`).

use std::collections::VecDeque;

use super::circles::{Circles, find_circles};
use super::colors::PREFERRED;
use super::relations::OrderNode;

/// Sorts a graph.
pub(super) fn sort(nodes: Vec<OrderNode>) -> Vec<usize> {
    let circles = find_circles(&nodes);
    let mut sorting = Sorting {
        is_collected: vec![false; nodes.len()],
        open_needs: circles.all.iter().map(|circle| circle.needs).collect(),
        order: Vec::with_capacity(nodes.len()),
        nodes,
        circles,
    };
    let mut queue = sorting.first();
    while let Some(package) = queue.pop_front() {
        match sorting.circle_of(package) {
            Some(circle) => sorting.collect_circle(circle, &mut queue),
            None => sorting.collect(package, &mut queue, None),
        }
    }
    sorting.order
}

/// Packages that are ready, the next one first.
type Queue = VecDeque<usize>;

struct Sorting {
    nodes: Vec<OrderNode>,
    circles: Circles,
    /// How many needs of each circle are not there yet.
    open_needs: Vec<usize>,
    is_collected: Vec<bool>,
    order: Vec<usize>,
}

impl Sorting {
    fn circle_of(&self, package: usize) -> Option<usize> {
        self.circles.of_package.get(package).copied().flatten()
    }

    fn is_collected(&self, package: usize) -> bool {
        self.is_collected.get(package).copied().unwrap_or(true)
    }

    /// What is ready from the beginning: packages, and one of each circle.
    fn first(&self) -> Queue {
        let mut queue = Queue::new();
        let ready =
            (0..self.nodes.len()).filter(|at| self.nodes.get(*at).is_some_and(|node| node.needs == 0));
        ready.for_each(|package| self.put(package, &mut queue));
        let circles = self.circles.all.iter().filter(|circle| circle.needs == 0);
        circles.filter_map(|circle| circle.members.first()).for_each(|member| self.put(*member, &mut queue));
        queue
    }

    /// Puts a package before the first that fewer others need than it, or as many. One of another word size than the
    /// preferred one comes after all that have not its own.
    fn put(&self, package: usize, queue: &mut Queue) {
        let node = |package: usize| self.nodes.get(package);
        let (color, needed_by) = node(package).map_or((0, 0), |node| (node.color, node.needed_by));
        let comes_late = color != 0 && color != PREFERRED;
        let is_place = |other: &usize| {
            node(*other)
                .is_some_and(|other| !(comes_late && color != other.color) && other.needed_by <= needed_by)
        };
        let place = queue.iter().position(is_place).unwrap_or(queue.len());
        queue.insert(place, package);
    }

    /// Takes a package: what needs nothing else any more is ready. In a circle, what lies outside of it goes to `outer`.
    fn collect(&mut self, package: usize, queue: &mut Queue, mut outer: Option<&mut Queue>) {
        self.order.push(package);
        let own_circle = self.circle_of(package);
        let successors = self.nodes.get_mut(package).map(|node| std::mem::take(&mut node.successors));
        for relation in successors.iter().flatten().rev() {
            let next = relation.package;
            if self.is_collected(next) || next == package {
                continue;
            }
            let circle = self.circle_of(next);
            let Some(node) = self.nodes.get_mut(next) else { continue };
            node.needs = node.needs.saturating_sub(1);
            if node.needs == 0 {
                let is_outside = own_circle.is_some() && own_circle != circle;
                match outer.as_deref_mut().filter(|_| is_outside) {
                    Some(outer) => self.put(next, outer),
                    None => self.put(next, queue),
                }
            }
            let Some(circle) = circle.filter(|circle| Some(*circle) != own_circle) else { continue };
            let Some(open) = self.open_needs.get_mut(circle) else { continue };
            *open = open.saturating_sub(1);
            if *open == 0 {
                // It stands for its circle.
                match outer.as_deref_mut() {
                    Some(outer) => self.put(next, outer),
                    None => self.put(next, queue),
                }
            }
        }
        if let Some(is_collected) = self.is_collected.get_mut(package) {
            *is_collected = true;
        }
    }

    fn collect_circle(&mut self, circle: usize, outer: &mut Queue) {
        let distances = self.distances(circle);
        let members = self.circles.all.get(circle).map(|circle| circle.members.clone()).unwrap_or_default();
        loop {
            let left = members.iter().zip(&distances).filter(|(member, _)| !self.is_collected(**member));
            // The last of those that are farthest.
            let Some((best, _)) = left.max_by_key(|(_, distance)| **distance) else { break };
            let mut inner = Queue::from([*best]);
            while let Some(package) = inner.pop_front() {
                self.collect(package, &mut inner, Some(outer));
            }
        }
    }

    /// How far each member of a circle is from one that a scriptlet needs something for: needs that lead there are safest to
    /// leave open.
    fn distances(&self, circle: usize) -> Vec<usize> {
        let members = self.circles.all.get(circle).map_or(&[][..], |circle| circle.members.as_slice());
        let mut distances = vec![usize::MAX; self.nodes.len()];
        let mut queue = VecDeque::new();
        for member in members {
            let relations = self.nodes.get(*member).map_or(&[][..], |node| node.predecessors.as_slice());
            let in_circle = |package: usize| self.circle_of(package) == Some(circle);
            if relations.iter().any(|relation| relation.is_for_scriptlet && in_circle(relation.package)) {
                if let Some(distance) = distances.get_mut(*member) {
                    *distance = 0;
                }
                queue.push_back(*member);
            }
        }
        while let Some(package) = queue.pop_front() {
            let next = distances.get(package).map_or(usize::MAX, |distance| distance.saturating_add(1));
            let relations = self.nodes.get(package).map_or(&[][..], |node| node.predecessors.as_slice());
            for relation in relations.iter().rev() {
                let is_inside = self.circle_of(relation.package) == Some(circle);
                if let Some(distance) =
                    distances.get_mut(relation.package).filter(|old| is_inside && **old > next)
                {
                    *distance = next;
                    queue.push_back(relation.package);
                }
            }
        }
        members.iter().map(|member| distances.get(*member).copied().unwrap_or(usize::MAX)).collect()
    }
}
