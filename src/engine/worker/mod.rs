//! What a worker is asked, what it tells, and the descriptors that both go over.
//!
//! A worker is this program, started as `forge worker` in a root. It reads one [`Request`] from standard input and tells of
//! its work in [`Message`]s; what it and its scripts print is the log, which nobody takes apart.

mod channel;
mod listening;
mod protocol;
mod reading;
mod run;
mod scriptlets;

pub use channel::Channel;
pub(super) use listening::WorkerListener;
pub use protocol::{
    Asked, BuildOrder, FailedScript, InstalledOrder, Message, Request, RequestError, Token, WorkerEnd,
};
pub use reading::{ReadOrder, SpecAnswer, SpecOrder};
pub use run::WORKER;
pub(super) use run::{WorkerPlace, Workers, describe_death};
pub use scriptlets::{ScriptletOrder, ScriptletProgress};
