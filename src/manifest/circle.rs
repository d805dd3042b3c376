//! Circles among what comes after one another.

/// How many circles are reported.
const MOST_CIRCLES: usize = 20;

/// Circles in a graph, none of which has a node of another, until there is no further one. The edges of their nodes are
/// taken away.
pub(super) fn take_circles(edges: &mut [Vec<usize>]) -> Vec<Vec<usize>> {
    let mut circles = Vec::new();
    while let Some(circle) = find_circle(edges) {
        circle.iter().for_each(|node| edges[*node].clear());
        circles.push(circle);
    }
    circles.truncate(MOST_CIRCLES);
    circles
}

/// A circle in a graph given by the successors of each node, if there is one.
fn find_circle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
    let mut done = vec![false; edges.len()];
    for start in 0..edges.len() {
        let mut path: Vec<(usize, usize)> = vec![(start, 0)];
        while let Some((node, next)) = path.last_mut() {
            if done[*node] {
                path.pop();
                continue;
            }
            let Some(successor) = edges[*node].get(*next).copied() else {
                done[*node] = true;
                path.pop();
                continue;
            };
            *next += 1;
            if let Some(at) = path.iter().position(|(node, _)| *node == successor) {
                return Some(path[at..].iter().map(|(node, _)| *node).collect());
            }
            path.push((successor, 0));
        }
    }
    None
}
