//! From what happens to those who hear of it.

use std::sync::Arc;

use super::{Clock, Event, Listener, RunId, Timestamp, What};

/// Tells a listener what happens in one run, and when.
#[derive(Clone)]
pub struct EventSink {
    run: RunId,
    clock: Arc<dyn Clock>,
    listener: Arc<dyn Listener>,
}

impl EventSink {
    /// Tells `listener` of the run `run`.
    pub fn new(run: RunId, clock: Arc<dyn Clock>, listener: Arc<dyn Listener>) -> Self {
        Self { run, clock, listener }
    }

    /// Something happens now.
    pub fn send(&self, what: What) {
        self.deliver(&self.event(what));
    }

    /// Something that happens now, for who tells it later.
    pub fn event(&self, what: What) -> Event {
        Event { run: self.run, at: self.now(), what }
    }

    /// Tells of an event that has its time.
    pub fn deliver(&self, event: &Event) {
        self.listener.hear(event);
    }

    /// Whether somebody asks for what builds print.
    pub fn wants_logs(&self) -> bool {
        self.listener.wants_logs()
    }

    /// What time it is.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
