//! `forge prune`

use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Serialize;

use super::Exit;
use super::context::{Context, Failure};
use super::document::print_document;
use super::failed_builds::{FailedBuild, collect_failed, failed_age};
use super::known_repositories::known_repositories;
use super::place_settings::send_all;
use super::planning::runtime;
use super::project::{Project, store};
use super::retention_arguments::Prune;
use crate::event::{Clock, SystemClock, What};
use crate::process::Cancel;
use crate::publish::places::PlaceRequest;
use crate::publish::{
    CountedFiles, DamagedRepositoryFile, JudgedBuild, PrunedRepository, Repositories, Verdict, WhyStays,
};
use crate::store::CollectionMode;
use crate::ui::{Column, Verbosity, count, event_line, plain_text, size, table};

/// Carries out what the manifest says of how long builds stay, or says what that would do.
pub fn run(arguments: &Prune, context: &Context) -> Result<Exit, Failure> {
    let project = Project::find(context)?;
    let mode = if arguments.dry_run { CollectionMode::Count } else { CollectionMode::Remove };
    let _lock = match mode {
        CollectionMode::Remove => Some(project.lock("forge prune")?),
        CollectionMode::Count => None,
    };
    let (manifest, history) = project.manifest_and_history(&[], context)?;
    let store = Arc::new(store(context)?);
    let _store_lock = store.lock_for_use()?;
    let repositories = known_repositories(&project, &manifest, &store, context)?;
    // What has no record, or one that can't be believed, is refused before anything goes.
    let damaged = repositories.find_damage()?;
    let judged = repositories.judge_builds()?;
    let told = match mode {
        CollectionMode::Remove => {
            let mut told = repositories.prune();
            told.extend(send(&repositories, context)?);
            told
        }
        CollectionMode::Count => Vec::new(),
    };
    let (state, now) = (project.state()?, SystemClock.now());
    let failed = collect_failed((&state, &history), failed_age(&manifest), mode, now)?;
    let has_rules = manifest.publish.as_ref().is_some_and(|publish| publish.keep.is_some());
    let dry_run = arguments.dry_run;
    let document = PruneDocument { version: 1, dry_run, repositories: judged, failed, damaged };
    let problems = report_problems(&told, context);
    match (arguments.json, problems) {
        (true, _) => print_document(&document, context).map(drop)?,
        // What was meant to go has not gone.
        (false, true) => {}
        (false, false) => context.print(&plain_text(&document.screen(has_rules, context.verbosity)))?,
    }
    Ok(if problems { Exit::Failure } else { Exit::Success })
}

/// Sends the repositories to the places that the manifest names, as an apply does; gives what happened.
fn send(repositories: &Repositories, context: &Context) -> Result<Vec<What>, Failure> {
    if repositories.manifest.publish.as_ref().is_none_or(|publish| publish.places.is_empty()) {
        return Ok(Vec::new());
    }
    let told = Mutex::new(Vec::new());
    let tell = |what: What| told.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    let (request, cancel) = (PlaceRequest::default(), Cancel::default());
    runtime()?.block_on(async { send_all(repositories, &request, (&cancel, &tell), context) })?;
    Ok(told.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// Tells what happened; gives whether anything went wrong.
fn report_problems(told: &[What], context: &Context) -> bool {
    let mut has_problems = false;
    for what in told {
        has_problems |= matches!(what, What::NotPublished { package: None, .. } | What::NotSent { .. })
            || matches!(what, What::RepositoryDamaged { lost, .. } if !lost.is_empty());
        let line = if let What::NotPublished { chroot, package: None, cause, help, .. } = what {
            let help = help.iter().map(|help| format!("\n  help: {help}")).collect::<String>();
            Some(plain_text(&format!("error: not pruned: {chroot}: {cause}{help}")))
        } else if let What::Noted { text } = what {
            Some(plain_text(&format!("note: {text}")))
        } else {
            event_line(what, context.verbosity)
        };
        line.into_iter().for_each(|line| context.tell(&format!("{line}\n")));
    }
    has_problems
}

/// What `forge prune --json` prints.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PruneDocument {
    /// The form of this document: 1. Later forms of this number only add fields.
    version: u32,
    /// Whether nothing was changed.
    dry_run: bool,
    /// The repositories of this project's chroots.
    repositories: Vec<PrunedRepository>,
    /// The builds that failed whose results and logs go.
    failed: Vec<FailedBuild>,
    /// Files of repositories that were not as forge has left them: they are put right where they can still be had.
    damaged: Vec<DamagedRepositoryFile>,
}

impl PruneDocument {
    fn screen(&self, has_rules: bool, verbosity: Verbosity) -> String {
        let rows = self.repositories.iter().flat_map(|repository| {
            let shown = repository.builds.iter().filter(|build| is_shown(&build.verdict, verbosity));
            shown.map(|build| row(repository, build))
        });
        let rows: Vec<Vec<String>> = rows.collect();
        let mut text = String::new();
        if !rows.is_empty() {
            let columns = [
                Column::Left("chroot"),
                Column::Left("package"),
                Column::Left("version"),
                Column::Right("size"),
                Column::Left("prune"),
                Column::Left("why"),
            ];
            text.push_str(&format!("{}\n", table(&columns, &rows)));
        }
        if self.dry_run {
            self.damaged.iter().for_each(|damaged| text.push_str(&format!("{damaged}\n")));
        }
        if !has_rules && rows.is_empty() {
            text.push_str("the manifest says of no build how long it stays: `keep` in `publish` does\n");
        }
        let builds = || self.repositories.iter().flat_map(|repository| &repository.builds);
        let going = builds().filter(|build| !build.verdict.stays()).count();
        let goes = if self.dry_run { "would leave" } else { "left" };
        let stay = builds().count() - going;
        text.push_str(&format!("{} {goes} the repositories, {stay} stay\n", count(going, "build")));
        text.push_str(&self.files_lines());
        text
    }

    fn files_lines(&self) -> String {
        let sum = |of: fn(&PrunedRepository) -> CountedFiles| {
            self.repositories.iter().map(of).fold(CountedFiles::default(), CountedFiles::plus)
        };
        let (expired, expiring) =
            (sum(|repository| repository.expired), sum(|repository| repository.expiring));
        let removed = if self.dry_run { "would remove" } else { "removed" };
        let failed: u64 = self.failed.iter().map(|build| build.bytes).sum();
        let mut text = format!(
            "{removed} {} of {} and {} of {}\n",
            count(expired.files, "file"),
            size(expired.bytes),
            count(self.failed.len(), "failed build"),
            size(failed)
        );
        if expiring.files > 0 {
            let (files, bytes) = (count(expiring.files, "file"), size(expiring.bytes));
            text.push_str(&format!(
                "{files} of {bytes} that nothing names any more can still be asked for, and go later\n"
            ));
        }
        text
    }
}

/// What is plain is not shown unless that is asked.
fn is_shown(verdict: &Verdict, verbosity: Verbosity) -> bool {
    match verdict {
        Verdict::Stays(WhyStays::Newest | WhyStays::Builds { .. } | WhyStays::Superseded { .. }) => {
            verbosity == Verbosity::Verbose
        }
        Verdict::Stays(_) | Verdict::Goes(_) => true,
    }
}

fn row(repository: &PrunedRepository, build: &JudgedBuild) -> Vec<String> {
    let (fate, why) = match &build.verdict {
        Verdict::Stays(why) => ("stays", why.to_string()),
        Verdict::Goes(why) => ("goes", why.to_string()),
    };
    vec![
        repository.chroot.clone(),
        build.package.clone(),
        build.version.clone().unwrap_or_else(|| "-".to_owned()),
        size(build.bytes),
        fate.to_owned(),
        why,
    ]
}
