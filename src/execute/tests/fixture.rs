//! A project without specs and packages: its builds are made up, and so is who runs them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tempfile::TempDir;

use crate::chroot::RootIdentity;
use crate::digest::Digest;
use crate::engine::{EngineIdentity, Facts, FactsRequest, Settings, SubpackageFacts};
use crate::event::{BuildName, Clock, Event, EventSink, Listener, RunId, State, Timestamp, What};
use crate::execute::recorder::Records;
use crate::execute::runner::Runner;
use crate::execute::scheduler::{Applied, Execution, Publisher, execute};
use crate::execute::task::ScheduledBuild;
use crate::execute::{Ends, ExecuteError};
use crate::files::{Folder, HostPath, RootPath};
use crate::manifest::{ChrootId, MANIFEST_FILE, Manifest, PackageId, load};
use crate::package::Dependency;
use crate::plan::{Build, Fate, Ingredients, Inputs, Inspection, Observed, Plan};
use crate::process::Cancel;
use crate::source::{InputFile, SourceLock};
use crate::store::{Blob, BuildRow, History, Store};

/// A project whose manifest declares packages for the chroot `host`.
pub struct Project {
    temp: TempDir,
    pub manifest: Arc<Manifest>,
    pub store: Arc<Store>,
    pub history: Arc<History>,
    pub cancel: Cancel,
    pub jobs: usize,
    /// What each package requires of others.
    needs: BTreeMap<String, Vec<String>>,
    /// The packages whose specs ask for more than they say.
    generators: BTreeSet<String>,
    /// What the specs of packages are; the packages don't depend on it.
    specs: BTreeMap<String, u32>,
}

/// What an apply came to.
pub struct Run {
    pub outcome: Result<Applied, ExecuteError>,
    pub events: Vec<Event>,
    pub rows: Vec<BuildRow>,
}

impl Project {
    /// One whose manifest says this.
    pub fn new(manifest: &str) -> Self {
        let temp = TempDir::new().unwrap();
        let folder =
            |name: &str| Folder::create_ambient(&HostPath::new(temp.path().join(name)).unwrap()).unwrap();
        let defaults = if manifest.contains("defaults") { "" } else { "defaults { isolation none }\n" };
        let text = format!("rpmforge version=1\nchroot host {{ root \"/\" }}\n{defaults}{manifest}");
        let repository = folder("project");
        repository.write_atomic(MANIFEST_FILE, text.as_bytes()).unwrap();
        for spec in ["a.spec", "b.spec", "c.spec", "d.spec", "e.spec"] {
            repository.write_atomic(spec, b"").unwrap();
        }
        let manifest = load(&repository, MANIFEST_FILE, &BTreeMap::new()).unwrap();
        let store = Store::open(folder("store").path()).unwrap();
        Self {
            manifest: Arc::new(manifest),
            store: Arc::new(store),
            history: Arc::new(History::in_memory().unwrap()),
            cancel: Cancel::default(),
            jobs: 2,
            needs: BTreeMap::new(),
            generators: BTreeSet::new(),
            specs: BTreeMap::new(),
            temp,
        }
    }

    /// One of packages without settings.
    pub fn of(packages: &[&str]) -> Self {
        let declared = packages.iter().map(|name| declaration(name, ""));
        Self::new(&declared.collect::<String>())
    }

    /// The package `name` requires `others`.
    pub fn needing(mut self, name: &str, others: &[&str]) -> Self {
        self.needs.insert(name.to_owned(), others.iter().map(|other| (*other).to_owned()).collect());
        self
    }

    /// The spec of the package `name` has a `%generate_buildrequires`.
    pub fn generating(mut self, name: &str) -> Self {
        self.generators.insert(name.to_owned());
        self
    }

    pub fn with_jobs(mut self, jobs: usize) -> Self {
        self.jobs = jobs;
        self
    }

    /// Changes the spec of a package.
    pub fn change_spec(&mut self, name: &str) {
        *self.specs.entry(name.to_owned()).or_default() += 1;
    }

    pub fn path(&self, name: &str) -> HostPath {
        HostPath::new(self.temp.path().join(name)).unwrap()
    }

    pub fn state(&self) -> Folder {
        Folder::create_ambient(&self.path("state")).unwrap()
    }

    /// Applies once, with a runner that does what it is told.
    pub async fn apply(&self, runner: impl Runner + 'static) -> Run {
        self.apply_heard_by(runner, Arc::default()).await
    }

    pub async fn apply_heard_by(&self, runner: impl Runner + 'static, heard: Arc<Heard>) -> Run {
        let plan =
            Plan::new(&self.manifest, self.inspection()).map_err(|circles| format!("{circles:?}")).unwrap();
        let last_good = Arc::new(self.history.last_good().unwrap());
        let decisions = plan.decide(&self.store, &last_good);
        let execution = Execution {
            manifest: Arc::clone(&self.manifest),
            plan: Arc::new(plan),
            decisions: Arc::new(decisions),
            store: Arc::clone(&self.store),
            history: Arc::clone(&self.history),
            last_good,
            state: Arc::new(self.state()),
            runner: Arc::new(runner),
            events: events_to(&heard),
            publisher: Arc::new(Counting),
            jobs: self.jobs,
            cancel: self.cancel.clone(),
        };
        let outcome = execute(execution).await;
        let mut rows = self.history.builds(None, 100).unwrap();
        rows.reverse();
        Run { outcome, events: heard.events.lock().unwrap().clone(), rows }
    }

    fn inspection(&self) -> Inspection {
        let packages = self.manifest.packages.iter().enumerate();
        let builds = packages.map(|(index, package)| self.build(PackageId(index), &package.name.value));
        Inspection {
            builds: builds.collect(),
            installed: HashMap::new(),
            source_lock: SourceLock::default(),
            incomplete: BTreeSet::new(),
        }
    }

    fn build(&self, package: PackageId, name: &str) -> Build {
        Build {
            name: BuildName { package: name.to_owned(), chroot: "host".to_owned() },
            package,
            chroot: ChrootId(0),
            settings: Settings::default(),
            fate: Fate::Buildable(Arc::new(self.inputs(name))),
            unbuilt: None,
            spec_name: Some(name.to_owned()),
            warnings: Vec::new(),
        }
    }

    /// A build that waits for nothing.
    pub fn scheduled(&self, name: &str) -> Arc<ScheduledBuild> {
        let inputs = Arc::new(self.inputs(name));
        let ingredients = Ingredients::new(&inputs, &Settings::default(), BTreeMap::new());
        Arc::new(ScheduledBuild {
            name: BuildName { package: name.to_owned(), chroot: "host".to_owned() },
            key: ingredients.key(),
            inputs,
            ingredients,
            timeout: Duration::ZERO,
            limits: crate::process::SandboxLimits::default(),
            dependencies: Vec::new(),
            reasons: Vec::new(),
        })
    }

    /// Where a recorder writes to, and to whom it tells.
    pub fn records(&self, heard: &Arc<Heard>) -> Records {
        Records {
            history: Arc::clone(&self.history),
            store: Arc::clone(&self.store),
            state: Arc::new(self.state()),
            events: events_to(heard),
            cancel: self.cancel.clone(),
        }
    }

    fn inputs(&self, name: &str) -> Inputs {
        let version = self.specs.get(name).copied().unwrap_or_default();
        let digest = Digest::compute(format!("{name} {version}").as_bytes());
        let provides = vec![Dependency::any(name)];
        let subpackage = SubpackageFacts { name: name.to_owned(), provides, ..SubpackageFacts::default() };
        let build_requires = self.needs.get(name).into_iter().flatten().map(Dependency::any).collect();
        let facts = Facts {
            name: name.to_owned(),
            evr: "1.0-1".to_owned(),
            subpackages: vec![subpackage],
            build_requires,
            generates_requires: self.generators.contains(name),
            ..Facts::default()
        };
        let (spec, root) = (self.path("project").join(format!("{name}.spec")), self.path("project"));
        let request = FactsRequest {
            spec: RootPath::in_own_root(&spec).unwrap(),
            sources: RootPath::in_own_root(&root).unwrap(),
            settings: Settings::default(),
            may_run: true,
            readable: Vec::new(),
        };
        let spec = InputFile {
            name: format!("{name}.spec"),
            root,
            path: format!("{name}.spec").into(),
            blob: Blob { digest, size: 1 },
            is_executable: false,
        };
        let observed = Observed {
            request,
            observations: Vec::new(),
            by_name: BTreeMap::new(),
            facts: facts.digest(),
            expanded: None,
        };
        Inputs {
            facts,
            spec,
            generated: Vec::new(),
            sources: Vec::new(),
            observed,
            root: RootIdentity {
                packages: digest_of("p"),
                configuration: digest_of("c"),
                programs: digest_of("t"),
                image: None,
            },
            engine: EngineIdentity { name: "made up".to_owned(), sources: "0".to_owned() },
            wish: None,
            rebuild: None,
        }
    }
}

/// The lines that declare a package.
pub fn declaration(name: &str, more: &str) -> String {
    format!("package {name} {{ source path \"{name}.spec\"; {more} }}\n")
}

fn digest_of(text: &str) -> Digest {
    Digest::compute(text.as_bytes())
}

fn events_to(heard: &Arc<Heard>) -> EventSink {
    EventSink::new(run_id(), Arc::new(Ticks::default()), Arc::clone(heard) as Arc<dyn Listener>)
}

/// The run that all events of a test are of.
pub fn run_id() -> RunId {
    RunId::new(Timestamp(1), [7; 10])
}

impl Run {
    /// What was told of a package: its states, and how it ended.
    pub fn states(&self, package: &str) -> Vec<State> {
        let of = |event: &Event| match &event.what {
            What::StateChanged { build, state, .. } if build.package == package => Some(*state),
            What::BuildEnded(ended) if ended.build.package == package => Some(ended.state),
            _ => None,
        };
        self.events.iter().filter_map(of).collect()
    }

    /// The last state of a package.
    pub fn end(&self, package: &str) -> State {
        *self.states(package).last().unwrap()
    }

    /// Why a package was skipped, or has failed.
    pub fn reason(&self, package: &str) -> String {
        let ended = self.events.iter().find_map(|event| match &event.what {
            What::BuildEnded(ended) if ended.build.package == package => Some(ended),
            _ => None,
        });
        let ended = ended.unwrap();
        let cause = ended.failure.as_ref().map(|failure| failure.cause.clone());
        cause.or_else(|| ended.skipped.clone()).unwrap()
    }

    /// Where in the events the first stands for which `is_meant` holds.
    pub fn position(&self, is_meant: impl Fn(&What) -> bool) -> usize {
        self.events.iter().position(|event| is_meant(&event.what)).unwrap()
    }
}

/// Whether an event says that a package has come to a state, or has ended in it.
pub fn tells(package: &str, wanted: State) -> impl Fn(&What) -> bool {
    move |what| match what {
        What::StateChanged { build, state, .. } => build.package == package && *state == wanted,
        What::BuildEnded(ended) => ended.build.package == package && ended.state == wanted,
        _ => false,
    }
}

/// What is done with an event as it comes.
type Look = Box<dyn Fn(&Event) + Send + Sync>;

/// Hears all events.
#[derive(Default)]
pub struct Heard {
    pub events: Mutex<Vec<Event>>,
    /// Whether it asks for what builds print.
    pub asks_for_logs: bool,
    /// What is done with each event as it comes, if anything is.
    pub look: Option<Look>,
}

impl Listener for Heard {
    fn hear(&self, event: &Event) {
        self.look.iter().for_each(|look| look(event));
        self.events.lock().unwrap().push(event.clone());
    }

    fn wants_logs(&self) -> bool {
        self.asks_for_logs
    }
}

/// A clock that goes on by a millisecond whenever somebody looks.
#[derive(Default)]
struct Ticks(AtomicU64);

impl Clock for Ticks {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.fetch_add(1, Ordering::Relaxed) + 1000)
    }
}

/// Tells how many builds with a result it was given.
struct Counting;

impl Publisher for Counting {
    fn publish(&self, _: ChrootId, _: &Plan, ends: &Ends) -> Vec<What> {
        let packages = ends.values().filter(|end| end.result.is_some()).count();
        let (chroot, folder) = ("host".to_owned(), "public/host".to_owned());
        let (added, removed, signed_by) = (Vec::new(), Vec::new(), Vec::new());
        vec![What::Published { chroot, folder, packages, added, removed, signed_by }]
    }
}

/// Puts content into a store.
pub fn keep(store: &Store, folder: &Folder, name: &str, content: &str) -> (Blob, String) {
    folder.write_atomic(name, content.as_bytes()).unwrap();
    store.take_in(folder, Path::new(name)).unwrap()
}
