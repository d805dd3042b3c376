//! `forge diff`

use std::io::BufReader;
use std::path::Path;

use super::Exit;
use super::arguments::Diff;
use super::context::{CliError, Context, Failure};
use crate::files::{Folder, HostPath};
use crate::package::{Compared, Difference, difference};
use crate::ui::diff_screen;

/// Shows what differs between two packages. As with diff(1), 1 says that something does, and 2 that it could not be known.
pub fn run(arguments: &Diff, context: &Context) -> Result<Exit, Failure> {
    let compared =
        read(&arguments.before, context).and_then(|before| Ok((before, read(&arguments.after, context)?)));
    let (before, after) = match compared {
        Ok(compared) => compared,
        Err(failure) => {
            context.show_failure(&failure);
            return Ok(Exit::Trouble);
        }
    };
    let difference = difference(&before, &after);
    if arguments.json {
        let text = serde_json::to_string_pretty(&difference).map_err(|error| CliError::Io(error.into()))?;
        context.print(&format!("{text}\n"))?;
    } else {
        let (before, after) = (arguments.before.to_string_lossy(), arguments.after.to_string_lossy());
        context.print(&diff_screen(&difference, &before, &after, arguments.all))?;
    }
    Ok(if is_same(&difference, arguments.all) { Exit::Success } else { Exit::Different })
}

fn is_same(difference: &Difference, all: bool) -> bool {
    if all { difference.is_empty() } else { difference.is_volatile() }
}

fn read(path: &Path, context: &Context) -> Result<Compared, Failure> {
    let full = context.named(path)?;
    let parent = full.as_path().parent().and_then(HostPath::new).unwrap_or_else(HostPath::root);
    let folder = Folder::open_ambient(&parent).map_err(CliError::Io)?;
    let file = folder.open_regular(full.as_path().file_name().unwrap_or_default()).map_err(CliError::Io)?;
    let reader = BufReader::with_capacity(256 * 1024, file.into_std());
    Ok(Compared::read(&path.to_string_lossy(), reader)?)
}
