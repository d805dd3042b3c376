//! `forge apply --only sources`

use std::sync::Arc;

use super::Exit;
use super::arguments::Apply;
use super::context::{CliError, Context, Failure};
use super::execution::{made_builds, show_summary, unpublished};
use super::listeners::{ScreenClearer, end_builds_on_signals, listener};
use super::named_files::find_project;
use super::planning::{Planned, plan};
use super::result_record::read_record;
use crate::event::{Clock, EventSink, Listener, RunId, State, SystemClock, What};
use crate::execute::{KnownSourcePackages, make_source_packages};
use crate::process::Cancel;
use crate::ui::Summary;

/// Makes the source packages of what is chosen, and builds nothing.
pub async fn run(arguments: &Apply, context: &Context) -> Result<Exit, Failure> {
    let mut selection = arguments.selection.clone();
    let project = find_project(&mut selection, context)?;
    let _lock = project.lock("forge apply")?;
    let cancel = Cancel::default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let planned = plan(&project, &selection, &cancel, context).await?;
    let _store_lock = planned.store.lock_for_use()?;
    planned.store.remember_project(project.repository.path())?;
    planned.write_lock(&project.repository)?;
    let impossible = planned.show_without_source_package(context);
    let summary = Arc::new(Summary::default());
    let listener = listener((arguments.json, arguments.logs), context, &summary);
    let run = RunId::random(clock.now()).map_err(CliError::Io)?;
    let events = EventSink::new(run, Arc::clone(&clock), Arc::clone(&listener) as Arc<dyn Listener>);
    let _screen = ScreenClearer(Arc::clone(&listener));
    end_builds_on_signals(cancel.clone(), events.clone(), Arc::clone(&listener))?;
    planned.history.take_notes().into_iter().for_each(|text| events.send(What::Noted { text }));
    let (chosen, known) = (planned.asked(&selection)?, known_source_packages(&planned)?);
    let applied = make_source_packages(unpublished(&planned, &cancel, events, clock), &chosen, known).await?;
    let is_made = |state| matches!(state, State::Succeeded | State::Cached);
    let is_good = impossible == 0 && applied.ends.values().all(|end| is_made(end.state));
    let ended = (&made_builds(&planned, &applied), applied.canceled);
    let shown = (&*listener, &*summary);
    show_summary((&project, &planned), ended, shown, (is_good, arguments.json), context)?;
    planned.leave();
    planned.folders.collect_unused()?;
    Ok(match (applied.canceled, is_good) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Success,
        (false, false) => Exit::Failure,
    })
}

/// The source packages that this project has made alone, the newest of each build.
fn known_source_packages(planned: &Planned) -> Result<KnownSourcePackages, Failure> {
    let mut known = KnownSourcePackages::new();
    for row in planned.history.builds(None, usize::MAX)? {
        if known.contains_key(&row.build) || !matches!(row.state, State::Succeeded | State::Cached) {
            continue;
        }
        let record = read_record(&planned.state, &row).filter(|record| record.is_source_package_alone());
        if let (Some(record), Some(results)) = (record, row.results) {
            known.insert(row.build, (record.key, results));
        }
    }
    Ok(known)
}
