//! What an apply came to: a table, and for every failure the end of its log.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::events::Verbosity;
use super::table::{Column, table};
use super::words::duration;
use crate::event::{Ended, Event, Listener, Problem, Severity, State, What};

/// Collects what the final screen tells.
#[derive(Default)]
pub struct Summary {
    ended: Mutex<(Vec<Ended>, Duration)>,
    /// How often the apply began.
    rounds: AtomicUsize,
}

impl Listener for Summary {
    fn hear(&self, event: &Event) {
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.what {
            What::ApplyStarted { .. } => {
                self.rounds.fetch_add(1, Ordering::Relaxed);
            }
            What::BuildEnded(build) if self.rounds.load(Ordering::Relaxed) > 1 => {
                replace(&mut ended.0, build);
            }
            What::BuildEnded(build) => ended.0.push(build.clone()),
            What::ApplyEnded { duration, .. } => ended.1 += *duration,
            What::StateChanged { .. }
            | What::StageStarted { .. }
            | What::Logged { .. }
            | What::Retried { .. }
            | What::Published { .. }
            | What::NotPublished { .. }
            | What::RepositoryDamaged { .. }
            | What::DamageFound { .. }
            | What::Noted { .. } => {}
        }
    }

    fn wants_logs(&self) -> bool {
        false
    }
}

/// An apply that begins again tells of its builds again: what it has built before is up to date then, and stays built.
fn replace(all: &mut Vec<Ended>, build: &Ended) {
    match all.iter_mut().find(|known| known.build == build.build) {
        Some(known) if known.state == State::Succeeded && build.state == State::Cached => {}
        Some(known) => *known = build.clone(),
        None => all.push(build.clone()),
    }
}

impl Summary {
    /// Whether every build that should have a result has one: skipped ones that the spec itself rules out do not count.
    pub fn is_good(&self, counts_as_failure: impl Fn(&Ended) -> bool) -> bool {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        !ended.0.iter().any(counts_as_failure)
    }

    /// The final screen: quiet has no table, and cached builds are in it only where much is told.
    pub fn screen(&self, verbosity: Verbosity) -> String {
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let (builds, took) = (&ended.0, ended.1);
        let mut screen = String::new();
        let is_shown = |build: &&Ended| match verbosity {
            Verbosity::Quiet => false,
            Verbosity::Normal => build.state != State::Cached,
            Verbosity::Verbose => true,
        };
        let shown: Vec<&Ended> = builds.iter().filter(is_shown).collect();
        if !shown.is_empty() {
            let columns = [
                Column::Left("package"),
                Column::Left("chroot"),
                Column::Left("state"),
                Column::Right("time"),
            ];
            let rows: Vec<Vec<String>> = shown.iter().map(|build| row(build)).collect();
            screen.push_str(&table(&columns, &rows));
            screen.push('\n');
        }
        for build in builds.iter().filter(|build| build.failure.is_some()) {
            screen.push_str(&failure(build));
        }
        screen.push_str(&counts(builds, took));
        screen
    }
}

fn row(build: &Ended) -> Vec<String> {
    let time = if build.duration.is_zero() { String::new() } else { duration(build.duration) };
    vec![build.build.package.clone(), build.build.chroot.clone(), build.state.name().to_owned(), time]
}

fn failure(build: &Ended) -> String {
    let Some(failure) = &build.failure else {
        return String::new();
    };
    let mut text = format!("{}: {}\n", build.build, failure.cause);
    for line in &failure.excerpt {
        text.push_str(&format!("  │ {}\n", printable(line)));
    }
    // Of a script that failed its own last lines say why.
    let told = failure.problems.iter().filter(|problem| problem.code != SCRIPT_FAILED);
    for problem in told.filter(|problem| problem.severity == Severity::Error).take(PROBLEMS_SHOWN) {
        text.push_str(&shown_problem(problem));
    }
    if let Some(log) = &failure.log {
        text.push_str(&format!("  whole log: {log}\n"));
    }
    if let Some(tree) = &failure.tree {
        text.push_str(&format!("  build tree: {tree}\n"));
    }
    text.push('\n');
    text
}

/// The code of a problem that says that a script has failed.
const SCRIPT_FAILED: &str = "forge::engine::bad_exit";

/// How many problems of a build are shown; all of them are in its log.
const PROBLEMS_SHOWN: usize = 5;

/// The place of a problem, its code and what can be done: its words are in the lines of the log.
fn shown_problem(problem: &Problem) -> String {
    let mut text = format!("  {}", problem.code);
    if let (Some(file), Some(line)) = (&problem.file, problem.line) {
        text.push_str(&format!(" at {}:{line}", printable(file)));
    }
    text.push('\n');
    for step in &problem.through {
        text.push_str(&format!("    {}\n", printable(step)));
    }
    if let Some(help) = &problem.help {
        text.push_str(&format!("    help: {}\n", printable(help)));
    }
    text
}

/// A line of a log without what would move the cursor or change colours.
fn printable(line: &str) -> String {
    let short: String = line.chars().take(400).map(|c| if c == '\t' { ' ' } else { c }).collect();
    short.chars().filter(|c| !c.is_control()).collect()
}

fn counts(builds: &[Ended], took: Duration) -> String {
    let states = [
        (State::Succeeded, "built"),
        (State::Cached, "up to date"),
        (State::Failed, "failed"),
        (State::Skipped, "skipped"),
        (State::Canceled, "canceled"),
    ];
    let counted: Vec<String> = states
        .iter()
        .map(|(state, word)| (builds.iter().filter(|build| build.state == *state).count(), word))
        .filter(|(number, _)| *number > 0)
        .map(|(number, word)| format!("{number} {word}"))
        .collect();
    let counted = if counted.is_empty() { "nothing to build".to_owned() } else { counted.join(", ") };
    format!("{counted} in {}\n", duration(took))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{BuildName, RunId, Timestamp};

    #[test]
    fn what_was_built_stays_built_when_the_apply_begins_again() {
        let summary = Summary::default();
        let run = RunId::new(Timestamp(0), Default::default());
        let hear = |what: What| summary.hear(&Event { run, at: Timestamp(0), what });
        let ended = |package: &str, state: State| {
            let build = BuildName { package: package.to_owned(), chroot: "host".to_owned() };
            let duration = Duration::from_secs(1);
            let ended = Ended {
                build,
                number: None,
                state,
                duration,
                stages: Vec::new(),
                skipped: None,
                failure: None,
                results: None,
            };
            What::BuildEnded(ended)
        };
        for states in [[State::Succeeded, State::Skipped], [State::Cached, State::Succeeded]] {
            hear(What::ApplyStarted { builds: 2, estimate: Duration::ZERO });
            hear(ended("a", states[0]));
            hear(ended("b", states[1]));
        }
        assert!(summary.screen(Verbosity::Normal).contains("2 built in"));
        assert!(summary.is_good(|ended| ended.state == State::Skipped));
    }

    #[test]
    fn a_log_line_cannot_move_the_cursor() {
        assert_eq!(printable("\u{1b}[2Jgone\tthere"), "[2Jgone there");
    }
}
