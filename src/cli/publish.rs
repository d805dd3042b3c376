//! `forge publish`

use std::sync::Arc;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::known_repositories::known_repositories;
use super::listeners::{ScreenClearer, end_builds_on_signals, listener};
use super::place_settings::send_all;
use super::planning::runtime;
use super::project::{Project, store};
use super::publish_arguments::Publish;
use crate::event::{Clock, EventSink, Listener, RunId, SystemClock, What};
use crate::process::Cancel;
use crate::publish::places::PlaceRequest;
use crate::ui::{Summary, is_closed_pipe};

/// Sends repositories, as they are now, to places.
pub fn run(arguments: &Publish, context: &Context) -> Result<Exit, Failure> {
    runtime()?.block_on(publish(arguments, context))
}

async fn publish(arguments: &Publish, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let _lock = project.lock("forge publish")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let manifest = project.manifest(&[], context)?;
    let repositories = known_repositories(&project, &manifest, &Arc::new(store(context)?), context)?;
    let cancel = Cancel::default();
    let listener = listener((arguments.json, false), context, &Arc::new(Summary::default()));
    let run = RunId::random(clock.now()).map_err(CliError::Io)?;
    let events = EventSink::new(run, clock, Arc::clone(&listener) as Arc<dyn Listener>);
    let _screen = ScreenClearer(Arc::clone(&listener));
    end_builds_on_signals(cancel.clone(), events.clone(), Arc::clone(&listener))?;
    let request = PlaceRequest { only: arguments.to.clone() };
    let send = |what: What| events.send(what);
    let places = send_all(&repositories, &request, (&cancel, &send), context)?;
    if places == 0 && !cancel.is_canceled() {
        return Err(CliError::NoPlace { place: arguments.to.clone() }.into());
    }
    let lost = listener.json.as_ref().and_then(|json| json.take_error());
    if let Some(error) = lost.filter(|error| !is_closed_pipe(error)) {
        return Err(Failure::from_output(error));
    }
    Ok(match (cancel.is_canceled(), listener.has_unpublished()) {
        (true, _) => Exit::Interrupted,
        (false, true) => Exit::Failure,
        (false, false) => Exit::Success,
    })
}
