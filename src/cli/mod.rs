//! The `forge` program: one file a command. Commands turn arguments into library calls and results into screens.

#![warn(clippy::wildcard_enum_match_arm)]

mod against;
mod apply;
mod argument_values;
mod arguments;
mod attest;
mod attest_arguments;
mod beside;
mod built_sources;
mod changed;
mod check;
mod chroot;
mod chroot_clean;
mod chroot_requests;
mod chroot_why;
mod compare;
mod completions;
mod context;
mod diff;
mod doctor;
mod document;
mod earlier_build;
mod eject;
mod eval;
mod execution;
mod exit;
mod failed_builds;
mod fetch;
mod fmt;
mod gc;
mod gc_screen;
mod good_builds;
mod graph;
mod history;
mod image_root;
mod import;
mod import_arguments;
mod init;
mod keys;
mod known_repositories;
mod listeners;
mod lock_screen;
mod locks;
mod log;
mod man;
mod man_sections;
mod memory_folder;
mod moved_sources;
mod named_files;
mod named_package;
mod only_sources;
mod outdated;
mod passphrases;
mod past_builds;
mod pin;
mod pin_error;
mod place_settings;
mod plan;
mod planning;
mod project;
mod prune;
mod publish;
mod publish_arguments;
mod published_signatures;
mod rebuild;
mod rebuild_arguments;
mod rebuild_error;
mod rebuild_order;
mod registry_settings;
mod result_record;
mod results;
mod retention_arguments;
mod root_arguments;
mod root_changes;
mod root_screen;
mod roots;
mod rpm;
mod schema;
mod selection;
mod selection_arguments;
mod serve;
mod serve_arguments;
mod shell;
mod sign;
mod signals;
mod signing_arguments;
mod signing_files;
mod source_arguments;
mod source_lock_screen;
mod sources_here;
mod spec;
mod spec_arguments;
mod srpm;
mod status;
mod store;
mod tools_here;
mod tunables;
mod tunables_arguments;
mod update;
mod verify;
mod verify_arguments;
mod verify_signatures;
mod watch;
mod why;
mod worker;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use context::{Context, Failure};
use exit::Exit;

use crate::engine::WORKER;

pub use arguments::command_line;

/// Runs the program with `arguments` (the program's own name first) and the environment `variables`.
pub fn main(
    arguments: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> ExitCode {
    let context = Context::new(variables);
    let mut arguments: Vec<OsString> = arguments.into_iter().collect();
    // What follows is rpm's command line, and none of clap's business.
    if matches!(arguments.get(1..3), Some([command, rpm]) if command == "eval" && rpm == "--rpm") {
        return ExitCode::from(rpm::eval(arguments.split_off(3), &context).code());
    }
    if arguments.get(1).is_some_and(|command| command == "rpmspec") {
        return ExitCode::from(rpm::rpmspec(arguments.split_off(2), &context));
    }
    if arguments.get(1).is_some_and(|command| command == "rpmuncompress") {
        return ExitCode::from(rpm::uncompress(arguments.split_off(2), &context));
    }
    // What scripts of builds run.
    if arguments.get(1).is_some_and(|command| command == "policies") {
        return ExitCode::from(rpm::policies(&arguments.split_off(2), &context));
    }
    if arguments.get(1).is_some_and(|command| command == "find-debuginfo") {
        return ExitCode::from(rpm::find_debuginfo(&arguments.split_off(2), &context));
    }
    if arguments.get(1).is_some_and(|command| command == "rpmbuild") {
        return ExitCode::from(rpm::rpmbuild(arguments.split_off(2), &context));
    }
    // Forge's own: no command that a user gives.
    if arguments.get(1).is_some_and(|command| command == WORKER) {
        return ExitCode::from(worker::run());
    }
    if arguments.get(1).is_some_and(|command| command == completions::COMPLETE_NAMES) {
        let kind = arguments.get(2).map(|kind| kind.to_string_lossy()).unwrap_or_default();
        return ExitCode::from(completions::print_names(&kind, &context).code());
    }
    let exit = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => run(arguments, context),
        Err(error) => usage(&error),
    };
    ExitCode::from(exit.code())
}

fn usage(error: &clap::Error) -> Exit {
    // Nobody to tell, if the terminal has gone.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Success }
}

fn run(arguments: Arguments, mut context: Context) -> Exit {
    context.take(&arguments.global);
    match command(arguments.command, &context) {
        Ok(exit) => exit,
        Err(Failure::ClosedPipe) => Exit::Success,
        Err(failure) => {
            context.show_failure(&failure);
            Exit::Failure
        }
    }
}

fn command(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Apply(arguments) => apply::run(&arguments, context),
        Command::Rebuild(arguments) => rebuild::run(&arguments, context),
        Command::Verify(arguments) => verify::run(&arguments, context),
        Command::Tunables(arguments) => tunables::run(&arguments, context),
        Command::Plan(arguments) => plan::run(&arguments, context),
        Command::Graph(arguments) => graph::run(&arguments, context),
        Command::Check(arguments) => check::run(&arguments, context),
        Command::Doctor(arguments) => doctor::run(&arguments, context),
        Command::Update(arguments) => update::run(&arguments, context),
        Command::Outdated(arguments) => outdated::run(&arguments, context),
        Command::Srpm(arguments) => srpm::run(&arguments, context),
        Command::Watch(arguments) => watch::run(&arguments, context),
        Command::Eject(arguments) => eject::run(&arguments, context),
        Command::Fetch(arguments) => fetch::run(&arguments, context),
        Command::Chroot(arguments) => chroot::run(&arguments, context),
        Command::Fmt(arguments) => fmt::run(&arguments, context),
        Command::Init(arguments) => init::run(&arguments, context),
        Command::Import(arguments) => import::run(&arguments, context),
        Command::Status(arguments) => status::run(&arguments, context),
        Command::History(arguments) => history::run(&arguments, context),
        Command::Why(arguments) => why::run(&arguments, context),
        Command::Log(arguments) => log::run(&arguments, context),
        Command::Shell(arguments) => shell::run(&arguments, context),
        Command::Results(arguments) => results::run(&arguments, context),
        Command::Publish(arguments) => publish::run(&arguments, context),
        Command::Serve(arguments) => serve::run(&arguments, context),
        Command::Keys(arguments) => keys::run(&arguments, context),
        Command::Sign(arguments) => sign::run(&arguments, context),
        Command::VerifySignatures(arguments) => verify_signatures::run(&arguments, context),
        Command::Attest(arguments) => attest::run(&arguments, context),
        Command::Pin(arguments) => pin::pin(&arguments, context),
        Command::Unpin(arguments) => pin::unpin(&arguments, context),
        Command::Prune(arguments) => prune::run(&arguments, context),
        Command::Gc(arguments) => gc::run(&arguments, context),
        Command::Store(arguments) => store::run(&arguments, context),
        Command::Eval(arguments) => eval::run(&arguments, context),
        Command::Rpmspec(arguments) => Ok(match rpm::rpmspec(arguments.arguments, context) {
            0 => Exit::Success,
            _ => Exit::Failure,
        }),
        Command::Rpmbuild(arguments) => Ok(match rpm::rpmbuild(arguments.arguments, context) {
            0 => Exit::Success,
            _ => Exit::Failure,
        }),
        Command::Compare(arguments) => compare::run(&arguments, context),
        Command::Diff(arguments) => diff::run(&arguments, context),
        Command::Spec(arguments) => spec::run(&arguments, context),
        Command::Schema(arguments) => schema::run(&arguments, context),
        Command::Completions(arguments) => completions::run(&arguments, context),
        Command::Man(arguments) => man::run(&arguments, context),
    }
}
