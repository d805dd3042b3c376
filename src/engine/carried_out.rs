//! A job, carried out by a program that takes rpmbuild's options: the root's own, or this one in its place.

use std::io::Write;

use std::ffi::OsString;

use cap_std::fs::{Permissions, PermissionsExt};

use super::rpmbuild::{environment, with_options};
use super::{EngineError, Job, Outcome, Part, StageListener, StopReason, cause};
use crate::event::{Clock, StageTime, SystemClock, Timestamp};
use crate::files::{Folder, HostPath};
use crate::process::{Cancel, Command, Exit, Stream, Supervisor, Tail};

/// The name of the stage in which packages are put together, which is no section of a spec.
pub(super) const PACKAGING: &str = "packages";

/// Where what staged packages provide is written, below the job's folder.
const STAGED: &str = "staged.json";

/// How rpmbuild ends that has written a source package of what the build needs.
const NEEDS_MORE: i32 = 11;

/// How many of the last lines of a log a failure shows.
const TAIL: usize = 20;

/// The folders that a job may write packages to, as `rpmbuild`'s macros name them.
const RESULT_FOLDERS: [&str; 2] = ["RPMS", "SRPMS"];

/// The program.
pub(super) struct Program<'p> {
    pub(super) supervisor: &'p Supervisor,
    /// Its name, and the words that come before all others.
    pub(super) words: (OsString, &'static [&'static str]),
    /// Whether it can check `BuildRequires` against the root's package database: it would refuse every build, were the
    /// database of a root of another kind empty.
    pub(super) checks_dependencies: bool,
    /// Whether it can be told what staged packages provide; one that can't would miss them.
    pub(super) hears_of_staged: bool,
}

/// Carries a job out.
pub(super) async fn carry_out(
    program: &Program<'_>,
    job: &Job,
    cancel: &Cancel,
    listener: &dyn StageListener,
) -> Result<Outcome, EngineError> {
    let top = Folder::create_scratch(&job.top)?;
    if job.settings.secrets().next().is_some() {
        // Scripts with secrets lie there while they run, and until the next build where forge itself is killed.
        top.dir().set_permissions(".", Permissions::from_mode(0o700))?;
    }
    for folder in ["BUILD", "BUILDROOT", "tmp"].iter().chain(&RESULT_FOLDERS) {
        top.create(folder)?;
    }
    if program.hears_of_staged && !job.staged.is_empty() {
        top.write_atomic(STAGED, &serde_json::to_vec(&job.staged).map_err(std::io::Error::from)?)?;
    }
    let command = command(program, job);
    let mut log = open_log(job, &command)?;
    let mut stages = Stages::new(listener);
    let mut tail = Tail::new(TAIL);
    let mut wrote = Vec::new();
    let mut failed_write = None;
    let mask = job.settings.mask();
    let mut masked = mask.stream();
    let mut keep = |chunk: &[u8]| {
        failed_write = failed_write.take().or(log.write_all(chunk).err());
        tail.push(chunk, |line| {
            stages.line(line);
            wrote.extend(line.strip_prefix("Wrote: ").map(str::to_owned));
        });
    };
    let mut output = |_: Stream, chunk: &[u8]| keep(&masked.push(chunk));
    let exit = command.run(program.supervisor, cancel, &mut output).await?;
    keep(&masked.finish());
    if let Some(error) = failed_write {
        return Err(error.into());
    }
    let stages = stages.finish();
    let tail = tail.into_lines();
    let reason = match exit {
        Exit::Code(0) => return built(&top, job, &wrote, stages),
        Exit::Code(NEEDS_MORE) if job.part == Part::BuildRequires && !wrote.is_empty() => {
            return built(&top, job, &wrote, stages);
        }
        Exit::Code(code) => StopReason::Failed { cause: cause::of(code, &stages, &tail) },
        Exit::TimedOut => StopReason::TimedOut,
        Exit::Canceled => StopReason::Canceled,
    };
    Ok(Outcome::Stopped { reason, stages, tail })
}

fn command(program: &Program<'_>, job: &Job) -> Command {
    let mut environment = environment(&job.settings, &job.top);
    environment.insert("SOURCE_DATE_EPOCH".to_owned(), job.source_date_epoch.to_string());
    for (name, folders) in &job.search {
        let own = environment.get(name).map(|own| format!(":{own}")).unwrap_or_default();
        environment.insert(name.clone(), format!("{folders}{own}"));
    }
    let part = match job.part {
        Part::SourcePackage => "-bs",
        Part::BuildRequires => "-br",
        Part::Packages => "-bb",
    };
    let (name, first) = &program.words;
    let command = Command::new(name, &job.top, environment, job.timeout);
    let mut command = command.arguments(first.iter().copied().chain([part]));
    let has_own_check = program.checks_dependencies && (program.hears_of_staged || job.staged.is_empty());
    // Without it, the first thing that is missing would end `-br` before the generator has named all.
    if job.part != Part::Packages || !has_own_check {
        command = command.argument("--nodeps");
    } else if !job.staged.is_empty() {
        command = command.argument("--staged").argument(job.top.join(STAGED).as_os_str());
    }
    let defaults = defaults(job).into_iter().flat_map(|define| ["--define".to_owned(), define]);
    let command = command.together().arguments(defaults);
    with_options(command, &job.settings, &job.sources).argument("--").argument(job.spec.as_os_str())
}

/// Macros of every build: where it works, and that two builds of the same thing come out the same. The manifest's
/// own macros follow and override them.
fn defaults(job: &Job) -> Vec<String> {
    let top = &job.top;
    vec![
        format!("_topdir {top}"),
        format!("_tmppath {top}/tmp"),
        "_buildhost localhost".to_owned(),
        "use_source_date_epoch_as_buildtime 1".to_owned(),
        "clamp_mtime_to_source_date_epoch 1".to_owned(),
        "build_mtime_policy clamp_to_source_date_epoch".to_owned(),
    ]
}

fn open_log(job: &Job, command: &Command) -> Result<cap_std::fs::File, EngineError> {
    let path = job.log.as_path();
    let folder = path.parent().and_then(HostPath::new).unwrap_or_else(|| job.top.clone());
    let name = path.file_name().unwrap_or_default();
    let mut options = cap_std::fs::OpenOptions::new();
    options.append(true).create(true);
    let mut log = Folder::open_ambient(&folder)?.dir().open_with(name, &options)?;
    writeln!(log, "$ {}", command.line())?;
    Ok(log)
}

/// The packages that rpmbuild says it wrote, if they lie where it was told to write.
fn built(top: &Folder, job: &Job, wrote: &[String], stages: Vec<StageTime>) -> Result<Outcome, EngineError> {
    let mut packages = Vec::new();
    for path in wrote {
        let below = std::path::Path::new(path).strip_prefix(job.top.as_path()).ok();
        let below = below.filter(|below| RESULT_FOLDERS.iter().any(|folder| below.starts_with(folder)));
        packages
            .extend(below.filter(|below| top.file_size(below).is_some()).map(|below| top.path().join(below)));
    }
    packages.sort();
    if packages.is_empty() {
        let reason = StopReason::Failed { cause: "rpmbuild ended well but wrote no package".to_owned() };
        return Ok(Outcome::Stopped { reason, stages, tail: Vec::new() });
    }
    Ok(Outcome::Built { packages, stages })
}

/// The stages that rpmbuild goes through, read from what it prints.
struct Stages<'a> {
    listener: &'a dyn StageListener,
    clock: SystemClock,
    begun: Vec<(String, Timestamp)>,
}

impl<'a> Stages<'a> {
    fn new(listener: &'a dyn StageListener) -> Self {
        Self { listener, clock: SystemClock, begun: Vec::new() }
    }

    fn line(&mut self, line: &str) {
        let name = match line.strip_prefix("Executing(") {
            Some(rest) => rest.split_once("):").map(|(name, _)| name.trim_start_matches('%')),
            None if line.starts_with("Processing files:") => Some("files"),
            None if line.starts_with("Checking for unpackaged file(s):") => Some(PACKAGING),
            None => None,
        };
        let Some(name) = name.filter(|name| self.begun.last().is_none_or(|(last, _)| last != name)) else {
            return;
        };
        self.listener.stage(name);
        self.begun.push((name.to_owned(), self.clock.now()));
    }

    fn finish(self) -> Vec<StageTime> {
        let ends = self.begun.iter().skip(1).map(|(_, at)| *at).chain([self.clock.now()]);
        let timed = self.begun.iter().zip(ends).map(|((name, begun), ended)| StageTime {
            name: name.clone(),
            milliseconds: u64::try_from(ended.since(*begun).as_millis()).unwrap_or(u64::MAX),
        });
        timed.collect()
    }
}
