//! What a worker is asked, what it tells, and the descriptors that both go over.
//!
//! A worker is this program, started as `forge worker` in a root. It reads one [`Request`] from standard input and tells of
//! its work in [`Message`]s; what it and its scripts print is the log, which nobody takes apart.

mod channel;
mod listening;
mod protocol;

pub use channel::Channel;
pub(super) use listening::Listening;
pub use protocol::{Asked, BuildOrder, Ended, FailedScript, Message, Request, RequestError, Token};
