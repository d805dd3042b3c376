//! When the stages of a job began and how long they took.

use super::StageListener;
use crate::event::{Clock, StageTime, SystemClock, Timestamp};

/// The stages that a job has gone through.
pub(super) struct StageTimes<'a> {
    listener: &'a dyn StageListener,
    clock: SystemClock,
    begun: Vec<(String, Timestamp)>,
}

impl<'a> StageTimes<'a> {
    pub fn new(listener: &'a dyn StageListener) -> Self {
        Self { listener, clock: SystemClock, begun: Vec::new() }
    }

    /// A stage begins, if there is one and it has not begun already.
    pub fn extend_with(&mut self, name: Option<&str>) {
        let Some(name) = name.filter(|name| self.current().is_none_or(|last| last != *name)) else { return };
        self.listener.stage(name);
        self.begun.push((name.to_owned(), self.clock.now()));
    }

    fn current(&self) -> Option<&str> {
        self.begun.last().map(|(name, _)| name.as_str())
    }

    /// What they took.
    pub fn finish(self) -> Vec<StageTime> {
        let ends = self.begun.iter().skip(1).map(|(_, at)| *at).chain([self.clock.now()]);
        let timed = self.begun.iter().zip(ends).map(|((name, begun), ended)| StageTime {
            name: name.clone(),
            milliseconds: u64::try_from(ended.since(*begun).as_millis()).unwrap_or(u64::MAX),
        });
        timed.collect()
    }
}
