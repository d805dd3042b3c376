//! A job, carried out by a worker, and what comes of what the worker tells. What it prints is the log, of which nothing is
//! believed: the last lines are shown, and a program's complaint in them.

use crate::engine::complaints::{NO_FILES_SECTION, first_complaint, known_cause, place, unmet};
use crate::engine::limits::ANSWER_TIME;
use crate::engine::log_excerpt::{LogExcerpt, LogReader};
use crate::engine::log_file::LogFile;
use crate::engine::rpmbuild::build::command;
use crate::engine::stage_times::StageTimes;
use crate::engine::work_folder;
use crate::engine::worker::{WorkerListener, WorkerPlace, Workers, describe_death};
use crate::engine::{
    Asked, BuildOrder, EngineError, FailedScript, Job, Mask, MaskedStream, Message, Outcome, Part,
    StageListener, StopReason, WorkerEnd, WrittenContent,
};
use crate::event::StageTime;
use crate::files::RootPath;
use crate::process::{Cancel, Exit, PassedLimit, Tail};
use crate::spec::{Finding, Through};

/// Has a worker carry a job out.
pub(super) async fn run_job(
    workers: &Workers,
    order: BuildOrder,
    job: &Job,
    cancel: &Cancel,
    listener: &dyn StageListener,
) -> Result<Outcome, EngineError> {
    let top = work_folder::make(job)?;
    let shown = command(&["forge", "rpmbuild"], job, top.path(), order.checks_dependencies).line();
    let stop = cancel.inner();
    let log = work_folder::open_log(job, &shown, &stop)?;
    let mask = job.spec.settings.mask();
    let mut messages = BuildMessages::new(listener, &mask, log);
    let inside = job.surroundings();
    let place = WorkerPlace { folder: top.path(), inside: inside.as_ref(), timeout: job.timeout };
    let exit = workers.run(Asked::Build(Box::new(order)), place, &stop, &mut messages).await?;
    let BuildMessages { stages, mut problems, wrote, ended, log, .. } = messages;
    let (excerpt, is_log_full) = log.finish()?;
    let is_script = matches!(&ended, Some(WorkerEnd::Failed { script: Some(_) }));
    let stages = stages.finish();
    let failed = |cause: String| StopReason::Failed { cause };
    let reason = match (exit, ended) {
        _ if is_log_full && !cancel.is_canceled() => failed(job.describe_passed(PassedLimit::Log)),
        (Exit::TimedOut, _) => StopReason::TimedOut,
        (Exit::Canceled, _) => StopReason::Canceled,
        (Exit::PassedLimit(passed), _) => failed(job.describe_passed(passed)),
        (Exit::Code(_), Some(WorkerEnd::Built)) => {
            let packages = work_folder::packages(
                &top,
                job,
                wrote.iter().map(|(path, content)| (path.as_path(), Some(*content))),
            );
            if !packages.is_empty() {
                return Ok(Outcome::Built { packages, stages });
            }
            failed(match job.spec.part {
                Part::Packages => NO_FILES_SECTION.to_owned(),
                Part::SourcePackage | Part::BuildRequires => {
                    "the build ended well, and wrote no source package".to_owned()
                }
            })
        }
        (Exit::Code(_), Some(WorkerEnd::Failed { script })) => {
            match job.find_wanted(&excerpt).filter(|_| is_script) {
                Some((why, problem)) => {
                    problems.push(problem);
                    failed(format!("it failed {}: {why}", describe_place(&stages)))
                }
                None => failed(describe_failure(script.as_ref(), &stages, &problems, &excerpt)),
            }
        }
        (Exit::Code(_), Some(WorkerEnd::Unmet { unmet: list })) => {
            failed(format!("it failed {}: {}", describe_place(&stages), unmet(&list)))
        }
        (Exit::Code(_), Some(WorkerEnd::Refused { reason })) => failed(reason),
        (Exit::Code(_), Some(WorkerEnd::Answered)) => failed("its worker did something else".to_owned()),
        (Exit::Code(code), None) => {
            failed(format!("it failed {}: {}", describe_place(&stages), describe_death(code)))
        }
    };
    // What forge itself has found stands at the end of the log.
    let excerpt = if is_script { excerpt.around_error() } else { excerpt.last_lines() };
    Ok(Outcome::Stopped { reason, stages, excerpt, problems })
}

/// Has a worker write down the beginning of a script; gives why it could not.
pub(super) async fn write_shell_beginning(
    workers: &Workers,
    order: BuildOrder,
    job: &Job,
    cancel: &Cancel,
) -> Result<Option<String>, EngineError> {
    let (here, inside) = (job.top_on_host()?, job.surroundings());
    let place = WorkerPlace { folder: &here, inside: inside.as_ref(), timeout: ANSWER_TIME };
    let mut heard = LastWords { ended: None, problem: None, tail: Tail::new(1) };
    let exit = workers.run(Asked::Build(Box::new(order)), place, cancel, &mut heard).await?;
    Ok(match (exit, heard.ended) {
        (Exit::Code(_), Some(WorkerEnd::Built)) => None,
        (Exit::Canceled, _) => return Err(EngineError::Canceled),
        (_, Some(WorkerEnd::Refused { reason })) => Some(reason),
        (Exit::Code(code), None) => Some(describe_death(code)),
        (Exit::TimedOut, _) => Some("its worker gave no answer".to_owned()),
        (_, _) => heard.problem.or_else(|| heard.tail.into_lines().pop()).or_else(|| Some(String::new())),
    }
    .map(|why| job.spec.settings.mask().text(&why).into_owned()))
}

/// What a worker says that has nothing to build.
struct LastWords {
    ended: Option<WorkerEnd>,
    problem: Option<String>,
    tail: Tail,
}

impl WorkerListener for LastWords {
    fn message(&mut self, message: Message) {
        match message {
            Message::Problem(finding) if finding.is_error() => {
                self.problem.get_or_insert(finding.title);
            }
            Message::Ended(ended) => self.ended = Some(ended),
            Message::Problem(_)
            | Message::Stage { .. }
            | Message::Wrote { .. }
            | Message::Reading { .. }
            | Message::Answered { .. }
            | Message::Installed { .. }
            | Message::Scriptlet(_)
            | Message::Unknown => {}
        }
    }

    fn log(&mut self, chunk: &[u8]) {
        self.tail.push(chunk, |_| {});
    }
}

/// The log of a build, without secrets.
struct Log<'a> {
    lines: LogLines<'a>,
    masked: MaskedStream<'a>,
}

/// The file of a log, and what is kept of it.
struct LogLines<'a> {
    listener: &'a dyn StageListener,
    file: LogFile,
    kept: LogReader,
}

impl Log<'_> {
    fn push(&mut self, chunk: &[u8]) {
        let chunk = self.masked.push(chunk);
        self.lines.push(&chunk);
    }

    /// Gives what is kept of it, and whether it was full.
    fn finish(self) -> Result<(LogExcerpt, bool), EngineError> {
        let Self { mut lines, masked } = self;
        lines.push(&masked.finish());
        let is_full = lines.file.is_full();
        lines.file.finish()?;
        Ok((lines.kept.finish(), is_full))
    }
}

impl LogLines<'_> {
    fn push(&mut self, chunk: &[u8]) {
        self.file.push(chunk);
        self.kept.push(chunk, |_| {});
        self.listener.printed(chunk);
    }
}

/// What a worker has told so far.
struct BuildMessages<'a> {
    stages: StageTimes<'a>,
    mask: &'a Mask,
    log: Log<'a>,
    problems: Vec<Finding>,
    wrote: Vec<(RootPath, WrittenContent)>,
    ended: Option<WorkerEnd>,
}

/// How many problems are kept: a build may tell of one for each file.
const MOST_PROBLEMS: usize = 100;

impl<'a> BuildMessages<'a> {
    fn new(listener: &'a dyn StageListener, mask: &'a Mask, file: LogFile) -> Self {
        let lines = LogLines { listener, file, kept: LogReader::new() };
        let log = Log { lines, masked: mask.stream() };
        let stages = StageTimes::new(listener);
        Self { stages, mask, log, problems: Vec::new(), wrote: Vec::new(), ended: None }
    }
}

impl WorkerListener for BuildMessages<'_> {
    fn message(&mut self, message: Message) {
        if self.ended.is_some() {
            return;
        }
        match message {
            Message::Stage { name } => self.stages.extend_with(Some(&name)),
            Message::Problem(finding) if self.problems.len() < MOST_PROBLEMS => {
                self.problems.push(mask_finding(finding, self.mask));
            }
            Message::Wrote { path, content } => self.wrote.push((path, content)),
            Message::Ended(ended) => self.ended = Some(ended),
            Message::Problem(_)
            | Message::Reading { .. }
            | Message::Answered { .. }
            | Message::Installed { .. }
            | Message::Scriptlet(_)
            | Message::Unknown => {}
        }
    }

    fn log(&mut self, chunk: &[u8]) {
        self.log.push(chunk);
    }
}

fn mask_finding(finding: Finding, mask: &Mask) -> Finding {
    let text = |text: String| mask.text(&text).into_owned();
    let steps = |through: Option<Box<Through>>| {
        let steps = std::iter::successors(through.as_deref(), |step| step.next.as_deref());
        Through::from_steps(steps.map(|step| text(step.step.clone())).collect::<Vec<_>>().into_iter())
    };
    Finding {
        title: text(finding.title),
        help: finding.help.map(text),
        through: steps(finding.through),
        ..finding
    }
}

/// A sentence that says in which stage and why a build failed.
fn describe_failure(
    script: Option<&FailedScript>,
    stages: &[StageTime],
    problems: &[Finding],
    log: &LogExcerpt,
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
        return format!("it failed {}: {why}", describe_place(stages));
    };
    let known = known_cause(&log.tail).map(str::to_owned);
    let why = known.or_else(|| log.error.clone()).or_else(|| first_complaint(&log.tail));
    let why = why.unwrap_or_else(|| describe_exit(script));
    format!("it failed in {}: {why}", script.name)
}

fn describe_exit(script: &FailedScript) -> String {
    match script.code {
        code if code < 0 => format!("its script was ended by signal {}", code.unsigned_abs()),
        code => format!("its script ended with exit code {code}"),
    }
}

fn describe_place(stages: &[StageTime]) -> String {
    stages.last().map_or_else(|| "before its first stage".to_owned(), |stage| place(&stage.name))
}
