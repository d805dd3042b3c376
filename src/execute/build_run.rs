//! One build's steps as they are started and end.

use std::sync::Arc;
use std::time::Duration;

use miette::Diagnostic;
use petgraph::graph::NodeIndex;

use super::ExecuteError;
use super::import::import;
use super::local::{Local, Ran};
use super::progress::Teller;
use super::results::{ResultRecord, complete, result_folder, work_folder};
use super::scheduler::{Execution, Scheduler, Told};
use super::task::Task;
use crate::digest::Key;
use crate::event::{BuildName, Failure, StageTime, State, Timestamp, What};
use crate::package::Dependency;
use crate::plan::{BuildId, Ingredients, Inputs, Plan, dependency_files};
use crate::store::{ResultFile, StepResult, StoreError};

/// How a step ended.
pub(super) enum StepEnd {
    /// The sources are in the store.
    Imported,
    /// Packages were made.
    Made(Arc<StepResult>),
    /// It failed.
    Failed { failure: Failure, stages: Vec<StageTime> },
    /// Something that it needs turned out to be damaged in the store, and must be made again first.
    NeedsDamaged,
    /// Its `%generate_buildrequires` has named what has to be planned with.
    NeedsPlan,
    /// It was ended.
    Canceled,
}

/// A build that has a number.
pub(super) struct Running {
    pub number: u64,
    pub started: Timestamp,
    /// Its result folder, below the state folder.
    pub folder: String,
    pub ingredients: Ingredients,
    pub key: Option<Key>,
    pub source: Option<Arc<StepResult>>,
    pub dependencies: Vec<ResultFile>,
    pub inputs: Arc<Inputs>,
    pub timeout: Duration,
}

impl Running {
    /// Puts what came of it into its result folder.
    pub fn complete(
        &self,
        execution: &Execution,
        name: &BuildName,
        state: State,
        now: Timestamp,
        told: &Told,
        result: Option<&StepResult>,
    ) -> Result<(), ExecuteError> {
        let files = result.map(|result| result.files.as_slice()).unwrap_or_default();
        let record = ResultRecord {
            build: name.clone(),
            number: self.number,
            state,
            started: self.started,
            ended: now,
            key: self.key.unwrap_or_else(|| self.ingredients.key()),
            stages: told.stages.clone(),
            packages: files.iter().map(|file| (file.name.clone(), file.sha256.clone())).collect(),
            failure: told.failure.clone(),
        };
        complete(&execution.store, &self.task(execution, name), &record, result)
    }

    fn task(&self, execution: &Execution, name: &BuildName) -> Task {
        let state = execution.state.path();
        Task {
            name: name.clone(),
            inputs: Arc::clone(&self.inputs),
            settings: self.ingredients.settings.clone(),
            ingredients: self.ingredients.clone(),
            timeout: self.timeout,
            dependencies: self.dependencies.clone(),
            results: state.join(&self.folder),
            work: state.join(work_folder(name)),
        }
    }
}

impl Scheduler {
    pub(super) fn start_fetch(&mut self, node: NodeIndex, id: BuildId) -> Result<(), ExecuteError> {
        let Some(inputs) = self.inputs(id) else {
            return self.passed(node);
        };
        self.tell_state(id, State::Importing);
        let store = Arc::clone(&self.execution.store);
        self.spawn(node, async move {
            let imported = tokio::task::spawn_blocking(move || import(&store, &inputs)).await;
            match imported.map_err(|error| ExecuteError::Task(error.to_string()))? {
                Ok(()) => Ok(StepEnd::Imported),
                Err(error) => Ok(failed_step(&error)),
            }
        });
        Ok(())
    }

    pub(super) fn start_source_package(&mut self, node: NodeIndex, id: BuildId) -> Result<(), ExecuteError> {
        let Some(inputs) = self.inputs(id) else {
            return self.passed(node);
        };
        let ingredients = self.execution.plan.ingredients_with(id, &inputs, Default::default());
        if self.execution.store.sound_result(&ingredients.source_key()).is_some() {
            return self.passed(node);
        }
        let task = self.begin(id, &inputs, ingredients, Vec::new())?;
        self.tell_state(id, State::Importing);
        let stages = self.teller.stages(&task.name);
        let local = self.local.clone();
        self.spawn(node, async move {
            match local.source_package(&task, stages).await {
                Ok(ran) => Ok(step_end(ran)),
                Err(error) => of_one_build(error),
            }
        });
        Ok(())
    }

    pub(super) fn start_build(&mut self, node: NodeIndex, id: BuildId) -> Result<(), ExecuteError> {
        let Some(inputs) = self.inputs(id) else {
            return self.passed(node);
        };
        let plan = Arc::clone(&self.execution.plan);
        let Some(files) = dependency_files(&plan, id, &self.results) else {
            let told =
                Told { skipped: Some("a build that it needs has no result".to_owned()), ..Told::default() };
            return self.end_build(id, node, State::Skipped, None, told);
        };
        let contents =
            files.iter().map(|(nevra, file)| ((*nevra).to_owned(), file.package.content)).collect();
        let dependencies: Vec<ResultFile> = files.into_values().cloned().collect();
        let ingredients = plan.ingredients_with(id, &inputs, contents);
        let key = ingredients.key();
        let source = self.execution.store.result(&ingredients.source_key());
        if let (Some(result), Some(_)) = (self.execution.store.sound_result(&key), &source) {
            if let Some(running) = self.begun.get_mut(&id) {
                (running.key, running.ingredients) = (Some(key), ingredients);
            }
            self.cached(id, key, Arc::new(result))?;
            return self.passed(node);
        }
        let task = self.begin(id, &inputs, ingredients, dependencies)?;
        self.tell_state(id, State::Running);
        let retries = self.execution.manifest.package(plan.build(id).package).retries;
        let (local, teller) = (self.local.clone(), self.teller.clone());
        self.spawn(node, async move {
            let Some(source) = source else {
                return Ok(failed_step(&ExecuteError::Task("the source package is gone".to_owned())));
            };
            if task.inputs.facts.generates_requires {
                match local.generated_requires(&task, teller.stages(&task.name)).await {
                    Ok(Ran::NeedsMore(named)) if changes_plan(&plan, id, &task.inputs, &named) => {
                        return Ok(StepEnd::NeedsPlan);
                    }
                    Ok(Ran::NeedsMore(_)) => {}
                    Ok(ran) => return Ok(step_end(ran)),
                    Err(error) => return of_one_build(error),
                }
            }
            match build_with_retries(&local, &teller, &task, &source, retries).await {
                Ok(ran) => Ok(step_end(ran)),
                Err(error) => of_one_build(error),
            }
        });
        Ok(())
    }

    /// Gives a build its number, if it has none yet, and the task to run.
    fn begin(
        &mut self,
        id: BuildId,
        inputs: &Arc<Inputs>,
        ingredients: Ingredients,
        dependencies: Vec<ResultFile>,
    ) -> Result<Task, ExecuteError> {
        let name = self.execution.plan.build(id).name.clone();
        let is_new = !self.begun.contains_key(&id);
        let (number, started, source) = match self.begun.remove(&id) {
            Some(running) => (running.number, running.started, running.source),
            None => {
                let now = self.execution.clock.now();
                (self.execution.history.begin(&name, now)?, now, None)
            }
        };
        let key = Some(ingredients.key());
        let folder = result_folder(&name, number);
        let inputs = Arc::clone(inputs);
        let timeout = self.timeout(id);
        let running =
            Running { number, started, folder, ingredients, key, source, dependencies, inputs, timeout };
        let task = running.task(&self.execution, &name);
        if is_new {
            self.make_result_folder(&running.folder)?;
        }
        self.begun.insert(id, running);
        Ok(task)
    }

    /// Makes the result folder of a build. A folder of that name that is there already is of a build whose number was
    /// lost with the power.
    fn make_result_folder(&self, folder: &str) -> Result<(), ExecuteError> {
        Ok(self.execution.state.create(folder)?.clear()?)
    }

    fn timeout(&self, id: BuildId) -> Duration {
        self.execution.manifest.package(self.execution.plan.build(id).package).timeout
    }

    /// Gives a result that was found, and that this project has not had, a number and a folder.
    pub(super) fn adopt(&mut self, id: BuildId) -> Result<(), ExecuteError> {
        let Some(inputs) = self.inputs(id) else {
            return Ok(());
        };
        let plan = Arc::clone(&self.execution.plan);
        let files = dependency_files(&plan, id, &self.results).unwrap_or_default();
        let contents =
            files.iter().map(|(nevra, file)| ((*nevra).to_owned(), file.package.content)).collect();
        let dependencies = files.into_values().cloned().collect();
        let ingredients = plan.ingredients_with(id, &inputs, contents);
        let (name, now) = (plan.build(id).name.clone(), self.execution.clock.now());
        let number = self.execution.history.begin(&name, now)?;
        let (folder, key) = (result_folder(&name, number), Some(ingredients.key()));
        self.make_result_folder(&folder)?;
        let (started, source, timeout) = (now, None, self.timeout(id));
        let running =
            Running { number, started, folder, ingredients, key, source, dependencies, inputs, timeout };
        self.begun.insert(id, running);
        Ok(())
    }
}

async fn build_with_retries(
    local: &Local,
    teller: &Teller,
    task: &Task,
    source: &StepResult,
    retries: u32,
) -> Result<Ran, ExecuteError> {
    let mut attempt = 1;
    loop {
        match local.packages(task, source, teller.stages(&task.name)).await? {
            Ran::Badly { failure, .. } if attempt <= retries && !local.cancel.is_canceled() => {
                attempt += 1;
                let (build, cause) = (task.name.clone(), failure.cause);
                teller.tell(What::Retried { build, attempt, cause });
            }
            ran => return Ok(ran),
        }
    }
}

fn step_end(ran: Ran) -> StepEnd {
    match ran {
        Ran::Well(result) => StepEnd::Made(result),
        Ran::Badly { failure, stages } => StepEnd::Failed { failure, stages },
        Ran::NeedsMore(_) => StepEnd::NeedsPlan,
        Ran::Canceled => StepEnd::Canceled,
    }
}

/// Whether a plan that knew what was named now would be another one.
fn changes_plan(plan: &Plan, id: BuildId, inputs: &Inputs, named: &[Dependency]) -> bool {
    let is_new = |dependency: &&Dependency| !inputs.generated.contains(dependency);
    let new: Vec<Dependency> = named.iter().filter(is_new).cloned().collect();
    plan.would_change(id, &new)
}

/// Whether an error is one build's own: then others go on.
fn of_one_build(error: ExecuteError) -> Result<StepEnd, ExecuteError> {
    match error {
        ExecuteError::Store(StoreError::Damaged(_)) => Ok(StepEnd::NeedsDamaged),
        ExecuteError::Package(_)
        | ExecuteError::Source(_)
        | ExecuteError::Changed { .. }
        | ExecuteError::HoldsSecret { .. }
        | ExecuteError::Task(_) => Ok(failed_step(&error)),
        ExecuteError::Engine(_) | ExecuteError::Store(_) | ExecuteError::Io(_) => Err(error),
    }
}

/// A step that has failed without an engine's doing.
pub(super) fn failed_step(error: &ExecuteError) -> StepEnd {
    // There is no log that would say more.
    let words = |words: Option<Box<dyn std::fmt::Display + '_>>| words.map(|words| words.to_string());
    let code = words(error.code());
    let help = words(error.help()).map(|help| format!("help: {help}"));
    let tail = code.into_iter().chain(help).collect();
    let failure = Failure { cause: error.to_string(), problems: Vec::new(), tail, log: None, tree: None };
    StepEnd::Failed { failure, stages: Vec::new() }
}
