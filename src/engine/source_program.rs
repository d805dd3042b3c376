//! Programs that make sources in a root: a script of the project's, or `make`. They are a stranger's as specs are, and run in a
//! sandbox as builds do; there is no way to run one outside.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::complaints::{first_complaint, known_cause, wants_network};
use super::environment::environment_at_home;
use super::log_excerpt::{LogExcerpt, LogReader};
use super::surroundings::{describe_size, nothing, surroundings};
use super::{EngineError, Isolation, Root, Settings, work_folder};
use crate::files::{HostPath, Mount, RootPath};
use crate::process::{
    Cancel, Command, Exit, PassedLimit, Sandbox, SandboxLimits, Stream, Supervisor, Surroundings,
};

/// A program that makes sources.
#[derive(Clone, Debug)]
pub struct SourceProgram {
    /// Its name, found by the root's `PATH`, or its path; and its arguments.
    pub command: Vec<String>,
    /// The root that it runs in.
    pub root: Root,
    /// Its environment, and whether it may reach the network.
    pub settings: Settings,
    /// The folder of the machine that it works in, and where it sees that. It is its home.
    pub place: Mount,
    /// Others that it sees.
    pub mounts: Vec<Mount>,
    /// A folder that holds what is private to it: `/tmp`, `/var/tmp` and `/home` of its sandbox.
    pub private: HostPath,
    /// Variables that its environment has beside what the settings say.
    pub variables: Vec<(String, String)>,
    /// The folder below that in which it begins.
    pub begin: RootPath,
    /// How much it may take.
    pub limits: SandboxLimits,
    /// How long it may take.
    pub timeout: Duration,
    /// Where all that it prints goes.
    pub log: HostPath,
}

/// How such a program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceProgramEnd {
    /// With exit code 0.
    Well,
    /// Otherwise.
    Failed {
        /// Why, in a sentence.
        reason: String,
        /// The lines of its output that say why: those around the first error, or the last ones.
        excerpt: Vec<String>,
    },
}

/// Runs programs that make sources.
#[derive(Clone, Debug)]
pub struct SourcePrograms {
    supervisor: Supervisor,
    sandbox: Arc<dyn Sandbox>,
    /// As many as run at once: one for each processor, where sources are waited for that are fetched as well.
    slots: Arc<Semaphore>,
}

impl SourcePrograms {
    /// Runs them in `sandbox`.
    pub fn new(supervisor: &Supervisor, sandbox: Arc<dyn Sandbox>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self { supervisor: supervisor.clone(), sandbox, slots: Arc::new(Semaphore::new(processors)) }
    }

    /// Runs one to its end; whatever its settings say, in a sandbox. That it failed is no error.
    ///
    /// # Errors
    /// It can't be started, or it was called off.
    pub async fn run(
        &self,
        program: &SourceProgram,
        cancel: &Cancel,
    ) -> Result<SourceProgramEnd, EngineError> {
        // It is never closed.
        let _slot = self.slots.acquire().await.ok();
        let mut program = program.clone();
        if program.settings.isolation == Isolation::None {
            program.settings.isolation = Isolation::Sandbox;
        }
        let mut environment = environment_at_home(&program.settings, &program.place.root);
        environment.extend(program.variables.iter().cloned());
        let mut words = program.command.iter();
        let name = words.next().map_or("/bin/sh", String::as_str);
        let command = Command::new(name, &program.place.host, environment, program.timeout);
        let command = command.arguments(words).together();
        let stop = cancel.inner();
        let mask = program.settings.mask();
        let log = (&program.log, program.limits.log);
        let mut log = work_folder::open_log_at(log, &mask.text(&command.line()), &stop)?;
        let command = match program.surroundings() {
            Some(surroundings) => self.sandbox.enclose(command, &surroundings),
            None => command,
        };
        let mut masked = mask.stream();
        let mut lines = LogReader::new();
        let mut keep = |chunk: &[u8]| {
            log.push(chunk);
            lines.push(chunk, |_| {});
        };
        let mut output = |_: Stream, chunk: &[u8]| keep(&masked.push(chunk));
        let exit = command.run(&self.supervisor, &stop, &mut output).await?;
        keep(&masked.finish());
        let is_log_full = log.is_full();
        log.finish()?;
        let exit = match exit {
            Exit::Canceled if is_log_full && !cancel.is_canceled() => Exit::PassedLimit(PassedLimit::Log),
            exit @ (Exit::Code(_) | Exit::TimedOut | Exit::Canceled | Exit::PassedLimit(_)) => exit,
        };
        let excerpt = lines.finish();
        let reason = match exit {
            Exit::Code(0) => return Ok(SourceProgramEnd::Well),
            Exit::Canceled => return Err(EngineError::Canceled),
            Exit::Code(code) => program.describe_failure(code, &excerpt),
            Exit::TimedOut => {
                format!("it took more than {}", humantime::format_duration(program.timeout))
            }
            Exit::PassedLimit(passed) => program.describe_passed(passed),
        };
        Ok(SourceProgramEnd::Failed { reason, excerpt: excerpt.around_error() })
    }
}

impl SourceProgram {
    /// What is around it, in a sandbox.
    fn surroundings(&self) -> Option<Surroundings> {
        let own = Surroundings {
            root: self.root.layered(),
            mounts: std::iter::once(&self.place).chain(&self.mounts).cloned().collect(),
            private: Some(self.private.clone()),
            personality: self.settings.personality(),
            limits: self.limits,
            ..nothing()
        };
        surroundings(self.settings.isolation, self.begin.clone(), own)
    }

    fn describe_failure(&self, code: i32, log: &LogExcerpt) -> String {
        let end = match code {
            129.. => format!("it was ended by signal {}", code - 128),
            _ => format!("it ended with exit code {code}"),
        };
        let known = known_cause(&log.tail).map(str::to_owned);
        let why = known.or_else(|| log.error.clone()).or_else(|| first_complaint(&log.tail));
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let network = match self.settings.isolation {
            Isolation::Sandbox if wants_network(&log.tail) => {
                " (it may not reach the network: `network #true` in the block of the source lets it)"
            }
            Isolation::Sandbox | Isolation::SandboxWithNetwork | Isolation::None => "",
        };
        format!("{end}{why}{network}")
    }

    fn describe_passed(&self, passed: PassedLimit) -> String {
        let size = |bytes: Option<u64>| describe_size(bytes.unwrap_or_default());
        let (did, limit) = match passed {
            PassedLimit::Memory => ("used more memory", size(self.limits.memory)),
            PassedLimit::Disk => ("wrote more", size(self.limits.disk)),
            PassedLimit::Log => ("printed more", describe_size(self.limits.log)),
        };
        format!("it {did} than its limit of {limit}")
    }
}
