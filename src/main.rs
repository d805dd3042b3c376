//! The `forge` program.

use std::process::ExitCode;

use rpmforge::{cli, process, sandbox};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().peekable();
    let program = arguments.next();
    if arguments.peek().is_some_and(|argument| argument == process::SUPERVISE) {
        return process::supervise(arguments.skip(1));
    }
    if arguments.peek().is_some_and(|argument| argument == sandbox::ENCLOSE) {
        return sandbox::enclose(arguments.skip(1));
    }
    if arguments.peek().is_some_and(|argument| argument == sandbox::TRY) {
        return sandbox::try_part(arguments.skip(1));
    }
    if arguments.peek().is_some_and(|argument| argument == sandbox::SETTLE) {
        return sandbox::settle(arguments.skip(1));
    }
    cli::main(program.into_iter().chain(arguments), std::env::vars_os())
}
