//! Progress on a terminal: a line for each build that runs, with its stage and time, and one for the whole.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::events::{Verbosity, line};
use super::terminal_text::plain_text;
use super::words::duration;
use crate::event::{BuildName, Event, Listener, State, What};

/// How often a running line is drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// Draws progress on standard error.
pub struct ProgressEvents {
    screen: MultiProgress,
    verbosity: Verbosity,
    state: Mutex<Drawn>,
}

struct Drawn {
    whole: ProgressBar,
    running: HashMap<BuildName, ProgressBar>,
    /// How long what has not ended yet took last time.
    left: HashMap<BuildName, Duration>,
}

impl ProgressEvents {
    /// Progress on a terminal.
    pub fn new(verbosity: Verbosity) -> Self {
        let screen = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let whole = screen.add(ProgressBar::new(0).with_style(whole_style()));
        let state = Drawn { whole, running: HashMap::new(), left: HashMap::new() };
        Self { screen, verbosity, state: Mutex::new(state) }
    }

    fn draw(&self, what: &What) {
        let mut drawn = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            What::ApplyStarted { builds, .. } => {
                drawn.whole.reset();
                drawn.whole.set_length(*builds as u64);
                drawn.whole.enable_steady_tick(TICK);
            }
            What::StateChanged { build, state, estimate, .. } => {
                drawn.left.insert(build.clone(), estimate.unwrap_or_default());
                if matches!(state, State::Running | State::Importing) {
                    self.begin(&mut drawn, build, *state, *estimate);
                } else if let Some(bar) = drawn.running.remove(build) {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
            }
            What::StageStarted { build, stage } => {
                if let Some(bar) = drawn.running.get(build) {
                    bar.set_message(plain_text(stage));
                }
            }
            What::BuildEnded(ended) => {
                drawn.left.remove(&ended.build);
                if let Some(bar) = drawn.running.remove(&ended.build) {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
                drawn.whole.inc(1);
            }
            What::ApplyEnded { .. } => drawn.whole.finish_and_clear(),
            What::Logged { .. }
            | What::Retried { .. }
            | What::Published { .. }
            | What::RepositoryDamaged { .. }
            | What::NotPublished { .. }
            | What::DamageFound { .. }
            | What::Noted { .. } => {}
        }
        drawn.tell_left();
    }

    fn begin(&self, drawn: &mut Drawn, build: &BuildName, state: State, estimate: Option<Duration>) {
        if let Some(bar) = drawn.running.get(build) {
            bar.set_message(state.name());
            return;
        }
        let bar = ProgressBar::new_spinner().with_style(running_style());
        let bar = self.screen.insert_before(&drawn.whole, bar);
        bar.set_prefix(plain_text(&build.to_string()));
        bar.set_message(match estimate {
            Some(usual) => format!("{} (about {} last time)", state.name(), duration(usual)),
            None => state.name().to_owned(),
        });
        bar.enable_steady_tick(TICK);
        drawn.running.insert(build.clone(), bar);
    }
}

impl Drawn {
    fn tell_left(&self) {
        let left: Duration = self.left.values().sum();
        let places = self.running.len().max(1);
        let text = if left.is_zero() {
            String::new()
        } else {
            let places = u32::try_from(places).unwrap_or(u32::MAX);
            format!(", about {} left", duration(left / places))
        };
        self.whole.set_message(text);
    }
}

impl Listener for ProgressEvents {
    fn hear(&self, event: &Event) {
        let is_start = matches!(event.what, What::StateChanged { .. } | What::StageStarted { .. });
        if let Some(line) = line(&event.what, self.verbosity).filter(|_| !is_start) {
            // A terminal that has gone away is no reason to end builds.
            let _ = self.screen.println(line);
        }
        self.draw(&event.what);
    }

    fn wants_logs(&self) -> bool {
        false
    }
}

fn running_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{spinner:.blue} {prefix:.bold} {elapsed:.dim} {msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn whole_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:24.green/dim} {pos}/{len} builds, {elapsed}{msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}
