//! What `forge rpmbuild` and workers have in common: a spec, built for each of its targets, in rpmbuild's words.

use std::io::{self, Write};
use std::rc::Rc;

use super::session::{ProblemLog, Session, complain, print};
use crate::engine::{BuildListener, BuildProblem, BuildRequest, Goal, Order, RootFiles, Unbuilt, build};
use crate::files::HostPath;
use crate::macros::Stop;
use crate::spec::{Finding, PackageChecks, Report, ReportListener, Spec};

/// The exit code that says that something the build needs is missing.
pub const MISSING: u8 = 11;

/// What is to be built.
pub struct BuildTask<'t> {
    /// How.
    pub order: &'t Order,
    /// The spec.
    pub spec_file: &'t HostPath,
    /// The files of the root that it is built in.
    pub files: &'t RootFiles,
    /// What is built with `--build-in-place`.
    pub folder: &'t HostPath,
}

/// Builds for all targets that were asked for; gives rpmbuild's exit code.
///
/// # Errors
/// Macros can't be loaded; the message.
pub fn build_for_targets(
    session: &mut Session,
    teller: &dyn BuildListener,
    task: &BuildTask<'_>,
) -> Result<u8, Vec<u8>> {
    let given = session.targets();
    if given.len() > 1 || !given.is_empty() {
        announce(&given.join(","), session.is_quiet);
    }
    let targets = if given.is_empty() { vec![None] } else { given.into_iter().map(Some).collect() };
    for target in targets {
        if let Some(target) = &target {
            session.set_target(Some(target));
            announce_one(target, session.is_quiet);
        }
        let code = build_for_target(session, teller, task, target.is_none())?;
        if code != 0 {
            return Ok(code);
        }
    }
    Ok(0)
}

fn announce(targets: &str, is_quiet: bool) {
    if !is_quiet {
        complain(format!("Building target platforms: {targets}\n").as_bytes());
    }
}

fn announce_one(target: &str, is_quiet: bool) {
    if !is_quiet {
        complain(format!("Building for target {target}\n").as_bytes());
    }
}

/// Tells what a build says, as rpmbuild does.
pub struct Teller {
    /// What has been told.
    pub told: ProblemLog,
    /// `--quiet`
    pub is_quiet: bool,
}

impl BuildListener for Teller {
    fn notice(&self, text: &[u8]) {
        if !self.is_quiet {
            let mut output = io::stdout().lock();
            // Nobody is left to be told, if it is gone.
            let _ =
                output.write_all(text).and_then(|()| output.write_all(b"\n")).and_then(|()| output.flush());
        }
    }

    fn stage(&self, _name: &str) {}

    fn wrote(&self, _path: &HostPath) {}

    fn is_quiet(&self) -> bool {
        self.is_quiet
    }

    fn detail(&self, text: &[u8]) {
        complain(text);
    }

    fn problem(&self, problem: &BuildProblem) {
        let kind = if problem.is_error() { "error" } else { "warning" };
        let message = format!("{kind}: {problem}\n");
        // rpm does not repeat this one at the end.
        if matches!(problem, BuildProblem::BuildRequires { .. }) {
            complain(message.as_bytes());
        } else {
            self.told.tell_finding(message.as_bytes(), || Finding::from(problem));
        }
    }
}

/// Builds for one target; where the spec names others, for those.
fn build_for_target(
    session: &mut Session,
    teller: &dyn BuildListener,
    task: &BuildTask<'_>,
    is_open: bool,
) -> Result<u8, Vec<u8>> {
    let before = session.macros()?.table();
    let Ok(spec) = read_spec(session, task.spec_file, task.order.goal)? else {
        session.macros()?.set_table(before);
        return Ok(1);
    };
    if let Some(problem) = task.order.ruled_out(&spec) {
        // For rpm the spec is one that can't be read: nothing is repeated at the end.
        teller.problem(&problem);
        session.told.take();
        session.macros()?.set_table(before);
        return Ok(1);
    }
    // A spec that names its architectures is read again for each of them, and what is wrong with it is told again.
    if is_open && !spec.build_archs.is_empty() {
        let archs: Vec<String> = std::iter::once(&spec)
            .chain(&spec.variants)
            .map(|variant| variant.target.arch.to_string())
            .collect();
        announce(&archs.join(","), session.is_quiet);
        for arch in archs {
            announce_one(&arch, session.is_quiet);
            session.set_target(Some(&arch));
            let code = build_for_target(session, teller, task, false)?;
            if code != 0 {
                return Ok(code);
            }
        }
        session.set_target(None);
        return Ok(0);
    }
    let macros = session.macros()?;
    let listener = spec_listener(&session.told);
    let request = BuildRequest {
        macros: &macros,
        files: task.files,
        spec,
        order: task.order,
        listener: teller,
        spec_listener: listener,
        folder: task.folder.clone(),
    };
    let built = build(request);
    macros.set_table(before);
    summary(&session.told, session.is_quiet, built);
    Ok(match built {
        Ok(()) => 0,
        Err(Unbuilt::Failed) => 1,
        Err(Unbuilt::MissingBuildRequires) => MISSING,
    })
}

fn spec_listener(told: &ProblemLog) -> ReportListener {
    let told = told.clone();
    Rc::new(move |report: &Report| {
        told.tell_finding(format!("{}\n", report.as_rpm()).as_bytes(), || Finding::from(report))
    })
}

/// Reads the spec.
fn read_spec(
    session: &mut Session,
    file: &HostPath,
    goal: Option<Goal>,
) -> Result<Result<Spec, Stop>, Vec<u8>> {
    let checks = match goal {
        Some(Goal::Source | Goal::SourceWithRequires) => PackageChecks::AtOnce,
        _ => PackageChecks::WithFiles,
    };
    let listener = spec_listener(&session.told);
    session.read_spec(file.to_string().as_bytes(), checks, listener)
}

/// Repeats what was wrong, once all else has been said: warnings, and errors where they ended the build.
fn summary(told: &ProblemLog, is_quiet: bool, built: Result<(), Unbuilt>) {
    let (mut errors, warnings) = told.take();
    match built {
        Err(Unbuilt::Failed) => {}
        Err(Unbuilt::MissingBuildRequires) | Ok(()) => errors.clear(),
    }
    if is_quiet {
        return;
    }
    for (title, lines) in [("warnings", warnings), ("errors", errors)] {
        if lines.is_empty() {
            continue;
        }
        // Nobody is left to be told, if it is gone.
        let _ = print(format!("\nRPM build {title}:\n").as_bytes());
        for line in lines {
            complain(&[b"    ", line.as_slice(), b"\n"].concat());
        }
    }
}
