//! What carries plans out, and what is shown of how they ended.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::context::{Context, Failure};
use super::listeners::Listeners;
use super::planning::Planned;
use super::project::{Project, project_name};
use crate::event::{BuildName, Clock, EventSink, State, What};
use crate::execute::{Applied, Ends, Execution, LocalRunner, PreparedTrees, Publisher};
use crate::manifest::ChrootId;
use crate::plan::Plan;
use crate::process::Cancel;
use crate::ui::{Summary, SummaryView, Verbosity, is_closed_pipe};

/// What carries a plan out, and publishes nothing.
pub fn unpublished(
    planned: &Planned,
    cancel: &Cancel,
    events: EventSink,
    clock: Arc<dyn Clock>,
) -> Execution {
    execution(planned, (cancel, events, clock), Arc::new(PreparedTrees::default()), Arc::new(Unpublished))
}

/// What carries a plan out.
pub fn execution(
    planned: &Planned,
    (cancel, events, clock): (&Cancel, EventSink, Arc<dyn Clock>),
    prepared: Arc<PreparedTrees>,
    publisher: Arc<dyn Publisher>,
) -> Execution {
    Execution {
        manifest: Arc::clone(&planned.manifest),
        plan: Arc::clone(&planned.plan),
        decisions: Arc::clone(&planned.decisions),
        store: Arc::clone(&planned.store),
        history: Arc::clone(&planned.history),
        last_good: Arc::clone(&planned.last_good),
        state: Arc::clone(&planned.state),
        runner: Arc::new(LocalRunner {
            store: Arc::clone(&planned.store),
            roots: planned.roots_by_chroot(),
            cancel: cancel.clone(),
            clock,
            prepared,
        }),
        events,
        publisher,
        jobs: planned.jobs,
        cancel: cancel.clone(),
    }
}

/// Neither what was built with the settings of then nor a source package without packages belongs into the repositories of now.
struct Unpublished;

impl Publisher for Unpublished {
    fn publish(&self, _chroot: ChrootId, _plan: &Plan, _ends: &Ends) -> Vec<What> {
        Vec::new()
    }
}

/// The builds that were made. What was found had no work that could turn out not to be needed.
pub fn made_builds(planned: &Planned, applied: &Applied) -> BTreeSet<BuildName> {
    let made = applied.ends.iter().filter(|(_, end)| end.state != State::Cached);
    made.map(|(id, _)| planned.plan.build(*id).name.clone()).collect()
}

/// Shows how it ended, where these builds had work.
///
/// # Errors
/// It can't be written, or the events could not.
pub fn show_summary(
    (project, planned): (&Project, &Planned),
    (with_work, is_canceled): (&BTreeSet<BuildName>, bool),
    (listener, summary): (&Listeners, &Summary),
    (is_good, json): (bool, bool),
    context: &Context,
) -> Result<(), Failure> {
    let folder = project.repository.path().to_string();
    let view = SummaryView {
        verbosity: context.verbosity,
        project: project_name(planned.manifest.name.as_deref(), &folder),
        folder: &folder,
        planned: with_work,
        is_canceled,
    };
    if !json && (context.verbosity > Verbosity::Quiet || !is_good) {
        listener.clear_screen();
        context.print(&summary.screen(view))?;
    } else if json && !is_good && context.verbosity > Verbosity::Quiet {
        // The events are for programs: who looks at a job that failed has to read why.
        context.tell(&summary.screen(view));
    }
    // Who reads the events must not take those that arrived for all.
    let lost = listener.json.as_ref().and_then(|json| json.take_error());
    lost.filter(|error| !is_closed_pipe(error)).map_or(Ok(()), |error| Err(Failure::from_output(error)))
}
