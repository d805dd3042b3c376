//! Scriptlets of packages, run in the root that is being made of them.

use std::time::Duration;

use super::{RootError, RootTools};
use crate::engine::{
    EngineError, ScriptletListener, ScriptletOrder, ScriptletProgress, ScriptletRun, ScriptletsDone,
    surroundings_of_scriptlets,
};
use crate::files::HostPath;
use crate::process::{LayeredRoot, Personality};

/// How long all scriptlets of a root may take.
const LONGEST: Duration = Duration::from_secs(30 * 60);

/// Runs scriptlets as root in the root that these folders are, for the machine of a personality, and keeps what they change in
/// `changes`.
///
/// # Errors
/// One failed that its package can't be installed without, or no worker can be started.
pub(super) fn run_scriptlets(
    tools: &RootTools,
    runs: Vec<ScriptletRun>,
    (folders, personality): (Vec<HostPath>, Personality),
    changes: HostPath,
) -> Result<Vec<u8>, RootError> {
    if runs.is_empty() {
        return Ok(Vec::new());
    }
    tools.say(match runs.len() {
        1 => "running 1 scriptlet".to_owned(),
        number => format!("running {number} scriptlets"),
    });
    let surroundings =
        surroundings_of_scriptlets(LayeredRoot { folders, changes: Some(changes.clone()) }, personality);
    let titles: Vec<String> = runs.iter().map(ScriptletRun::title).collect();
    let packages: Vec<String> = runs.iter().map(|run| run.package.clone()).collect();
    let mut listener = RootLog { log: Vec::new(), last: 0 };
    let runtime = tokio::runtime::Handle::current();
    let place = (&changes, Some(&surroundings), LONGEST);
    let order = ScriptletOrder::new(runs);
    let done = runtime.block_on(tools.scriptlets.run(order, place, &tools.cancel, &mut listener));
    let RootLog { mut log, last } = listener;
    let failed = |reason: String| RootError::Scriptlet {
        package: packages.get(last).cloned().unwrap_or_default(),
        scriptlet: titles.get(last).cloned().unwrap_or_default(),
        reason,
    };
    let printed = last_lines(&log);
    match done.map_err(|error: EngineError| RootError::Engine(Box::new(error)))? {
        ScriptletsDone::Well { warnings } => {
            for (number, end) in warnings {
                let title = titles.get(number).cloned().unwrap_or_default();
                let words = end.describe().unwrap_or_default();
                let warning = format!("warning: {title} {words}\n");
                log.extend(warning.bytes());
            }
            Ok(log)
        }
        ScriptletsDone::Failed(script) => {
            Err(failed(format!("it ended with exit code {}{printed}", script.code)))
        }
        ScriptletsDone::Broken(reason) => Err(failed(format!("{reason}{printed}"))),
    }
}

/// The last lines of a log, below what is said of it.
fn last_lines(log: &[u8]) -> String {
    const LINES: usize = 10;
    let text = String::from_utf8_lossy(log);
    let lines: Vec<&str> = text.lines().collect();
    let shown = lines.get(lines.len().saturating_sub(LINES)..).unwrap_or_default();
    shown.iter().map(|line| format!("\n  {line}")).collect()
}

struct RootLog {
    log: Vec<u8>,
    last: usize,
}

impl ScriptletListener for RootLog {
    fn progress(&mut self, progress: ScriptletProgress) {
        let (ScriptletProgress::Began { number } | ScriptletProgress::Ended { number, .. }) = progress;
        self.last = number;
    }

    fn log(&mut self, chunk: &[u8]) {
        self.log.extend_from_slice(chunk);
    }
}
