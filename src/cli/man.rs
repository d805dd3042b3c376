//! `forge man`

use super::Exit;
use super::arguments::{Man, command_line};
use super::context::{CliError, Context, Failure};
use crate::files::Folder;

/// Writes a manual page for the program and one for each command.
pub fn run(arguments: &Man, context: &Context) -> Result<Exit, Failure> {
    let folder = Folder::create_ambient(&context.named(&arguments.folder)?).map_err(CliError::Io)?;
    clap_mangen::generate_to(command_line(), folder.path().as_path()).map_err(CliError::Io)?;
    Ok(Exit::Success)
}
