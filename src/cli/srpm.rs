//! `forge srpm`

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::named_files::find_project;
use super::planning::{Planned, plan, runtime};
use super::project::Project;
use super::selection_arguments::Selection;
use super::source_arguments::Srpm;
use crate::engine::StageListener;
use crate::event::{self, SystemClock};
use crate::execute::{
    LocalRunner, PreparedTrees, Runner, ScheduledBuild, StepRun, Task, schedule_source_package,
};
use crate::files::{Folder, Sharing};
use crate::process::Cancel;
use crate::store::ResultFile;
use crate::ui::plain_text;

/// Makes source packages, and builds nothing.
pub fn run(arguments: &Srpm, context: &Context) -> Result<Exit, Failure> {
    runtime()?.block_on(make(arguments, context))
}

async fn make(arguments: &Srpm, context: &Context) -> Result<Exit, Failure> {
    let mut selection = Selection {
        packages: arguments.packages.clone(),
        chroot: arguments.chroot.iter().cloned().collect(),
        profile: arguments.profile.clone(),
        lock: arguments.lock.clone(),
        ..Selection::default()
    };
    let project = find_project(&mut selection, context)?;
    // The work folders are those of an apply.
    let _lock = project.lock("forge srpm")?;
    let cancel = Cancel::default();
    let planned = plan(&project, &selection, &cancel, context).await?;
    let _store_lock = planned.store.lock_for_use()?;
    planned.write_lock(&project.repository)?;
    let impossible = planned.show_without_source_package(context);
    let output = match &arguments.output {
        Some(folder) => Folder::create_ambient(&context.named(folder)?),
        None => Folder::open_ambient(&context.working_folder()?),
    };
    let output = output.map_err(CliError::Io)?;
    let maker = SourcePackageMaker {
        runner: LocalRunner {
            store: Arc::clone(&planned.store),
            roots: planned.roots_by_chroot(),
            cancel,
            clock: Arc::new(SystemClock),
            prepared: Arc::new(PreparedTrees::default()),
        },
        planned: &planned,
        project: &project,
    };
    let mut known = BTreeSet::new();
    let mut failed = impossible;
    for id in planned.asked(&selection)? {
        let build = planned.plan.build(id);
        // In other chroots it is the same, or one that `--chroot` asks for.
        let Some(scheduled) = schedule_source_package(&planned.plan, &planned.manifest, id) else { continue };
        if !known.insert(build.package) {
            continue;
        }
        match maker.make(scheduled).await? {
            Ok(files) => {
                for file in &files {
                    output.remove_file(&file.name).map_err(CliError::Io)?;
                    planned.store.place(&file.blob, &output, Path::new(&file.name), Sharing::Nothing)?;
                    context.print(&plain_text(&format!("{}\n", output.path().join(&file.name))))?;
                }
            }
            Err(failure) => {
                failed += 1;
                context.tell(&describe(&build.name.package, &failure));
            }
        }
    }
    planned.leave();
    Ok(if failed == 0 { Exit::Success } else { Exit::Failure })
}

/// What source packages are made with.
struct SourcePackageMaker<'a> {
    runner: LocalRunner,
    planned: &'a Planned,
    project: &'a Project,
}

impl SourcePackageMaker<'_> {
    /// Makes the source package of a build, as an apply would, or finds it in the store.
    async fn make(
        &self,
        scheduled: ScheduledBuild,
    ) -> Result<Result<Vec<ResultFile>, event::Failure>, Failure> {
        let store = &self.planned.store;
        if let Some(result) = store.sound_result(&scheduled.key) {
            return Ok(Ok(result.files));
        }
        self.runner.fetch(&scheduled.inputs).await?;
        let state = self.project.state()?;
        let results = state.create("srpm").map_err(CliError::Io)?;
        let work = state.path().join("work").join("srpm");
        let task = Task { build: Arc::new(scheduled), results: results.path().clone(), work };
        let ended = self.runner.make_source_package(&task, &Silent).await?;
        Ok(match ended {
            StepRun::Done(result) => Ok(result.files.clone()),
            StepRun::Failed { failure, .. } => Err(failure),
            StepRun::Canceled => Err(event::Failure {
                cause: "it was canceled".to_owned(),
                problems: Vec::new(),
                excerpt: Vec::new(),
                log: None,
                tree: None,
            }),
        })
    }
}

/// Nobody waits long enough for a source package to be told of its stages.
struct Silent;

impl StageListener for Silent {
    fn stage(&self, _name: &str) {}

    fn printed(&self, _text: &[u8]) {}
}

/// Why a package has no source package, with the lines of the log that say why.
fn describe(package: &str, failure: &event::Failure) -> String {
    let problems = failure.problems.iter().map(|problem| format!("  {}: {}\n", problem.code, problem.text));
    let excerpt = failure.excerpt.iter().map(|line| format!("  {line}\n"));
    let more: String = problems.chain(excerpt).collect();
    plain_text(&format!("failed     {package}: {}\n{more}", failure.cause))
}
