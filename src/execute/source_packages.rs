//! Source packages alone: they are made, and nothing is built. None waits for another, whatever their builds need.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::damage::name_damage;
use super::recorder::{BuildEnding, EndDetails, FoundBuild, Recorder, Records};
use super::scheduler::{Applied, BuildEnd, Execution};
use super::steps::{StepEnd, Steps, failed_step};
use super::task::ScheduledBuild;
use super::{Ends, ExecuteError};
use crate::digest::Key;
use crate::event::{BuildName, State, What};
use crate::manifest::Manifest;
use crate::plan::{BuildId, Plan, Reason};

/// The newest source package of builds that this project has made alone, by build: its key, and its result folder.
pub type KnownSourcePackages = HashMap<BuildName, (Key, String)>;

/// Makes the source packages of the builds that are chosen, as far as they can be made. Each is a result of its own.
///
/// # Errors
/// Only what no build has made: a store that can't be used, a disk that is full.
pub async fn make_source_packages(
    execution: Execution,
    chosen: &[BuildId],
    known: KnownSourcePackages,
) -> Result<Applied, ExecuteError> {
    let begun = execution.events.now();
    let records = Records {
        history: Arc::clone(&execution.history),
        store: Arc::clone(&execution.store),
        state: Arc::clone(&execution.state),
        events: execution.events.clone(),
        cancel: execution.cancel.clone(),
    };
    let recorder = Recorder::start(records).await?;
    let handle = recorder.handle();
    let scheduled = chosen.iter().filter_map(|id| {
        let build = schedule_source_package(&execution.plan, &execution.manifest, *id)?;
        Some((*id, Arc::new(build)))
    });
    let builds: Vec<(BuildId, Arc<ScheduledBuild>)> = scheduled.collect();
    handle.happened(What::ApplyStarted { builds: builds.len(), estimate: std::time::Duration::ZERO });
    let steps = Steps {
        store: Arc::clone(&execution.store),
        plan: Arc::clone(&execution.plan),
        runner: Arc::clone(&execution.runner),
        recorder: handle.clone(),
        cancel: execution.cancel.clone(),
    };
    let places = Arc::new(Semaphore::new(execution.jobs.max(1)));
    let mut running = JoinSet::new();
    for (id, build) in builds {
        let (steps, places) = (steps.clone(), Arc::clone(&places));
        let known = known.get(&build.name).filter(|(key, _)| *key == build.key).cloned();
        running.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire().await;
            // A task of its own: a bug that panics in it is that one's failure, and the others go on.
            let made = tokio::spawn(make(steps, Arc::clone(&build), known));
            let ending = made.await.unwrap_or_else(|error| {
                let error = ExecuteError::Task(error.to_string());
                Ok(ending(&build, State::Failed, details_of(failed_step(&error))))
            });
            (id, ending)
        });
    }
    let mut ends = Ends::new();
    let mut outcome = Ok(());
    while let Some(ended) = running.join_next().await {
        match ended.map_err(|error| ExecuteError::Task(error.to_string())) {
            Ok((id, Ok(ending))) => {
                let (key, result) = ending.result.clone().unzip();
                ends.insert(id, Arc::new(BuildEnd { state: ending.state, key, result }));
                handle.ended(ending);
            }
            Ok((_, Err(error))) | Err(error) => {
                execution.cancel.cancel();
                outcome = outcome.and(Err(error));
            }
        }
    }
    for blob in execution.store.take_damaged() {
        handle.happened(name_damage(&blob, &execution.plan, &execution.decisions, &ends));
    }
    let mut states: BTreeMap<State, usize> = BTreeMap::new();
    ends.values().for_each(|end| *states.entry(end.state).or_default() += 1);
    if outcome.is_ok() && !handle.has_failed() {
        handle.happened(What::ApplyEnded { states, duration: execution.events.now().since(begun) });
    }
    recorder.finish().await?;
    outcome?;
    Ok(Applied { ends, canceled: execution.cancel.is_canceled(), needs_plan: false })
}

/// A build of which the source package alone is made; nothing where it has none.
pub fn schedule_source_package(plan: &Plan, manifest: &Manifest, id: BuildId) -> Option<ScheduledBuild> {
    let build = plan.build(id);
    let inputs = build.source_inputs()?;
    let ingredients = plan.ingredients_with(id, inputs, BTreeMap::new());
    Some(ScheduledBuild {
        name: build.name.clone(),
        inputs: Arc::clone(inputs),
        key: ingredients.source_key(),
        ingredients,
        timeout: manifest.package(build.package).timeout,
        limits: manifest.limits(build.package, build.chroot).into(),
        dependencies: Vec::new(),
        reasons: vec![Reason::SourcePackage],
    })
}

async fn make(
    steps: Steps,
    build: Arc<ScheduledBuild>,
    known: Option<(Key, String)>,
) -> Result<BuildEnding, ExecuteError> {
    if steps.cancel.is_canceled() {
        return Ok(ending(&build, State::Canceled, EndDetails::default()));
    }
    let found = steps.find_result(build.key).await?;
    if let Some(result) = found {
        steps.recorder.used(build.key);
        let found = FoundBuild { build: Arc::clone(&build), is_known: known.is_some() };
        let ending = ending(&build, State::Cached, EndDetails::default());
        let result = Some((build.key, Arc::new(result)));
        return Ok(BuildEnding {
            result,
            found: Some(found),
            serving: known.map(|(_, folder)| folder),
            ..ending
        });
    }
    let fetched = steps.clone().fetch(build.name.clone(), Arc::clone(&build.inputs), None).await?;
    let made = if matches!(fetched, StepEnd::Done) {
        steps.clone().make_source_package(Arc::clone(&build), None).await?
    } else {
        fetched
    };
    if matches!(made, StepEnd::Canceled) {
        return Ok(ending(&build, State::Canceled, EndDetails::default()));
    }
    if !matches!(made, StepEnd::Done) {
        return Ok(ending(&build, State::Failed, details_of(made)));
    }
    let Some(result) = steps.find_result(build.key).await? else {
        let gone = ExecuteError::Task("the source package is gone".to_owned());
        return Ok(ending(&build, State::Failed, details_of(failed_step(&gone))));
    };
    let details = EndDetails { stages: result.stages.clone(), ..EndDetails::default() };
    let ending = ending(&build, State::Succeeded, details);
    Ok(BuildEnding { result: Some((build.key, Arc::new(result))), ..ending })
}

fn ending(build: &ScheduledBuild, state: State, details: EndDetails) -> BuildEnding {
    let build = build.name.clone();
    BuildEnding { build, state, result: None, details, usual: None, found: None, serving: None }
}

/// What is told of a step that has made nothing.
fn details_of(end: StepEnd) -> EndDetails {
    let damaged =
        || ExecuteError::Task("what it is made of was damaged in the store: run this again".to_owned());
    match end {
        StepEnd::Failed { failure, stages } => EndDetails { stages, failure: Some(failure), skipped: None },
        StepEnd::NeedsDamaged => details_of(failed_step(&damaged())),
        StepEnd::Done
        | StepEnd::Made { .. }
        | StepEnd::Found { .. }
        | StepEnd::NeedsPlan(_)
        | StepEnd::Canceled => EndDetails::default(),
    }
}
