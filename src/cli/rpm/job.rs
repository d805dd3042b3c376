//! A job, carried out in a worker.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::build::{BuildTask, MISSING, Teller, build_for_targets};
use super::session::{Common, Session, Variables, complain};
use crate::engine::{
    Begin, BuildListener, BuildOrder, BuildProblem, Channel, FailedScript, Goal, MacroOption, Message, Order,
    Part, RootFiles, Unmet, WorkerEnd,
};
use crate::files::{HostPath, RootPath, reason};
use crate::spec::Finding;

/// Builds, tells of it over `channel`, and gives how it ended.
pub fn carry_out_job(order: &BuildOrder, channel: &Arc<Channel>) -> WorkerEnd {
    match run_job(order, channel) {
        Ok(ended) => ended,
        Err(words) => {
            complain(&words);
            let reason = String::from_utf8_lossy(&words);
            let reason = reason.trim().strip_prefix("error: ").unwrap_or(reason.trim());
            WorkerEnd::Refused { reason: reason.to_owned() }
        }
    }
}

fn run_job(order: &BuildOrder, channel: &Arc<Channel>) -> Result<WorkerEnd, Vec<u8>> {
    let job = &order.job;
    let variables: Variables =
        job.environment().into_iter().map(|(name, value)| (name.into(), value.into())).collect();
    let failed = |error: std::io::Error| format!("error: {}\n", reason(&error)).into_bytes();
    let mut session = Session::new(&variables).map_err(failed)?;
    let tell = Arc::clone(channel);
    session.told.set_listener(Rc::new(move |finding: Finding| tell.send(&Message::Problem(finding))));
    // As rpmbuild, which tells what it runs.
    session.is_verbose = true;
    define(&mut session, order)?;
    let teller = JobTeller {
        words: Teller { told: session.told.clone(), is_quiet: false },
        channel: Arc::clone(channel),
        script: Cell::default(),
        unmet: RefCell::default(),
        wrote: RefCell::default(),
    };
    let goal = match job.part {
        Part::SourcePackage => Goal::Source,
        Part::BuildRequires => Goal::SourceWithRequires,
        Part::Packages => Goal::Binary,
    };
    // Of what the generator names all is wanted, and not the first that is missing.
    let no_dependencies = job.part != Part::Packages || !order.checks_dependencies;
    let staged = job.staged.clone();
    let no_prep = job.begin == Begin::BehindPrep;
    let only_beginning_of = order.only_beginning_of;
    let build =
        Order { goal: Some(goal), only_beginning_of, no_prep, no_dependencies, staged, ..Order::default() };
    let (spec_file, folder) = (job.spec.on_host(), job.top.on_host());
    let files = RootFiles::open().map_err(failed)?;
    let task = BuildTask { order: &build, spec_file: &spec_file, files: &files, folder: &folder };
    let code = build_for_targets(&mut session, &teller, &task)?;
    let unmet = teller.unmet.take();
    for path in teller.wrote.take() {
        let lost = |error| format!("error: {path} was written, and can't be read: {}\n", reason(&error));
        let content = files.read_content(&path).map_err(|error| lost(error).into_bytes())?;
        if let Some(path) = RootPath::in_own_root(&path) {
            channel.send(&Message::Wrote { path, content });
        }
    }
    Ok(match code {
        0 => WorkerEnd::Built,
        // All that it needs is in the source package that was written.
        MISSING if job.part == Part::BuildRequires => WorkerEnd::Built,
        _ if !unmet.is_empty() => WorkerEnd::Unmet { unmet },
        _ => WorkerEnd::Failed { script: teller.script.take() },
    })
}

/// Defines what the job says of macros, as rpmbuild's options would.
fn define(session: &mut Session, order: &BuildOrder) -> Result<(), Vec<u8>> {
    let job = &order.job;
    for definition in job.definitions() {
        session.apply(Common::Define, definition.into_bytes())?;
    }
    for option in job.settings.options(&job.sources) {
        let (option, value) = match option {
            MacroOption::Define { name, body } => {
                (Common::Define, MacroOption::definition(&name, body.reveal()))
            }
            MacroOption::Undefine(name) => (Common::Undefine, name.to_owned()),
            MacroOption::With(name) => (Common::With, name.to_owned()),
            MacroOption::Without(name) => (Common::Without, name.to_owned()),
            MacroOption::Target(target) => (Common::Target, target.to_owned()),
        };
        session.apply(option, value.into_bytes())?;
    }
    Ok(())
}

/// Tells what a build says: in rpmbuild's words to the log, and as messages.
struct JobTeller {
    words: Teller,
    channel: Arc<Channel>,
    /// The script that failed last.
    script: Cell<Option<FailedScript>>,
    unmet: RefCell<Vec<Unmet>>,
    /// Packages, told of when the build has ended: programs that check packages may sign them, too.
    wrote: RefCell<Vec<HostPath>>,
}

impl BuildListener for JobTeller {
    fn notice(&self, text: &[u8]) {
        self.words.notice(text);
    }

    fn stage(&self, name: &str) {
        self.channel.send(&Message::Stage { name: name.to_owned() });
    }

    fn wrote(&self, path: &HostPath) {
        self.wrote.borrow_mut().push(path.clone());
    }

    fn is_quiet(&self) -> bool {
        self.words.is_quiet()
    }

    fn detail(&self, text: &[u8]) {
        self.words.detail(text);
    }

    fn problem(&self, problem: &BuildProblem) {
        if let BuildProblem::BadExit { name, code, .. } = problem {
            // rpmbuild keeps the code to itself.
            self.notice(format!("{name} ended with exit code {code}").as_bytes());
            self.script.set(Some(FailedScript { name: name.clone(), code: *code }));
        }
        if let BuildProblem::BuildRequires { missing } = problem {
            self.unmet.borrow_mut().extend(missing.iter().cloned());
            self.channel.send(&Message::Problem(Finding::from(problem)));
        }
        self.words.problem(problem);
    }
}
