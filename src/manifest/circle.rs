//! Circles among what comes after one another.

/// A circle in a graph given by the successors of each node, if there is one.
pub(super) fn find_circle(edges: &[Vec<usize>]) -> Option<Vec<usize>> {
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
