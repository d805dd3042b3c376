//! `forge worker`: does what one request asks for, in the root that it is started in. Forge starts it; nobody else does.

use std::sync::Arc;

use rustix::process::{DumpableBehavior, Signal, set_dumpable_behavior, set_parent_process_death_signal};

use super::rpm::carry_out_job;
use crate::engine::{
    Asked, Channel, Message, Request, WorkerEnd, read_specs, run_scriptlets, tell_installed,
};

/// The exit code of a worker without a request.
const NO_REQUEST: u8 = 64;

/// The exit code of a worker that has not made what was asked.
const FAILED: u8 = 1;

/// Reads the request and carries it out; gives the exit code.
pub fn run() -> u8 {
    // Without its supervisor nobody would end it. What comes too late is seen when it writes.
    let _ = set_parent_process_death_signal(Some(Signal::KILL));
    // Its scripts run as the same user: they may neither trace it, which would stop it, nor read what begins its messages.
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let request = Channel::open().map_err(|error| error.to_string()).and_then(|(request, messages)| {
        Request::decode(&request).map(|request| (request, messages)).map_err(|error| error.to_string())
    });
    let (Request { token, asked }, messages) = match request {
        Ok(request) => request,
        Err(reason) => {
            super::rpm::complain(format!("forge worker: {reason}\n").as_bytes());
            return NO_REQUEST;
        }
    };
    let channel = Arc::new(Channel::new(messages, token));
    let ended = match asked {
        Asked::Build(order) => carry_out_job(&order, &channel),
        Asked::Read(order) => {
            read_specs(&order, &channel);
            WorkerEnd::Answered
        }
        Asked::Installed(order) => {
            tell_installed(&order, &channel);
            WorkerEnd::Answered
        }
        Asked::Scriptlets(order) => run_scriptlets(&order, &channel),
    };
    let code = match &ended {
        WorkerEnd::Built | WorkerEnd::Answered => 0,
        WorkerEnd::Failed { .. } | WorkerEnd::Unmet { .. } | WorkerEnd::Refused { .. } => FAILED,
    };
    channel.send(&Message::Ended(ended));
    code
}
