//! `forge log`

use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use super::Exit;
use super::arguments::Log;
use super::context::{CliError, Context, Failure};
use super::project::Project;
use super::results::attempts;
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
    let rows = attempts(&history, std::slice::from_ref(&arguments.package), &chroots)?;
    let others: Vec<BuildName> = rows.iter().map(|row| row.build.clone()).collect();
    // Several builds: the newest of them, unless one is named.
    let Some(row) = rows.into_iter().max_by_key(|row| row.number) else {
        return Ok(Exit::Success);
    };
    note_others(&row, &others, context);
    // A build's folder is known before its row says so.
    let folder = format!("results/{}/{:08}-{}", row.build.chroot, row.number, row.build.package);
    let folder = project.state()?.folder(folder).map_err(CliError::Io)?;
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
    if context.verbosity < Verbosity::Verbose {
        skip_command(&mut file).map_err(CliError::Io)?;
    }
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
            cleaner.clean(chunk, &mut shown);
            output.write_all(&shown).map_err(output_failure)?;
            shown.clear();
        }
        output.flush().map_err(output_failure)?;
        if !follow || !is_running {
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

/// How much of a log's first line is looked at: the command, with all its macros.
const LONGEST_COMMAND: usize = 1 << 20;

/// Goes on behind the line with the command that has made the log, if it begins with that.
fn skip_command(file: &mut std::fs::File) -> std::io::Result<()> {
    let mut begin = Vec::new();
    Read::by_ref(file).take(LONGEST_COMMAND as u64).read_to_end(&mut begin)?;
    let end = begin.iter().position(|byte| *byte == b'\n').filter(|_| begin.starts_with(b"$ "));
    let behind = end.map_or(0, |end| end as u64 + 1);
    file.seek(SeekFrom::Start(behind)).map(drop)
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
