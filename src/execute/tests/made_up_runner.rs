//! A runner that does what it is told, and runs nothing.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::fixture::{Project, keep};
use crate::chroot::RootIdentity;
use crate::digest::{Digest, Key};
use crate::engine::{Promise, StageListener, StopReason};
use crate::event::{Failure, StageTime};
use crate::execute::ExecuteError;
use crate::execute::failure::failure;
use crate::execute::runner::{AskedRequires, Runner, RunningStep, StepRun};
use crate::execute::task::{ScheduledBuild, Task};
use crate::package::Dependency;
use crate::plan::Inputs;
use crate::process::Cancel;
use crate::store::{PackageSummary, RecordKind, ResultFile, StepResult, Store};

/// What becomes of a step that runs; what nothing is said of succeeds.
#[derive(Clone, Debug)]
pub enum Script {
    Succeed,
    Fail,
    /// It takes longer than it may.
    TakeTooLong,
    /// It goes on until everything is ended.
    WaitForCancel,
    /// It ends everything, and ends.
    Cancel,
    Panic,
    /// The runner can't work.
    Break,
    /// It prints a text this often.
    Print(&'static str, usize),
}

/// See the [module](self).
#[derive(Clone)]
pub struct MadeUpRunner {
    store: Arc<Store>,
    cancel: Cancel,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// What becomes of `build a`, `fetch b` …, one after the other.
    scripts: Mutex<BTreeMap<String, VecDeque<Script>>>,
    /// What the packages of a build hold, where that is not its name.
    contents: BTreeMap<String, String>,
    named: BTreeMap<String, Vec<String>>,
    ran: Mutex<Vec<String>>,
    /// The packages whose builds began behind `%prep`.
    prepared: Mutex<Vec<String>>,
    running: AtomicUsize,
    most_at_once: AtomicUsize,
    printed: AtomicUsize,
}

impl MadeUpRunner {
    pub fn of(project: &Project) -> Self {
        let (store, cancel) = (Arc::clone(&project.store), project.cancel.clone());
        Self { store, cancel, shared: Arc::default() }
    }

    /// What becomes of a step.
    pub fn with(self, step: &str, scripts: &[Script]) -> Self {
        self.shared.scripts.lock().unwrap().insert(step.to_owned(), scripts.iter().cloned().collect());
        self
    }

    /// What the `%generate_buildrequires` of a package names.
    pub fn naming(mut self, package: &str, named: &[&str]) -> Self {
        let named = named.iter().map(|name| (*name).to_owned()).collect();
        Arc::get_mut(&mut self.shared).unwrap().named.insert(package.to_owned(), named);
        self
    }

    /// The packages of a build come out as this.
    pub fn with_content(mut self, package: &str, content: &str) -> Self {
        Arc::get_mut(&mut self.shared).unwrap().contents.insert(package.to_owned(), content.to_owned());
        self
    }

    /// The steps that ran, in the order in which they began.
    pub fn ran(&self) -> Vec<String> {
        self.shared.ran.lock().unwrap().clone()
    }

    /// The packages whose builds began in a folder that is prepared.
    pub fn prepared(&self) -> Vec<String> {
        self.shared.prepared.lock().unwrap().clone()
    }

    pub fn most_at_once(&self) -> usize {
        self.shared.most_at_once.load(Ordering::SeqCst)
    }

    /// How often a step has printed so far.
    pub fn printed(&self) -> usize {
        self.shared.printed.load(Ordering::SeqCst)
    }

    /// Runs a step; gives nothing where it ends well.
    async fn run<T>(
        &self,
        step: String,
        task: Option<&Task>,
        listener: Option<&dyn StageListener>,
    ) -> Result<Option<StepRun<T>>, ExecuteError> {
        let script = self.shared.scripts.lock().unwrap().get_mut(&step).and_then(VecDeque::pop_front);
        self.shared.ran.lock().unwrap().push(step.clone());
        let running = self.shared.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.shared.most_at_once.fetch_max(running, Ordering::SeqCst);
        let _running = Running(&self.shared.running);
        // Others have their turn.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        let failed = |reason: StopReason| match task {
            Some(task) => failure(task, &reason, vec!["its last line".to_owned()], Vec::new()),
            None => no_task(reason),
        };
        let stages = vec![StageTime { name: "build".to_owned(), milliseconds: 5 }];
        Ok(match script.unwrap_or(Script::Succeed) {
            Script::Succeed => None,
            Script::Fail => {
                let cause = format!("{step} failed on purpose");
                Some(StepRun::Failed { failure: failed(StopReason::Failed { cause }), stages })
            }
            Script::TakeTooLong => Some(StepRun::Failed { failure: failed(StopReason::TimedOut), stages }),
            Script::WaitForCancel => {
                self.cancel.canceled().await;
                Some(StepRun::Canceled)
            }
            Script::Cancel => {
                self.cancel.cancel();
                Some(StepRun::Canceled)
            }
            Script::Panic => panic!("a bug of the runner"),
            Script::Break => return Err(std::io::Error::other("the disk is full").into()),
            Script::Print(text, times) => {
                for _ in 0..times {
                    self.shared.printed.fetch_add(1, Ordering::SeqCst);
                    listener.into_iter().for_each(|listener| listener.printed(text.as_bytes()));
                }
                None
            }
        })
    }

    /// Keeps what a step made.
    fn keep(&self, task: &Task, key: &Key, package: (&str, &str)) -> Arc<StepResult> {
        let (arch, content) = package;
        let folder = task.results_folder().unwrap();
        let (log, _) = keep(&self.store, &folder, "build.log", "it went well\n");
        let name = &task.build.name.package;
        let nevra = format!("{name}-1.0-1.{arch}");
        let file_name = format!("{nevra}.rpm");
        let scratch = crate::files::Folder::create_ambient(&task.work).unwrap();
        let (blob, sha256) = keep(&self.store, &scratch, &file_name, content);
        let package = PackageSummary {
            name: name.clone(),
            arch: arch.to_owned(),
            nevra,
            content: Digest::compute(content.as_bytes()),
            provides: vec![Dependency::any(name)],
            requires: Vec::new(),
            files: Vec::new(),
            other_files: Vec::new(),
            unlistable: None,
        };
        let files = vec![ResultFile { name: file_name, blob, sha256, package }];
        let result = StepResult { files, log, stages: Vec::new(), milliseconds: 1 };
        self.store.remember(RecordKind::Step, key, &result).unwrap();
        Arc::new(result)
    }
}

struct Running<'a>(&'a AtomicUsize);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn no_task(reason: StopReason) -> Failure {
    let cause = format!("{reason:?}");
    Failure { cause, problems: Vec::new(), excerpt: Vec::new(), log: None, tree: None }
}

impl Runner for MadeUpRunner {
    fn fetch<'a>(&'a self, inputs: &'a Arc<Inputs>) -> RunningStep<'a, ()> {
        Box::pin(async move {
            let run = self.run(format!("fetch {}", inputs.facts.name), None, None).await?;
            Ok(run.unwrap_or(StepRun::Done(())))
        })
    }

    fn make_source_package<'a>(
        &'a self,
        task: &'a Task,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, Arc<StepResult>> {
        Box::pin(async move {
            let step = format!("source {}", task.build.name.package);
            let run = self.run(step, Some(task), Some(listener)).await?;
            let key = task.build.ingredients.source_key();
            Ok(run.unwrap_or_else(|| StepRun::Done(self.keep(task, &key, ("src", "its sources")))))
        })
    }

    fn ask_build_requires<'a>(
        &'a self,
        task: &'a Task,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, AskedRequires> {
        Box::pin(async move {
            let name = &task.build.name.package;
            let run = self.run(format!("ask {name}"), Some(task), Some(listener)).await?;
            let named = self.shared.named.get(name).into_iter().flatten().map(Dependency::any);
            let asked = AskedRequires { named: named.collect(), stages: Vec::new() };
            Ok(run.unwrap_or(StepRun::Done(asked)))
        })
    }

    fn extend_root<'a>(
        &'a self,
        task: &'a Task,
        named: Vec<Dependency>,
    ) -> Promise<'a, Result<ScheduledBuild, ExecuteError>> {
        Box::pin(async move {
            let wish = task.build.inputs.wish.as_ref().unwrap().extended(&named);
            let digest = Digest::compute(format!("{named:?}").as_bytes());
            let root = RootIdentity { packages: digest, ..task.build.inputs.root };
            Ok(task.build.with_root(named, wish, root))
        })
    }

    fn build_packages<'a>(
        &'a self,
        task: &'a Task,
        _: &'a StepResult,
        asked: Option<AskedRequires>,
        listener: &'a dyn StageListener,
    ) -> RunningStep<'a, Arc<StepResult>> {
        Box::pin(async move {
            let name = &task.build.name.package;
            if asked.is_some() {
                self.shared.prepared.lock().unwrap().push(name.clone());
            }
            let run = self.run(format!("build {name}"), Some(task), Some(listener)).await?;
            let content = self.shared.contents.get(name).unwrap_or(name);
            Ok(run.unwrap_or_else(|| StepRun::Done(self.keep(task, &task.build.key, ("noarch", content)))))
        })
    }
}
