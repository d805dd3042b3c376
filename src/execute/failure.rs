//! A failed build, for people.

use super::task::Task;
use crate::engine::StopReason;
use crate::event::{Failure, Problem, Severity};
use crate::files::{Folder, HostPath};
use crate::spec::{Finding, Through, Weight};

/// Describes a build that did not end well.
pub(super) fn failure(
    task: &Task,
    reason: &StopReason,
    excerpt: Vec<String>,
    problems: Vec<Finding>,
) -> Failure {
    let cause = match reason {
        StopReason::Failed { cause } => cause.clone(),
        StopReason::TimedOut => {
            format!("it took longer than its timeout of {}", humantime::format_duration(task.build.timeout))
        }
        StopReason::Canceled => "it was canceled".to_owned(),
    };
    let tree = task.top().join("BUILD");
    let tree = Folder::open_ambient(&tree).is_ok().then(|| below_project(&tree));
    let problems = problems.into_iter().map(problem).collect();
    Failure { cause, problems, excerpt, log: Some(below_project(&task.log())), tree }
}

/// A path below the project, which is where people look for it.
fn below_project(path: &HostPath) -> String {
    let text = path.to_string();
    text.find("/.forge/").map_or(text.clone(), |at| text[at + 1..].to_owned())
}

fn problem(finding: Finding) -> Problem {
    let steps = std::iter::successors(finding.through.as_deref(), |step: &&Through| step.next.as_deref());
    Problem {
        severity: match finding.weight {
            Weight::Warning => Severity::Warning,
            Weight::Error => Severity::Error,
        },
        through: steps.map(|step| step.step.clone()).collect(),
        code: finding.code,
        text: finding.title,
        file: Some(finding.file).filter(|file| !file.is_empty()),
        line: Some(finding.line).filter(|line| *line > 0),
        help: finding.help,
    }
}
