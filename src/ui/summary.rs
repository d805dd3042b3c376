//! What an apply did: why builds failed, how many ended in which way, and how to use what was published. What was built is
//! not listed once more: events have said so.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::events::Verbosity;
use super::failure_screen::failure_blocks;
use super::terminal_text::plain_text;
use super::words::duration;
use crate::event::{BuildName, Ended, Event, Listener, State, What};

/// Collects what the final screen says.
#[derive(Default)]
pub struct Summary {
    heard: Mutex<Heard>,
    /// How often the apply began.
    rounds: AtomicUsize,
}

#[derive(Default)]
struct Heard {
    ended: Vec<Ended>,
    duration: Duration,
    /// The folders of repositories that have changed, by their chroots.
    published: BTreeMap<String, PublishedTo>,
}

/// What the final screen is made with beside what has happened.
#[derive(Clone, Copy, Debug)]
pub struct SummaryView<'a> {
    /// How much is shown.
    pub verbosity: Verbosity,
    /// The project's name.
    pub project: &'a str,
    /// The project's folder.
    pub folder: &'a str,
    /// The builds that seemed to have work before the first of them began.
    pub planned: &'a BTreeSet<BuildName>,
    /// Whether the apply was interrupted.
    pub is_canceled: bool,
}

impl Listener for Summary {
    fn hear(&self, event: &Event) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.what {
            What::ApplyStarted { .. } => {
                self.rounds.fetch_add(1, Ordering::Relaxed);
            }
            What::BuildEnded(build) if self.rounds.load(Ordering::Relaxed) > 1 => {
                replace(&mut heard.ended, build);
            }
            What::BuildEnded(build) => heard.ended.push(build.clone()),
            What::ApplyEnded { duration, .. } => heard.duration += *duration,
            What::Published { chroot, folder, packages, signed_by, .. } if *packages > 0 => {
                let to = PublishedTo { folder: folder.clone(), is_signed: !signed_by.is_empty() };
                heard.published.insert(chroot.clone(), to);
            }
            What::StateChanged { .. }
            | What::StageStarted { .. }
            | What::Logged { .. }
            | What::Retried { .. }
            | What::Published { .. }
            | What::NotPublished { .. }
            | What::RepositoryDamaged { .. }
            | What::DamageFound { .. }
            | What::Rebuilt { .. }
            | What::Sending { .. }
            | What::Sent { .. }
            | What::NotSent { .. }
            | What::SourceMoved { .. }
            | What::SourceFailed { .. }
            | What::SourcesLookedAt { .. }
            | What::Noted { .. } => {}
        }
    }

    fn wants_logs(&self) -> bool {
        false
    }
}

/// An apply that begins again says again how its builds ended: what it has built before is up to date then, and stays built.
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
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        !heard.ended.iter().any(counts_as_failure)
    }

    /// The final screen.
    pub fn screen(&self, view: SummaryView<'_>) -> String {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut screen = failure_blocks(&heard.ended);
        screen.push_str(&counts(&heard.ended, heard.duration, view.is_canceled));
        if view.verbosity > Verbosity::Quiet {
            screen.push_str(&not_needed(&heard.ended, view.planned));
            screen.push_str(&how_to_use(&heard.published, view));
        }
        screen
    }
}

fn counts(builds: &[Ended], took: Duration, is_canceled: bool) -> String {
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
    if is_canceled {
        return format!(
            "interrupted after {}: {counted}\nwhat was built is kept: `forge apply` goes on from there\n",
            duration(took)
        );
    }
    format!("{counted} in {}\n", duration(took))
}

/// How many builds seemed to have work, because what they need was to be built, and had none.
fn not_needed(builds: &[Ended], planned: &BTreeSet<BuildName>) -> String {
    let is_saved = |ended: &&Ended| ended.state == State::Cached && planned.contains(&ended.build);
    match builds.iter().filter(is_saved).count() {
        0 => String::new(),
        1 => "1 build was not needed: what it needs came out the same\n".to_owned(),
        number => format!("{number} builds were not needed: what they need came out the same\n"),
    }
}

/// A repository that has changed.
#[derive(Debug)]
struct PublishedTo {
    /// As the event says it.
    folder: String,
    /// Whether its key lies beside its metadata.
    is_signed: bool,
}

/// For how many repositories the command is shown.
const COMMANDS_SHOWN: usize = 3;

/// The commands that try the repositories that have changed.
fn how_to_use(published: &BTreeMap<String, PublishedTo>, view: SummaryView<'_>) -> String {
    let command = |(chroot, PublishedTo { folder, is_signed }): (&String, &PublishedTo)| {
        let id: String = format!("{}-{chroot}", view.project).chars().map(character_of_id).collect();
        let path = if folder.starts_with('/') {
            folder.clone()
        } else {
            format!("{}/{folder}", view.folder.trim_end_matches('/'))
        };
        let url: String = path.bytes().map(byte_of_url).collect();
        let check = match is_signed {
            true => format!("--setopt={id}.gpgkey=file://{url}/repodata/repomd.xml.key"),
            false => format!("--setopt={id}.gpgcheck=0"),
        };
        plain_text(&format!("  dnf --repofrompath={id},file://{url} {check} install …\n"))
    };
    let commands: String = published.iter().take(COMMANDS_SHOWN).map(command).collect();
    let more = match published.len().saturating_sub(COMMANDS_SHOWN) {
        0 => String::new(),
        1 => "  and 1 repository more\n".to_owned(),
        more => format!("  and {more} repositories more\n"),
    };
    if commands.is_empty() { commands } else { format!("use what was published:\n{commands}{more}") }
}

fn character_of_id(c: char) -> char {
    if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' }
}

/// A byte of a path as a URL has it, in a form that no shell takes for more than a word.
fn byte_of_url(byte: u8) -> String {
    match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'/' | b'+' => {
            char::from(byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{RunId, Timestamp};

    const QUIETLY_PLANNED: &BTreeSet<BuildName> = &BTreeSet::new();

    fn name(package: &str) -> BuildName {
        BuildName { package: package.to_owned(), chroot: "host".to_owned() }
    }

    fn ended(package: &str, state: State) -> What {
        What::BuildEnded(Ended {
            build: name(package),
            number: None,
            state,
            duration: Duration::from_secs(1),
            stages: Vec::new(),
            skipped: None,
            failure: None,
            results: None,
        })
    }

    fn hear(summary: &Summary, what: What) {
        let run = RunId::new(Timestamp(0), Default::default());
        summary.hear(&Event { run, at: Timestamp(0), what });
    }

    fn view(planned: &BTreeSet<BuildName>) -> SummaryView<'_> {
        let verbosity = Verbosity::Normal;
        SummaryView { verbosity, project: "ac me", folder: "/home/me/a b/", planned, is_canceled: false }
    }

    #[test]
    fn what_was_built_stays_built_when_the_apply_begins_again() {
        let summary = Summary::default();
        for states in [[State::Succeeded, State::Skipped], [State::Cached, State::Succeeded]] {
            hear(&summary, What::ApplyStarted { builds: 2, estimate: Duration::ZERO });
            hear(&summary, ended("a", states[0]));
            hear(&summary, ended("b", states[1]));
        }
        assert_eq!(summary.screen(view(QUIETLY_PLANNED)), "2 built in 0.0s\n");
        assert!(summary.is_good(|ended| ended.state == State::Skipped));
    }

    #[test]
    fn builds_that_had_no_work_after_all_are_counted() {
        let summary = Summary::default();
        hear(&summary, ended("base", State::Succeeded));
        ["b", "c", "old"].iter().for_each(|package| hear(&summary, ended(package, State::Cached)));
        let planned = BTreeSet::from(["base", "b", "c"].map(name));
        let shown = summary.screen(view(&planned));
        assert!(shown.ends_with("2 builds were not needed: what they need came out the same\n"), "{shown}");
    }

    #[test]
    fn what_was_published_can_be_used_with_one_command() {
        let summary = Summary::default();
        let published = |chroot: &str, packages: usize, signed_by: Vec<String>| What::Published {
            chroot: chroot.to_owned(),
            folder: format!("public/{chroot}"),
            packages,
            added: Vec::new(),
            removed: Vec::new(),
            signed_by,
        };
        hear(&summary, published("host", 2, Vec::new()));
        hear(&summary, published("empty", 0, Vec::new()));
        let shown = summary.screen(view(QUIETLY_PLANNED));
        let command = "  dnf --repofrompath=ac-me-host,file:///home/me/a%20b/public/host --setopt=ac-me-host.gpgcheck=0 \
                       install …\n";
        assert!(shown.ends_with(&format!("use what was published:\n{command}")), "{shown}");
        hear(&summary, published("host", 2, vec!["0123".to_owned()]));
        let shown = summary.screen(view(QUIETLY_PLANNED));
        let key = "--setopt=ac-me-host.gpgkey=file:///home/me/a%20b/public/host/repodata/repomd.xml.key install …\n";
        assert!(shown.ends_with(key) && !shown.contains("gpgcheck"), "{shown}");
    }

    #[test]
    fn an_interrupted_apply_has_not_failed_and_says_what_is_kept() {
        let summary = Summary::default();
        hear(&summary, ended("a", State::Succeeded));
        hear(&summary, ended("b", State::Canceled));
        let shown = summary.screen(SummaryView { is_canceled: true, ..view(QUIETLY_PLANNED) });
        assert_eq!(
            shown,
            "interrupted after 0.0s: 1 built, 1 canceled\nwhat was built is kept: `forge apply` goes on from there\n"
        );
    }
}
