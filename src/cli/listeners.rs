//! Who receives the events of builds: screens, JSON, the summary at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::context::{Context, Failure};
use super::signals::end_on_signals;
use crate::event::{Event, EventSink, Listener, What};
use crate::process::Cancel;
use crate::ui::{JsonEvents, PlainEvents, ProgressEvents, Summary, Verbosity};

/// Everyone who is to receive events: as JSON where that is asked for, with what builds print where that is asked for too.
pub fn listener((json, logs): (bool, bool), context: &Context, summary: &Arc<Summary>) -> Arc<Listeners> {
    let json = json.then(|| {
        let json = JsonEvents::new(std::io::stdout());
        Arc::new(if logs { json.with_logs() } else { json })
    });
    let draws = json.is_none() && context.draws && context.verbosity > Verbosity::Quiet;
    let progress = draws.then(|| Arc::new(ProgressEvents::new(context.verbosity)));
    let screen: Arc<dyn Listener> = if let Some(json) = &json {
        Arc::clone(json) as Arc<dyn Listener>
    } else if let Some(progress) = &progress {
        Arc::clone(progress) as Arc<dyn Listener>
    } else {
        Arc::new(PlainEvents::new(std::io::stderr(), context.verbosity))
    };
    let summary = Arc::clone(summary);
    let (published, unpublished) = (AtomicBool::new(false), AtomicBool::new(false));
    Arc::new(Listeners { screen, json, progress, summary, published, unpublished })
}

/// Everyone who receives events.
pub struct Listeners {
    screen: Arc<dyn Listener>,
    /// Who writes them as JSON.
    pub json: Option<Arc<JsonEvents<std::io::Stdout>>>,
    progress: Option<Arc<ProgressEvents>>,
    summary: Arc<Summary>,
    published: AtomicBool,
    unpublished: AtomicBool,
}

impl Listeners {
    /// Whether a repository has changed.
    pub fn has_published(&self) -> bool {
        self.published.load(Ordering::Relaxed)
    }

    /// Whether something could not be published.
    pub fn has_unpublished(&self) -> bool {
        self.unpublished.load(Ordering::Relaxed)
    }

    /// Takes the progress off the screen.
    pub fn clear_screen(&self) {
        if let Some(progress) = &self.progress {
            progress.clear();
        }
    }
}

impl Listener for Listeners {
    fn hear(&self, event: &Event) {
        match &event.what {
            // An apply that begins again publishes again.
            What::ApplyStarted { .. } => self.unpublished.store(false, Ordering::Relaxed),
            What::Published { .. } => self.published.store(true, Ordering::Relaxed),
            What::NotPublished { .. } | What::NotSent { .. } => {
                self.unpublished.store(true, Ordering::Relaxed)
            }
            What::RepositoryDamaged { lost, .. } if !lost.is_empty() => {
                self.unpublished.store(true, Ordering::Relaxed);
            }
            What::RepositoryDamaged { .. }
            | What::StateChanged { .. }
            | What::StageStarted { .. }
            | What::Logged { .. }
            | What::Retried { .. }
            | What::BuildEnded(_)
            | What::DamageFound { .. }
            | What::Noted { .. }
            | What::Rebuilt { .. }
            | What::Sending { .. }
            | What::Sent { .. }
            | What::SourceMoved { .. }
            | What::SourceFailed { .. }
            | What::SourcesLookedAt { .. }
            | What::ApplyEnded { .. } => {}
        }
        self.screen.hear(event);
        self.summary.hear(event);
    }

    fn wants_logs(&self) -> bool {
        self.screen.wants_logs()
    }
}

/// Takes the progress off the screen however the apply ends.
pub struct ScreenClearer(pub Arc<Listeners>);

impl Drop for ScreenClearer {
    fn drop(&mut self) {
        self.0.clear_screen();
    }
}

/// The first Ctrl-C (or SIGTERM) ends all builds and waits for them; a second one ends forge at once. Before builds
/// begin, one is enough.
pub fn end_builds_on_signals(
    cancel: Cancel,
    events: EventSink,
    listeners: Arc<Listeners>,
) -> Result<(), Failure> {
    let first = move || {
        let text = "interrupted: ending all builds (once more ends forge at once)".to_owned();
        events.send(What::Noted { text });
    };
    end_on_signals(cancel, first, move || listeners.clear_screen())
}
