//! What `forge gc` says.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::Arc;

use super::arguments::Gc;
use crate::digest::Key;
use crate::event::{BuildName, Timestamp};
use crate::store::{CollectedGit, CollectedResult, CollectedRoots, CollectionReport, ResultFate};
use crate::ui::{Column, Verbosity, age, count, size, table};

/// Who needs a result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NeededBy {
    /// The project that the command works on.
    This,
    /// The project in another folder.
    Other(Arc<str>),
}

/// What was collected, and for whom.
#[derive(Clone, Copy)]
pub struct GcView<'a> {
    pub report: &'a CollectionReport,
    pub needed_by: &'a HashMap<Key, NeededBy>,
    pub arguments: &'a Gc,
    pub now: Timestamp,
}

/// What was collected of a project.
#[derive(Clone, Copy)]
pub struct Reported<'a> {
    /// How many result folders.
    pub folders: usize,
    /// Its builds, by the keys of their results.
    pub builds: &'a HashMap<Key, (u64, BuildName)>,
}

/// What went and what stays, with why; every result where that is asked.
pub fn gc_screen(view: GcView<'_>, project: Option<Reported<'_>>, verbosity: Verbosity) -> String {
    let mut text = match verbosity {
        Verbosity::Verbose => results_table(view, project),
        Verbosity::Quiet | Verbosity::Normal => String::new(),
    };
    text.push_str(&removed_line(view, project));
    text.push_str(&stays_line(view, project));
    let most = view.arguments.size.filter(|most| view.report.collected.bytes_left > *most);
    if let Some(most) = most.filter(|_| view.report.collected.within_limits == 0) {
        text.push_str(&format!(
            "that is more than {}: what is published or was built last stays whatever the limits are\n",
            size(most)
        ));
    }
    text
}

fn removed_line(view: GcView<'_>, project: Option<Reported<'_>>) -> String {
    let collected = &view.report.collected;
    let removed = if view.arguments.dry_run { "would remove" } else { "removed" };
    let mut text = format!("{removed} {}", count(collected.results, "result"));
    let CollectedRoots { packages, roots, .. } = &view.report.roots;
    let CollectedGit { repositories, large_files } = view.report.git;
    let of_roots = [
        (*roots, "root"),
        (*packages, "unpacked package"),
        (repositories, "git clone"),
        (large_files, "large file"),
    ];
    let of_roots = of_roots.iter().filter(|(number, _)| *number > 0);
    of_roots.for_each(|(number, what)| text.push_str(&format!(", {}", count(*number, what))));
    text.push_str(&format!(" and {} from the store", count(collected.blobs, "file")));
    if let Some(project) = project {
        text.push_str(&format!(", and {} of this project", count(project.folders, "result folder")));
    }
    let frees = if view.arguments.dry_run { "would free" } else { "frees" };
    text.push_str(&format!(": that {frees} {}\n", size(view.report.freed.bytes())));
    text
}

fn stays_line(view: GcView<'_>, project: Option<Reported<'_>>) -> String {
    let collected = &view.report.collected;
    let stays = if view.arguments.dry_run { "would stay" } else { "stay" };
    let why = match (view.arguments.older, view.arguments.size) {
        (Some(_), Some(_)) => "newer and within the size",
        (Some(_), None) => "used since",
        (None, Some(_)) => "within the size",
        (None, None) => "used in the last 30 days",
    };
    let of_others = view.report.results.iter().filter(|result| {
        result.fate == ResultFate::Needed
            && result.key.is_some_and(|key| matches!(view.needed_by.get(&key), Some(NeededBy::Other(_))))
    });
    let of_others = of_others.count();
    let own = collected.needed - of_others;
    let mut parts = Vec::new();
    parts.extend(project.map(|_| format!("{own} that this project publishes or built last")));
    parts.extend((of_others > 0).then(|| format!("{of_others} that other projects publish or built last")));
    parts.push(format!("{} {why}", collected.within_limits));
    format!(
        "{} in {} {stays}: {}\n",
        size(collected.bytes_left),
        count(collected.needed + collected.within_limits, "result"),
        parts.join(", ")
    ) + &roots_line(view)
}

/// What roots take, where there are any.
fn roots_line(view: GcView<'_>) -> String {
    let stays = if view.arguments.dry_run { "would stay" } else { "stay" };
    match view.report.roots.bytes_left {
        0 => String::new(),
        bytes => format!("{} of packages that roots are made of {stays}\n", size(bytes)),
    }
}

/// Every result, the largest first: whose it is, how large, when it was of use, whether it stays and why.
fn results_table(view: GcView<'_>, project: Option<Reported<'_>>) -> String {
    let mut results: Vec<&CollectedResult> = view.report.results.iter().collect();
    results.sort_by_key(|result| Reverse(result.bytes));
    let columns = [
        Column::Left("package"),
        Column::Left("chroot"),
        Column::Left("build"),
        Column::Right("size"),
        Column::Left("last used"),
        Column::Left("gc"),
        Column::Left("why"),
    ];
    let rows: Vec<Vec<String>> = results.into_iter().map(|result| row(result, view, project)).collect();
    format!("{}\n", table(&columns, &rows))
}

fn row(result: &CollectedResult, view: GcView<'_>, project: Option<Reported<'_>>) -> Vec<String> {
    let known = result.key.and_then(|key| project?.builds.get(&key));
    let package = result.package.clone().unwrap_or_else(|| "(no packages)".to_owned());
    let number = known.filter(|(number, _)| *number > 0).map(|(number, _)| format!("#{number}"));
    let (fate, why) = match result.fate {
        ResultFate::Needed => match result.key.and_then(|key| view.needed_by.get(&key)) {
            Some(NeededBy::Other(folder)) => ("stays", format!("published or built last by {folder}")),
            Some(NeededBy::This) | None => ("stays", "published or built last".to_owned()),
        },
        ResultFate::WithinLimits => ("stays", "within the limits".to_owned()),
        ResultFate::TooOld => ("goes", "not used for long".to_owned()),
        ResultFate::TooMuch => ("goes", "beyond the size".to_owned()),
        ResultFate::Damaged => ("goes", "damaged".to_owned()),
    };
    vec![
        package,
        known.map_or_else(|| "-".to_owned(), |(_, build)| build.chroot.clone()),
        number.unwrap_or_else(|| "-".to_owned()),
        size(result.bytes),
        age(view.now.since(result.used)),
        fate.to_owned(),
        why,
    ]
}
