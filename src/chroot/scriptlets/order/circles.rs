//! Packages that need each other in a circle: strongly connected components, found as rpm finds them (Tarjan).

use super::relations::OrderNode;

/// Packages that all need each other, directly or round some corners.
#[derive(Clone, Debug, Default)]
pub(super) struct Circle {
    /// How many needs of its members lead out of it.
    pub needs: usize,
    /// Its members, the one found last first.
    pub members: Vec<usize>,
}

/// Circles, and the circle that each package is in, if it is in one.
pub(super) struct Circles {
    pub all: Vec<Circle>,
    pub of_package: Vec<Option<usize>>,
}

/// A search's state.
struct CircleSearch<'n> {
    nodes: &'n [OrderNode],
    /// When a package was first met; 0 while it was not.
    met: Vec<usize>,
    /// The earliest one that it leads back to.
    back: Vec<usize>,
    is_settled: Vec<bool>,
    stack: Vec<usize>,
    circles: Circles,
}

/// Finds all circles.
pub(super) fn find_circles(nodes: &[OrderNode]) -> Circles {
    let count = nodes.len();
    let mut search = CircleSearch {
        nodes,
        met: vec![0; count],
        back: vec![0; count],
        is_settled: vec![false; count],
        stack: Vec::new(),
        circles: Circles { all: Vec::new(), of_package: vec![None; count] },
    };
    let mut time = 0;
    for start in 0..count {
        if get(&search.met, start) == 0 {
            search.visit(start, &mut time);
        }
    }
    search.circles
}

fn get<T: Copy + Default>(values: &[T], at: usize) -> T {
    values.get(at).copied().unwrap_or_default()
}

fn set<T>(values: &mut [T], at: usize, value: T) {
    if let Some(place) = values.get_mut(at) {
        *place = value;
    }
}

impl CircleSearch<'_> {
    /// Goes through all that needs `start`, the newest relations first. What rpm does by calling itself is done with a list
    /// here: chains may be as long as there are packages.
    fn visit(&mut self, start: usize, time: &mut usize) {
        let mut open = vec![(self.meet(start, time), 0)];
        while let Some((package, done)) = open.last_mut() {
            let (package, number) = (*package, *done);
            *done += 1;
            let successors = self.nodes.get(package).map_or(&[][..], |node| node.successors.as_slice());
            let Some(next) = successors.iter().rev().nth(number).map(|relation| relation.package) else {
                open.pop();
                self.settle(package);
                if let Some((before, _)) = open.last() {
                    let back = get(&self.back, *before).min(get(&self.back, package));
                    // One that is settled leads back to nothing that is open.
                    if !get(&self.is_settled, package) {
                        set(&mut self.back, *before, back);
                    }
                }
                continue;
            };
            if get(&self.met, next) == 0 {
                open.push((self.meet(next, time), 0));
            } else if !get(&self.is_settled, next) {
                let back = get(&self.back, package).min(get(&self.met, next));
                set(&mut self.back, package, back);
            }
        }
    }

    fn meet(&mut self, package: usize, time: &mut usize) -> usize {
        *time += 1;
        set(&mut self.met, package, *time);
        set(&mut self.back, package, *time);
        self.stack.push(package);
        package
    }

    /// Ends the circle that a package has begun, if it has.
    fn settle(&mut self, package: usize) {
        if get(&self.back, package) != get(&self.met, package) {
            return;
        }
        let Some(at) = self.stack.iter().rposition(|open| *open == package) else { return };
        let mut members = self.stack.split_off(at);
        members.reverse();
        for member in &members {
            set(&mut self.is_settled, *member, true);
        }
        if members.len() < 2 {
            return;
        }
        let number = self.circles.all.len();
        for member in &members {
            set(&mut self.circles.of_package, *member, Some(number));
        }
        let needs = self.needs_of(&members, number);
        self.circles.all.push(Circle { needs, members });
    }

    fn needs_of(&self, members: &[usize], number: usize) -> usize {
        let nodes = || members.iter().filter_map(|member| self.nodes.get(*member));
        let all: usize = nodes().map(|node| node.needs).sum();
        let successors = nodes().flat_map(|node| &node.successors);
        let inner = successors
            .filter(|relation| get(&self.circles.of_package, relation.package) == Some(number))
            .count();
        all.saturating_sub(inner)
    }
}
