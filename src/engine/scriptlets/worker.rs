//! Scriptlets as forge has them run: one worker for all of a root.

use std::sync::Arc;
use std::time::Duration;

use super::ScriptletEnd;
use crate::engine::worker::{WorkerListener, WorkerPlace, Workers, describe_death};
use crate::engine::{
    Asked, EngineError, FailedScript, Message, ScriptletOrder, ScriptletProgress, WorkerEnd,
};
use crate::files::HostPath;
use crate::process::{Cancel, Exit, Sandbox, Supervisor, Surroundings};

/// Starts workers that run scriptlets.
#[derive(Clone, Debug)]
pub struct ScriptletWorker {
    workers: Workers,
}

/// Receives what comes of scriptlets while they run.
pub trait ScriptletListener: Send {
    /// How far they are.
    fn progress(&mut self, progress: ScriptletProgress);
    /// A piece of their log, in which the words of each follow a line with its name.
    fn log(&mut self, chunk: &[u8]);
}

/// How scriptlets ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScriptletsDone {
    /// All were run. Those that failed did no more harm than rpm would let them: their places, and how they ended.
    Well {
        /// Those that failed.
        warnings: Vec<(usize, ScriptletEnd)>,
    },
    /// One failed that its package can't be installed without.
    Failed(FailedScript),
    /// The worker could not do its work, and what it says of it.
    Broken(String),
}

impl ScriptletWorker {
    /// Workers that are the binary at `forge`, in `sandbox`.
    pub fn new(supervisor: &Supervisor, forge: &HostPath, sandbox: Arc<dyn Sandbox>) -> Self {
        Self { workers: Workers::new(supervisor, forge, sandbox) }
    }

    /// Runs scriptlets in the root that `inside` has, as that has it; on the machine itself where there is none.
    ///
    /// # Errors
    /// The worker can't be started, or it was canceled.
    pub async fn run(
        &self,
        order: ScriptletOrder,
        (folder, inside, timeout): (&HostPath, Option<&Surroundings>, Duration),
        cancel: &Cancel,
        listener: &mut dyn ScriptletListener,
    ) -> Result<ScriptletsDone, EngineError> {
        let mut heard = ScriptletMessages { listener, warnings: Vec::new(), ended: None };
        let place = WorkerPlace { folder, inside, timeout };
        let exit = self.workers.run(Asked::Scriptlets(order), place, cancel, &mut heard).await;
        let changes = inside.and_then(|around| around.root.as_ref()?.changes.as_ref());
        if let Some(changes) = changes
            && let Err(why) = self.workers.settle(changes).await
        {
            return Ok(ScriptletsDone::Broken(format!("what they have written can't be kept: {why}")));
        }
        let exit = exit?;
        Ok(match (exit, heard.ended) {
            (Exit::Canceled, _) => return Err(EngineError::Canceled),
            (Exit::TimedOut, _) => ScriptletsDone::Broken(format!("they took more than {timeout:?}")),
            (_, Some(WorkerEnd::Answered)) => ScriptletsDone::Well { warnings: heard.warnings },
            (_, Some(WorkerEnd::Failed { script: Some(script) })) => ScriptletsDone::Failed(script),
            (_, Some(WorkerEnd::Refused { reason })) => ScriptletsDone::Broken(reason),
            (_, Some(WorkerEnd::Built | WorkerEnd::Failed { .. } | WorkerEnd::Unmet { .. })) => {
                ScriptletsDone::Broken("its worker did something else".to_owned())
            }
            (Exit::Code(code), None) => ScriptletsDone::Broken(describe_death(code)),
            (Exit::PassedLimit(limit), None) => {
                ScriptletsDone::Broken(format!("they took too much: {limit:?}"))
            }
        })
    }
}

struct ScriptletMessages<'l> {
    listener: &'l mut dyn ScriptletListener,
    warnings: Vec<(usize, ScriptletEnd)>,
    ended: Option<WorkerEnd>,
}

impl WorkerListener for ScriptletMessages<'_> {
    fn message(&mut self, message: Message) {
        match message {
            Message::Scriptlet(progress) => {
                if let ScriptletProgress::Ended { number, end } = &progress
                    && end.describe().is_some()
                {
                    self.warnings.push((*number, end.clone()));
                }
                self.listener.progress(progress);
            }
            Message::Ended(ended) => self.ended = Some(ended),
            Message::Stage { .. }
            | Message::Problem(_)
            | Message::Wrote { .. }
            | Message::Reading { .. }
            | Message::Answered { .. }
            | Message::Installed { .. }
            | Message::Unknown => {}
        }
    }

    fn log(&mut self, chunk: &[u8]) {
        self.listener.log(chunk);
    }
}
