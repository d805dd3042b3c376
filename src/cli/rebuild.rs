//! `forge rebuild`

use std::sync::Arc;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::earlier_build::EarlierBuild;
use super::execution::{made_builds, show_summary, unpublished};
use super::listeners::{ScreenClearer, end_on_signals, listener};
use super::planning::{plan, runtime};
use super::project::Project;
use super::rebuild_arguments::Rebuild;
use super::root_arguments::LockArguments;
use super::selection_arguments::Selection;
use crate::event::{Clock, EventSink, Listener, RunId, State, SystemClock, What};
use crate::execute::execute;
use crate::process::Cancel;
use crate::ui::Summary;

/// Makes an earlier build again, and compares what comes out.
pub fn run(arguments: &Rebuild, context: &Context) -> Result<Exit, Failure> {
    runtime()?.block_on(rebuild(arguments, context))
}

async fn rebuild(arguments: &Rebuild, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let _lock = project.lock("forge rebuild")?;
    let cancel = Cancel::default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let run = RunId::random(clock.now()).map_err(CliError::Io)?;
    let earlier = EarlierBuild::find(&project, arguments, context)?;
    let _store_lock = earlier.store.lock_for_use()?;
    let order = earlier.order(&run.to_string())?;
    let selection = Selection {
        lock: LockArguments { locked: false, offline: arguments.offline },
        rebuild: Some(order),
        ..Selection::default()
    };
    // What that locks is of this build alone: nothing of it is written.
    let planned = plan(&project, &selection, &cancel, context).await?;
    planned.store.remember_project(project.repository.path())?;
    if planned.show_impossible(context) > 0 {
        return Ok(Exit::Failure);
    }
    let notes = earlier.check(&planned)?;
    let summary = Arc::new(Summary::default());
    let listener = listener((arguments.json, arguments.logs), context, &summary);
    let events = EventSink::new(run, Arc::clone(&clock), Arc::clone(&listener) as Arc<dyn Listener>);
    let _screen = ScreenClearer(Arc::clone(&listener));
    end_on_signals(cancel.clone(), events.clone(), Arc::clone(&listener))?;
    let notes = notes.into_iter().chain(planned.notes()).chain(planned.history.take_notes());
    notes.for_each(|text| events.send(What::Noted { text }));
    let applied = execute(unpublished(&planned, &cancel, events, clock)).await?;
    let is_good = applied.ends.values().all(|end| end.state == State::Succeeded);
    let ended = (&made_builds(&planned, &applied), applied.canceled);
    let shown = (&*listener, &*summary);
    show_summary((&project, &planned), ended, shown, (is_good, arguments.json), context)?;
    planned.leave();
    Ok(match (applied.canceled, is_good) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Success,
        (false, false) => Exit::Failure,
    })
}
