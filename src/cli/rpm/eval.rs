//! `forge eval --rpm`: `rpm --eval` (rpm(8)).

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::ffi::OsStringExt;

use super::super::Exit;
use super::super::context::Context;
use super::options::{CommandLine, CommandWord};
use super::session::{COMMON, Common, Session, complain};

const COMMAND_LINE: CommandLine<Common> = CommandLine { program: "rpm", options: &[COMMON] };

/// Runs with rpm's own arguments.
pub fn run(arguments: Vec<OsString>, context: &Context) -> Exit {
    let mut session = match Session::new(&context.variables) {
        Ok(session) => session,
        Err(error) => {
            context.tell(&format!("error: {}\n", crate::files::reason(&error)));
            return Exit::Failure;
        }
    };
    let mut arguments = arguments.into_iter().map(OsString::into_vec);
    while let Some(argument) = arguments.next() {
        let done = COMMAND_LINE
            .read(argument, &mut arguments)
            .and_then(|said| said.into_iter().try_for_each(|said| apply_word(&mut session, said)));
        if let Err(message) = done {
            complain(&message);
            return Exit::Failure;
        }
    }
    if let Err(message) = session.end().and_then(|()| session.other_root("rpm").map(drop)) {
        complain(&message);
        return Exit::Failure;
    }
    match io::stdout().flush() {
        Ok(()) => Exit::Success,
        Err(error) => {
            context.tell(&format!("Error writing to stdout: {}\n", crate::files::reason(&error)));
            Exit::Failure
        }
    }
}

fn apply_word(session: &mut Session, said: CommandWord<Common>) -> Result<(), Vec<u8>> {
    match said {
        CommandWord::Option { wanted, value, .. } => session.apply(wanted, value),
        CommandWord::Word(word) => {
            Err(COMMAND_LINE.complaint(&String::from_utf8_lossy(&word), "what is to be done with it?"))
        }
    }
}
