//! `forge apply`

use std::collections::BTreeSet;
use std::sync::Arc;

use super::arguments::{Apply, OnlyPart};
use super::context::{CliError, Context, Failure};
use super::execution::{execution, show_summary};
use super::failed_builds::{collect_failed, failed_age};
use super::listeners::{ScreenClearer, end_builds_on_signals, listener};
use super::named_files::find_project;
use super::place_settings::send_all;
use super::planning::{Planned, plan, runtime};
use super::selection_arguments::Selection;
use super::verify::verify_made;
use super::{Exit, only_sources};
use crate::chroot::Connection;
use crate::event::{BuildName, Clock, Ended, EventSink, Listener, RunId, State, SystemClock, What};
use crate::execute::{Ends, PreparedTrees, drops_damaged_results, execute, name_damage};
use crate::plan::{BuildId, CARRIAGE_RETURNS, Decision, Fate, PlanError};
use crate::process::Cancel;
use crate::publish::places::PlaceRequest;
use crate::publish::{Leaving, Repositories, Verification};
use crate::store::CollectionMode;
use crate::ui::Summary;

/// Builds what has changed.
pub fn run(arguments: &Apply, context: &Context) -> Result<Exit, Failure> {
    match arguments.only {
        None if arguments.verify => runtime()?.block_on(apply_and_verify(arguments, context)),
        None => runtime()?.block_on(apply(arguments, context)),
        Some(OnlyPart::Sources) => runtime()?.block_on(only_sources::run(arguments, context)),
    }
}

/// Builds what has changed, and makes it again, varied.
async fn apply_and_verify(arguments: &Apply, context: &Context) -> Result<Exit, Failure> {
    let project = find_project(&mut arguments.selection.clone(), context)?;
    let last = project.history()?.builds(None, 1)?.first().map_or(0, |row| row.number);
    let ended = apply(arguments, context).await?;
    if ended != Exit::Success {
        return Ok(ended);
    }
    let _lock = project.lock("forge apply --verify")?;
    let cancel = Cancel::default();
    let is_good = verify_made(&project, last, &cancel, (arguments.json, context)).await?;
    Ok(match (cancel.is_canceled(), is_good) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Success,
        (false, false) => Exit::Failure,
    })
}

async fn apply(arguments: &Apply, context: &Context) -> Result<Exit, Failure> {
    let mut selection = arguments.selection.clone();
    let project = find_project(&mut selection, context)?;
    let _lock = project.lock("forge apply")?;
    let cancel = Cancel::default();
    let mut planned = plan(&project, &selection, &cancel, context).await?;
    let _store_lock = planned.store.lock_for_use()?;
    planned.store.remember_project(project.repository.path())?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let verification =
        if arguments.verify_published { Verification::EveryDigest } else { Verification::TimesFirst };
    let repositories = planned.repositories(&project, verification, Arc::clone(&clock), context);
    let leaving = repositories.leaving(&planned.plan, &planned.decisions)?;
    if !arguments.json {
        planned.show_impossible(context);
    }
    let summary = Arc::new(Summary::default());
    let listener = listener((arguments.json, arguments.logs), context, &summary);
    let run = RunId::random(clock.now()).map_err(CliError::Io)?;
    let events = EventSink::new(run, Arc::clone(&clock), Arc::clone(&listener) as Arc<dyn Listener>);
    let _screen = ScreenClearer(Arc::clone(&listener));
    end_builds_on_signals(cancel.clone(), events.clone(), Arc::clone(&listener))?;
    planned.write_lock(&project.repository)?;
    let with_work = builds_with_work(&planned);
    let send = |what: What| events.send(what);
    let notes = notes(&planned, &leaving).into_iter().chain(planned.history.take_notes());
    notes.for_each(|text| send(What::Noted { text }));
    let repositories = Arc::new(repositories);
    let (mut round, mut plans) = (1, 1);
    let prepared = Arc::new(PreparedTrees::default());
    let applied = loop {
        drop_damaged_results(&mut planned, &selection, &send)?;
        let run = (&cancel, events.clone(), Arc::clone(&clock));
        let publisher = Arc::clone(&repositories) as Arc<_>;
        let execution = execution(&planned, run, Arc::clone(&prepared), publisher);
        let applied = execute(execution).await?;
        // Builds may have found out what they need.
        planned.write_lock(&project.repository)?;
        note_made(&planned, &applied.ends, &mut selection);
        let has_lost = report_damage(&planned, &applied.ends, &send);
        if applied.needs_plan && !applied.canceled && plans < MOST_PLANS {
            planned = match plan(&project, &selection, &cancel, context).await {
                Err(_) if cancel.is_canceled() => return Ok(Exit::Interrupted),
                planned => planned?,
            };
            if !arguments.json {
                planned.show_impossible(context);
            }
            planned.write_lock(&project.repository)?;
            plans += 1;
            continue;
        }
        if !has_lost || applied.canceled || round == MOST_ROUNDS {
            break applied;
        }
        planned.decide(&selection)?;
        round += 1;
    };
    planned.history.take_notes().into_iter().for_each(|text| send(What::Noted { text }));
    // Of repositories that are as they were it was said when they came to be so. That one can't be read was said as well.
    let broken = match listener.has_published() {
        true => repositories.broken_requirements(&planned.history).unwrap_or_default(),
        false => Vec::new(),
    };
    broken.iter().for_each(|broken| send(What::Noted { text: broken.to_string() }));
    planned.leave();
    let uncounted = not_counted(&planned);
    if !applied.canceled {
        repositories.retire_undeclared().into_iter().for_each(send);
        let (age, now) = (failed_age(&planned.manifest), clock.now());
        collect_failed((&planned.state, &planned.history), age, CollectionMode::Remove, now)?;
        send_to_places((&repositories, selection.lock.connection()), (&cancel, &send), context)?;
    }
    let is_canceled = applied.canceled || cancel.is_canceled();
    let has_failed = |ended: &Ended| match ended.state {
        State::Failed | State::Canceled => true,
        State::Skipped => !uncounted.contains(&ended.build),
        State::Waiting
        | State::Pending
        | State::Importing
        | State::Running
        | State::Succeeded
        | State::Cached => false,
    };
    let is_good =
        summary.is_good(has_failed) && !listener.has_unpublished() && planned.manifest.not_yet.is_empty();
    let shown = (&*listener, &*summary);
    show_summary((&project, &planned), (&with_work, is_canceled), shown, (is_good, arguments.json), context)?;
    planned.folders.collect_unused()?;
    Ok(match (is_canceled, is_good) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Success,
        (false, false) => Exit::Failure,
    })
}

/// Sends the repositories to the places that the manifest names.
fn send_to_places(
    (repositories, connection): (&Repositories, Connection),
    (cancel, send): (&Cancel, &(dyn Fn(What) + Sync)),
    context: &Context,
) -> Result<(), Failure> {
    let has_places = repositories.manifest.publish.as_ref().is_some_and(|publish| !publish.places.is_empty());
    match connection {
        _ if !has_places => {}
        Connection::Offline => {
            send(What::Noted { text: "nothing is sent to places: `--offline`".to_owned() });
        }
        Connection::Online => {
            send_all(repositories, &PlaceRequest::default(), (cancel, send), context)?;
        }
    }
    Ok(())
}

/// How often an apply begins again because of damage that it met on its way. What it meets is dropped, so that each time
/// it meets less; where that is not so, the disk is of no use.
const MOST_ROUNDS: u32 = 5;

/// How often an apply is planned again because of what `%generate_buildrequires` names: a build may name more whenever it
/// has what it has named before.
const MOST_PLANS: u32 = 50;

/// Reads what the apply will read of the store, and decides again until all of that is sound.
fn drop_damaged_results(
    planned: &mut Planned,
    selection: &Selection,
    send: &dyn Fn(What),
) -> Result<(), Failure> {
    for _ in 0..MOST_ROUNDS {
        if !drops_damaged_results(&planned.plan, &planned.decisions, &planned.store, &planned.last_good) {
            break;
        }
        report_damage(planned, &Ends::new(), send);
        planned.decide(selection)?;
    }
    Ok(())
}

/// Says what was damaged; gives whether some of it has not been made again yet.
fn report_damage(planned: &Planned, ends: &Ends, send: &dyn Fn(What)) -> bool {
    let damaged = planned.store.take_damaged();
    damaged.iter().for_each(|blob| send(name_damage(blob, &planned.plan, &planned.decisions, ends)));
    damaged.iter().any(|blob| !planned.store.has(blob))
}

/// Notes what was made: where the apply begins again, it is not forced again.
fn note_made(planned: &Planned, ends: &Ends, selection: &mut Selection) {
    let made = ends.iter().filter(|(_, end)| end.state == State::Succeeded);
    selection.made.extend(made.map(|(id, _)| planned.plan.build(*id).name.clone()));
}

/// The builds that have work as far as is known before it begins.
fn builds_with_work(planned: &Planned) -> BTreeSet<BuildName> {
    let plan = &planned.plan;
    let has_work = |id: &BuildId| matches!(planned.decisions.decision(*id), Decision::Build { .. });
    plan.ids().filter(has_work).map(|id| plan.build(id).name.clone()).collect()
}

/// Builds that are skipped as they should be: ruled out by their specs, or not chosen.
fn not_counted(planned: &Planned) -> Vec<BuildName> {
    let is_fine = |id: &BuildId| {
        let decision = planned.decisions.decision(*id);
        matches!(decision, Decision::Skip { failed: false, .. } | Decision::NotChosen)
    };
    planned.plan.ids().filter(is_fine).map(|id| planned.plan.build(id).name.clone()).collect()
}

/// What leaves repositories, and what the manifest says that has no effect yet, beside what is said of each build.
fn notes(planned: &Planned, leaving: &[Leaving]) -> Vec<String> {
    // What leaves for its age is told when it leaves: what is built until then stays.
    let leaving = leaving.iter().filter(|leaving| leaving.not_built_since.is_none());
    let mut notes: Vec<String> = leaving.map(Leaving::to_string).collect();
    notes.extend(planned.plan.notes().iter().cloned());
    notes.extend(carriage_returns(planned));
    notes.extend(planned.unsupported());
    let is_buildable = planned.plan.builds.iter().any(|build| matches!(build.fate, Fate::Buildable(_)));
    if !is_buildable && !planned.plan.builds.is_empty() {
        notes.push("none of the packages can be built: see below".to_owned());
    }
    notes
}

/// Specs whose lines end as on Windows: what fails because of it says something else.
fn carriage_returns(planned: &Planned) -> BTreeSet<String> {
    let said = planned.plan.builds.iter().flat_map(|build| {
        let package = &build.name.package;
        build.warnings.iter().filter_map(move |warning| {
            let PlanError::Spec(finding) = warning.error() else { return None };
            (finding.code == CARRIAGE_RETURNS).then(|| format!("{package}: {}", finding.title))
        })
    });
    said.collect()
}
