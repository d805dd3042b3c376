//! `forge gc`

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use super::Exit;
use super::arguments::Gc;
use super::context::{CliError, Context, Failure};
use super::project::{Project, store};
use crate::digest::Key;
use crate::event::{BuildName, Clock, SystemClock, Timestamp};
use crate::execute::{clear_abandoned, result_folder};
use crate::manifest::Manifest;
use crate::plan::Ingredients;
use crate::publish::{DecodedRecords, Repositories, Verification};
use crate::source::source_packages;
use crate::store::{Collected, Collection, CollectionLimits, CollectionMode, History, LastBuild, Store};
use crate::ui::{count, plain_text, size};

/// What is old where no limit is given.
const OLD: Duration = Duration::from_secs(30 * 24 * 3600);

/// Removes what is beyond the limits and not needed: from the store, and old result folders of this project, if there is one.
pub fn run(arguments: &Gc, context: &Context) -> Result<Exit, Failure> {
    let limits = match (arguments.older, arguments.size) {
        (None, None) => CollectionLimits { older: Some(OLD), size_bytes: None },
        (older, size_bytes) => CollectionLimits { older, size_bytes },
    };
    let mode = if arguments.dry_run { CollectionMode::Count } else { CollectionMode::Remove };
    let now = SystemClock.now();
    let store = Arc::new(store(context)?);
    let Ok(project) = Project::find(context) else {
        let collected = store.collect(&Collection { limits, needed: HashSet::new(), mode }, now)?;
        context.print(&screen(&collected, None, arguments))?;
        return Ok(Exit::Success);
    };
    // No apply changes what is needed meanwhile.
    let _lock = match mode {
        CollectionMode::Remove => Some(project.lock()?),
        CollectionMode::Count => None,
    };
    let history = project.history_or_none(context)?;
    let manifest = project.manifest(&[], context).ok();
    if manifest.is_none() {
        context.tell("note: the manifest can't be read: the newest good build of each package that there ever was is kept\n");
    }
    let needed = needed(&project, manifest.as_ref(), &history, &store)?;
    let collected = store.collect(&Collection { limits, needed, mode }, now)?;
    let old = OldResults { project: &project, history: &history };
    let removed = match mode {
        CollectionMode::Count => old.count(limits.older, now)?,
        CollectionMode::Remove => {
            clear_abandoned(&history, &project.state()?, now)?;
            let removed = old.remove(limits.older, now)?;
            // Without a manifest that can be read nobody knows what is still needed.
            if let Some(manifest) = &manifest {
                let needed = source_packages(manifest, &project.repository);
                project.unpacked()?.collect_all_but(&needed)?;
            }
            removed
        }
    };
    history.take_notes().iter().for_each(|note| context.tell(&plain_text(&format!("note: {note}\n"))));
    context.print(&screen(&collected, Some(removed), arguments))?;
    Ok(Exit::Success)
}

/// The keys of what this project publishes, and of the newest good build of each of its packages.
fn needed(
    project: &Project,
    manifest: Option<&Arc<Manifest>>,
    history: &History,
    store: &Arc<Store>,
) -> Result<HashSet<Key>, Failure> {
    let mut needed = HashSet::new();
    for (build, last) in history.last_good()? {
        if manifest.is_none_or(|manifest| is_declared(&build, manifest)) {
            needed.extend(keys(&last));
        }
    }
    if let Some(manifest) = manifest {
        let repositories = Repositories {
            manifest: Arc::clone(manifest),
            project: Arc::clone(&project.repository),
            state: Arc::new(project.state()?),
            store: Arc::clone(store),
            clock: Arc::new(SystemClock),
            verification: Verification::TimesFirst,
            decoded: DecodedRecords::default(),
        };
        needed.extend(repositories.published_keys()?);
    }
    Ok(needed)
}

/// Whether a manifest still has a build.
fn is_declared(build: &BuildName, manifest: &Manifest) -> bool {
    manifest.packages.iter().any(|package| {
        let chroot = |id: &_| manifest.chroot(*id).name.value == build.chroot;
        package.name.value == build.package && package.chroots.iter().any(chroot)
    })
}

/// The keys of a build's packages and of its source package.
fn keys(last: &LastBuild) -> impl Iterator<Item = Key> {
    let ingredients: Option<Ingredients> = serde_json::from_str(&last.ingredients).ok();
    let source = ingredients.map(|ingredients| ingredients.source_key());
    std::iter::once(last.key).chain(source)
}

/// The result folders of a project that are older than what its packages are now.
struct OldResults<'a> {
    project: &'a Project,
    history: &'a History,
}

impl OldResults<'_> {
    fn count(&self, older: Option<Duration>, now: Timestamp) -> Result<usize, Failure> {
        let Some(older) = older else { return Ok(0) };
        Ok(self.history.old_results(now.before(older))?.len())
    }

    fn remove(&self, older: Option<Duration>, now: Timestamp) -> Result<usize, Failure> {
        let Some(older) = older else { return Ok(0) };
        let mut removed = 0;
        for row in self.history.old_results(now.before(older))? {
            // A row that was damaged must not take another build's folder along.
            let folder = result_folder(&row.build, row.number);
            if row.results.as_deref() == Some(&folder) {
                self.project.state()?.remove_folder(&folder).map_err(CliError::Io)?;
                removed += 1;
            }
            self.history.forget_results(row.number)?;
        }
        Ok(removed)
    }
}

/// What went and what stays, with why.
fn screen(collected: &Collected, folders: Option<usize>, arguments: &Gc) -> String {
    let Collected { results, blobs, bytes, needed, within_limits, bytes_left } = collected;
    let removed = if arguments.dry_run { "would remove" } else { "removed" };
    let mut text = format!(
        "{removed} {} and {} from the store ({})",
        count(*results, "result"),
        count(*blobs, "file"),
        size(*bytes)
    );
    if let Some(folders) = folders {
        text.push_str(&format!(", and {} of this project", count(folders, "result folder")));
    }
    let stays = if arguments.dry_run { "would stay" } else { "stay" };
    text.push_str(&format!("\n{} in {} {stays}", size(*bytes_left), count(needed + within_limits, "result")));
    let why = match (arguments.older, arguments.size) {
        (Some(_), Some(_)) => "newer and within the size",
        (Some(_), None) => "used since",
        (None, Some(_)) => "within the size",
        (None, None) => "used in the last 30 days",
    };
    if folders.is_some() {
        text.push_str(&format!(
            ": {needed} that this project publishes or built last, {within_limits} {why}\n"
        ));
    } else {
        text.push_str(&format!(": {why}; what a project needs is only known in its folder\n"));
    }
    text
}
