//! Progress on a terminal: a line for each build that runs, with its stage, its time and what it has printed last, and one
//! for all that has work.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::control_echo::ControlEchoOff;
use super::events::{Verbosity, event_line};
use super::terminal_text::plain_text;
use super::words::{duration, size};
use crate::event::{BuildName, Event, Listener, State, What};

/// How often a running line is drawn anew.
const TICK: Duration = Duration::from_millis(120);

/// The longest part of a build's newest line that is kept, in characters; the terminal's width cuts it further.
const LONGEST_LINE: usize = 500;

/// Draws progress on standard error.
pub struct ProgressEvents {
    screen: MultiProgress,
    verbosity: Verbosity,
    state: Mutex<Drawn>,
    echo: Mutex<Option<ControlEchoOff>>,
}

struct Drawn {
    whole: ProgressBar,
    running: HashMap<BuildName, RunningBuild>,
    /// The builds that have work, those included that have ended.
    with_work: HashSet<BuildName>,
    /// How long what has not ended yet took last time.
    left: HashMap<BuildName, Duration>,
    /// The places that something is sent to.
    sending: HashMap<String, ProgressBar>,
}

/// The line of a build that runs.
struct RunningBuild {
    bar: ProgressBar,
    usual: String,
    stage: String,
    newest: String,
}

impl RunningBuild {
    fn show(&self) {
        let parts = [&self.usual, &self.stage, &self.newest];
        let parts: Vec<&str> =
            parts.into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        self.bar.set_message(parts.join("  "));
    }
}

impl ProgressEvents {
    /// Progress on a terminal.
    pub fn new(verbosity: Verbosity) -> Self {
        let mut progress = Self::with_target(verbosity, ProgressDrawTarget::stderr());
        progress.echo = Mutex::new(ControlEchoOff::switch_off());
        progress
    }

    fn with_target(verbosity: Verbosity, target: ProgressDrawTarget) -> Self {
        let screen = MultiProgress::with_draw_target(target);
        let whole = screen.add(ProgressBar::new(0).with_style(whole_style()));
        let (running, with_work, left) = (HashMap::new(), HashSet::new(), HashMap::new());
        let state = Drawn { whole, running, with_work, left, sending: HashMap::new() };
        Self { screen, verbosity, state: Mutex::new(state), echo: Mutex::default() }
    }

    /// Takes everything off the screen that is not there to stay.
    pub fn clear(&self) {
        let mut drawn = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let running = std::mem::take(&mut drawn.running);
        running.into_values().for_each(|running| self.remove(&running));
        drawn.whole.finish_and_clear();
        // A terminal that has gone away needs no clearing.
        let _ = self.screen.clear();
        self.echo.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    fn draw(&self, what: &What) {
        let mut drawn = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match what {
            What::ApplyStarted { .. } => {
                drawn.with_work.clear();
                drawn.left.clear();
                drawn.whole.reset();
                drawn.whole.set_length(0);
            }
            What::StateChanged { build, state, estimate, .. } => {
                drawn.note_work(build, *estimate);
                if matches!(state, State::Running | State::Importing) {
                    self.begin(&mut drawn, build, *state, *estimate);
                } else if let Some(running) = drawn.running.remove(build) {
                    self.remove(&running);
                }
            }
            What::StageStarted { build, stage } => {
                if let Some(running) = drawn.running.get_mut(build) {
                    running.stage = plain_text(stage);
                    running.newest.clear();
                    running.show();
                }
            }
            What::Logged { build, text } => {
                if let Some((running, newest)) = drawn.running.get_mut(build).zip(newest_line(text)) {
                    running.newest = newest;
                    running.show();
                }
                return;
            }
            What::BuildEnded(ended) => {
                if let Some(running) = drawn.running.remove(&ended.build) {
                    self.remove(&running);
                }
                drawn.note_end(&ended.build, ended.state);
            }
            What::Sending { place, bytes, total_bytes, .. } => {
                self.show_sending(&mut drawn, place, (*bytes, *total_bytes));
                return;
            }
            What::Sent { place, .. } | What::NotSent { place, .. } => {
                if let Some(bar) = drawn.sending.remove(place) {
                    bar.finish_and_clear();
                    self.screen.remove(&bar);
                }
            }
            What::ApplyEnded { .. } => drawn.whole.finish_and_clear(),
            What::Retried { .. }
            | What::Published { .. }
            | What::RepositoryDamaged { .. }
            | What::NotPublished { .. }
            | What::DamageFound { .. }
            | What::Rebuilt { .. }
            | What::SourceMoved { .. }
            | What::SourceFailed { .. }
            | What::SourcesLookedAt { .. }
            | What::Noted { .. } => {}
        }
        drawn.show_left();
    }

    fn show_sending(&self, drawn: &mut Drawn, place: &str, (bytes, total_bytes): (u64, u64)) {
        let bar = drawn.sending.entry(place.to_owned()).or_insert_with(|| {
            let bar = self.screen.add(ProgressBar::new_spinner().with_style(running_style()));
            bar.set_prefix(plain_text(place));
            bar.enable_steady_tick(TICK);
            bar
        });
        bar.set_message(format!("sending  {} of {}", size(bytes), size(total_bytes)));
    }

    fn begin(&self, drawn: &mut Drawn, build: &BuildName, state: State, estimate: Option<Duration>) {
        if let Some(running) = drawn.running.get_mut(build) {
            state.name().clone_into(&mut running.stage);
            running.show();
            return;
        }
        let bar = ProgressBar::new_spinner().with_style(running_style());
        let bar = self.screen.insert_before(&drawn.whole, bar);
        bar.set_prefix(plain_text(&build.to_string()));
        let usual = estimate.map(|usual| format!("of about {}", duration(usual))).unwrap_or_default();
        let running = RunningBuild { bar, usual, stage: state.name().to_owned(), newest: String::new() };
        running.show();
        running.bar.enable_steady_tick(TICK);
        drawn.running.insert(build.clone(), running);
    }

    fn remove(&self, running: &RunningBuild) {
        running.bar.finish_and_clear();
        self.screen.remove(&running.bar);
    }
}

impl Drawn {
    /// A build has work: what is up to date comes to no state before its last one.
    fn note_work(&mut self, build: &BuildName, estimate: Option<Duration>) {
        self.left.insert(build.clone(), estimate.unwrap_or_default());
        if self.with_work.insert(build.clone()) {
            self.whole.set_length(self.with_work.len() as u64);
            self.whole.enable_steady_tick(TICK);
        }
    }

    fn note_end(&mut self, build: &BuildName, state: State) {
        self.left.remove(build);
        if state == State::Cached {
            // What it needs came out the same, so that it has no work after all.
            self.with_work.remove(build);
            self.whole.set_length(self.with_work.len() as u64);
        } else if self.with_work.contains(build) {
            self.whole.inc(1);
        }
    }

    fn show_left(&self) {
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

/// The newest line of a piece of a log that says something, as a part of a line of ours.
fn newest_line(text: &str) -> Option<String> {
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    let line: String = line.trim().chars().take(LONGEST_LINE).collect();
    Some(plain_text(&line).replace(['\t', '\n'], " "))
}

impl Listener for ProgressEvents {
    fn hear(&self, event: &Event) {
        let is_start = matches!(event.what, What::StateChanged { .. } | What::StageStarted { .. });
        if let Some(line) = event_line(&event.what, self.verbosity).filter(|_| !is_start) {
            // A terminal that has gone away is no reason to end builds.
            let _ = self.screen.println(line);
        }
        self.draw(&event.what);
    }

    fn wants_logs(&self) -> bool {
        true
    }
}

fn running_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{spinner:.blue} {prefix:.bold} {elapsed:.dim} {wide_msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_spinner())
}

fn whole_style() -> ProgressStyle {
    let style = ProgressStyle::with_template("{bar:24.green/dim} {pos}/{len} builds, {elapsed}{msg}");
    style.unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Ended, RunId, Timestamp};

    fn name(package: &str) -> BuildName {
        BuildName { package: package.to_owned(), chroot: "host".to_owned() }
    }

    fn state(package: &str, state: State) -> What {
        What::StateChanged { build: name(package), number: None, state, estimate: None }
    }

    fn ended(package: &str, state: State) -> What {
        What::BuildEnded(Ended {
            build: name(package),
            number: None,
            state,
            duration: Duration::ZERO,
            stages: Vec::new(),
            skipped: None,
            failure: None,
            results: None,
        })
    }

    fn hear(whats: impl IntoIterator<Item = What>) -> ProgressEvents {
        let progress = ProgressEvents::with_target(Verbosity::Normal, ProgressDrawTarget::hidden());
        let run = RunId::new(Timestamp(0), Default::default());
        whats.into_iter().for_each(|what| progress.hear(&Event { run, at: Timestamp(0), what }));
        progress
    }

    #[test]
    fn what_has_work_is_counted_and_not_what_is_up_to_date() {
        let progress = hear([
            What::ApplyStarted { builds: 5, estimate: Duration::ZERO },
            state("a", State::Pending),
            state("b", State::Pending),
            state("c", State::Pending),
            ended("old", State::Cached),
            ended("older", State::Cached),
            ended("a", State::Succeeded),
            ended("b", State::Cached),
        ]);
        let drawn = progress.state.lock().unwrap();
        assert_eq!((drawn.whole.position(), drawn.whole.length()), (1, Some(2)));
    }

    #[test]
    fn a_running_build_shows_its_newest_line_without_what_steers_a_terminal() {
        let logged = |text: &str| What::Logged { build: name("a"), text: text.to_owned() };
        let stage = What::StageStarted { build: name("a"), stage: "build".to_owned() };
        let running = [state("a", State::Running), stage, logged("one\n"), logged("t\u{1b}[2Jwo\tx\n\n")];
        let progress = hear(running);
        let drawn = progress.state.lock().unwrap();
        assert_eq!(drawn.running[&name("a")].bar.message(), "build  two x");
    }

    #[test]
    fn nothing_that_is_drawn_outlives_the_end() {
        let progress = hear([state("a", State::Running)]);
        progress.clear();
        let drawn = progress.state.lock().unwrap();
        assert!(drawn.running.is_empty() && drawn.whole.is_finished());
    }
}
