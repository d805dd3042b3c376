//! From a manifest to a plan with its decisions, as `apply`, `plan`, `graph` and `check` all need it.

use std::collections::{BTreeSet, HashMap};
use std::mem;
use std::num::NonZero;
use std::sync::Arc;

use super::beside::ChrootRepositories;
use super::built_sources::SourcesOfBuilds;
use super::changed::{ChangedFiles, GitProject};
use super::chroot_requests::all_repositories;
use super::context::{CliError, Context, Failure};
use super::image_root::locked_image;
use super::locks::{LockReading, Locks};
use super::project::{Project, SOURCE_LOGS, store};
use super::registry_settings::indexes;
use super::root_screen::source_screen;
use super::roots::RootOpener;
use super::selection::Chooser;
use super::selection_arguments::Selection;
use super::signing_files::signing;
use super::tools_here::{NativeHere, native_engine, root_tools, supervisor};
use crate::chroot::making::{LockRule, RootTools};
use crate::chroot::{LOCK_FILE, Lock};
use crate::engine::SourcePrograms;
use crate::event::{BuildName, Clock, SystemClock};
use crate::files::{Folder, HostPath};
use crate::manifest::{BatchId, Manifest, NotYetSupported, not_yet_warnings};
use crate::package::version_of_nevra;
use crate::plan::{
    Build, BuildId, Decision, Decisions, Fate, Inspection, Inspector, OpenRoot, OpenRoots, Plan, PlanError,
    inspect,
};
use crate::process::Cancel;
use crate::publish::{DecodedRecords, Repositories, Verification};
use crate::source::{
    FetchPrograms, Mirrors, SourceFolders, SourceLock, SourceMaking, SourceShelves, SourceTools,
};
use crate::store::{BuildRow, History, LastBuild, Store};
use crate::text::Located;
use crate::ui::PlanView;

/// A plan, and what it was made with.
pub struct Planned {
    pub manifest: Arc<Manifest>,
    pub plan: Arc<Plan>,
    pub decisions: Arc<Decisions>,
    /// The newest good result of each build, as the decisions know them.
    pub last_good: Arc<HashMap<BuildName, LastBuild>>,
    pub store: Arc<Store>,
    pub history: Arc<History>,
    pub state: Arc<Folder>,
    pub roots: OpenRoots,
    pub jobs: usize,
    pub folders: SourceFolders,
    /// What is to be locked of sources.
    pub source_lock: SourceLock,
    /// The packages whose specs name files that could not be fetched.
    pub incomplete: BTreeSet<String>,
    /// Whether the lock may change.
    lock_rule: LockRule,
    lock_reading: LockReading,
    /// What git says has changed, where that is asked.
    changed: Option<ChangedFiles>,
}

/// A runtime for what runs at the same time.
pub fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    Ok(runtime.map_err(CliError::Io)?)
}

/// Plans what `selection` asks for.
pub async fn plan(
    project: &Project,
    selection: &Selection,
    cancel: &Cancel,
    context: &Context,
) -> Result<Planned, Failure> {
    let (manifest, history) = match &selection.rebuild {
        Some(order) => (Arc::clone(&order.manifest), project.history_or_none(context)?),
        None => project.manifest_and_history(&selection.profile, context)?,
    };
    let (store, history) = (Arc::new(store(context)?), Arc::new(history));
    let state = Arc::new(project.state()?);
    let supervisor = supervisor()?;
    let NativeHere { engine: native, sandbox } = native_engine(project.repository.path(), &store)?;
    let lock_reading = match selection.locked_before {
        Some(_) => LockReading::Renewing,
        None => LockReading::Whole,
    };
    let locks = Locks::read_as(&project.repository, &store, lock_reading)?;
    let lock = selection.locked_before.clone().unwrap_or(locks.roots);
    let tools = RootTools {
        connection: selection.lock.connection(),
        ..root_tools(&store, &sandbox, (&manifest, cancel), context)?
    };
    let (client, progress) = (Arc::clone(&tools.client), Arc::clone(&tools.progress));
    let source_lock = selection.sources_locked_before.clone().unwrap_or(locks.sources);
    let programs_sandbox = Arc::clone(&sandbox);
    let programs = SourcePrograms::new(&supervisor, Arc::clone(&sandbox));
    let opener = RootOpener {
        lock: &lock,
        rule: selection.lock.rule(),
        given: selection.rebuild.as_ref().and_then(|order| order.root.as_ref()),
        older_metadata: selection.older_metadata,
        tools,
        manifest: &manifest,
        repository: &project.repository,
        store: &store,
        state: state.path(),
        supervisor: &supervisor,
        native,
        sandbox,
    };
    let roots = opener.open_all().await?;
    drop(opener);
    let folders = project.source_folders()?;
    let jobs = selection.jobs.map_or_else(processors, usize::from);
    let repositories = all_repositories(&manifest, &project.repository, &lock, selection.older_metadata);
    let builds = SourcesOfBuilds { history: &history, state: &state, store: &store };
    let inspector = Inspector {
        manifest: &manifest,
        repository: &project.repository,
        sources: SourceTools {
            store: &store,
            client: &client,
            connection: selection.lock.connection(),
            rule: selection.lock.rule(),
            environment: &context.variables,
            programs: FetchPrograms { supervisor: &supervisor, sandbox: &*programs_sandbox },
            clock: &SystemClock,
            cancel,
            folders: &folders,
            indexes: &indexes(context),
            mirrors: &Mirrors::new(&manifest.mirrors),
            making: SourceMaking {
                manifest: &manifest,
                roots: &roots,
                programs: &programs,
                logs: &state.path().join(SOURCE_LOGS),
                runtime: &tokio::runtime::Handle::current(),
            },
            shelves: SourceShelves { repositories: &repositories, builds: &builds },
            progress: &*source_screen(Arc::clone(&progress)),
        },
        source_lock: &source_lock,
        store: &store,
        roots: &roots,
        over: &selection.define,
        rebuild: selection.rebuild.as_ref().map(|order| Arc::clone(&order.rebuild)),
    };
    let inspection = inspect(&inspector, cancel).await?;
    let (source_lock, incomplete) = (inspection.source_lock.clone(), inspection.incomplete.clone());
    check_folder(state.path(), &inspection)?;
    let plan = Plan::new(&manifest, inspection).map_err(|circles| Failure::Circles(Box::new(circles)))?;
    let decisions = Arc::new(Decisions { all: Vec::new() });
    let plan = Arc::new(plan);
    let last_good = Arc::default();
    let changed = match &selection.changed_since {
        None => None,
        Some(revision) => {
            let (folder, state, supervisor) = (&project.repository, &state, &supervisor);
            let git = GitProject { folder, state, supervisor, cancel, context };
            Some(ChangedFiles::since(revision, &git, selection).await?)
        }
    };
    let mut planned = Planned {
        manifest,
        plan,
        decisions,
        last_good,
        store,
        history,
        state,
        roots,
        jobs,
        folders,
        source_lock,
        incomplete,
        lock_rule: selection.lock.rule(),
        lock_reading,
        changed,
    };
    planned.decide(selection)?;
    Ok(planned)
}

impl Planned {
    /// Writes what is locked by now, where that is anything new.
    ///
    /// # Errors
    /// The lock can't be written.
    pub fn write_lock(&self, repository: &Folder) -> Result<(), Failure> {
        if self.lock_rule == LockRule::Frozen {
            return Ok(());
        }
        let before = Locks::read_as(repository, &self.store, self.lock_reading)?;
        let lock = self.lock(&before.roots);
        if lock != before.roots || self.source_lock != before.sources {
            let text = lock.to_text() + &self.source_lock.to_text();
            repository.write_atomic(LOCK_FILE, text.as_bytes()).map_err(CliError::Io)?;
        }
        Ok(())
    }

    /// What is locked by now, where it was `before`.
    pub fn lock(&self, before: &Lock) -> Lock {
        let mut lock = before.clone();
        let is_declared =
            |name: &String| self.manifest.chroots.iter().any(|chroot| chroot.name.value == *name);
        lock.chroots.retain(|name, _| is_declared(name));
        for (id, root) in &self.roots.of_chroots {
            let root = self.roots.all.get(*root);
            let name = self.manifest.chroot(*id).name.value.clone();
            if let Some(packages) = root.and_then(|root| root.packages.as_ref()) {
                lock.chroots.insert(name, packages.chooser.locked());
            } else if let Some(image) = root.and_then(|root| root.image.as_ref()) {
                lock.chroots.insert(name, locked_image(image));
            }
        }
        lock
    }

    /// The roots, by the names of the chroots.
    pub fn roots_by_chroot(&self) -> HashMap<String, OpenRoot> {
        let open = self.roots.of_chroots.keys().filter_map(|id| {
            let root = self.roots.of(*id)?;
            Some((self.manifest.chroot(*id).name.value.clone(), root.clone()))
        });
        open.collect()
    }

    /// Leaves it to the end of the process to free what a plan of thousands of builds consists of: that takes longer than
    /// to look at the repositories.
    pub fn leave(&self) {
        mem::forget((Arc::clone(&self.manifest), Arc::clone(&self.plan), Arc::clone(&self.decisions)));
        mem::forget((Arc::clone(&self.store), Arc::clone(&self.last_good)));
    }

    /// Decides what is to be done, by what the store has now.
    pub fn decide(&mut self, selection: &Selection) -> Result<(), Failure> {
        self.last_good = Arc::new(self.history.last_good()?);
        let mut decisions = self.plan.decide(&self.store, &self.last_good);
        let attempts = if selection.failed { self.history.newest_attempts()? } else { HashMap::new() };
        self.chooser(&attempts).apply(selection, &mut decisions)?;
        if let Some(order) = &selection.rebuild {
            order.say_why(&mut decisions);
        }
        self.plan.skip_behind_failed(&mut decisions);
        self.decisions = Arc::new(decisions);
        Ok(())
    }

    /// The builds that are chosen.
    fn chosen(&self) -> impl Iterator<Item = &Build> {
        let is_chosen = |id: &BuildId| !matches!(self.decisions.decision(*id), Decision::NotChosen);
        self.plan.ids().filter(is_chosen).map(|id| self.plan.build(id))
    }

    /// Shows everything that keeps builds from being possible; gives how many there are.
    pub fn show_impossible(&self, context: &Context) -> usize {
        let errors = self.impossible();
        for error in &errors {
            context.show(*error);
            context.tell("\n");
        }
        errors.len()
    }

    /// As [`Self::show_impossible`], of builds of which there is not even a source package to be had.
    pub fn show_without_source_package(&self, context: &Context) -> usize {
        let errors = self.errors_of(|build| build.source_inputs().is_none());
        for error in &errors {
            context.show(*error);
            context.tell("\n");
        }
        errors.len()
    }

    /// Everything that keeps builds from being possible, once each.
    pub fn impossible(&self) -> Vec<&Located<PlanError>> {
        self.errors_of(|_| true)
    }

    fn errors_of(&self, is_meant: impl Fn(&Build) -> bool) -> Vec<&Located<PlanError>> {
        let mut known = BTreeSet::new();
        let errors = self.chosen().filter(|build| is_meant(build)).flat_map(|build| match &build.fate {
            Fate::Impossible(errors) => errors.as_slice(),
            Fate::Buildable(_) | Fate::RuledOut(_) | Fate::NotYet(_) => &[],
        });
        let errors = errors.filter(|error| known.insert(format!("{error} {}", error.place())));
        errors.map(AsRef::as_ref).collect()
    }

    /// What the manifest says that has no effect yet, in the words of builds that say so themselves only where none does.
    pub fn unsupported(&self) -> Vec<String> {
        let warnings = not_yet_warnings(&self.manifest.not_yet);
        warnings.iter().map(ToString::to_string).filter(|said| !self.is_said_by_build(said)).collect()
    }

    fn is_said_by_build(&self, said: &str) -> bool {
        self.plan.builds.iter().any(|build| match &build.fate {
            Fate::NotYet(why) => why.starts_with(said),
            Fate::Buildable(_) | Fate::RuledOut(_) | Fate::Impossible(_) => false,
        })
    }

    /// Whether a build is skipped that should not be, or the manifest says what has no effect yet.
    pub fn falls_short(&self) -> bool {
        let is_failure = |decision: &Decision| matches!(decision, Decision::Skip { failed: true, .. });
        !self.manifest.not_yet.is_empty() || self.decisions.all.iter().any(is_failure)
    }

    /// Shows what has no effect yet, or keeps packages from being built for a while.
    pub fn show_unsupported(&self, context: &Context) {
        for warning in self.unsupported_words() {
            context.show(&warning);
            context.tell("\n");
        }
        self.unsupported_builds().iter().for_each(|why| context.tell(&format!("warning: {why}\n")));
    }

    /// What the manifest says that has no effect yet.
    pub fn unsupported_words(&self) -> Vec<Located<NotYetSupported>> {
        not_yet_warnings(&self.manifest.not_yet)
    }

    /// What keeps packages from being built for a while, beside [what the manifest says](Self::unsupported_words).
    pub fn unsupported_builds(&self) -> BTreeSet<&str> {
        let said = self.unsupported_words();
        let is_said = |why: &str| said.iter().any(|warning| why.starts_with(&warning.to_string()));
        let builds = self.plan.builds.iter();
        builds
            .filter_map(|build| match &build.fate {
                Fate::NotYet(why) if !is_said(why) => Some(why.as_str()),
                Fate::NotYet(_) | Fate::Buildable(_) | Fate::RuledOut(_) | Fate::Impossible(_) => None,
            })
            .collect()
    }

    /// Shows what could not be checked.
    pub fn show_notes(&self, context: &Context) {
        self.notes().iter().for_each(|note| context.tell(&format!("note: {note}\n")));
    }

    /// What could not be checked.
    pub fn notes(&self) -> Vec<String> {
        self.plan.notes().iter().map(ToString::to_string).collect()
    }

    /// Shows what specs say that may not be meant; gives how much that is.
    pub fn show_warnings(&self, context: &Context) -> usize {
        let warnings = self.warnings();
        for warning in &warnings {
            context.show(*warning);
            context.tell("\n");
        }
        warnings.len()
    }

    /// What the manifest says that does nothing because packages are built in no sandbox.
    pub fn show_needs_sandbox(&self, context: &Context) {
        for warning in self.manifest.needs_sandbox() {
            context.show(&warning);
            context.tell("\n");
        }
    }

    /// What specs say that may not be meant, once each.
    pub fn warnings(&self) -> Vec<&Located<PlanError>> {
        let mut known = BTreeSet::new();
        let warnings = self.plan.builds.iter().flat_map(|build| &build.warnings);
        warnings.filter(|warning| known.insert(format!("{warning} {}", warning.place()))).collect()
    }

    /// The repositories that it is published to.
    pub fn repositories(
        &self,
        project: &Project,
        verification: Verification,
        clock: Arc<dyn Clock>,
        context: &Context,
    ) -> Repositories {
        Repositories {
            manifest: Arc::clone(&self.manifest),
            project: Arc::clone(&project.repository),
            state: Arc::clone(&self.state),
            store: Arc::clone(&self.store),
            clock,
            verification,
            decoded: DecodedRecords::default(),
            beside: Arc::new(ChrootRepositories::new(&self.manifest, &self.roots)),
            signing: signing(context),
        }
    }

    /// The version of each build's newest good result, of those that are to be built.
    pub fn versions_before(&self) -> HashMap<BuildName, String> {
        let is_built = |id: &BuildId| matches!(self.decisions.decision(*id), Decision::Build { .. });
        let version = |id: BuildId| {
            let name = &self.plan.build(id).name;
            let result = self.store.result(&self.last_good.get(name)?.key)?;
            let source = result.files.iter().find(|file| file.package.arch == "src")?;
            Some((name.clone(), version_of_nevra(&source.package.nevra)?))
        };
        self.plan.ids().filter(is_built).filter_map(version).collect()
    }

    /// The builds that are asked for; not those that they need.
    pub fn asked(&self, selection: &Selection) -> Result<Vec<BuildId>, Failure> {
        let attempts = if selection.failed { self.history.newest_attempts()? } else { HashMap::new() };
        let chosen = self.chooser(&attempts).choose(selection)?;
        let chosen = chosen.map_or_else(|| self.plan.ids().collect(), |chosen| chosen.into_iter().collect());
        Ok(chosen)
    }

    fn chooser<'a>(&'a self, attempts: &'a HashMap<BuildName, BuildRow>) -> Chooser<'a> {
        Chooser { manifest: &self.manifest, plan: &self.plan, attempts, changed: self.changed.as_ref() }
    }

    /// The plan with what there was before it.
    pub fn view<'a>(
        &'a self,
        batches: &'a [String],
        batch_of: &'a [Option<BatchId>],
        attempts: &'a HashMap<BuildName, BuildRow>,
        versions: &'a HashMap<BuildName, String>,
    ) -> PlanView<'a> {
        PlanView { plan: &self.plan, decisions: &self.decisions, batches, batch_of, attempts, versions }
    }

    /// The batch of each package, by its place.
    pub fn batch_of(&self) -> Vec<Option<BatchId>> {
        self.manifest.packages.iter().map(|package| package.batch).collect()
    }

    /// Names of batches, by their place.
    pub fn batch_names(&self) -> Vec<String> {
        self.manifest.batches.iter().map(|batch| batch.name.value.clone()).collect()
    }
}

/// rpm's programs begin scripts by their paths in the state folder, without quotes.
fn check_folder(state: &HostPath, inspection: &Inspection) -> Result<(), PlanError> {
    let path = state.to_string();
    let character = path.chars().find_map(|c| match c {
        '\'' | '"' => Some("a quote"),
        '\\' => Some("a backslash"),
        c if c.is_whitespace() => Some("a blank"),
        _ => None,
    });
    let is_buildable = |build: &Build| matches!(build.fate, Fate::Buildable(_));
    match character.filter(|_| inspection.builds.iter().any(is_buildable)) {
        Some(character) => Err(PlanError::ProjectFolder { folder: path, character }),
        None => Ok(()),
    }
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
