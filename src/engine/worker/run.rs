//! A worker as forge starts it: one request goes in, messages come out until it has ended.

use std::time::Duration;

use super::listening::{Listening, WorkerListener};
use super::{Asked, Request, Token};
use crate::engine::EngineError;
use crate::files::HostPath;
use crate::process::{Cancel, Command, Exit, Stream, Supervisor};

/// The command that makes forge a worker; none that a user gives.
pub const WORKER: &str = "worker";

/// Starts workers.
#[derive(Clone, Debug)]
pub struct Workers {
    supervisor: Supervisor,
    /// The program that is the worker: forge.
    forge: HostPath,
}

/// Where a worker runs, and for how long at most.
#[derive(Clone, Copy, Debug)]
pub struct WorkerPlace<'a> {
    /// Its working folder.
    pub folder: &'a HostPath,
    /// How long it may take.
    pub timeout: Duration,
}

impl Workers {
    /// Workers that are the binary at `forge`.
    pub fn new(supervisor: &Supervisor, forge: &HostPath) -> Self {
        Self { supervisor: supervisor.clone(), forge: forge.clone() }
    }

    /// Starts a worker and gives how it ended. What it has not told by then, it will not.
    ///
    /// # Errors
    /// It can't be started.
    pub async fn run(
        &self,
        asked: Asked,
        place: WorkerPlace<'_>,
        cancel: &Cancel,
        listener: &mut dyn WorkerListener,
    ) -> Result<Exit, EngineError> {
        let token = Token::random()?;
        let mut listening = Listening::new(token.clone());
        let request = Request { token, asked }.encode()?;
        let command = Command::new(self.forge.as_os_str(), place.folder, Default::default(), place.timeout);
        let command = command.argument(WORKER).request(request);
        let mut output = |stream: Stream, chunk: &[u8]| match stream {
            Stream::Output => listener.log(chunk),
            // What is no message was not written by a worker that is at work.
            Stream::Error => listening.push(chunk, listener),
        };
        Ok(command.run(&self.supervisor, cancel, &mut output).await?)
    }
}

/// How a worker ended that said nothing of it.
pub fn describe_death(code: i32) -> String {
    match code {
        137 => {
            "its worker was killed (signal 9), most often because the machine ran out of memory".to_owned()
        }
        129.. => format!("its worker was ended by signal {}", code - 128),
        _ => format!("its worker ended with exit code {code} and said nothing of why"),
    }
}
