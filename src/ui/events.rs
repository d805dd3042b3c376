//! Events as lines: for logs and pipes, and as JSON for programs.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use super::terminal_text::plain_text;
use super::words::{count, duration, short_commit, size};
use crate::event::{DamagedFile, Ended, Event, Listener, RebuildComparison, RebuiltOutcome, State, What};

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Only what failed.
    Quiet,
    /// What is built and how it ends.
    Normal,
    /// Every stage, and what was found in the cache.
    Verbose,
}

/// Writes one JSON object a line for every event.
pub struct JsonEvents<W> {
    output: Mutex<W>,
    with_logs: bool,
    /// Why the first event was lost that could not be written.
    lost: Mutex<Option<io::Error>>,
}

impl<W: Write + Send> JsonEvents<W> {
    /// Writes to `output`.
    pub fn new(output: W) -> Self {
        Self { output: Mutex::new(output), with_logs: false, lost: Mutex::default() }
    }

    /// Writes what builds print as well.
    #[must_use]
    pub fn with_logs(self) -> Self {
        Self { with_logs: true, ..self }
    }

    /// Why events were lost, if some were.
    pub fn take_error(&self) -> Option<io::Error> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<W: Write + Send> Listener for JsonEvents<W> {
    fn hear(&self, event: &Event) {
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        // The builds go on, and the history keeps what happened.
        let written = serde_json::to_writer(&mut *output, event)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(output))
            .and_then(|()| output.flush());
        if let Err(error) = written {
            self.lost.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
    }

    fn wants_logs(&self) -> bool {
        self.with_logs
    }
}

/// Writes plain lines, for terminals that can't draw and for logs.
pub struct PlainEvents<W> {
    output: Mutex<W>,
    verbosity: Verbosity,
}

impl<W: Write + Send> PlainEvents<W> {
    /// Writes to `output`.
    pub fn new(output: W, verbosity: Verbosity) -> Self {
        Self { output: Mutex::new(output), verbosity }
    }
}

impl<W: Write + Send> Listener for PlainEvents<W> {
    fn hear(&self, event: &Event) {
        let Some(line) = event_line(&event.what, self.verbosity) else {
            return;
        };
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = writeln!(output, "{line}");
    }

    fn wants_logs(&self) -> bool {
        false
    }
}

/// The line that an event is worth, if it is worth one. Specs and programs of others have a say in it: it can't steer the
/// terminal.
pub fn event_line(what: &What, verbosity: Verbosity) -> Option<String> {
    line_of(what, verbosity).map(|line| plain_text(&line))
}

fn line_of(what: &What, verbosity: Verbosity) -> Option<String> {
    let normal = verbosity >= Verbosity::Normal;
    let verbose = verbosity >= Verbosity::Verbose;
    match what {
        What::StateChanged { build, state: State::Running, estimate, .. } if normal => {
            let usual = estimate.map(|usual| format!(" (about {} last time)", duration(usual)));
            Some(format!("building   {build}{}", usual.unwrap_or_default()))
        }
        What::StateChanged { build, state, .. } if verbose => Some(format!("{:<10} {build}", state.name())),
        What::StageStarted { build, stage } if verbose => Some(format!("stage      {build}: {stage}")),
        What::Retried { build, attempt, cause } if normal => {
            Some(format!("again      {build}, try {attempt}: {cause}"))
        }
        What::BuildEnded(ended) => ended_line(ended, verbosity),
        What::Published { chroot, folder, packages, added, removed, signed_by } if normal => {
            let changes = [("new or changed", added.len()), ("gone", removed.len())];
            let changes = changes.iter().filter(|(_, number)| *number > 0);
            // A package of the manifest may have many files.
            let changes: Vec<String> =
                changes.map(|(word, number)| format!("{} {word}", count(*number, "package"))).collect();
            let changes =
                if changes.is_empty() { String::new() } else { format!("{}; ", changes.join(", ")) };
            let files = count(*packages, "package file");
            let signed = match signed_by.as_slice() {
                [] => String::new(),
                keys => format!(", signed by {}", keys.join(" and ")),
            };
            Some(format!("published  {chroot}: {folder} ({changes}{files} in all{signed})"))
        }
        What::DamageFound { build, file, .. } if normal => {
            let of = build.as_ref().map(|build| format!(" of {build}")).unwrap_or_default();
            Some(format!("damaged    {file}{of}: the store's copy was changed or cut short, and is dropped"))
        }
        What::RepositoryDamaged { folder, repaired, lost, .. } => {
            let repaired: &[DamagedFile] = if normal { repaired } else { &[] };
            let lines = damage_lines("put right", folder, repaired, "");
            let (older, newest): (Vec<DamagedFile>, Vec<DamagedFile>) =
                lost.iter().cloned().partition(|file| file.is_older);
            let help = ", and the store has it no more: `forge apply` of its package builds it again";
            let newest = damage_lines("lost", folder, &newest, help);
            let help = ", and neither the store nor the results have it: this older build is listed no more";
            let lines = [lines, newest, damage_lines("lost", folder, &older, help)].concat();
            (!lines.is_empty()).then(|| lines.join("\n"))
        }
        What::NotPublished { chroot, package, cause, help, .. } => {
            let of = package.as_ref().map(|package| format!("{package} in ")).unwrap_or_default();
            let help = help.as_ref().map(|help| format!("\n               help: {help}")).unwrap_or_default();
            Some(format!("not published: {of}{chroot}: {cause}{help}"))
        }
        What::Sent { chroot, place, files, bytes, removed } if normal => {
            let removed = if *removed > 0 { format!(", {removed} removed") } else { String::new() };
            Some(format!(
                "sent       {chroot}: {place} ({}, {}{removed})",
                count(*files, "file"),
                size(*bytes)
            ))
        }
        What::NotSent { chroot, place, cause, help, .. } => {
            let help = help.as_ref().map(|help| format!("\n               help: {help}")).unwrap_or_default();
            Some(format!("not sent:  {chroot} to {place}: {cause}{help}"))
        }
        What::Noted { text } => normal.then(|| format!("note       {text}")),
        What::Rebuilt { build, number, comparison } if normal => {
            Some(format!("compared   {build}, build #{number}: {}", rebuilt_words(comparison)))
        }
        What::SourceMoved { package, kind, from, to } if normal => {
            let [from, to] = [from, to].map(|what| short_commit(what.as_deref().unwrap_or("nothing")));
            Some(format!("moved      {package} ({kind}): {from} → {to}"))
        }
        What::SourcesLookedAt { sources, moved, failed } if normal => {
            let failed = if *failed > 0 { format!(", {failed} failed") } else { String::new() };
            Some(format!("looked at  {}: {moved} moved{failed}", count(*sources, "source")))
        }
        What::SourceFailed { package, cause } => Some(format!("failed     {package}: {cause}")),
        What::ApplyStarted { .. }
        | What::StateChanged { .. }
        | What::StageStarted { .. }
        | What::Logged { .. }
        | What::Retried { .. }
        | What::Published { .. }
        | What::DamageFound { .. }
        | What::Rebuilt { .. }
        | What::Sending { .. }
        | What::Sent { .. }
        | What::SourceMoved { .. }
        | What::SourcesLookedAt { .. }
        | What::ApplyEnded { .. } => None,
    }
}

/// Whether a rebuild has made what was made before.
fn rebuilt_words(comparison: &RebuildComparison) -> String {
    let RebuildComparison { rebuild_of, is_same, packages } = comparison;
    match is_same {
        None => format!("there are no packages of both it and #{rebuild_of} to compare"),
        Some(true) => format!("the packages are those of #{rebuild_of}, bit for bit"),
        Some(false) => {
            let word = |outcome| match outcome {
                RebuiltOutcome::Same => None,
                RebuiltOutcome::Differs => Some("differs"),
                RebuiltOutcome::New => Some("is new"),
                RebuiltOutcome::Gone => Some("is gone"),
            };
            let said = packages.iter().filter_map(|package| {
                word(package.outcome).map(|word| format!("\n               {} {word}", package.file))
            });
            let said: Vec<String> = said.collect();
            format!(
                "{} of {} are not as in #{rebuild_of}:{}",
                said.len(),
                count(packages.len(), "package"),
                said.concat()
            )
        }
    }
}

/// How many damaged files are named, of each kind.
const NAMED: usize = 20;

fn damage_lines(word: &str, folder: &str, files: &[DamagedFile], help: &str) -> Vec<String> {
    let line = |file: &DamagedFile| format!("{word:<10} {folder}/{}: {}{help}", file.path, file.damage);
    let mut lines: Vec<String> = files.iter().take(NAMED).map(line).collect();
    if let Some(more) = files.len().checked_sub(NAMED).filter(|more| *more > 0) {
        lines.push(format!("{word:<10} {}", count(more, "more file")));
    }
    lines
}

fn ended_line(ended: &Ended, verbosity: Verbosity) -> Option<String> {
    let Ended { build, number, state, duration: took, skipped, failure, .. } = ended;
    let least = match state {
        State::Failed => Verbosity::Quiet,
        State::Cached => Verbosity::Verbose,
        // What had not begun is counted at the end.
        State::Canceled if number.is_none() => Verbosity::Verbose,
        State::Waiting
        | State::Pending
        | State::Importing
        | State::Running
        | State::Succeeded
        | State::Canceled
        | State::Skipped => Verbosity::Normal,
    };
    let why = failure.as_ref().map(|failure| &failure.cause).or(skipped.as_ref());
    let why = why.map(|why| format!(": {why}")).unwrap_or_default();
    let took = if took.is_zero() { String::new() } else { format!(" in {}", duration(*took)) };
    let text = if *state == State::Succeeded {
        format!("{:<10} {build}{took}", "built")
    } else {
        format!("{:<10} {build}{took}{why}", state.name())
    };
    (verbosity >= least).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{BuildName, RunId, Timestamp};

    #[test]
    fn what_had_not_begun_when_all_was_canceled_has_no_line() {
        let build = BuildName { package: "a".to_owned(), chroot: "host".to_owned() };
        let ended = |number: Option<u64>| Ended {
            build: build.clone(),
            number,
            state: State::Canceled,
            duration: std::time::Duration::ZERO,
            stages: Vec::new(),
            skipped: None,
            failure: None,
            results: None,
        };
        assert_eq!(ended_line(&ended(None), Verbosity::Normal), None);
        let line = ended_line(&ended(Some(3)), Verbosity::Normal);
        assert_eq!(line.as_deref(), Some("canceled   a in host"));
    }

    #[test]
    fn what_a_spec_says_can_not_steer_the_terminal() {
        let build = BuildName { package: "a".to_owned(), chroot: "host".to_owned() };
        let ended = Ended {
            build,
            number: None,
            state: State::Skipped,
            duration: std::time::Duration::ZERO,
            stages: Vec::new(),
            skipped: Some("bad \u{1b}[2J\u{1b}[8mx".to_owned()),
            failure: None,
            results: None,
        };
        let run = RunId::new(Timestamp(0), Default::default());
        let output = Mutex::new(Vec::new());
        let events = PlainEvents { output, verbosity: Verbosity::Normal };
        for what in [What::BuildEnded(ended), What::Noted { text: "n\u{1b}]0;t\u{7}".to_owned() }] {
            events.hear(&Event { run, at: Timestamp(0), what });
        }
        let shown = String::from_utf8(events.output.into_inner().unwrap()).unwrap();
        assert_eq!(shown, "skipped    a in host: bad x\nnote       n\n");
    }
}
