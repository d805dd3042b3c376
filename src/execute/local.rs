//! Running steps on this machine.

use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::ExecuteError;
use super::blocking::run_blocking;
use super::failure::failure;
use super::import::{import, lay_out};
use super::runner::{Runner, RunningStep, StepRun};
use super::secrets::{check_for_secrets, remove_secrets};
use super::staging::{provided, stage};
use super::task::Task;
use crate::digest::Key;
use crate::engine::{
    EngineInRoot, Job, JobSpec, Outcome, Part, StageListener, StopReason, WrittenContent, WrittenPackage,
};
use crate::event::Clock;
use crate::files::{Folder, HostPath, Mount, MountAccess, RootPath};
use crate::package::{Dependency, PackageRecord, content_digest, read_headers_of};
use crate::plan::Inputs;
use crate::process::Cancel;
use crate::store::{Blob, PackageSummary, RecordKind, ResultFile, StepResult, Store};

/// Runs steps on this machine, with engines that it has.
#[derive(Clone)]
pub struct LocalRunner {
    /// Where results are kept.
    pub store: Arc<Store>,
    /// Who builds.
    pub engines: Vec<Arc<dyn EngineInRoot>>,
    /// Ends what runs.
    pub cancel: Cancel,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

impl Runner for LocalRunner {
    fn fetch<'a>(&'a self, inputs: &'a Arc<Inputs>) -> RunningStep<'a, ()> {
        let (store, inputs) = (Arc::clone(&self.store), Arc::clone(inputs));
        Box::pin(async move {
            run_blocking(move || import(&store, &inputs)).await?;
            Ok(StepRun::Done(()))
        })
    }

    fn make_source_package<'a>(
        &'a self,
        task: &'a Task,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, Arc<StepResult>> {
        Box::pin(async move {
            let key = task.build.ingredients.source_key();
            // Another chroot's build may have made it meanwhile.
            if let Some(result) = self.store.result(&key) {
                return Ok(StepRun::Done(Arc::new(result)));
            }
            listener.stage("source package");
            self.make(task, Part::SourcePackage, Vec::new(), listener).await
        })
    }

    fn ask_build_requires<'a>(
        &'a self,
        task: &'a Task,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, Vec<Dependency>> {
        Box::pin(async move {
            match self.run_engine(task, Part::BuildRequires, listener).await? {
                Outcome::Built { packages, .. } => {
                    let named = move |local: &Self, task: &Task| local.remember_requires(task, &packages);
                    Ok(StepRun::Done(self.blocking(task, named).await?))
                }
                stopped @ Outcome::Stopped { .. } => Ok(stopped_run(task, stopped)),
            }
        })
    }

    fn build_packages<'a>(
        &'a self,
        task: &'a Task,
        source: &'a StepResult,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, Arc<StepResult>> {
        Box::pin(self.make(task, Part::Packages, source.files.clone(), listener))
    }
}

impl LocalRunner {
    /// Takes down what a `%generate_buildrequires` has named beside what the spec says.
    fn remember_requires(
        &self,
        task: &Task,
        packages: &[WrittenPackage],
    ) -> Result<Vec<Dependency>, ExecuteError> {
        let work = Folder::open_ambient(&task.work)?;
        let inputs = &task.build.inputs;
        let mut named = Vec::new();
        for package in packages {
            named.extend(read_record(task, &work, package)?.requires().cloned());
        }
        named.retain(|dependency| !inputs.facts.build_requires.contains(dependency));
        named.sort();
        named.dedup();
        if named != inputs.generated {
            self.store.remember(RecordKind::Facts, &task.build.ingredients.generated_key(), &named)?;
        }
        Ok(named)
    }

    async fn run_engine(
        &self,
        task: &Task,
        part: Part,
        listener: &dyn StageListener,
    ) -> Result<Outcome, ExecuteError> {
        let job = self.blocking(task, move |local, task| local.prepare(task, part)).await?;
        let outcome = self.engine(task)?.run(&job, &self.cancel, listener).await?;
        if matches!(outcome, Outcome::Stopped { .. }) {
            self.blocking(task, |_, task| remove_secrets(task)).await?;
        }
        Ok(outcome)
    }

    /// A plan names only engines that it was made with.
    fn engine(&self, task: &Task) -> Result<Arc<dyn EngineInRoot>, ExecuteError> {
        let mut engines = self.engines.iter().cloned();
        let engine = engines.find(|engine| *engine.identity() == task.build.inputs.engine);
        engine.ok_or_else(|| ExecuteError::Task(format!("no engine {}", task.build.inputs.engine)))
    }

    /// Makes packages; `with` become part of the result.
    async fn make(
        &self,
        task: &Task,
        part: Part,
        with: Vec<ResultFile>,
        listener: &dyn StageListener,
    ) -> Result<StepRun<Arc<StepResult>>, ExecuteError> {
        let begun = self.clock.now();
        let (packages, stages) = match self.run_engine(task, part, listener).await? {
            Outcome::Built { packages, stages } => (packages, stages),
            stopped @ Outcome::Stopped { .. } => return Ok(stopped_run(task, stopped)),
        };
        let milliseconds = self.clock.now().since(begun).as_millis();
        let milliseconds = u64::try_from(milliseconds).unwrap_or(u64::MAX);
        let key = match part {
            Part::SourcePackage | Part::BuildRequires => task.build.ingredients.source_key(),
            Part::Packages => task.build.key,
        };
        let engine = self.engine(task)?;
        let keep = move |local: &Self, task: &Task| {
            check_for_secrets(task, &packages)?;
            // The key says what the reading saw; the build has read the spec once more.
            if let Some(file) = task.build.inputs.observed.first_change(engine.as_ref()) {
                return Err(ExecuteError::Changed { file });
            }
            let mut files = with;
            files.extend(local.take_in(task, &packages)?);
            files.sort_by(|a, b| a.name.cmp(&b.name));
            let (log, _) = local.store.take_in(&task.results_folder()?, Path::new("build.log"))?;
            let result = StepResult { files, log, stages, milliseconds };
            local.keep_result(task, &key, result)
        };
        Ok(StepRun::Done(Arc::new(self.blocking(task, keep).await?)))
    }

    /// Remembers a result, and clears up what it was made in.
    fn keep_result(&self, task: &Task, key: &Key, result: StepResult) -> Result<StepResult, ExecuteError> {
        self.store.remember(RecordKind::Step, key, &result)?;
        Folder::create_scratch(&task.work)?.clear()?;
        Ok(result)
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
            settings: task.build.settings().clone(),
            search,
            staged,
            source_date_epoch: task.build.epoch(),
        };
        let mount = Mount { host: task.work.clone(), root: spec.top.clone(), access: MountAccess::Write };
        Ok(Job { spec, mounts: vec![mount], timeout: task.build.timeout, log: task.log() })
    }

    fn take_in(&self, task: &Task, packages: &[WrittenPackage]) -> Result<Vec<ResultFile>, ExecuteError> {
        let work = Folder::open_ambient(&task.work)?;
        // Each waits for the disk to have it: together they wait once.
        packages.par_iter().map(|package| self.take_in_package(task, &work, package)).collect()
    }

    fn take_in_package(
        &self,
        task: &Task,
        work: &Folder,
        package: &WrittenPackage,
    ) -> Result<ResultFile, ExecuteError> {
        let (path, name) = place_of(task, package);
        let read = |blob: &Blob, file: &mut dyn Read| -> Result<_, ExecuteError> {
            check_content(&name, package, blob)?;
            let headers = read_headers_of(&name, &mut BufReader::new(file))?;
            Ok((PackageRecord::read(&name, &headers)?, content_digest(&headers)))
        };
        let (blob, sha256, (record, content)) = self.store.take_in_reading(work, path, read)?;
        self.store.remember(RecordKind::Package, &blob.record_key(), &record)?;
        let package = PackageSummary::new(&record, content);
        Ok(ResultFile { name, blob, sha256, package })
    }

    /// Does what blocks where it holds up nobody.
    async fn blocking<T: Send + 'static>(
        &self,
        task: &Task,
        work: impl FnOnce(&Self, &Task) -> Result<T, ExecuteError> + Send + 'static,
    ) -> Result<T, ExecuteError> {
        let (local, task) = (self.clone(), task.clone());
        run_blocking(move || work(&local, &task)).await
    }
}

/// How a run ended that made nothing.
fn stopped_run<T>(task: &Task, outcome: Outcome) -> StepRun<T> {
    match outcome {
        Outcome::Stopped { reason, stages, excerpt, problems } if reason != StopReason::Canceled => {
            StepRun::Failed { failure: failure(task, &reason, excerpt, problems), stages }
        }
        Outcome::Stopped { .. } | Outcome::Built { .. } => StepRun::Canceled,
    }
}

/// Refuses a package that was changed after it had been written.
fn check_content(name: &str, package: &WrittenPackage, blob: &Blob) -> Result<(), ExecuteError> {
    let taken = WrittenContent { digest: blob.digest, size: blob.size };
    match package.content {
        Some(written) if written != taken => Err(ExecuteError::PackageChanged { package: name.to_owned() }),
        Some(_) | None => Ok(()),
    }
}

/// Where a package is in the work folder, and its file's name.
fn place_of<'p>(task: &Task, package: &'p WrittenPackage) -> (&'p Path, String) {
    let path = package.path.as_path();
    let path = path.strip_prefix(task.work.as_path()).unwrap_or(path);
    (path, path.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

/// What a package in the work folder says of itself.
fn read_record(task: &Task, work: &Folder, package: &WrittenPackage) -> Result<PackageRecord, ExecuteError> {
    let (path, name) = place_of(task, package);
    let headers = read_headers_of(&name, &mut BufReader::new(work.open(path)?))?;
    Ok(PackageRecord::read(&name, &headers)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn a_package_that_is_not_what_the_build_has_written_is_refused_by_name() {
        let content = |text: &[u8]| WrittenContent { digest: Digest::compute(text), size: text.len() as u64 };
        let package = |content| WrittenPackage { path: HostPath::root().join("a.rpm"), content };
        let blob = Blob { digest: Digest::compute(b"abc"), size: 3 };
        let check = |content| check_content("a.rpm", &package(content), &blob);
        assert!(check(Some(content(b"abc"))).is_ok() && check(None).is_ok());
        let refused = check(Some(content(b"abd"))).unwrap_err();
        let words = "a.rpm was changed after the build had written it: it is not kept";
        assert_eq!(refused.to_string(), words);
        assert_eq!(
            miette::Diagnostic::code(&refused).unwrap().to_string(),
            "forge::execute::package_changed"
        );
    }
}
