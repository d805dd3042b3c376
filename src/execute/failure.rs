//! A failed build, for people.

use super::task::Task;
use crate::engine::StopReason;
use crate::event::Failure;
use crate::files::{Folder, HostPath};

/// What is told of a build that did not end well.
pub(super) fn failure(task: &Task, reason: &StopReason, tail: Vec<String>) -> Failure {
    let cause = match reason {
        StopReason::Failed { cause } => cause.clone(),
        StopReason::TimedOut => {
            format!("it took longer than its timeout of {}", humantime::format_duration(task.timeout))
        }
        StopReason::Canceled => "it was canceled".to_owned(),
    };
    let tree = task.work.join("BUILD");
    let tree = Folder::open_ambient(&tree).is_ok().then(|| below_project(&tree));
    Failure { cause, tail, log: Some(below_project(&task.log())), tree }
}

/// A path below the project, which is where people look for it.
fn below_project(path: &HostPath) -> String {
    let text = path.to_string();
    text.find("/.forge/").map_or(text.clone(), |at| text[at + 1..].to_owned())
}
