//! A job, carried out by rpmbuild. All that is known of it is what it prints.

use std::path::Path;

use super::cause::describe_failure;
use super::options::with_options;
use super::query::Rpmspec;
use crate::engine::complaints::NO_FILES_SECTION;
use crate::engine::log_excerpt::LogReader;
use crate::engine::stage_times::StageTimes;
use crate::engine::work_folder;
use crate::engine::{Begin, EngineError, Job, Outcome, PACKAGING, Part, StageListener, StopReason};
use crate::files::HostPath;
use crate::process::{Cancel, Command, Exit, PassedLimit, Stream};

/// How rpmbuild ends that has written a source package of what the build needs.
const NEEDS_MORE: i32 = 11;

/// Carries a job out. rpmbuild can check `BuildRequires` where the root's packages are RPM packages, and where nothing is
/// staged: it can't be told of that.
pub(super) async fn carry_out(
    rpm: &Rpmspec,
    checks_dependencies: bool,
    job: &Job,
    cancel: &Cancel,
    listener: &dyn StageListener,
) -> Result<Outcome, EngineError> {
    let top = work_folder::make(job)?;
    let checks_dependencies = checks_dependencies && job.spec.staged.is_empty();
    let command = command(&["rpmbuild"], job, top.path(), checks_dependencies);
    let stop = cancel.inner();
    let mut log = work_folder::open_log(job, &command.line(), &stop)?;
    let command = match job.surroundings() {
        Some(surroundings) => rpm.sandbox.enclose(command, &surroundings),
        None => command,
    };
    let mut stages = StageTimes::new(listener);
    let mut lines = LogReader::new();
    let mut wrote = Vec::new();
    let mask = job.spec.settings.mask();
    let mut masked = mask.stream();
    let mut keep = |chunk: &[u8]| {
        log.push(chunk);
        listener.printed(chunk);
        lines.push(chunk, |line| {
            stages.extend_with(stage_of(line));
            wrote.extend(line.strip_prefix("Wrote: ").map(str::to_owned));
        });
    };
    let mut output = |_: Stream, chunk: &[u8]| keep(&masked.push(chunk));
    let exit = command.run(&rpm.supervisor, &stop, &mut output).await?;
    keep(&masked.finish());
    let is_log_full = log.is_full();
    log.finish()?;
    let stages = stages.finish();
    let excerpt = lines.finish();
    let mut wanted = None;
    let reason = match exit {
        _ if is_log_full && !cancel.is_canceled() => {
            StopReason::Failed { cause: job.describe_passed(PassedLimit::Log) }
        }
        Exit::Code(code) if code == 0 || code == NEEDS_MORE && job.spec.part == Part::BuildRequires => {
            let packages = work_folder::packages(&top, job, wrote.iter().map(|path| (Path::new(path), None)));
            if !packages.is_empty() {
                return Ok(Outcome::Built { packages, stages });
            }
            let cause = match (code, job.spec.part) {
                (0, Part::Packages) => NO_FILES_SECTION.to_owned(),
                (0, Part::SourcePackage | Part::BuildRequires) => {
                    "rpmbuild said that all is well, and wrote no source package".to_owned()
                }
                (code, _) => describe_failure(code, &stages, &excerpt, None),
            };
            StopReason::Failed { cause }
        }
        Exit::Code(code) => {
            wanted = job.find_wanted(&excerpt);
            let why = wanted.as_ref().map(|(why, _)| why.as_str());
            StopReason::Failed { cause: describe_failure(code, &stages, &excerpt, why) }
        }
        Exit::TimedOut => StopReason::TimedOut,
        Exit::Canceled => StopReason::Canceled,
        Exit::PassedLimit(passed) => StopReason::Failed { cause: job.describe_passed(passed) },
    };
    let problems = wanted.into_iter().map(|(_, problem)| problem).collect();
    Ok(Outcome::Stopped { reason, stages, excerpt: excerpt.around_error(), problems })
}

/// rpmbuild's command line for a job, to be run in a folder; `words` are its name, or whatever stands for it.
pub(in crate::engine) fn command(
    words: &[&str],
    job: &Job,
    folder: &HostPath,
    checks_dependencies: bool,
) -> Command {
    let part = match job.spec.part {
        Part::SourcePackage => "-bs",
        Part::BuildRequires => "-br",
        Part::Packages => "-bb",
    };
    let (name, first) = words.split_first().unwrap_or((&"rpmbuild", &[]));
    let command = Command::new(name, folder, job.spec.environment(), job.timeout);
    let mut command = command.arguments(first.iter().copied().chain([part]));
    // Without it, the first thing that is missing would end `-br` before the generator has named all.
    if job.spec.part != Part::Packages || !checks_dependencies {
        command = command.argument("--nodeps");
    }
    if job.spec.begin == Begin::BehindPrep {
        command = command.argument("--noprep");
    }
    let defaults = job.spec.definitions().into_iter().flat_map(|define| ["--define".to_owned(), define]);
    let command = command.together().arguments(defaults);
    let command = with_options(command, &job.spec.settings, &job.spec.sources);
    command.argument("--").argument(job.spec.spec.as_path())
}

/// The stage that a line of rpmbuild begins.
fn stage_of(line: &str) -> Option<&str> {
    match line.strip_prefix("Executing(") {
        Some(rest) => rest.split_once("):").map(|(name, _)| name.trim_start_matches('%')),
        None if line.starts_with("Processing files:") => Some("files"),
        None if line.starts_with("Checking for unpackaged file(s):") => Some(PACKAGING),
        None => None,
    }
}
