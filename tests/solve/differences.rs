//! Where forge chooses otherwise than the dnf of this machine, with the reason of each.

use crate::reference::{Chosen, Question};

/// A difference that has its reason.
pub struct Difference {
    pub reason: &'static str,
    is_it: fn(&Question, &Chosen, &Chosen) -> bool,
}

/// All differences that have one.
pub const DIFFERENCES: &[Difference] = &[];

/// The reason of a difference.
pub fn find_difference(question: &Question, theirs: &Chosen, ours: &Chosen) -> Option<&'static str> {
    let known = DIFFERENCES.iter().find(|difference| (difference.is_it)(question, theirs, ours));
    known.map(|difference| difference.reason)
}
