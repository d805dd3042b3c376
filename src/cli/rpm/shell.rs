//! `rpmspec --shell`: what is typed, expanded (rpmspec(1), "--shell").

use std::io::{self, BufRead, IsTerminal, Write};

use super::session::complain;
use crate::macros::{Macros, Origin, Stop};

const PROMPT: &[u8] = b"> ";

/// Expands lines until there are no more.
pub fn run(macros: &Macros) -> Result<u8, Vec<u8>> {
    let failed = |error: io::Error| format!("error: {}\n", crate::files::reason(&error)).into_bytes();
    let version = macros.expand(b"%{rpmversion}").unwrap_or_default();
    complain(&[b"RPM version ", version.as_slice(), b" macro shell\n"].concat());
    let mut input = io::stdin().lock();
    let is_typed = input.is_terminal();
    let mut line = Vec::new();
    loop {
        write(PROMPT).map_err(failed)?;
        line.clear();
        if input.read_until(b'\n', &mut line).map_err(failed)? == 0 {
            return Ok(0);
        }
        let typed = line.strip_suffix(b"\n").unwrap_or(&line);
        if !is_typed {
            write(&[typed, b"\n"].concat()).map_err(failed)?;
        }
        macros.set_place(Origin::named("<shell>"));
        // What is wrong has been told.
        let expanded = match macros.expand(typed) {
            Ok(expanded) if !expanded.is_empty() => [expanded.as_slice(), b"\n"].concat(),
            Ok(_) | Err(Stop) => continue,
        };
        write(&expanded).map_err(failed)?;
    }
}

fn write(text: &[u8]) -> io::Result<()> {
    let mut output = io::stdout().lock();
    output.write_all(text)?;
    output.flush()
}
