//! `forge gc`

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::Exit;
use super::arguments::Gc;
use super::context::{CliError, Context, Failure};
use super::failed_builds::failed_age;
use super::gc_screen::{GcView, NeededBy, Reported, gc_screen};
use super::known_repositories::known_repositories;
use super::project::{Project, store};
use super::result_record::read_record;
use crate::digest::Key;
use crate::event::{BuildName, Clock, State, SystemClock, Timestamp};
use crate::execute::{clear_abandoned, remove_ended_shells, result_folder};
use crate::files::{Folder, FreedSpace};
use crate::manifest::{Age, MANIFEST_FILE, Manifest};
use crate::plan::Ingredients;
use crate::sandbox::remove_abandoned_groups;
use crate::source::source_packages;
use crate::store::{BuildRow, Collection, CollectionLimits, CollectionMode, History, LastBuild, Pins, Store};
use crate::ui::plain_text;

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
    let project = Project::find(context).ok();
    // No apply changes what is needed meanwhile.
    let _lock = match (&project, mode) {
        (Some(project), CollectionMode::Remove) => Some(project.lock("forge gc")?),
        (_, CollectionMode::Count) | (None, _) => None,
    };
    if mode == CollectionMode::Remove {
        remove_abandoned_groups();
    }
    let others = OtherProjects { own: project.as_ref(), store: &store, context };
    let mut needed_by = others.needed(mode)?;
    let Some(project) = project else {
        let report = store.collect(&collection(limits, &needed_by, mode), now)?;
        let view = GcView { report: &report, needed_by: &needed_by, arguments, now };
        context.print(&plain_text(&gc_screen(view, None, context.verbosity)))?;
        return Ok(Exit::Success);
    };
    let history = project.history_or_none(context)?;
    let manifest = project.manifest(&[], context).ok();
    if manifest.is_none() {
        context.tell("note: the manifest can't be read: the newest good build of each package that there ever was is kept\n");
    }
    let own = needed(&project, manifest.as_ref(), (&history, &store), context)?;
    needed_by.extend(own.into_iter().map(|key| (key, NeededBy::This)));
    let mut report = store.collect(&collection(limits, &needed_by, mode), now)?;
    let state = project.state()?;
    let old = OldResults {
        pins: Pins::read(&state)?,
        failed: manifest.as_deref().and_then(failed_age),
        state,
        history: &history,
        limits,
        kept: report.kept(),
    };
    let builds = old.builds_by_key()?;
    let removed = old.collect(mode, now, &mut report.freed)?;
    if mode == CollectionMode::Remove {
        clear_abandoned(&history, &project.state()?, now)?;
        remove_ended_shells(&project.state()?)?;
        // Without a manifest that can be read nobody knows what is still needed.
        if let Some(manifest) = &manifest {
            let needed = source_packages(manifest, &project.repository);
            project.source_folders()?.collect_all_but(&needed)?;
        }
    }
    history.take_notes().iter().for_each(|note| context.tell(&plain_text(&format!("note: {note}\n"))));
    let reported = Reported { folders: removed, builds: &builds };
    let view = GcView { report: &report, needed_by: &needed_by, arguments, now };
    context.print(&plain_text(&gc_screen(view, Some(reported), context.verbosity)))?;
    Ok(Exit::Success)
}

fn collection(
    limits: CollectionLimits,
    needed_by: &HashMap<Key, NeededBy>,
    mode: CollectionMode,
) -> Collection {
    Collection { limits, needed: needed_by.keys().copied().collect(), mode }
}

/// The other projects that use the store.
struct OtherProjects<'a> {
    own: Option<&'a Project>,
    store: &'a Arc<Store>,
    context: &'a Context,
}

impl OtherProjects<'_> {
    /// What they publish and have built last, as far as they are there and can be read.
    fn needed(&self, mode: CollectionMode) -> Result<HashMap<Key, NeededBy>, Failure> {
        let mut needed = HashMap::new();
        let own = self.own.map(|own| own.repository.path());
        for path in self.store.projects()?.into_iter().filter(|path| Some(path) != own) {
            if !path.as_path().join(MANIFEST_FILE).is_file() {
                if mode == CollectionMode::Remove {
                    self.store.forget_project(&path)?;
                }
                continue;
            }
            match Project::at(&path).and_then(|project| self.needed_by(&project)) {
                Ok(keys) => {
                    let folder: Arc<str> = path.to_string().into();
                    let by_other = |key| (key, NeededBy::Other(Arc::clone(&folder)));
                    needed.extend(keys.into_iter().map(by_other));
                }
                Err(_) => self.context.tell(&plain_text(&format!(
                    "note: the project in {path} uses this store and can't be read: what it needs is not known\n"
                ))),
            }
        }
        Ok(needed)
    }

    fn needed_by(&self, project: &Project) -> Result<HashSet<Key>, Failure> {
        let Some(history) = project.history_if_there()? else {
            return Ok(HashSet::new());
        };
        let manifest = project.manifest(&[], self.context).ok();
        needed(project, manifest.as_ref(), (&history, self.store), self.context)
    }
}

/// The keys of what a project publishes, and of the newest good build of each of its packages.
fn needed(
    project: &Project,
    manifest: Option<&Arc<Manifest>>,
    (history, store): (&History, &Arc<Store>),
    context: &Context,
) -> Result<HashSet<Key>, Failure> {
    let mut needed: HashSet<Key> = Pins::read(&project.state()?)?.iter().map(|pin| pin.key).collect();
    for (build, last) in history.last_good()? {
        if manifest.is_none_or(|manifest| is_declared(&build, manifest)) {
            needed.extend(keys(&last));
        }
    }
    if let Some(manifest) = manifest {
        let repositories = known_repositories(project, manifest, store, context)?;
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
    state: Folder,
    history: &'a History,
    limits: CollectionLimits,
    /// What stays in the store.
    kept: HashSet<Key>,
    pins: Pins,
    /// How long builds that failed stay, where the manifest says so.
    failed: Option<Age>,
}

impl OldResults<'_> {
    /// Those that are too old, and those of results that are not in the store any more where its size is limited: their packages
    /// are the store's files.
    fn find(&self, now: Timestamp) -> Result<Vec<BuildRow>, Failure> {
        let mut found = BTreeMap::new();
        if let Some(older) = self.limits.older {
            let rows = self.history.old_results(now.before(older))?;
            found.extend(rows.into_iter().map(|row| (row.number, row)));
        }
        if self.limits.size_bytes.is_some() {
            let rows = self.history.old_results(now)?.into_iter();
            let rows = rows.filter(|row| self.has_lost_its_result(row));
            found.extend(rows.map(|row| (row.number, row)));
        }
        found.retain(|_, row| !self.stays(row, now));
        Ok(found.into_values().collect())
    }

    /// Whether a build stays whatever the limits are: it is pinned, or failed not so long ago that it may go.
    fn stays(&self, row: &BuildRow, now: Timestamp) -> bool {
        let has_failed = matches!(row.state, State::Failed | State::Canceled);
        let is_young = |age: Age| row.ended.is_some_and(|ended| !age.is_over(now.since(ended)));
        let record = || read_record(&self.state, row);
        let is_pinned = !self.pins.is_empty()
            && record().is_some_and(|record| {
                self.pins.iter().any(|pin| pin.is_of_result(&row.build, record.key, None))
            });
        is_pinned || has_failed && self.failed.is_some_and(is_young)
    }

    fn has_lost_its_result(&self, row: &BuildRow) -> bool {
        let record = read_record(&self.state, row);
        record.is_some_and(|record| !record.packages.is_empty() && !self.kept.contains(&record.key))
    }

    /// Removes them, or counts them; gives how many there are.
    fn collect(
        &self,
        mode: CollectionMode,
        now: Timestamp,
        freed: &mut FreedSpace,
    ) -> Result<usize, Failure> {
        let mut removed = 0;
        for row in self.find(now)? {
            // A row that was damaged must not take another build's folder along.
            let folder = result_folder(&row.build, row.number);
            let is_own = row.results.as_deref() == Some(&folder);
            if is_own && self.state.is_folder(&folder) {
                freed.add_folder(&self.state.folder(&folder).map_err(CliError::Io)?).map_err(CliError::Io)?;
            }
            removed += usize::from(is_own);
            match mode {
                CollectionMode::Count => {}
                CollectionMode::Remove => {
                    if is_own {
                        self.state.remove_folder(Path::new(&folder)).map_err(CliError::Io)?;
                    }
                    self.history.forget_results(row.number)?;
                }
            }
        }
        Ok(removed)
    }

    /// The builds of this project by the keys of their results, the newest of each.
    fn builds_by_key(&self) -> Result<HashMap<Key, (u64, BuildName)>, Failure> {
        let mut builds = HashMap::new();
        for row in self.history.builds(None, usize::MAX)? {
            if let Some(record) = read_record(&self.state, &row) {
                builds.entry(record.key).or_insert((row.number, row.build));
            }
        }
        for (build, last) in self.history.last_good()? {
            let known = builds.get(&last.key).cloned();
            for key in keys(&last) {
                let number = known.as_ref().map_or(0, |(number, _)| *number);
                builds.entry(key).or_insert((number, build.clone()));
            }
        }
        Ok(builds)
    }
}
