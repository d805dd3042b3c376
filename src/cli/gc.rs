//! `forge gc`

use super::Exit;
use super::arguments::Gc;
use super::context::{CliError, Context, Failure};
use super::project::{Project, STATE_FOLDER, store};
use crate::event::{Clock, SystemClock};
use crate::store::Limits;
use crate::ui::size;

/// Removes what is beyond the limits: from the store, and old result folders of this project, if there is one.
pub fn run(arguments: &Gc, context: &Context) -> Result<Exit, Failure> {
    let limits = Limits { older: arguments.older, size_bytes: arguments.size };
    if limits.older.is_none() && limits.size_bytes.is_none() {
        return Err(CliError::NoLimit.into());
    }
    let now = SystemClock.now();
    let collected = store(context)?.collect(limits, now)?;
    let mut text = format!(
        "removed {} results and {} files ({}); {} are left\n",
        collected.results,
        collected.blobs,
        size(collected.bytes),
        size(collected.bytes_left)
    );
    if let (Some(older), Ok(project)) = (limits.older, Project::find(context)) {
        let _lock = project.lock()?;
        let history = project.history()?;
        let old = history.old_results(now.before(older))?;
        for (number, results) in &old {
            let path = format!("{STATE_FOLDER}/{results}");
            project.repository.remove_folder(path).map_err(CliError::Io)?;
            history.forget_results(*number)?;
        }
        text.push_str(&format!("removed {} result folders of this project\n", old.len()));
    }
    context.print(&text)?;
    Ok(Exit::Success)
}
