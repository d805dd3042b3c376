//! `forge completions`

use super::Exit;
use super::arguments::{Completions, command_line};
use super::context::{Context, Failure};

/// Prints a completion script.
pub fn run(arguments: &Completions, context: &Context) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command_line(), "forge", &mut script);
    context.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
