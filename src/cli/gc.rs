//! `forge gc`

use super::Exit;
use super::arguments::Gc;
use super::context::{CliError, Context, Failure};
use super::project::{Project, store};
use crate::event::{Clock, SystemClock};
use crate::execute::{clear_abandoned, result_folder};
use crate::source::source_packages;
use crate::store::CollectionLimits;
use crate::ui::{plain_text, size};

/// Removes what is beyond the limits: from the store, and old result folders of this project, if there is one.
pub fn run(arguments: &Gc, context: &Context) -> Result<Exit, Failure> {
    let limits = CollectionLimits { older: arguments.older, size_bytes: arguments.size };
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
    if let Ok(project) = Project::find(context) {
        let _lock = project.lock()?;
        let history = project.history()?;
        clear_abandoned(&history, &project.state()?, now)?;
        history.take_notes().iter().for_each(|note| context.tell(&plain_text(&format!("note: {note}\n"))));
        let Some(older) = limits.older else {
            context.print(&text)?;
            return Ok(Exit::Success);
        };
        let mut removed = 0;
        for row in history.old_results(now.before(older))? {
            // A row that was damaged must not take another build's folder along.
            let folder = result_folder(&row.build, row.number);
            if row.results.as_deref() == Some(&folder) {
                project.state()?.remove_folder(&folder).map_err(CliError::Io)?;
                removed += 1;
            }
            history.forget_results(row.number)?;
        }
        // Without a manifest that can be read nobody knows what is still needed.
        if let Ok(manifest) = project.manifest(&[], context) {
            let needed = source_packages(&manifest, &project.repository);
            project.unpacked()?.collect_all_but(&needed)?;
        }
        history.take_notes().iter().for_each(|note| context.tell(&plain_text(&format!("note: {note}\n"))));
        text.push_str(&format!("removed {removed} result folders of this project\n"));
    }
    context.print(&text)?;
    Ok(Exit::Success)
}
