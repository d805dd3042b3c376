//! Which lines count: the conditionals that are open.

/// An open conditional.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    /// Whether the lines of its branch count.
    pub is_active: bool,
    /// Whether a branch has counted already, or none can, for the lines around it don't.
    pub is_settled: bool,
    /// Whether `%else` has been read.
    pub is_last: bool,
    /// The number of the line that began it.
    pub line: u32,
}

/// The conditionals that are open, the innermost last.
#[derive(Debug, Default)]
pub(super) struct Conditions(Vec<Condition>);

impl Conditions {
    /// Whether lines count.
    pub fn are_active(&self) -> bool {
        self.0.last().is_none_or(|condition| condition.is_active)
    }

    /// A conditional begins.
    pub fn begin(&mut self, holds: bool, line: u32) {
        let around = self.are_active();
        self.0.push(Condition {
            is_active: around && holds,
            is_settled: !around || holds,
            is_last: false,
            line,
        });
    }

    /// The innermost one.
    pub fn innermost(&mut self) -> Option<&mut Condition> {
        self.0.last_mut()
    }

    /// The innermost one is turned around: what did not count does, if what is around it does.
    pub fn turn_around(&mut self) {
        let Some((innermost, around)) = self.0.split_last_mut() else {
            return;
        };
        let counts = around.last().is_none_or(|condition| condition.is_active);
        innermost.is_active = counts && !innermost.is_active;
    }

    /// The innermost one ends; gives whether there was one.
    pub fn end(&mut self) -> bool {
        self.0.pop().is_some()
    }
}

impl Condition {
    /// Another branch begins.
    pub fn turn(&mut self, holds: bool) {
        self.is_active = holds && !self.is_settled;
        self.is_settled |= holds;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_branch_counts_and_none_within_what_does_not() {
        let mut conditions = Conditions::default();
        conditions.begin(false, 1);
        conditions.innermost().unwrap().turn(true);
        assert!(conditions.are_active());
        conditions.innermost().unwrap().turn(true);
        assert!(!conditions.are_active());
        conditions.begin(true, 2);
        conditions.innermost().unwrap().turn(true);
        assert!(!conditions.are_active());
        assert!(conditions.end() && conditions.end() && !conditions.end());
    }
}
