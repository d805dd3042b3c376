//! Running steps on this machine.

use std::collections::HashMap;
use std::io::{BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use rayon::prelude::*;

use super::ExecuteError;
use super::blocking::run_blocking;
use super::failure::failure;
use super::import::{import, laid_out, lay_out};
use super::made_root::{make_root, remember_root};
use super::open_shells::spare_open_shell;
use super::prepared::PreparedTrees;
use super::runner::{AskedRequires, Runner, RunningStep, StepRun};
use super::secrets::{check_for_secrets, remove_secrets};
use super::staging::{Staged, private, provided, stage, staged};
use super::task::{ScheduledBuild, Task};
use crate::chroot::making::ChosenSet;
use crate::digest::Key;
use crate::engine::{
    Begin, EngineInRoot, FAKE_TIME_LIBRARIES, Job, JobSpec, Outcome, Part, Promise, Root, StageListener,
    StopReason, Variations, Varied, WrittenContent, WrittenPackage,
};
use crate::event::Clock;
use crate::files::{Folder, Mount, MountAccess, RootPath};
use crate::package::{Dependency, PackageRecord, content_digest, read_headers_of};
use crate::plan::{Inputs, OpenRoot};
use crate::process::Cancel;
use crate::store::{Blob, PackageSummary, RecordKind, ResultFile, StepResult, Store};

/// Runs steps on this machine, with engines that it has.
#[derive(Clone)]
pub struct LocalRunner {
    /// Where results are kept.
    pub store: Arc<Store>,
    /// The roots, and who builds there, by the names of the chroots.
    pub roots: HashMap<String, OpenRoot>,
    /// Ends what runs.
    pub cancel: Cancel,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The trees that a `%generate_buildrequires` was asked in, which builds go on in.
    pub prepared: Arc<PreparedTrees>,
}

/// What steps of a build have made before it makes its packages.
#[derive(Default)]
struct Made {
    files: Vec<ResultFile>,
    asked: Option<AskedRequires>,
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
            self.make(task, Part::SourcePackage, Made::default(), listener).await
        })
    }

    fn ask_build_requires<'a>(
        &'a self,
        task: &'a Task,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, AskedRequires> {
        Box::pin(async move {
            let begin = if self.prepared.take(task) { Begin::BehindPrep } else { Begin::Anew };
            match self.run_engine(task, Part::BuildRequires, begin, listener).await? {
                Outcome::Built { packages, stages } => {
                    let named = move |local: &Self, task: &Task| local.remember_requires(task, &packages);
                    let named = self.blocking(task, named).await?;
                    self.prepared.keep(task);
                    Ok(StepRun::Done(AskedRequires { named, stages }))
                }
                stopped @ Outcome::Stopped { .. } => Ok(stopped_run(task, stopped)),
            }
        })
    }

    fn extend_root<'a>(
        &'a self,
        task: &'a Task,
        named: Vec<Dependency>,
    ) -> Promise<'a, Result<ScheduledBuild, ExecuteError>> {
        Box::pin(self.blocking(task, move |local, task| local.choose_extended_root(task, named)))
    }

    fn build_packages<'a>(
        &'a self,
        task: &'a Task,
        source: &'a StepResult,
        asked: Option<AskedRequires>,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, Arc<StepResult>> {
        self.prepared.take(task);
        let before = Made { files: source.files.clone(), asked };
        Box::pin(self.make(task, Part::Packages, before, listener))
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
        let new = inputs.not_generated_before(&named);
        if !new.is_empty() {
            let mut all = inputs.generated.clone();
            all.push(new);
            self.store.remember(RecordKind::Facts, &task.build.ingredients.generated_key(), &all)?;
        }
        Ok(named)
    }

    fn choose_extended_root(
        &self,
        task: &Task,
        named: Vec<Dependency>,
    ) -> Result<ScheduledBuild, ExecuteError> {
        let packages = self.roots.get(&task.build.name.chroot).and_then(|root| root.packages.as_ref());
        let (Some(packages), Some(wish)) = (packages, &task.build.inputs.wish) else {
            return Ok(ScheduledBuild::clone(&task.build));
        };
        let wish = wish.extended(&named);
        let chosen = packages.chooser.choose_for_builds(std::slice::from_ref(&wish.from_repositories))?;
        let chosen = chosen.into_iter().next().unwrap_or_else(|| Ok(ChosenSet::default()))?;
        let identity = wish.identify(&chosen);
        Ok(task.build.with_root(named, wish, identity))
    }

    async fn run_engine(
        &self,
        task: &Task,
        part: Part,
        begin: Begin,
        listener: &dyn StageListener,
    ) -> Result<Outcome, ExecuteError> {
        let job = self.blocking(task, move |local, task| local.prepare(task, part, begin)).await?;
        let outcome = self.engine(task)?.run(&job, &self.cancel, listener).await?;
        if matches!(outcome, Outcome::Stopped { .. }) {
            self.blocking(task, |_, task| remove_secrets(task)).await?;
        }
        Ok(outcome)
    }

    /// A plan names only engines that it was made with.
    fn engine(&self, task: &Task) -> Result<Arc<dyn EngineInRoot>, ExecuteError> {
        let root = self.roots.get(&task.build.name.chroot);
        let mut engines = root.into_iter().flat_map(|root| root.engines.all());
        let engine = engines.find(|engine| *engine.identity() == task.build.inputs.engine);
        engine.cloned().ok_or_else(|| ExecuteError::Task(format!("no engine {}", task.build.inputs.engine)))
    }

    /// Makes packages; what was made before becomes part of the result.
    async fn make(
        &self,
        task: &Task,
        part: Part,
        before: Made,
        listener: &dyn StageListener,
    ) -> Result<StepRun<Arc<StepResult>>, ExecuteError> {
        let Made { files: with, asked } = before;
        let begin = if asked.is_some() { Begin::BehindPrep } else { Begin::Anew };
        let asked_stages = asked.map(|asked| asked.stages).unwrap_or_default();
        let begun = self.clock.now();
        let (packages, stages) = match self.run_engine(task, part, begin, listener).await? {
            Outcome::Built { packages, stages } => (packages, stages),
            stopped @ Outcome::Stopped { .. } => return Ok(stopped_run(task, stopped)),
        };
        let milliseconds = self.clock.now().since(begun).as_millis();
        let milliseconds = u64::try_from(milliseconds).unwrap_or(u64::MAX);
        let milliseconds = asked_stages.iter().fold(milliseconds, |sum, stage| sum + stage.milliseconds);
        let stages = asked_stages.into_iter().chain(stages).collect();
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
        spare_open_shell(&task.work)?;
        Folder::create_scratch(&task.work)?.clear()?;
        Ok(result)
    }

    /// The root of a build; where it is made of packages, it is made now.
    fn root(&self, task: &Task, part: Part) -> Result<Root, ExecuteError> {
        let Some(open) = self.roots.get(&task.build.name.chroot) else { return Ok(Root::of_this_machine()) };
        match (&open.packages, &task.build.inputs.wish) {
            (Some(packages), Some(wish)) if part != Part::SourcePackage => {
                let made = make_root(&self.store, packages, &wish.all, task, self.clock.as_ref())?;
                remember_root(task, &made.layers())?;
                Ok(Root::of_folders(made.layers()))
            }
            _ => {
                if let Some(image) = &open.image {
                    remember_root(task, &image.layers())?;
                }
                Ok(open.engines.root.clone())
            }
        }
    }

    fn prepare(&self, task: &Task, part: Part, begin: Begin) -> Result<Job, ExecuteError> {
        if begin == Begin::Anew {
            lay_out(&self.store, task)?;
        }
        let climbs = || ExecuteError::Task(format!("`{}` is no path that a root can have", task.work));
        let (top, variations) = match part {
            Part::SourcePackage => (task.usual_top_in_root(), Variations::default()),
            Part::BuildRequires | Part::Packages => (task.top_in_root(), task.build.variations()),
        };
        let top = top.ok_or_else(climbs)?;
        let (spec, sources) = laid_out(task, &top);
        let root = self.root(task, part)?;
        let has_own_packages = task.build.inputs.wish.is_some();
        let (staged, provided) = match (part, begin) {
            (Part::SourcePackage, _) => (Staged::default(), Vec::new()),
            _ if has_own_packages => (Staged::default(), Vec::new()),
            // Since it was asked before, more may have been built.
            (Part::BuildRequires, _) | (Part::Packages, Begin::Anew) => {
                (stage(&self.store, task, &root)?, provided(task))
            }
            (Part::Packages, Begin::BehindPrep) => (staged(task, &root)?, provided(task)),
        };
        let Staged { search, layers } = staged;
        let fake_time = variations.has(Varied::Time).then(|| find_fake_time(&root)).flatten();
        let varied = variations.environment(fake_time.as_ref());
        let (user, circumstances) = (variations.user(), variations.circumstances());
        let mount = Mount { host: task.top(), root: top.clone(), access: MountAccess::Write };
        let spec = JobSpec {
            spec,
            sources,
            top,
            part,
            begin,
            settings: task.build.settings().clone(),
            search,
            staged: provided,
            source_date_epoch: task.build.epoch(),
            varied,
        };
        let (timeout, log, limits) = (task.build.timeout, task.log(), task.build.limits);
        Ok(Job {
            spec,
            root,
            mounts: vec![mount],
            layers,
            private: private(task)?,
            limits,
            user,
            circumstances,
            timeout,
            log,
        })
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
        // The package is there, and who publishes it reads it where the record is missing: a build that took hours is kept.
        let _ = self.store.remember(RecordKind::Package, &blob.record_key(), &record);
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

/// The library of a root that changes the clock for programs.
pub fn find_fake_time(root: &Root) -> Option<RootPath> {
    let folders: Vec<Folder> =
        root.folders_on_host().iter().filter_map(|folder| Folder::open_ambient(folder).ok()).collect();
    let is_there = |path: &&&str| {
        let below = path.trim_start_matches('/');
        folders.iter().any(|folder| folder.dir().symlink_metadata(below).is_ok())
    };
    FAKE_TIME_LIBRARIES.iter().find(is_there).and_then(RootPath::new)
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
    use crate::files::HostPath;

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
