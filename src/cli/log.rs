//! `forge log`

use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use super::Exit;
use super::arguments::Log;
use super::context::{CliError, Context, Failure};
use super::past_builds::PastBuilds;
use super::project::Project;
use crate::event::{BuildName, Clock, State, SystemClock};
use crate::store::{BuildRow, History};
use crate::text::suggestion;
use crate::ui::{TerminalText, Verbosity, age, count, plain_text};

/// How often a growing log is looked at.
const PAUSE: Duration = Duration::from_millis(200);

/// Shows the log of a package's newest build.
pub fn run(arguments: &Log, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let history = project.history()?;
    let chroots: Vec<String> = arguments.chroot.iter().cloned().collect();
    let builds = PastBuilds { project: &project, history: &history, context };
    let wanted: Vec<String> = arguments.package.iter().cloned().collect();
    let mut rows = builds.attempts(&wanted, &chroots)?;
    rows.retain(|row| !arguments.failed || row.state == State::Failed);
    let others: Vec<BuildName> = rows.iter().map(|row| row.build.clone()).collect();
    // Several builds: the newest of them, unless one is named.
    let Some(row) = rows.into_iter().max_by_key(|row| row.number) else {
        context.tell("note: no build that was meant has failed\n");
        return Ok(Exit::Success);
    };
    note_others(&row, &others, context);
    // A build's folder is known before its row says so.
    let folder = format!("results/{}/{:08}-{}", row.build.chroot, row.number, row.build.package);
    let state = project.state()?;
    if !state.is_folder(&folder) {
        return Err(CliError::ResultsRemoved { number: row.number, build: row.build.to_string() }.into());
    }
    let folder = state.folder(folder).map_err(CliError::Io)?;
    match &arguments.stage {
        Some(stage) => {
            let mut text = Vec::new();
            let mut file = folder.open_regular("build.log").map_err(CliError::Io)?;
            file.read_to_end(&mut text).map_err(CliError::Io)?;
            let part = part(&String::from_utf8_lossy(&text), stage)?;
            let (mut cleaner, mut shown) = (TerminalText::default(), Vec::new());
            cleaner.clean(part.as_bytes(), &mut shown);
            cleaner.finish(&mut shown);
            context.print(&String::from_utf8_lossy(&shown))?;
        }
        None => {
            let file = folder.open_regular("build.log").map_err(CliError::Io)?;
            copy(file.into_std(), arguments.follow, &history, &row, context)?;
        }
    }
    Ok(Exit::Success)
}

/// Says which other builds were meant as well.
fn note_others(row: &BuildRow, meant: &[BuildName], context: &Context) {
    let others: Vec<&BuildName> = meant.iter().filter(|build| **build != row.build).collect();
    let (build, chroot) = (&row.build, &row.build.chroot);
    let note = match others.as_slice() {
        [] => return,
        others if others.iter().all(|other| other.package == build.package) => {
            let others: Vec<&str> = others.iter().map(|other| other.chroot.as_str()).collect();
            format!("note: this is the one in {chroot}; `--chroot` takes {}\n", others.join(", "))
        }
        others => {
            format!("note: this is the newest, of {build}; {} more are meant\n", count(others.len(), "build"))
        }
    };
    context.tell(&plain_text(&note));
}

fn copy(
    mut file: std::fs::File,
    follow: bool,
    history: &History,
    row: &BuildRow,
    context: &Context,
) -> Result<(), Failure> {
    let mut output = context.output();
    let words = beginning(row);
    output.write_all(plain_text(&words).as_bytes()).map_err(output_failure)?;
    let mut commands = CommandFilter::new(context.verbosity == Verbosity::Verbose);
    let mut buffer = vec![0; 64 * 1024];
    // Builds run programs of others: what they wrote must not steer the terminal that it is shown on.
    let (mut cleaner, mut shown) = (TerminalText::default(), Vec::new());
    loop {
        // Asked before the rest is read, so that nothing written before the end is left out.
        let is_running = history.build(row.number)?.is_some_and(|row| row.state == State::Running);
        loop {
            let read = file.read(&mut buffer).map_err(CliError::Io)?;
            let Some(chunk) = buffer.get(..read).filter(|chunk| !chunk.is_empty()) else {
                break;
            };
            cleaner.clean(&commands.filter(chunk), &mut shown);
            output.write_all(&shown).map_err(output_failure)?;
            shown.clear();
        }
        output.flush().map_err(output_failure)?;
        if !follow || !is_running {
            cleaner.clean(&commands.finish(), &mut shown);
            cleaner.finish(&mut shown);
            return output.write_all(&shown).and_then(|()| output.flush()).map_err(output_failure);
        }
        std::thread::sleep(PAUSE);
        let position = file.stream_position().map_err(CliError::Io)?;
        file.seek(SeekFrom::Start(position)).map_err(CliError::Io)?;
    }
}

/// What the log is of.
fn beginning(row: &BuildRow) -> String {
    let when = age(SystemClock.now().since(row.ended.unwrap_or(row.started)));
    let cause = row.cause.as_ref().map(|cause| format!(": {cause}")).unwrap_or_default();
    format!("# {}, build #{}, {} {when}{cause}\n", row.build, row.number, row.state)
}

/// The longest line that is taken for a command of forge, with all its macros.
const LONGEST_COMMAND: usize = 1 << 20;

/// Leaves out the commands by which forge has made a log: hundreds of characters that begin its parts. Chunks come as they
/// are read; only a line that may be such a command waits for its end.
struct CommandFilter {
    /// Whether all is shown.
    shows_all: bool,
    /// The line that may be a command.
    line: Vec<u8>,
    /// Whether a line has begun that is none.
    is_within_line: bool,
}

impl CommandFilter {
    fn new(shows_all: bool) -> Self {
        Self { shows_all, line: Vec::new(), is_within_line: false }
    }

    fn filter(&mut self, chunk: &[u8]) -> Vec<u8> {
        if self.shows_all {
            return chunk.to_vec();
        }
        let mut shown = Vec::with_capacity(chunk.len());
        for piece in chunk.split_inclusive(|byte| *byte == b'\n') {
            let is_end = piece.ends_with(b"\n");
            if self.is_within_line {
                shown.extend_from_slice(piece);
                self.is_within_line = !is_end;
                continue;
            }
            self.line.extend_from_slice(piece);
            let may_be_command = COMMAND.starts_with(&self.line) || self.line.starts_with(COMMAND);
            if !is_end && may_be_command && self.line.len() < LONGEST_COMMAND {
                continue;
            }
            if !is_command(&self.line) {
                shown.append(&mut self.line);
            }
            self.line.clear();
            self.is_within_line = !is_end;
        }
        shown
    }

    /// What waited for an end that did not come.
    fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }
}

/// How a line begins that may be a command of forge.
const COMMAND: &[u8] = b"$ ";

/// Whether a line is the command of a build: `$ forge rpmbuild -bb --nodeps --define '_topdir …`.
fn is_command(line: &[u8]) -> bool {
    let is_in = |text: &[u8]| line.windows(text.len()).take(200).any(|part| part == text);
    line.starts_with(COMMAND) && is_in(b"rpmbuild -b") && is_in(b" --nodeps --define '_topdir ")
}

fn output_failure(error: std::io::Error) -> Failure {
    Failure::from_output(error)
}

/// The part of a log that belongs to one stage; a stage that ran more than once is shown as it ran last.
fn part(log: &str, stage: &str) -> Result<String, Failure> {
    let mut stages: Vec<(String, String)> = Vec::new();
    for line in log.split_inclusive('\n') {
        if let Some(name) = line.strip_prefix("Executing(").and_then(|rest| rest.split_once("):")) {
            stages.push((name.0.trim_start_matches('%').to_owned(), String::new()));
        }
        if let Some((_, text)) = stages.last_mut() {
            text.push_str(line);
        }
    }
    let found = stages.iter().rev().find(|(name, _)| name == stage.trim_start_matches('%'));
    found.map(|(_, text)| text.clone()).ok_or_else(|| {
        let help = suggestion(stage, "stages", stages.iter().map(|(name, _)| name.as_str()));
        CliError::NoStage { stage: stage.to_owned(), help }.into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_forge_are_left_out_however_the_log_is_cut() {
        let command = "$ forge rpmbuild -bb --nodeps --define '_topdir /a/b' --define 'x 1'\n";
        let log = format!("{command}one\n$ mine rpmbuild\n{command}$ end");
        for size in 1..log.len() {
            let mut filter = CommandFilter::new(false);
            let mut shown: Vec<u8> =
                log.as_bytes().chunks(size).flat_map(|chunk| filter.filter(chunk)).collect();
            shown.extend(filter.finish());
            assert_eq!(String::from_utf8(shown).unwrap(), "one\n$ mine rpmbuild\n$ end");
        }
    }

    #[test]
    fn a_line_that_is_no_command_does_not_wait_for_its_end() {
        let mut filter = CommandFilter::new(false);
        assert_eq!(filter.filter(b"compiling"), b"compiling");
        assert_eq!(filter.filter(b" a.c\n$"), b" a.c\n");
        assert_eq!(filter.filter(b"x"), b"$x");
    }
}
