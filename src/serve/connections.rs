//! The connections of a server: how many there may be, and which of them goes where there are too many.
//!
//! Whoever opens connections and says nothing must not keep others out: the one that has said nothing for the longest gives its seat to one
//! that comes.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::body::{Body, Bytes, Frame, SizeHint};
use tokio::sync::Notify;

use super::answer::AnswerBody;

/// How long a client may leave lie what it has asked for, before another may have its seat.
const SLOWEST: Duration = Duration::from_secs(30);

/// All connections.
#[derive(Default)]
pub(super) struct Connections {
    open: Mutex<OpenConnections>,
    /// Told whenever one ends.
    ended: Notify,
}

#[derive(Default)]
struct OpenConnections {
    next: u64,
    by_number: BTreeMap<u64, ConnectionState>,
}

/// What a connection does.
struct ConnectionState {
    /// Whether a request is being answered.
    is_answering: bool,
    /// When something of it came or went last.
    active: Instant,
    /// Told where it has to go.
    leave: Arc<Notify>,
}

/// A seat among the connections, until it is dropped.
pub(super) struct Seat {
    all: Arc<Connections>,
    number: u64,
    leave: Arc<Notify>,
}

impl Connections {
    /// Waits for a seat among `most`; where there is none, the one goes that has been silent for the longest.
    pub async fn enter(self: &Arc<Self>, most: usize) -> Seat {
        loop {
            let ended = self.ended.notified();
            if let Some(seat) = self.try_enter(most) {
                return seat;
            }
            // One that is slow may become one that is too slow.
            let _ = tokio::time::timeout(SLOWEST, ended).await;
        }
    }

    fn try_enter(self: &Arc<Self>, most: usize) -> Option<Seat> {
        let mut open = self.lock();
        if open.by_number.len() >= most {
            open.ask_one_to_leave();
            return None;
        }
        open.next += 1;
        let (number, leave) = (open.next, Arc::new(Notify::new()));
        let state =
            ConnectionState { is_answering: false, active: Instant::now(), leave: Arc::clone(&leave) };
        open.by_number.insert(number, state);
        Some(Seat { all: Arc::clone(self), number, leave })
    }

    fn lock(&self) -> MutexGuard<'_, OpenConnections> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, number: u64, is_answering: bool) {
        if let Some(state) = self.lock().by_number.get_mut(&number) {
            (state.is_answering, state.active) = (is_answering, Instant::now());
        }
    }
}

impl OpenConnections {
    fn ask_one_to_leave(&mut self) {
        let may_go = |state: &&ConnectionState| !state.is_answering || state.active.elapsed() >= SLOWEST;
        let silent =
            self.by_number.values().filter(may_go).min_by_key(|state| (state.is_answering, state.active));
        if let Some(silent) = silent {
            silent.leave.notify_one();
        }
    }
}

impl Seat {
    /// Waits until it has to be given up.
    pub async fn must_leave(&self) {
        self.leave.notified().await;
    }

    /// The request that comes there is being answered now, until all of the answer has been sent.
    pub fn begin(&self) -> Answering {
        self.all.note(self.number, true);
        Answering { all: Arc::clone(&self.all), number: self.number }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.all.lock().by_number.remove(&self.number);
        self.all.ended.notify_one();
    }
}

/// A request that is being answered.
pub(super) struct Answering {
    all: Arc<Connections>,
    number: u64,
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.all.note(self.number, false);
    }
}

/// The content of an answer, whose connection counts as busy while it is sent.
pub(super) struct WatchedBody {
    pub body: AnswerBody,
    pub answering: Answering,
}

impl Body for WatchedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_ready() {
            self.answering.all.note(self.answering.number, true);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_one_that_is_silent_for_the_longest_gives_its_place_to_one_that_comes() {
        let all = Arc::new(Connections::default());
        let seats = [all.enter(2).await, all.enter(2).await];
        let answering = seats[0].begin();
        assert!(all.try_enter(2).is_none());
        seats[1].must_leave().await;
        let [first, second] = seats;
        drop(second);
        assert!(all.try_enter(2).is_some(), "its seat is free");
        drop(answering);
        let _third = all.enter(2).await;
        assert!(all.try_enter(2).is_none());
        first.must_leave().await;
    }
}
