//! Matching with back-references: every way is tried until one leads to a match.

use super::syntax::{Edge, Node, is_of_word};

/// How many steps one text may take.
const MOST_STEPS: usize = 2_000_000;

/// How many continuations may be open: each takes room on the stack.
const DEEPEST: usize = 4_000;

struct Match<'t> {
    text: &'t str,
    /// What groups have matched, by their numbers: from where to where.
    groups: Vec<Option<(usize, usize)>>,
    steps: usize,
    depth: usize,
}

/// It took too much work.
struct TooMuch;

/// What has to match behind a part.
type Behind<'b, 't> = &'b mut dyn FnMut(&mut Match<'t>, usize) -> Result<bool, TooMuch>;

/// Looks for an expression in a text; gives whether it is there, and nothing where that took too much work.
pub(super) fn find_match(node: &Node, text: &str) -> Option<bool> {
    let mut state = Match { text, groups: Vec::new(), steps: 0, depth: 0 };
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    for start in starts {
        state.groups.clear();
        match state.matches(node, start, &mut |_, _| Ok(true)) {
            Ok(true) => return Some(true),
            Ok(false) => {}
            Err(TooMuch) => return None,
        }
    }
    Some(false)
}

impl<'t> Match<'t> {
    fn rest(&self, at: usize) -> &'t str {
        self.text.get(at..).unwrap_or_default()
    }

    fn matches(&mut self, node: &Node, at: usize, behind: Behind<'_, 't>) -> Result<bool, TooMuch> {
        self.steps += 1;
        self.depth += 1;
        if self.steps > MOST_STEPS || self.depth > DEEPEST {
            return Err(TooMuch);
        }
        let result = self.matches_node(node, at, behind);
        self.depth -= 1;
        result
    }

    fn matches_node(&mut self, node: &Node, at: usize, behind: Behind<'_, 't>) -> Result<bool, TooMuch> {
        let next = self.rest(at).chars().next();
        let one = |is_match: bool| next.filter(|_| is_match).map(|next| at + next.len_utf8());
        let end = match node {
            Node::Empty => Some(at),
            Node::Character(character) => one(next == Some(*character)),
            Node::Any => one(true),
            Node::Set(set) => one(next.is_some_and(|next| set.contains(next))),
            Node::Edge(edge) => self.is_at(*edge, at).then_some(at),
            Node::SameAs(number) => {
                // A group that took no part is like nothing.
                let group = self.groups.get(*number).copied().flatten();
                let same = group.and_then(|(from, to)| self.text.get(from..to));
                same.filter(|same| self.rest(at).starts_with(same)).map(|same| at + same.len())
            }
            Node::Group(number, inside) => return self.matches_group(*number, inside, at, behind),
            Node::Sequence(parts) => return self.matches_all(parts, at, behind),
            Node::Choice(branches) => {
                for branch in branches {
                    if self.matches(branch, at, behind)? {
                        return Ok(true);
                    }
                }
                None
            }
            Node::Repeated { node, least, most } => return self.repeats(node, (*least, *most), at, behind),
        };
        end.map_or(Ok(false), |end| behind(self, end))
    }

    fn matches_group(
        &mut self,
        number: usize,
        inside: &Node,
        at: usize,
        behind: Behind<'_, 't>,
    ) -> Result<bool, TooMuch> {
        if self.groups.len() <= number {
            self.groups.resize(number + 1, None);
        }
        let before = self.groups.get(number).copied().flatten();
        let found = self.matches(inside, at, &mut |state, end| {
            let inner = state.groups.get(number).copied().flatten();
            state.set_group(number, Some((at, end)));
            let found = behind(state, end)?;
            if !found {
                state.set_group(number, inner);
            }
            Ok(found)
        })?;
        if !found {
            self.set_group(number, before);
        }
        Ok(found)
    }

    fn set_group(&mut self, number: usize, place: Option<(usize, usize)>) {
        if let Some(group) = self.groups.get_mut(number) {
            *group = place;
        }
    }

    fn matches_all(&mut self, parts: &[Node], at: usize, behind: Behind<'_, 't>) -> Result<bool, TooMuch> {
        match parts.split_first() {
            None => behind(self, at),
            Some((first, rest)) => {
                self.matches(first, at, &mut |state, end| state.matches_all(rest, end, behind))
            }
        }
    }

    fn repeats(
        &mut self,
        node: &Node,
        (least, most): (u32, Option<u32>),
        at: usize,
        behind: Behind<'_, 't>,
    ) -> Result<bool, TooMuch> {
        if most != Some(0) {
            let left = (least.saturating_sub(1), most.map(|most| most - 1));
            let once_more = self.matches(node, at, &mut |state, end| {
                // What matches nothing can do so as often as is wanted, and need not do it again.
                let is_empty = end == at;
                if is_empty { behind(state, end) } else { state.repeats(node, left, end, behind) }
            })?;
            if once_more {
                return Ok(true);
            }
        }
        if least == 0 { behind(self, at) } else { Ok(false) }
    }

    fn is_at(&self, edge: Edge, at: usize) -> bool {
        let before = self.text.get(..at).and_then(|text| text.chars().next_back()).is_some_and(is_of_word);
        let after = self.rest(at).chars().next().is_some_and(is_of_word);
        match edge {
            Edge::Start => at == 0,
            Edge::End => at == self.text.len(),
            Edge::WordStart => !before && after,
            Edge::WordEnd => before && !after,
            Edge::Word => before != after,
            Edge::NotWord => before == after,
        }
    }
}
