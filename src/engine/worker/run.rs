//! A worker as forge starts it: one request goes in, messages come out until it has ended.

use std::ffi::OsStr;
use std::sync::Arc;
use std::time::Duration;

use super::listening::{Listening, WorkerListener};
use super::{Asked, Request, Token};
use crate::engine::EngineError;
use crate::files::HostPath;
use crate::process::{Cancel, Command, Exit, Sandbox, Stream, Supervisor, Surroundings};

/// The command that makes forge a worker; none that a user gives.
pub const WORKER: &str = "worker";

/// Starts workers.
#[derive(Clone, Debug)]
pub struct Workers {
    supervisor: Supervisor,
    sandbox: Arc<dyn Sandbox>,
    /// The program that is the worker: forge.
    forge: HostPath,
}

/// Where a worker runs, and for how long at most.
#[derive(Clone, Copy, Debug)]
pub struct WorkerPlace<'a> {
    /// Its working folder, on the machine.
    pub folder: &'a HostPath,
    /// What it has around it, if it runs in a sandbox.
    pub inside: Option<&'a Surroundings>,
    /// How long it may take.
    pub timeout: Duration,
}

impl Workers {
    /// Workers that are the binary at `forge`.
    pub fn new(supervisor: &Supervisor, forge: &HostPath, sandbox: Arc<dyn Sandbox>) -> Self {
        Self { supervisor: supervisor.clone(), sandbox, forge: forge.clone() }
    }

    /// Gives what root of a sandbox has written in a folder to the user that forge runs as.
    ///
    /// # Errors
    /// It can't be done: in words.
    pub async fn settle(&self, folder: &HostPath) -> Result<(), String> {
        let Some(command) = self.sandbox.settle(folder) else { return Ok(()) };
        let mut said = Vec::new();
        let mut output = |_: Stream, chunk: &[u8]| said.extend_from_slice(chunk);
        match command.run(&self.supervisor, &Cancel::default(), &mut output).await {
            Ok(Exit::Code(0)) => Ok(()),
            Ok(Exit::Code(_) | Exit::TimedOut | Exit::Canceled | Exit::PassedLimit(_)) => {
                Err(String::from_utf8_lossy(&said).trim().to_owned())
            }
            Err(error) => Err(error.to_string()),
        }
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
        let (folder, timeout) = (place.folder, place.timeout);
        let worker = |forge: &OsStr| {
            let command = Command::new(forge, folder, Default::default(), timeout);
            command.argument(WORKER).request(request)
        };
        let command = match place.inside {
            None => worker(self.forge.as_os_str()),
            Some(surroundings) => {
                let command = worker(self.sandbox.forge_inside().as_path().as_os_str());
                self.sandbox.enclose(command, surroundings)
            }
        };
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
            "its worker was killed (signal 9): by the machine, for want of memory, or by a script of the build".to_owned()
        }
        129.. => format!("its worker was ended by signal {}", code - 128),
        _ => format!("its worker ended with exit code {code} and said nothing of why"),
    }
}
