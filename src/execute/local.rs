//! Running steps on this machine.

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::ExecuteError;
use super::failure::failure;
use super::import::lay_out;
use super::secrets::{check_for_secrets, remove_secrets};
use super::staging::{provided, stage};
use super::task::Task;
use crate::digest::Key;
use crate::engine::{Engine, Job, JobSpec, Outcome, Part, StageListener, StopReason};
use crate::event::{Clock, Failure, StageTime};
use crate::files::{Folder, HostPath, RootPath};
use crate::package::{Dependency, PackageRecord, content_digest, read_headers_of};
use crate::process::Cancel;
use crate::store::{PackageSummary, RecordKind, ResultFile, StepResult, Store};

/// What a runner works with.
#[derive(Clone)]
pub(super) struct Local {
    pub store: Arc<Store>,
    pub engines: Vec<Arc<dyn Engine>>,
    pub cancel: Cancel,
    pub clock: Arc<dyn Clock>,
}

/// How a step ended.
#[derive(Debug)]
pub(super) enum Ran {
    /// Well.
    Well(Arc<StepResult>),
    /// Badly.
    Badly { failure: Failure, stages: Vec<StageTime> },
    /// It was ended.
    Canceled,
    /// Its `%generate_buildrequires` names more than the plan knew of.
    NeedsMore(Vec<Dependency>),
}

impl Local {
    /// Makes the source package, or finds it in the store.
    pub async fn source_package(
        &self,
        task: &Task,
        stages: Arc<dyn StageListener>,
    ) -> Result<Ran, ExecuteError> {
        let key = task.ingredients.source_key();
        if let Some(result) = self.store.result(&key) {
            return Ok(Ran::Well(Arc::new(result)));
        }
        stages.stage("source package");
        self.run(task, Part::SourcePackage, &key, Vec::new(), stages).await
    }

    /// Builds the packages. `source` is the source package, which becomes part of the result.
    pub async fn packages(
        &self,
        task: &Task,
        source: &StepResult,
        stages: Arc<dyn StageListener>,
    ) -> Result<Ran, ExecuteError> {
        let key = task.ingredients.key();
        self.run(task, Part::Packages, &key, source.files.clone(), stages).await
    }

    /// Asks the `%generate_buildrequires` of a spec what the build needs. What it names is remembered for the next plan.
    pub async fn generated_requires(
        &self,
        task: &Task,
        stages: Arc<dyn StageListener>,
    ) -> Result<Ran, ExecuteError> {
        let outcome = self.run_engine(task, Part::BuildRequires, stages).await?;
        let packages = match outcome {
            Outcome::Built { packages, .. } => packages,
            stopped @ Outcome::Stopped { .. } => return Ok(stopped_run(task, stopped)),
        };
        let remembered = self.blocking(task, move |local, task| {
            let work = Folder::open_ambient(&task.work)?;
            let facts = &task.inputs.facts;
            let mut named = Vec::new();
            for package in &packages {
                named.extend(read_record(task, &work, package)?.requires().cloned());
            }
            named.retain(|dependency| !facts.build_requires.contains(dependency));
            named.sort();
            named.dedup();
            if named != task.inputs.generated {
                local.store.remember(RecordKind::Facts, &task.ingredients.generated_key(), &named)?;
            }
            Ok(named)
        });
        Ok(Ran::NeedsMore(remembered.await?))
    }

    async fn run_engine(
        &self,
        task: &Task,
        part: Part,
        stages: Arc<dyn StageListener>,
    ) -> Result<Outcome, ExecuteError> {
        let job = self.blocking(task, move |local, task| local.prepare(task, part)).await?;
        let outcome = self.engine(task)?.run(&job, &self.cancel, stages.as_ref()).await?;
        if matches!(outcome, Outcome::Stopped { .. }) {
            self.blocking(task, |_, task| remove_secrets(task)).await?;
        }
        Ok(outcome)
    }

    /// A plan names only engines that it was made with.
    fn engine(&self, task: &Task) -> Result<Arc<dyn Engine>, ExecuteError> {
        let mut engines = self.engines.iter().cloned();
        let engine = engines.find(|engine| *engine.identity() == task.inputs.engine);
        engine.ok_or_else(|| ExecuteError::Task(format!("no engine {}", task.inputs.engine)))
    }

    async fn run(
        &self,
        task: &Task,
        part: Part,
        key: &Key,
        with: Vec<ResultFile>,
        stages: Arc<dyn StageListener>,
    ) -> Result<Ran, ExecuteError> {
        let begun = self.clock.now();
        let engine = self.engine(task)?;
        let (packages, stages) = match self.run_engine(task, part, stages).await? {
            Outcome::Built { packages, stages } => {
                let checked = packages.clone();
                self.blocking(task, move |_, task| check_for_secrets(task, &checked)).await?;
                (packages, stages)
            }
            stopped @ Outcome::Stopped { .. } => return Ok(stopped_run(task, stopped)),
        };
        let (key, milliseconds) = (*key, self.clock.now().since(begun).as_millis());
        let milliseconds = u64::try_from(milliseconds).unwrap_or(u64::MAX);
        let result = self
            .blocking(task, move |local, task| {
                // The key says what the reading saw; the build has read the spec once more.
                if let Some(file) = task.inputs.observed.first_change(engine.as_ref()) {
                    return Err(ExecuteError::Changed { file });
                }
                let mut files = with;
                files.extend(local.take_in(task, &packages)?);
                files.sort_by(|a, b| a.name.cmp(&b.name));
                let (log, _) = local.store.take_in(&task.results_folder()?, Path::new("build.log"))?;
                let result = StepResult { files, log, stages, milliseconds };
                local.store.remember(RecordKind::Step, &key, &result)?;
                Folder::create_scratch(&task.work)?.clear()?;
                Ok(result)
            })
            .await?;
        Ok(Ran::Well(Arc::new(result)))
    }

    fn prepare(&self, task: &Task, part: Part) -> Result<Job, ExecuteError> {
        let (spec, sources) = lay_out(&self.store, task)?;
        let (search, staged) = match part {
            Part::SourcePackage => (Vec::new(), Vec::new()),
            Part::BuildRequires | Part::Packages => (stage(&self.store, task)?, provided(task)),
        };
        let in_root = |path: &HostPath| {
            let climbs = || ExecuteError::Task(format!("`{path}` is no path that a root can have"));
            RootPath::in_own_root(path).ok_or_else(climbs)
        };
        let spec = JobSpec {
            spec: in_root(&spec)?,
            sources: in_root(&sources)?,
            top: in_root(&task.work)?,
            part,
            settings: task.settings.clone(),
            search,
            staged,
            source_date_epoch: task.epoch(),
        };
        Ok(Job { spec, top: task.work.clone(), timeout: task.timeout, log: task.log() })
    }

    fn take_in(&self, task: &Task, packages: &[HostPath]) -> Result<Vec<ResultFile>, ExecuteError> {
        let work = Folder::open_ambient(&task.work)?;
        // Each waits for the disk to have it: together they wait once.
        packages.par_iter().map(|package| self.take_in_package(task, &work, package)).collect()
    }

    fn take_in_package(
        &self,
        task: &Task,
        work: &Folder,
        package: &HostPath,
    ) -> Result<ResultFile, ExecuteError> {
        let path = package.as_path().strip_prefix(task.work.as_path()).unwrap_or(package.as_path());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let headers = read_headers_of(&name, &mut BufReader::new(work.open(path)?))?;
        let record = PackageRecord::read(&name, &headers)?;
        let package = PackageSummary::new(&record, content_digest(&headers));
        let (blob, sha256) = self.store.take_in(work, path)?;
        self.store.remember(RecordKind::Package, &blob.record_key(), &record)?;
        Ok(ResultFile { name, blob, sha256, package })
    }

    /// Does what blocks where it holds up nobody.
    async fn blocking<T: Send + 'static>(
        &self,
        task: &Task,
        work: impl FnOnce(&Self, &Task) -> Result<T, ExecuteError> + Send + 'static,
    ) -> Result<T, ExecuteError> {
        let (local, task) = (self.clone(), task.clone());
        let done = tokio::task::spawn_blocking(move || work(&local, &task)).await;
        done.map_err(|error| ExecuteError::Task(error.to_string()))?
    }
}

/// How a run ended that made nothing.
fn stopped_run(task: &Task, outcome: Outcome) -> Ran {
    match outcome {
        Outcome::Stopped { reason, stages, tail, problems } if reason != StopReason::Canceled => {
            Ran::Badly { failure: failure(task, &reason, tail, problems), stages }
        }
        Outcome::Stopped { .. } | Outcome::Built { .. } => Ran::Canceled,
    }
}

/// What a package in the work folder says of itself.
fn read_record(task: &Task, work: &Folder, package: &HostPath) -> Result<PackageRecord, ExecuteError> {
    let path = package.as_path().strip_prefix(task.work.as_path()).unwrap_or(package.as_path());
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let headers = read_headers_of(&name, &mut BufReader::new(work.open(path)?))?;
    Ok(PackageRecord::read(&name, &headers)?)
}
