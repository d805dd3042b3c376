//! How long a build has worked: what it has waited for, and its place, is not part of it.

use std::time::Duration;

use crate::event::{State, Timestamp};

/// The time that a build has spent working.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct WorkTime {
    before: Duration,
    /// Since when it works now.
    since: Option<Timestamp>,
}

impl WorkTime {
    /// Notes that a build has come into a state.
    pub fn note_state(&mut self, state: State, at: Timestamp) {
        self.before = self.until(at);
        self.since = match state {
            State::Importing | State::Running => Some(at),
            State::Waiting
            | State::Pending
            | State::Succeeded
            | State::Cached
            | State::Failed
            | State::Canceled
            | State::Skipped => None,
        };
    }

    /// All of it until then.
    pub fn until(&self, at: Timestamp) -> Duration {
        self.before + self.since.map_or(Duration::ZERO, |since| at.since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_build_waits_for_is_not_part_of_its_time() {
        let mut time = WorkTime::default();
        let states = [
            (State::Waiting, 0),
            (State::Importing, 1_000),
            (State::Waiting, 3_000),
            (State::Pending, 20_000),
            (State::Running, 21_000),
            (State::Succeeded, 25_000),
        ];
        states.into_iter().for_each(|(state, at)| time.note_state(state, Timestamp(at)));
        assert_eq!(time.until(Timestamp(99_000)), Duration::from_secs(6));
    }

    #[test]
    fn a_build_that_never_worked_took_no_time() {
        let mut time = WorkTime::default();
        time.note_state(State::Pending, Timestamp(5));
        assert_eq!(time.until(Timestamp(1_000)), Duration::ZERO);
    }
}
