//! A job, carried out by a worker, and what comes of what the worker tells. What it prints is the log, of which nothing is
//! believed: the last lines are shown, and a program's complaint in them.

use std::io::Write;

use crate::engine::complaints::{first_complaint, known_cause, place, unmet};
use crate::engine::rpmbuild::build::command;
use crate::engine::stage_times::StageTimes;
use crate::engine::work_folder::{self, TAIL};
use crate::engine::worker::{Listening, Token};
use crate::engine::{
    Asked, BuildOrder, Ended, EngineError, FailedScript, Job, Mask, Message, Outcome, Request, StageListener,
    StopReason,
};
use crate::event::StageTime;
use crate::files::{HostPath, RootPath};
use crate::process::{Cancel, Command, Exit, Stream, Supervisor, Tail};
use crate::spec::{Finding, Through};

/// Carries a job out. `forge` is the program that is the worker.
pub(super) async fn carry_out(
    (supervisor, forge): (&Supervisor, &HostPath),
    order: BuildOrder,
    job: &Job,
    cancel: &Cancel,
    listener: &dyn StageListener,
) -> Result<Outcome, EngineError> {
    let top = work_folder::make(job)?;
    let shown = command(&["forge", "rpmbuild"], job, order.checks_dependencies).line();
    let mut log = work_folder::open_log(job, &shown)?;
    let token = Token::random()?;
    let mut listening = Listening::new(token.clone());
    let request = Request { token, asked: Asked::Build(Box::new(order)) };
    let command = Command::new(forge.as_os_str(), &job.top, Default::default(), job.timeout);
    let command = command.argument(WORKER).request(request.encode()?);
    let mask = job.spec.settings.mask();
    let mut masked = mask.stream();
    let mut told = Told::new(listener, &mask);
    let mut tail = Tail::new(TAIL);
    let mut failed_write = None;
    let mut keep = |chunk: &[u8]| {
        failed_write = failed_write.take().or(log.write_all(chunk).err());
        tail.push(chunk, |_| {});
        listener.printed(chunk);
    };
    let mut output = |stream: Stream, chunk: &[u8]| match stream {
        Stream::Output => keep(&masked.push(chunk)),
        Stream::Error => {
            // What is no message was not written by a worker that is at work.
            listening.push(chunk, |message| told.hear(message), |line| keep(&masked.push(line)));
        }
    };
    let exit = command.run(supervisor, cancel, &mut output).await?;
    keep(&masked.finish());
    if let Some(error) = failed_write {
        return Err(error.into());
    }
    let tail = tail.into_lines();
    let Told { stages, problems, wrote, ended, .. } = told;
    let stages = stages.finish();
    let failed = |cause: String| StopReason::Failed { cause };
    let reason = match (exit, ended) {
        (Exit::TimedOut, _) => StopReason::TimedOut,
        (Exit::Canceled, _) => StopReason::Canceled,
        (Exit::Code(_), Some(Ended::Built)) => {
            let packages = work_folder::packages(&top, job, wrote.iter().map(RootPath::as_path));
            if !packages.is_empty() {
                return Ok(Outcome::Built { packages, stages });
            }
            failed("the build ended well but wrote no package".to_owned())
        }
        (Exit::Code(_), Some(Ended::Failed { script })) => {
            failed(cause(script.as_ref(), &stages, &problems, &tail))
        }
        (Exit::Code(_), Some(Ended::Unmet { unmet: list })) => {
            failed(format!("it failed {}: {}", where_it_was(&stages), unmet(&list)))
        }
        (Exit::Code(_), Some(Ended::Refused { reason })) => failed(reason),
        (Exit::Code(code), None) => failed(format!("it failed {}: {}", where_it_was(&stages), died(code))),
    };
    Ok(Outcome::Stopped { reason, stages, tail, problems })
}

/// The command that makes forge a worker; none that a user gives.
pub const WORKER: &str = "worker";

/// What a worker has told so far.
struct Told<'a> {
    stages: StageTimes<'a>,
    mask: &'a Mask,
    problems: Vec<Finding>,
    wrote: Vec<RootPath>,
    ended: Option<Ended>,
}

/// How many problems are kept: a build may tell of one for each file.
const MOST_PROBLEMS: usize = 100;

impl<'a> Told<'a> {
    fn new(listener: &'a dyn StageListener, mask: &'a Mask) -> Self {
        let stages = StageTimes::new(listener);
        Self { stages, mask, problems: Vec::new(), wrote: Vec::new(), ended: None }
    }

    fn hear(&mut self, message: Message) {
        if self.ended.is_some() {
            return;
        }
        match message {
            Message::Stage { name } => self.stages.extend_with(Some(&name)),
            Message::Problem(finding) if self.problems.len() < MOST_PROBLEMS => {
                self.problems.push(masked(finding, self.mask));
            }
            Message::Wrote { path } => self.wrote.push(path),
            Message::Ended(ended) => self.ended = Some(ended),
            Message::Problem(_) | Message::Unknown => {}
        }
    }
}

fn masked(finding: Finding, mask: &Mask) -> Finding {
    let text = |text: String| mask.text(&text).into_owned();
    let steps = |through: Option<Box<Through>>| {
        let steps = std::iter::successors(through.as_deref(), |step| step.next.as_deref());
        Through::of(steps.map(|step| text(step.step.clone())).collect::<Vec<_>>().into_iter())
    };
    Finding {
        title: text(finding.title),
        help: finding.help.map(text),
        through: steps(finding.through),
        ..finding
    }
}

/// A sentence that says in which stage and why a build failed.
fn cause(
    script: Option<&FailedScript>,
    stages: &[StageTime],
    problems: &[Finding],
    tail: &[String],
) -> String {
    let Some(script) = script else {
        let error = problems.iter().find(|problem| problem.is_error());
        let why = match error.map(|error| (error.code.as_str(), error)) {
            Some(("forge::engine::unpackaged", _)) => "files were installed that no %files section lists",
            Some(("forge::engine::file_not_found", _)) => {
                "a %files section lists a file that was not installed"
            }
            Some((_, error)) => error.title.lines().next().unwrap_or_default(),
            None => "nothing was said of why",
        };
        return format!("it failed {}: {why}", where_it_was(stages));
    };
    let known = known_cause(tail).or_else(|| first_complaint(tail));
    let why = known.map_or_else(|| exit_of(script), str::to_owned);
    format!("it failed in {}: {why}", script.name)
}

fn exit_of(script: &FailedScript) -> String {
    match script.code {
        code if code < 0 => format!("its script was ended by signal {}", code.unsigned_abs()),
        code => format!("its script ended with exit code {code}"),
    }
}

fn where_it_was(stages: &[StageTime]) -> String {
    stages.last().map_or_else(|| "before its first stage".to_owned(), |stage| place(&stage.name))
}

/// How a worker ended that said nothing of it.
fn died(code: i32) -> String {
    match code {
        137 => {
            "its worker was killed (signal 9), most often because the machine ran out of memory".to_owned()
        }
        129.. => format!("its worker was ended by signal {}", code - 128),
        _ => format!("its worker ended with exit code {code} and said nothing of why"),
    }
}
