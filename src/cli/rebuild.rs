//! `forge rebuild`

use std::sync::Arc;

use super::Exit;
use super::context::{CliError, Context, Failure};
use super::earlier_build::{EarlierBuild, RebuildWays};
use super::execution::{made_builds, show_summary, unpublished};
use super::listeners::{ScreenClearer, end_builds_on_signals, listener};
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
    let project = Project::find(context)?;
    let _lock = project.lock("forge rebuild")?;
    let ways = RebuildWays {
        with_current_root: arguments.with_current_root,
        profile: arguments.profile.clone(),
        ..RebuildWays::default()
    };
    let order = BuildAgain {
        number: arguments.build,
        ways: &ways,
        offline: arguments.offline,
        json: arguments.json,
        logs: arguments.logs,
        is_part: false,
    };
    let made = runtime()?.block_on(order.make(&project, &Cancel::default(), context))?;
    Ok(match made {
        MadeAgain::Canceled => Exit::Interrupted,
        MadeAgain::Good => Exit::Success,
        MadeAgain::Impossible | MadeAgain::Failed => Exit::Failure,
    })
}

/// How an earlier build was made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MadeAgain {
    /// It can't be built, which has been told.
    Impossible,
    /// It ended well.
    Good,
    /// It failed, which has been told.
    Failed,
    /// It was ended before.
    Canceled,
}

/// What is made again, and who hears of it.
pub struct BuildAgain<'a> {
    /// The number of the earlier build.
    pub number: u64,
    /// How.
    pub ways: &'a RebuildWays,
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// Whether events are written as JSON.
    pub json: bool,
    /// Whether what is printed is written too.
    pub logs: bool,
    /// Whether it is part of something larger, which tells itself how it ended: only why it failed is told.
    pub is_part: bool,
}

impl BuildAgain<'_> {
    /// Makes it, and tells how it ends.
    ///
    /// # Errors
    /// It is not known any more what it was made of, or forge can't do its work.
    pub async fn make(
        &self,
        project: &Project,
        cancel: &Cancel,
        context: &Context,
    ) -> Result<MadeAgain, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let run = RunId::random(clock.now()).map_err(CliError::Io)?;
        let earlier = EarlierBuild::find(project, self.number, self.ways, context)?;
        let _store_lock = earlier.store.lock_for_use()?;
        let order = earlier.order(&run.to_string())?;
        let selection = Selection {
            lock: LockArguments { locked: false, offline: self.offline },
            rebuild: Some(order),
            ..Selection::default()
        };
        // What that locks is of this build alone: nothing of it is written.
        let planned = plan(project, &selection, cancel, context).await?;
        planned.store.remember_project(project.repository.path())?;
        if planned.show_impossible(context) > 0 {
            return Ok(MadeAgain::Impossible);
        }
        let notes = earlier.check(&planned)?;
        let summary = Arc::new(Summary::default());
        let listener = listener((self.json, self.logs), context, &summary);
        let events = EventSink::new(run, Arc::clone(&clock), Arc::clone(&listener) as Arc<dyn Listener>);
        let _screen = ScreenClearer(Arc::clone(&listener));
        // What it is part of has seen to it.
        if !self.is_part {
            end_builds_on_signals(cancel.clone(), events.clone(), Arc::clone(&listener))?;
        }
        let notes = notes.into_iter().chain(planned.notes()).chain(planned.history.take_notes());
        notes.for_each(|text| events.send(What::Noted { text }));
        let applied = execute(unpublished(&planned, cancel, events, clock)).await?;
        let is_good = applied.ends.values().all(|end| end.state == State::Succeeded);
        let ended = (&made_builds(&planned, &applied), applied.canceled);
        let shown = (&*listener, &*summary);
        show_summary((project, &planned), ended, shown, (is_good, self.json || self.is_part), context)?;
        planned.leave();
        Ok(match (applied.canceled, is_good) {
            (true, _) => MadeAgain::Canceled,
            (false, true) => MadeAgain::Good,
            (false, false) => MadeAgain::Failed,
        })
    }
}
