//! `forge man`

use std::fmt::Write as _;
use std::io;

use super::Exit;
use super::arguments::{Man, command_line};
use super::context::{CliError, Context, Failure};
use super::man_sections::{Exits, SECTIONS};
use crate::files::Folder;

/// Writes a manual page for the program and one for each command.
pub fn run(arguments: &Man, context: &Context) -> Result<Exit, Failure> {
    let folder = Folder::create_ambient(&context.named(&arguments.folder)?).map_err(CliError::Io)?;
    let mut program = command_line().disable_help_subcommand(true);
    program.build();
    write_pages(&program, &folder).map_err(CliError::Io)?;
    Ok(Exit::Success)
}

/// Writes the page of a command and those of the commands in it.
fn write_pages(command: &clap::Command, folder: &Folder) -> io::Result<()> {
    for below in command.get_subcommands().filter(|command| !command.is_hide_set()) {
        write_pages(below, folder)?;
    }
    let name = command.get_display_name().unwrap_or(command.get_name());
    let mut command = command.clone();
    if matches!(name, "forge" | "forge-diff" | "forge-outdated" | "forge-store-verify") {
        // What `--help` says at its end is the exit codes, which have a section of their own here.
        command = command.after_help(None::<&str>);
    }
    let page = clap_mangen::Man::new(command.clone());
    let mut text = Vec::new();
    page.render(&mut text)?;
    text.extend(more_sections(name).into_bytes());
    folder.write_atomic(page.get_filename(), &text)
}

/// EXIT STATUS, FILES and EXAMPLES of a page.
fn more_sections(page: &str) -> String {
    let mut text = String::new();
    if let Some(sections) = SECTIONS.iter().find(|sections| sections.page == page) {
        write_section(&mut text, "EXIT STATUS", exit_codes(sections.exit));
        write_section(&mut text, "FILES", sections.files);
        text.push_str(".SH EXAMPLES\n");
        for (command, meaning) in sections.examples {
            // Writing to a String can't fail, here and below.
            let _ = writeln!(text, ".TP\n\\fB{}\\fR\n{}", escape(command), escape(meaning));
        }
    }
    text
}

fn write_section(text: &mut String, title: &str, entries: &[(&str, &str)]) {
    let title = if title.contains(' ') { format!("\"{title}\"") } else { title.to_owned() };
    let _ = writeln!(text, ".SH {title}");
    for (name, meaning) in entries {
        let _ = writeln!(text, ".TP\n\\fB{}\\fR\n{}", escape(name), escape(meaning));
    }
}

fn exit_codes(exits: Exits) -> &'static [(&'static str, &'static str)] {
    const USUAL: &[(&str, &str)] = &[
        ("0", "Done as asked."),
        ("1", "Something is wrong, or a build failed; a message says what."),
        ("64", "The command line can't be understood."),
        ("130", "Interrupted."),
    ];
    const DETAILED: &[(&str, &str)] = &[
        ("0", "Done as asked."),
        ("1", "Something is wrong, or a build failed; a message says what."),
        (
            "2",
            "There is something to do (`forge plan --detailed-exitcode` only), or outdated (`forge outdated` only).",
        ),
        ("64", "The command line can't be understood."),
        ("130", "Interrupted."),
    ];
    const OUTDATED: &[(&str, &str)] = &[
        ("0", "Nothing newer was found."),
        ("1", "A source could not be looked at, or something else is wrong; a message says what."),
        ("2", "Something is outdated."),
        ("64", "The command line can't be understood."),
        ("130", "Interrupted."),
    ];
    const DIFF: &[(&str, &str)] =
        &[("0", "The packages are the same."), ("1", "They differ."), ("2", "They can't be compared.")];
    const RPM: &[(&str, &str)] = &[
        ("0", "Done as asked."),
        ("other", "Something went wrong; the code is the one that rpm ends with."),
    ];
    const PROGRAM: &[(&str, &str)] =
        &[("1", "The shell can't be opened."), ("other", "As the shell ended, or the command in its place.")];
    match exits {
        Exits::Usual => USUAL,
        Exits::Detailed => DETAILED,
        Exits::Outdated => OUTDATED,
        Exits::Diff => DIFF,
        Exits::Rpm => RPM,
        Exits::Program => PROGRAM,
    }
}

/// A text as roff takes it.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\*(Aq");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}
